"""The last look before an image is promised: does the whole dataset keep to the standard?

pydicom does not check a value on writing, and the validators of the trade are blind to some faults
(wrong bytes for the character set, a lossy flag without its ratio, private tags without their
creator, an impossible time zone): all of it is checked here, element by element, items included.
Messages name keywords and never values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydicom import config
from pydicom.datadict import dictionary_VM, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGLSLossless
from pydicom.valuerep import validate_value

from capture_app.dicom import jpeg_ls
from capture_app.dicom.required import CODE_SEQUENCES, REQUIRED, missing
from capture_app.dicom.values import TEXT, faults_of
from capture_app.errors import ConformanceError

CHARACTER_SET: Final = "ISO_IR 192"

_OF_TEXT: Final = TEXT | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"}
_OFFSET: Final = re.compile(r"([+-])([01][0-9])([0-5][0-9])")
_SENSITIVE_CONTENT: Final = 0x0008001D
_ITEM: Final = bytes.fromhex("feff00e0")
_HEAD_OF_STREAM: Final = slice(20, 40)  # behind an offset table of one frame, and its item
_COLOR_OF_JPEG: Final = frozenset({"YBR_FULL_422", "RGB"})


def verify(ds: Dataset) -> None:
    """Raises ConformanceError with every fault found; silent where there is none."""
    faults = [*_faults(ds)]
    if faults:
        raise ConformanceError("; ".join(dict.fromkeys(faults)))


def _faults(ds: Dataset) -> Iterator[str]:
    if ds.get("SOPClassUID") not in REQUIRED:
        yield "SOPClassUID is none of the classes that are built here"
    yield from (f"{keyword} is missing" for keyword in missing(ds))
    yield from _walk(ds, "")
    yield from _identity(ds)
    yield from _character_set(ds)
    yield from _time_zone(ds)
    yield from _lossy_compression(ds)
    yield from _pixels(ds)


# --------------------------------------------------------------------------------- every element


def _walk(ds: Dataset, path: str) -> Iterator[str]:
    creators: set[tuple[int, int]] = set()
    for element in ds:
        name = f"{path}{_name(element.tag)}"
        yield from _private(element, creators, name)
        if element.VR == "SQ":
            yield from _sequence(element, name)
        elif element.tag != 0x7FE00010:  # pixel data is looked at as a whole
            yield from _values(element, name)
        yield from _multiplicity(element, name)


def _sequence(element: DataElement, name: str) -> Iterator[str]:
    is_coded = element.keyword in CODE_SEQUENCES or element.tag == _SENSITIVE_CONTENT
    for number, item in enumerate(element.value, start=1):
        where = f"{name}[{number}]."
        yield from _walk(item, where)
        if is_coded:
            for keyword in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"):
                if not item.get(keyword):
                    yield f"{where}{keyword} is missing"
        elif not len(item):
            yield f"{where[:-1]} is an empty item"


def _private(element: DataElement, creators: set[tuple[int, int]], name: str) -> Iterator[str]:
    """A private element lies in a block that its group's creator has reserved (PS3.5 7.8.1)."""
    tag = element.tag
    if not tag.is_private:
        return
    if tag.is_private_creator:
        if not element.is_empty:
            creators.add((tag.group, tag.element))
        return
    if (tag.group, tag.element >> 8) not in creators:
        yield f"{name} is private and has no creator"


def _values(element: DataElement, name: str) -> Iterator[str]:
    if element.is_empty:
        return
    values = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    for value in values:
        if element.VR in _OF_TEXT or isinstance(value, str):
            yield from (f"{name} {fault}" for fault in faults_of(element.VR, str(value)))
            continue
        try:
            validate_value(element.VR, value, config.RAISE)
        except (ValueError, TypeError):
            yield f"{name} is not allowed by its VR {element.VR}"


def _multiplicity(element: DataElement, name: str) -> Iterator[str]:
    """A stray backslash makes two values of one (PS3.5 6.4)."""
    if element.VR == "SQ" or element.VM < 2 or element.tag.is_private:
        return
    try:
        most = dictionary_VM(element.tag).rpartition("-")[2]
    except KeyError:
        return
    if most.isdigit() and int(most) < element.VM:
        yield f"{name} has {element.VM} values"


# ------------------------------------------------------------------------------------- as a whole


