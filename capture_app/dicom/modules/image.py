"""The picture: General Image, Image Pixel, VL Image, US Image, Dermoscopic Image and SOP Common
(PS3.3 C.7.6.1, C.7.6.3, C.8.12.1, C.8.5.6, C.8.12.16, C.12.1).
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from pydicom.dataset import Dataset
from pydicom.uid import UID

from capture_app.clock import uid_of
from capture_app.dicom.elements import code_item, put, put_codes, put_known
from capture_app.dicom.local_codes import LOCAL_SCHEME, LOCAL_SCHEME_NAME
from capture_app.dicom.request import SealRequest, SourceFrame
from capture_app.dicom.times import da, dt, offset_from_utc, tm
from capture_app.model.coded_clip import CodedClip
from capture_app.model.coding import Code
from capture_app.model.device import OFTEN_BURNED_IN, DeviceInfo
from capture_app.model.encoded_image import EncodedImage, Handling, PixelCoding
from capture_app.model.procedure import ProcedureEntry, Region
from capture_app.settings.resources import resource

INSTANCE_CREATOR_UID: Final = "2.25.60728694199698736765380178086647934924"
"""This application (0008,0014)."""
IDENTIFYING: Final = Code("131393", "DCM", "Identifying")
NUDITY: Final = Code("131391", "DCM", "Nudity")
SOURCE_IMAGE: Final = Code("121322", "DCM", "Source Image for Image Processing Operation")
_JPEG: Final = "ISO_10918_1"
_OFFSET_TABLE: Final = bytes.fromhex("feff00e0 04000000 00000000")
"""A Basic Offset Table of one frame: it begins at once."""
_ITEM: Final = bytes.fromhex("feff00e0")
_SENSITIVE_CONTENT_CODE_SEQUENCE: Final = 0x0008001D
"""Younger than the dictionary of pydicom 3.0."""


def general_image_module(ds: Dataset, request: SealRequest, taken_at: datetime) -> None:
    """When it was taken, where that is known, and whether its bytes are those that came
    (C.7.6.1.1.2).
    """
    put(ds, "InstanceNumber", request.instance_number)
    derivation = _derivation(request.image)
    put(ds, "ImageType", ["DERIVED" if derivation else "ORIGINAL", "PRIMARY"])
    put_known(ds, "DerivationDescription", derivation)
    put(ds, "ContentDate", da(taken_at))
    put(ds, "ContentTime", tm(taken_at))
    if request.is_time_known:
        put(ds, "AcquisitionDate", da(taken_at))
        put(ds, "AcquisitionTime", tm(taken_at))
        put(ds, "AcquisitionDateTime", dt(taken_at))
    put(ds, "PatientOrientation", "")  # Type 2C: a hand-held camera does not know
    _burned_in_annotation(ds, request.device, request.image)


def source_image(ds: Dataset, source: SourceFrame | None) -> None:
    """Of which frame of which clip it was taken (General Reference, PS3.3 C.12.4)."""
    if source is None:
        return
    item = Dataset()
    put(item, "ReferencedSOPClassUID", source.sop_class_uid)
    put(item, "ReferencedSOPInstanceUID", source.sop_instance_uid)
    put(item, "ReferencedFrameNumber", source.number)
    put_codes(item, "PurposeOfReferenceCodeSequence", [SOURCE_IMAGE])
    put(ds, "SourceImageSequence", [item])


def image_pixel_module(ds: Dataset, image: EncodedImage) -> None:
    """The pixels, coded: a camera's JPEG as it came, others losslessly. One fragment."""
    _pixel_format(ds, image)
    _lossy_compression(ds, image, len(image.data))
    ds.add_new(0x7FE00010, "OB", _encapsulated(image.data))


def clip_pixel_module(ds: Dataset, clip: CodedClip) -> None:
    """The same for a clip, but for its frames: of Pixel Data only the Basic Offset Table is there,
    and `part10.clip_pieces` puts the frames behind it, a fragment each (PS3.5 A.4).
    """
    _pixel_format(ds, clip.first)
    _lossy_compression(ds, clip.first, sum(clip.lengths) / clip.count)
    ds.add_new(0x7FE00010, "OB", _offset_table(clip.lengths))


