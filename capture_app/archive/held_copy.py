"""What an archive's copy of an instance says of itself: read in a child, for it comes from outside.

`read_held_copy` is the work; `SandboxedReader` has a child do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any, Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from capture_app.archive.dimse import dataset_of
from capture_app.archive.identity import HeldIdentity
from capture_app.clock import Clock
from capture_app.dicom.coding import decoded_sha256
from capture_app.dicom.part10 import pixel_layout, pixel_sha256
from capture_app.model.delivery import PixelLayout
from capture_app.net.dicom.association import EXPLICIT_VR_LE, IMPLICIT_VR_LE
from capture_app.net.dicom.element_count import refuse_too_many_elements
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import Call, ChildAnswer, ChildTask

PARSE_DICOM: Final = ChildTask("parse-dicom", memory=1 << 30, most_in=400_000_000)
_WITHIN_S: Final = 30.0
_META_BEGINS: Final = 132
_READ: Final = frozenset({IMPLICIT_VR_LE, EXPLICIT_VR_LE})
"""The native transfer syntaxes that are read. A deflated one is not: what it would become has no
limit until it is inflated."""
_COMPARED: Final = (
    *("PatientID", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence", "StudyInstanceUID"),
    *("SOPInstanceUID", "SOPClassUID", "SpecificCharacterSet"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    "PixelData",
)


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """What is compared of an archive's copy. `digest` and `layout` are of its pixels, None where it
    has none.
    """

    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    identity: HeldIdentity
    digest: str | None = None
    decoded_digest: str | None = None
    """Of the pixels that a JPEG-LS stream codes: whoever coded them, the same pixels give the same.
    None of any other coding."""
    layout: PixelLayout | None = None


ReadHeldCopy = Callable[[bytes, int | None], HeldCopy | str]
"""Reads a Part 10 file; the second argument is the length of our code stream, where it is known.
A text is the transfer syntax of a file that was not read any further. May raise anything."""


def read_held_copy(part10: bytes, stream_length: int | None) -> HeldCopy | str:
    """A `ReadHeldCopy` within this process. Raises whatever hostile bytes make a decoder raise."""
    meta = _meta(part10)
    transfer_syntax = UID(meta.TransferSyntaxUID)
    is_native = transfer_syntax in _READ
    if not is_native and (not transfer_syntax.is_encapsulated or transfer_syntax.is_deflated):
        return str(transfer_syntax)
    ds = _read(dataset_of(part10), transfer_syntax)
    ds.file_meta = meta
    has_pixels = "PixelData" in ds
    return HeldCopy(
        transfer_syntax_uid=str(transfer_syntax),
        sop_class_uid=str(ds.SOPClassUID),
        sop_instance_uid=str(ds.SOPInstanceUID),
        identity=HeldIdentity.of(ds),
        digest=pixel_sha256(ds, stream_length) if has_pixels else None,
        decoded_digest=decoded_sha256(ds) if has_pixels else None,
        layout=pixel_layout(ds) if has_pixels else None,
    )


def parse_dicom(call: Call) -> Iterator[ChildAnswer]:
    """The work in the child: `read_held_copy`, and its result as facts."""
    found = read_held_copy(bytes(call.data), call.question["stream_length"])
    if isinstance(found, str):
        yield ChildAnswer({"transfer_syntax_uid": found})
    else:
        yield ChildAnswer(asdict(found))


class SandboxedReader:
    """A `ReadHeldCopy` by one warm child. For use by any thread."""

    def __init__(self, clock: Clock) -> None:
        self._child = Child(PARSE_DICOM, clock)

    def __call__(self, part10: bytes, stream_length: int | None) -> HeldCopy | str:
        """Raises SandboxError; ValueError, TypeError, KeyError for an answer that is none."""
        question = {"stream_length": stream_length}
        return _held_copy(dict(self._child.ask(question, part10, within=_WITHIN_S).facts))

    def close(self) -> None:
        """Ends the child."""
        self._child.close()


def _held_copy(facts: dict[str, Any]) -> HeldCopy | str:
    if set(facts) == {"transfer_syntax_uid"}:
        return _text(facts["transfer_syntax_uid"])
    layout = facts["layout"]
    return HeldCopy(
        transfer_syntax_uid=_text(facts["transfer_syntax_uid"]),
        sop_class_uid=_text(facts["sop_class_uid"]),
        sop_instance_uid=_text(facts["sop_instance_uid"]),
        identity=HeldIdentity(**{name: _text(said) for name, said in facts["identity"].items()}),
        digest=None if facts["digest"] is None else _text(facts["digest"]),
        decoded_digest=(
            None if facts["decoded_digest"] is None else _text(facts["decoded_digest"])
        ),
        layout=None if layout is None else PixelLayout(**layout),
    )


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise TypeError
    return said


def _meta(part10: bytes) -> FileMetaDataset:
    """The file meta information (PS3.10 7.1), read before anything that follows it."""
    ends = len(part10) - len(dataset_of(part10))
    meta = read_dataset(BytesIO(part10[_META_BEGINS:ends]), False, True)  # noqa: FBT003 - theirs
    return FileMetaDataset(meta)


def _read(encoded: memoryview, transfer_syntax: UID) -> Dataset:
    """What is compared, in the transfer syntax that was looked at: what stands behind the meta
    information is never taken for more of it, which could name another one.
    """
    is_implicit_vr = transfer_syntax.is_implicit_VR
    refuse_too_many_elements(encoded, is_implicit_vr=is_implicit_vr)
    tags: list[BaseTag | int] = [Tag(keyword) for keyword in _COMPARED]
    ds = read_dataset(BytesIO(encoded), is_implicit_vr, True, specific_tags=tags)  # noqa: FBT003 - theirs
    ds.set_original_encoding(is_implicit_vr, True)  # noqa: FBT003 - theirs
    return ds
