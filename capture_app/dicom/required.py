"""What the information object definitions demand of the objects that are built here: every Type 1
and Type 2 attribute of their mandatory modules, and the conditions that these objects can meet
(PS3.3 A.6, A.32, and the modules in Annex C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import (
    DermoscopicPhotographyImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    VLEndoscopicImageStorage,
    VLMicroscopicImageStorage,
    VLPhotographicImageStorage,
)

Condition = Callable[[Dataset], bool]


@dataclass(frozen=True, slots=True)
class Required:
    """One attribute of an IOD: Type 1 has a value, Type 2 is there; `when` makes it 1C or 2C."""

    keyword: str
    type: int
    when: Condition | None = None

    def is_met_by(self, ds: Dataset) -> bool:
        """Whether the dataset has it as it must."""
        if self.when is not None and not self.when(ds):
            return True
        if self.keyword not in ds:
            return False
        return self.type == 2 or not ds[self.keyword].is_empty


def _is_color(ds: Dataset) -> bool:
    return int(ds.get("SamplesPerPixel", 1) or 1) > 1


def _is_lossy(ds: Dataset) -> bool:
    return bool(ds.get("LossyImageCompression", "") == "01")


def _is_steady(ds: Dataset) -> bool:
    return "FrameTimeVector" not in ds


def _is_variable(ds: Dataset) -> bool:
    return not _is_steady(ds)


def _is_grey(ds: Dataset) -> bool:
    return not _is_color(ds)


def _type(number: int, *keywords: str, when: Condition | None = None) -> tuple[Required, ...]:
    return tuple(Required(keyword, number, when) for keyword in keywords)


_PATIENT: Final = (
    *_type(2, "PatientName", "PatientBirthDate", "PatientSex"),
    # Type 2 in the standard; an image that names nobody is not built here
    *_type(1, "PatientID"),
)
_STUDY: Final = (
    *_type(1, "StudyInstanceUID"),
    *_type(2, "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"),
)
_SERIES: Final = (*_type(1, "Modality", "SeriesInstanceUID"), *_type(2, "SeriesNumber"))
_EQUIPMENT: Final = _type(2, "Manufacturer")
_ENHANCED_EQUIPMENT: Final = _type(
    1, "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions"
)
_GENERAL_IMAGE: Final = (
    *_type(2, "InstanceNumber", "PatientOrientation", "ContentDate", "ContentTime"),
    # Image Laterality stands in for Laterality (2C) of a paired region; here it is always there
    *_type(1, "ImageLaterality"),
)
_PIXELS: Final = (
    *_type(
        1,
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelData",
    ),
    *_type(1, "PixelRepresentation"),
    *_type(1, "PlanarConfiguration", when=_is_color),
)
_ACQUISITION_CONTEXT: Final = _type(2, "AcquisitionContextSequence")
_VL_IMAGE: Final = (
    *_type(1, "ImageType", "AnatomicRegionSequence"),
    *_type(2, "LossyImageCompression"),
)
_US_IMAGE: Final = (
    *_type(2, "ImageType"),
    *_type(1, "AnatomicRegionSequence"),
    *_type(1, "LossyImageCompression", when=_is_lossy),
)
_DERMOSCOPIC_IMAGE: Final = (
    *_type(
        2,
        "LightSourcePolarization",
        "EmitterColorTemperature",
        "ContactMethod",
        "OpticalMagnificationFactor",
    ),
    *_type(1, "RecognizableVisualFeatures"),
)
_MULTI_FRAME: Final = (
    *_type(1, "NumberOfFrames", "FrameIncrementPointer"),
    *_type(1, "FrameTime", when=_is_steady),
    *_type(1, "FrameTimeVector", when=_is_variable),
)
_SC_MULTI_FRAME: Final = (
    *_type(1, "ConversionType", "BurnedInAnnotation"),
    *_type(1, "LossyImageCompression", when=_is_lossy),
    *_type(1, "RescaleIntercept", "RescaleSlope", "RescaleType", when=_is_grey),
    *_type(1, "PresentationLUTShape", when=_is_grey),
)
_SOP_COMMON: Final = _type(1, "SOPClassUID", "SOPInstanceUID", "SpecificCharacterSet")

_COMMON: Final = (
    *_PATIENT,
    *_STUDY,
    *_SERIES,
    *_EQUIPMENT,
    *_GENERAL_IMAGE,
    *_PIXELS,
    *_SOP_COMMON,
)
_SC_CLIP: Final = (*_COMMON, *_MULTI_FRAME, *_SC_MULTI_FRAME)
_VL: Final = (*_COMMON, *_ACQUISITION_CONTEXT, *_VL_IMAGE)

REQUIRED: Final[Mapping[str, tuple[Required, ...]]] = MappingProxyType(
    {
        VLPhotographicImageStorage: _VL,
        VLEndoscopicImageStorage: _VL,
        VLMicroscopicImageStorage: _VL,
        DermoscopicPhotographyImageStorage: (*_VL, *_ENHANCED_EQUIPMENT, *_DERMOSCOPIC_IMAGE),
        UltrasoundImageStorage: (*_COMMON, *_US_IMAGE),
        UltrasoundMultiFrameImageStorage: (*_COMMON, *_US_IMAGE, *_MULTI_FRAME),
        MultiFrameTrueColorSecondaryCaptureImageStorage: _SC_CLIP,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage: _SC_CLIP,
    }
)
"""By SOP Class UID."""

CODE_SEQUENCES: Final = frozenset(
    {
        "AnatomicRegionSequence",
        "AnatomicRegionModifierSequence",
        "ConceptCodeSequence",
        "ConceptNameCodeSequence",
        "InstitutionalDepartmentTypeCodeSequence",
        "PerformedProtocolCodeSequence",
        "PersonIdentificationCodeSequence",
        "ProcedureCodeSequence",
        "PurposeOfReferenceCodeSequence",
        "ReasonForPerformedProcedureCodeSequence",
        "RequestedProcedureCodeSequence",
        "ScheduledProtocolCodeSequence",
        "SeriesDescriptionCodeSequence",
    }
)
"""Sequences whose items are codes: value, scheme and meaning each (PS3.3 8.8)."""


def missing(ds: Dataset) -> Iterator[str]:
    """Keywords that the object's IOD demands and that it lacks."""
    for required in REQUIRED.get(str(ds.get("SOPClassUID", "")), _COMMON):
        if not required.is_met_by(ds):
            yield required.keyword
