"""What reads received objects, in a child: pydicom over bytes from outside.

Two questions. "read": what the object says of itself. "coerce": its dataset up to the pixels with
another patient in it, and in Original Attributes Sequence what stood there (PS3.3 C.12.1.1.9). The
pixels, and all that follows them, never come back from here: who asked has them already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from io import BytesIO
from typing import Any, Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from capture_app.dicom.part10 import pixel_layout, pixel_sha256
from capture_app.dicom.received_text import WorklistText, first_item
from capture_app.errors import FeedError, MessageError, TaskRefusedError
from capture_app.net.dicom.element_count import refuse_too_many_elements
from capture_app.outbox.receiving.reading import HEAD
from capture_app.sandbox.task import Block, Call, ChildAnswer

_PIXEL_DATA: Final = 0x7FE00010
_LONGEST_TEXT: Final = 1024
_UIDS: Final = {
    "sop_instance_uid": "SOPInstanceUID",
    "sop_class_uid": "SOPClassUID",
    "study_instance_uid": "StudyInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
}
_OF_THE_SCANNER: Final = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model_name": "ManufacturerModelName",
    "serial_number": "DeviceSerialNumber",
}
_OF_THE_PATIENT: Final = {
    "patient_id": "PatientID",
    "issuer": "IssuerOfPatientID",
    "name": "PatientName",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
}
_OF_THE_PIXELS: Final = (
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    "PixelData",
)
_UTF_8: Final = "ISO_IR 192"


def read_received(call: Call) -> Iterator[ChildAnswer]:
    """The work. Refuses with "no-image" what has no pixels, "charset" what cannot be rewritten."""
    question = call.question
    syntax = UID(question["transfer_syntax_uid"])
    refuse_too_many_elements(call.data, is_implicit_vr=syntax.is_implicit_VR)
    head, pixels_at = _head(call.data, syntax)
    if "coerce" in question:
        changed = _coerced(head, question["coerce"], question)
        out = DicomBytesIO()
        out.is_little_endian, out.is_implicit_VR = True, syntax.is_implicit_VR
        write_dataset(out, head)
        yield ChildAnswer({"changed": changed}, (Block.of_bytes(HEAD, out.getvalue()),))
        return
    yield ChildAnswer(
        {
            **{name: str(head.get(keyword) or "") for name, keyword in _UIDS.items()},
            **_texts(head, question["charset_when_absent"]),
            **_pixels(call.data, syntax),
            "pixels_at": pixels_at,
        }
    )


def _head(encoded: memoryview, syntax: UID) -> tuple[Dataset, int]:
    """All before the pixels, and where those begin."""
    stream = BytesIO(encoded)
    head = read_dataset(
        stream,
        syntax.is_implicit_VR,
        True,  # noqa: FBT003 - theirs
        stop_when=lambda tag, _vr, _length: tag >= _PIXEL_DATA,
    )
    head.set_original_encoding(syntax.is_implicit_VR, True)  # noqa: FBT003 - theirs
    at = stream.tell()
    if bytes(encoded[at : at + 4]) != b"\xe0\x7f\x10\x00":
        raise TaskRefusedError("no-image")
    return head, at


def _texts(head: Dataset, charset_when_absent: str) -> dict[str, Any]:
    unreadable = False
    said = {}
    try:
        text = WorklistText(head, charset_when_absent)
    except FeedError:
        text, unreadable = None, True
    for name, keyword in {**_OF_THE_SCANNER, **_OF_THE_PATIENT}.items():
        try:
            said[name] = text.of(head, keyword)[:_LONGEST_TEXT] if text is not None else ""
        except (FeedError, MessageError):
            said[name] = ""
            unreadable = unreadable or name in _OF_THE_PATIENT
    try:
        versions = text.all_of(head, "SoftwareVersions") if text is not None else []
    except (FeedError, MessageError):
        versions = []
    authority = first_item(head, "IssuerOfPatientIDQualifiersSequence")
    return {
        **said,
        "software_versions": " ".join(versions)[:_LONGEST_TEXT],
        "universal_id": str(authority.get("UniversalEntityID") or "")[:_LONGEST_TEXT],
        "is_unreadable": unreadable,
    }


def _pixels(encoded: memoryview, syntax: UID) -> dict[str, Any]:
    tags: list[BaseTag | int] = [Tag(keyword) for keyword in _OF_THE_PIXELS]
    ds = read_dataset(
        BytesIO(encoded),
        syntax.is_implicit_VR,
        True,  # noqa: FBT003 - theirs
        specific_tags=tags,
    )
    ds.set_original_encoding(syntax.is_implicit_VR, True)  # noqa: FBT003 - theirs
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    return {"pixel_sha256": pixel_sha256(ds), "pixel_layout": asdict(pixel_layout(ds))}


def _coerced(head: Dataset, wanted: Mapping[str, str], question: Mapping[str, Any]) -> list[str]:
    """Puts the patient in. Returns the keywords that changed: none where all of it stood there."""
    charset = question["charset_when_absent"]
    try:
        text = WorklistText(head, charset)
        before = {keyword: text.of(head, keyword) for keyword in wanted}
    except (FeedError, MessageError):
        before = {}  # what cannot be read is kept as the bytes that it is
    changed = [keyword for keyword in wanted if before.get(keyword) != wanted[keyword]]
    gone = [keyword for keyword in question["removed"] if keyword in head]
    if not changed and not gone:
        return []
    if not all(wanted[keyword].isascii() for keyword in changed):
        _rewrite_in_utf_8(head, charset)
    modified = Dataset()
    for keyword in gone:
        modified[Tag(keyword)] = head.get_item(keyword)
        del head[Tag(keyword)]
    for keyword in changed:
        element = head.get_item(keyword)
        if element is not None:
            modified[Tag(keyword)] = element
            del head[Tag(keyword)]  # else the one element would be given the new value, too
        else:
            setattr(modified, keyword, "")
        setattr(head, keyword, wanted[keyword])
    item = Dataset()
    item.SourceOfPreviousValues = ""
    item.AttributeModificationDateTime = question["at"]
    item.ModifyingSystem = question["system"]
    item.ReasonForTheAttributeModification = "COERCE"
    item.ModifiedAttributesSequence = [modified]
    head.OriginalAttributesSequence = [*(head.get("OriginalAttributesSequence") or ()), item]
    return [*changed, *gone]


def _rewrite_in_utf_8(head: Dataset, charset_when_absent: str) -> None:
    """Raises TaskRefusedError "charset" where a text is not of the set that the object names."""
    named = head.get("SpecificCharacterSet")
    if named == _UTF_8:
        return
    if not named and charset_when_absent != "ISO_IR 6":
        head.SpecificCharacterSet = charset_when_absent
    head.decode()
    texts = [str(element.value) for element in head.iterall() if element.VR in _IN_A_CHARSET]
    if any("\ufffd" in text for text in texts):
        raise TaskRefusedError("charset")
    head.SpecificCharacterSet = _UTF_8


_IN_A_CHARSET: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