def _pixel_format(ds: Dataset, image: EncodedImage) -> None:
    samples = 1 if image.grey else 3
    put(ds, "SamplesPerPixel", samples)
    put(ds, "PhotometricInterpretation", _photometric_interpretation(image))
    if samples == 3:
        put(ds, "PlanarConfiguration", 0)
    put(ds, "Rows", image.rows)
    put(ds, "Columns", image.columns)
    if image.pixel_aspect != (1, 1):
        put(ds, "PixelAspectRatio", list(image.pixel_aspect))
    put(ds, "BitsAllocated", 8)
    put(ds, "BitsStored", 8)
    put(ds, "HighBit", 7)
    put(ds, "PixelRepresentation", 0)
    if samples == 3:
        _color(ds, image)
    else:  # as it is: without a window viewers stretch the greys to their own taste
        put(ds, "WindowCenter", 128)
        put(ds, "WindowWidth", 256)


def acquisition_context_module(ds: Dataset) -> None:
    """Type 2, and nothing is known of it."""
    put(ds, "AcquisitionContextSequence", [])


def frame_of_reference_module(ds: Dataset, request: SealRequest) -> None:
    """A frame of its own for each picture: a hand-held one lines up with no other (C.7.4.1)."""
    own = uuid5(NAMESPACE_OID, request.sop_instance_uid)
    put(ds, "FrameOfReferenceUID", uid_of(own))
    put(ds, "PositionReferenceIndicator", "")


def dermoscopic_image_module(ds: Dataset) -> None:
    """What a dermatoscope does not tell is empty (Type 2), but for what must be said (Type 1)."""
    for keyword in (
        "LightSourcePolarization",
        "EmitterColorTemperature",
        "ContactMethod",
        "OpticalMagnificationFactor",
    ):
        put(ds, keyword, None)
    if "RecognizableVisualFeatures" not in ds:
        put(ds, "RecognizableVisualFeatures", "NO")  # a contact view of some millimetres


def privacy(ds: Dataset, entry: ProcedureEntry, region: Region) -> None:
    """Whether it shows who it is, and what a viewer should be warned of (CID 900)."""
    if region.recognizable or entry.recognizable or entry.sensitive_content == IDENTIFYING:
        put(ds, "RecognizableVisualFeatures", "YES")
    content = entry.sensitive_content or (NUDITY if region.intimate else None)
    if content is not None:
        ds.add_new(_SENSITIVE_CONTENT_CODE_SEQUENCE, "SQ", [code_item(content)])


def view(ds: Dataset, entry: ProcedureEntry) -> None:
    """From where it was taken (PS3.3 C.8.12.1), where the act says it of every image."""
    if entry.view is not None:
        put_codes(ds, "ViewCodeSequence", [entry.view])


def sop_common_module(
    ds: Dataset, request: SealRequest, sop_class: UID, sealed_at: datetime
) -> None:
    """Which object it is, in which character set and zone."""
    put(ds, "SpecificCharacterSet", "ISO_IR 192")
    put(ds, "SOPClassUID", sop_class)
    put(ds, "SOPInstanceUID", request.sop_instance_uid)
    put(ds, "InstanceCreationDate", da(sealed_at))
    put(ds, "InstanceCreationTime", tm(sealed_at))
    put(ds, "InstanceCreatorUID", INSTANCE_CREATOR_UID)
    put(ds, "TimezoneOffsetFromUTC", offset_from_utc(sealed_at))
    scheme = Dataset()
    put(scheme, "CodingSchemeDesignator", LOCAL_SCHEME)
    put(scheme, "CodingSchemeName", LOCAL_SCHEME_NAME)
    put_known(scheme, "CodingSchemeResponsibleOrganization", request.institution.name)
    put(ds, "CodingSchemeIdentificationSequence", [scheme])


