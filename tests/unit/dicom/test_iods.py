"""Every Type 1, 1C, 2 and 2C attribute of the mandatory modules, row by row of the standard."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.dicom.request import SealRequest
from capture_app.dicom.required import REQUIRED
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.device import DeviceInfo
from capture_app.model.procedure import Side
from tests.sealing import (
    CAMERA,
    DERMATOSCOPE,
    ENDOSCOPE,
    MICROSCOPE,
    ORDER,
    SCANNER,
    description,
    exam,
    jpeg,
    pixels,
    request,
)

TABLE = Path(__file__).parents[2] / "golden" / "iod_required_attributes.csv"

BACK = description("DERM-DERMOSCOPY", "66643007", Side.MIDLINE)
KNEE = description("RH-US-KNEE", "72696002", Side.RIGHT)
COLON = description("GI-COLON", "14742008", None)
OTHER = description("GEN-OTHER", "66643007", Side.RIGHT)
NOTHING_KNOWN = DeviceInfo("bare", "Bare", CAMERA.kind)

OBJECTS: dict[str, tuple[str, SealRequest]] = {
    "photo": ("vl-photographic-image", request()),
    "photo of an order": ("vl-photographic-image", request(exam=exam(order=ORDER))),
    "photo, little known": (
        "vl-photographic-image",
        request(
            exam=exam(encounter=None, department="", station_name=""),
            device=NOTHING_KNOWN,
        ),
    ),
    "grey photo": ("vl-photographic-image", request(image=prepare_jpeg(jpeg(grey=True)))),
    "RGB photo": (
        "vl-photographic-image",
        request(image=encode_rgb(pixels(), came_from_lossy=False)),
    ),
    "dermoscopy": (
        "dermoscopic-photography-image",
        request(description=BACK, device=DERMATOSCOPE),
    ),
    "endoscopy": ("vl-endoscopic-image", request(description=COLON, device=ENDOSCOPE)),
    "microscopy": ("vl-microscopic-image", request(description=OTHER, device=MICROSCOPE)),
    "ultrasound": ("ultrasound-image", request(description=KNEE, device=SCANNER)),
    "RGB ultrasound": (
        "ultrasound-image",
        request(
            description=KNEE,
            device=SCANNER,
            image=encode_rgb(pixels(), came_from_lossy=True),
        ),
    ),
}

CONDITION_MET = {
    "PatientOrientation",  # no Image Orientation (Patient)
    "ContentDate",
    "ContentTime",
    "PixelData",  # no provider URL
    "SpecificCharacterSet",
    "LossyImageCompression",  # US: said either way
}
CONDITION_MET_IN_COLOUR = {"PlanarConfiguration"}
CONDITION_MET_IN_GREY = {"WindowWidth"}  # Window Center is there
MAY_BE_PRESENT = {
    "AcquisitionDateTime",  # required for IVUS only
    "AnatomicRegionSequence",  # required for video only; here always
}
CONDITION_NOT_MET = {
    # no animals
    "AnatomicalOrientationType",
    "BreedRegistrationSequence",
    "PatientBreedCodeSequence",
    "PatientBreedDescription",
    "PatientSpeciesCodeSequence",
    "PatientSpeciesDescription",
    "ResponsibleOrganization",
    "ResponsiblePerson",
    "ResponsiblePersonRole",
    # no palette, no padding, square pixels, one frame, pixels inside
    "BluePaletteColorLookupTableData",
    "BluePaletteColorLookupTableDescriptor",
    "ExtendedOffsetTableLengths",
    "FrameIncrementPointer",
    "GreenPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableDescriptor",
    "PixelAspectRatio",
    "PixelDataProviderURL",
    "PixelPaddingRangeLimit",
    "PixelPaddingValue",
    "RedPaletteColorLookupTableData",
    "RedPaletteColorLookupTableDescriptor",
    # not derived, converted, encrypted, de-identified or one of a stereo pair
    "ConversionSourceAttributesSequence",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "EncryptedAttributesSequence",
    "HL7StructuredDocumentReferenceSequence",
    "QueryRetrieveView",
    "ReferencedImageSequence",
    # no protocol objects, no stages, not intravascular, no alternative calendar
    "IVUSAcquisition",
    "IVUSGatedRate",
    "IVUSPullbackRate",
    "IVUSPullbackStartFrameNumber",
    "IVUSPullbackStopFrameNumber",
    "NumberOfStages",
    "NumberOfViewsInStage",
    "PatientAlternativeCalendar",
    "ReferencedDefinedProtocolSequence",
    "ReferencedPerformedProtocolSequence",
    # Image Laterality is always there; Patient Position is for CT, MR and the like
    "Laterality",
    "PatientPosition",
}


def rows(iod: str) -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["iod"] == iod]


def has_value(ds: Dataset, keyword: str) -> bool:
    return keyword in ds and not ds[keyword].is_empty


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_has_what_its_tables_ask(name: str) -> None:
    iod, asked = OBJECTS[name]
    ds = build(asked)
    verify(ds)
    table = rows(iod)
    assert len(table) > 50
    for row in table:
        keyword, kind = row["keyword"], row["type"]
        if kind == "1":
            assert has_value(ds, keyword), keyword
        elif kind == "2":
            assert keyword in ds, keyword
        elif keyword in CONDITION_MET | (
            CONDITION_MET_IN_COLOUR if ds.SamplesPerPixel == 3 else CONDITION_MET_IN_GREY
        ):
            assert keyword in ds, keyword
            assert kind == "2C" or has_value(ds, keyword), keyword
        elif keyword not in MAY_BE_PRESENT:
            known = CONDITION_NOT_MET | CONDITION_MET_IN_COLOUR | CONDITION_MET_IN_GREY
            assert keyword in known, keyword
            assert keyword not in ds, keyword


@pytest.mark.parametrize("name", ["photo", "dermoscopy", "endoscopy", "microscopy", "ultrasound"])
def test_what_runs_in_the_wards_asks_no_less_than_the_tables(name: str) -> None:
    iod, asked = OBJECTS[name]
    required = REQUIRED[build(asked).SOPClassUID]
    for row in rows(iod):
        if row["type"] in {"1", "2"}:
            types = [r.type for r in required if r.keyword == row["keyword"] and r.when is None]
            assert min(types) <= int(row["type"]), row["keyword"]


@pytest.mark.parametrize("name", OBJECTS)
def test_the_text_of_a_sparse_patient_is_enough(name: str) -> None:
    """Type 2 attributes are there, empty, when a feed told nothing of them."""
    asked = OBJECTS[name][1]
    patient = replace(asked.exam.patient, birth_date=None, other_ids=())
    ds = build(replace(asked, exam=replace(asked.exam, patient=patient, encounter=None)))
    verify(ds)
    assert ds.PatientBirthDate == ""
    assert "PatientAge" not in ds
    assert "AdmissionID" not in ds