def _identity(ds: Dataset) -> Iterator[str]:
    uids = [str(ds.get(k, "")) for k in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")]
    if len(set(uids)) < len(uids):
        yield "instance, series and study do not have UIDs of their own"
    if str(ds.get("PatientID", "")).strip() == "":
        yield "PatientID is missing"
    meta = getattr(ds, "file_meta", None)
    if meta is not None:
        if meta.get("MediaStorageSOPInstanceUID") != ds.get("SOPInstanceUID"):
            yield "MediaStorageSOPInstanceUID is not SOPInstanceUID"
        if meta.get("MediaStorageSOPClassUID") != ds.get("SOPClassUID"):
            yield "MediaStorageSOPClassUID is not SOPClassUID"


def _character_set(ds: Dataset) -> Iterator[str]:
    if ds.get("SpecificCharacterSet", "") != CHARACTER_SET:
        yield f"SpecificCharacterSet is not {CHARACTER_SET}"


def _time_zone(ds: Dataset) -> Iterator[str]:
    """-1200 to +1400, and UTC is +0000 (PS3.3 C.12.1.1.8)."""
    if "TimezoneOffsetFromUTC" not in ds:
        yield "TimezoneOffsetFromUTC is missing"
        return
    found = _OFFSET.fullmatch(str(ds.TimezoneOffsetFromUTC))
    minutes = int(found[2]) * 60 + int(found[3]) if found else 0
    is_west = bool(found and found[1] == "-")
    if not found or minutes > (720 if is_west else 840) or (is_west and not minutes):
        yield "TimezoneOffsetFromUTC is not an offset from UTC"


def _lossy_compression(ds: Dataset) -> Iterator[str]:
    """What the stream is, the flag says; a flag on a stream has its ratio and method
    (PS3.3 C.7.6.1.1.5). Pixels decoded from a lossy stream keep the flag alone.
    """
    flag = str(ds.get("LossyImageCompression", "") or "")
    if flag not in {"00", "01"}:
        yield "LossyImageCompression is neither 00 nor 01"
    ratio, method = ds.get("LossyImageCompressionRatio"), ds.get("LossyImageCompressionMethod")
    if _transfer_syntax(ds) == JPEGBaseline8Bit:
        if flag != "01":
            yield "LossyImageCompression does not say that the picture is compressed"
        if not ratio or float(ratio) <= 0:
            yield "LossyImageCompressionRatio is missing"
        if not method:
            yield "LossyImageCompressionMethod is missing"
    elif flag != "01" and (ratio or method):
        yield "LossyImageCompressionRatio is there without LossyImageCompression"


def _pixels(ds: Dataset) -> Iterator[str]:
    data = ds.get("PixelData")
    if not data:
        return  # already said to be missing
    samples = int(ds.get("SamplesPerPixel", 0) or 0)
    photometric = str(ds.get("PhotometricInterpretation", ""))
    uncoded = {"MONOCHROME2"} if samples == 1 else {"RGB"}
    is_color_jpeg = samples == 3 and _transfer_syntax(ds) == JPEGBaseline8Bit
    allowed = _COLOR_OF_JPEG if is_color_jpeg else uncoded
    if len(data) % 2:
        yield "PixelData has an odd length"
    if _transfer_syntax(ds).is_encapsulated:
        if photometric not in allowed:
            yield "PhotometricInterpretation does not fit the compressed picture"
        if data[:4] != _ITEM:
            yield "PixelData is not encapsulated"
        elif _transfer_syntax(ds) == JPEGLSLossless:
            said = (int(ds.get("Rows", 0) or 0), int(ds.get("Columns", 0) or 0), samples)
            if jpeg_ls.size_in(data[_HEAD_OF_STREAM]) != said:
                yield "the compressed picture does not have the size that Rows and Columns say"
        return
    size = int(ds.get("Rows", 0) or 0) * int(ds.get("Columns", 0) or 0) * samples
    if len(data) != size + size % 2:
        yield "PixelData does not have the length that Rows and Columns say"
    if photometric not in allowed:
        yield "PhotometricInterpretation does not fit the pixels"


def _transfer_syntax(ds: Dataset) -> UID:
    meta = getattr(ds, "file_meta", None)
    return UID(
        str(meta.get("TransferSyntaxUID", "")) if meta is not None else "1.2.840.10008.1.2.1"
    )


def _name(tag: BaseTag) -> str:
    return keyword_for_tag(tag) or f"({tag.group:04X},{tag.element:04X})"