def _burned_in_annotation(ds: Dataset, device: DeviceInfo, image: EncodedImage) -> None:
    """What the device profile says; else NO where the console's names were cut away, YES for what
    often has them, and nothing for the others.
    """
    said = device.burned_in_annotation
    if said is None and image.cut_to is not None:
        said = False
    elif said is None and (device.image_kind in OFTEN_BURNED_IN or device.console is not None):
        said = True
    if said is not None:
        put(ds, "BurnedInAnnotation", "YES" if said else "NO")


def _derivation(image: EncodedImage) -> str:
    """What was done to bytes that are not those that came; empty where they are."""
    cut = "" if image.cut_to is None else "Cut to the part without the console's text, without loss"
    return "; ".join(filter(None, (cut, _handled(image))))


def _handled(image: EncodedImage) -> str:
    match image.handling:
        case Handling.AS_IT_IS:
            return ""
        case Handling.MADE_BASELINE:
            return "JPEG coefficients written anew as baseline, without loss"
        case Handling.TURNED if image.coding is PixelCoding.JPEG_BASELINE:
            return "JPEG turned by its coefficients, without loss"
        case Handling.TURNED:
            return "Turned, without loss"
        case Handling.DECODED:
            return "Decoded, and kept without loss"


def _photometric_interpretation(image: EncodedImage) -> str:
    """YBR_FULL_422 for any baseline JPEG of luminance and chrominance, whatever its subsampling
    (PS3.3 C.7.6.3.1.2, PS3.5 8.2.1).
    """
    if image.grey:
        return "MONOCHROME2"
    if image.coding is PixelCoding.JPEG_BASELINE and not image.is_rgb_jpeg:
        return "YBR_FULL_422"
    return "RGB"


def _color(ds: Dataset, image: EncodedImage) -> None:
    """The picture's own profile; else sRGB, where nothing else was said."""
    if image.icc_profile:
        put(ds, "ICCProfile", _even(image.icc_profile))
    elif image.color_space == "SRGB":
        put(ds, "ICCProfile", _srgb())
        put(ds, "ColorSpace", "SRGB")
    else:
        put_known(ds, "ColorSpace", image.color_space)


def _lossy_compression(ds: Dataset, image: EncodedImage, length: float) -> None:
    """Once lossy, always lossy (PS3.3 C.7.6.1.1.5). `length`: bytes of a frame's stream.

    Ratio and method only where they are known: of pixels decoded from a stream they are not.
    """
    is_jpeg = image.coding is PixelCoding.JPEG_BASELINE
    put(ds, "LossyImageCompression", "01" if is_jpeg or image.came_from_lossy else "00")
    if is_jpeg:
        ratio = image.rows * image.columns * (1 if image.grey else 3) / length
        put(ds, "LossyImageCompressionRatio", f"{max(ratio, 0.1):.1f}")
        put(ds, "LossyImageCompressionMethod", _JPEG)
    elif image.came_from_lossy and image.lossy_method:
        put(ds, "LossyImageCompressionRatio", f"{max(image.lossy_ratio, 0.1):.1f}")
        put(ds, "LossyImageCompressionMethod", image.lossy_method)


def _encapsulated(data: bytes) -> bytes:
    """One frame in one fragment of even length (PS3.5 A.4), copied once."""
    padding = b"\x00" * (len(data) % 2)
    length = (len(data) + len(padding)).to_bytes(4, "little")
    return b"".join((_OFFSET_TABLE, _ITEM, length, data, padding))


def _offset_table(lengths: tuple[int, ...]) -> bytes:
    """The Basic Offset Table: where each frame's item begins after it (PS3.5 A.4)."""
    begins = accumulate((8 + length + length % 2 for length in lengths[:-1]), initial=0)
    table = b"".join(at.to_bytes(4, "little") for at in begins)
    return _ITEM + len(table).to_bytes(4, "little") + table


@cache
def _srgb() -> bytes:
    return resource("dicom/srgb.icc").read_bytes()


def _even(data: bytes) -> bytes:
    return data + b"\x00" if len(data) % 2 else data
