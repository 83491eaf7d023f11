"""Instances as files and back, and the hash by which an archive proves that it holds one."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Final

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from capture_app.errors import ConformanceError
from capture_app.model import implementation
from capture_app.model.coded_clip import CodedClip
from capture_app.model.delivery import Fragment, Instance, PixelLayout

IMPLEMENTATION_CLASS_UID: Final = implementation.IMPLEMENTATION_CLASS_UID
IMPLEMENTATION_VERSION_NAME: Final = implementation.IMPLEMENTATION_VERSION_NAME

_PIXEL_DATA: Final = 0x7FE00010
_ITEM: Final = bytes.fromhex("feff00e0")
_SEQUENCE_DELIMITATION: Final = bytes.fromhex("feffdde000000000")
_PIXEL_HEADER: Final = struct.Struct("<HH2sxxL")
"""Tag, VR and length of an element with a long length (PS3.5 7.1.2)."""
_IMPLICIT_PIXEL_HEADER: Final = struct.Struct("<HHL")
"""Without a VR (PS3.5 7.1.3)."""
_UNDEFINED_LENGTH: Final = 0xFFFFFFFF
_OTHER_FRAMES: Final = "the frames are not those that were counted"


def file_meta(ds: Dataset, transfer_syntax: UID, ae_title: str = "") -> FileMetaDataset:
    """File Meta Information for an instance (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = transfer_syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    if ae_title:
        meta.SourceApplicationEntityTitle = ae_title
    return meta


def write(ds: Dataset) -> bytes:
    """The instance as a DICOM file (PS3.10). The dataset is as `build` made it, and verified.

    The pixels are the last element, and are put behind the rest here: within dcmwrite they would
    be copied four times, of which a person waits for each.
    """
    pixels = ds[_PIXEL_DATA]
    rest = ds[:_PIXEL_DATA]
    rest.file_meta = ds.file_meta
    out = BytesIO()
    dcmwrite(out, rest, enforce_file_format=True)
    is_encapsulated = UID(ds.file_meta.TransferSyntaxUID).is_encapsulated
    length = _UNDEFINED_LENGTH if is_encapsulated else len(pixels.value)
    if UID(ds.file_meta.TransferSyntaxUID).is_implicit_VR:
        header = _IMPLICIT_PIXEL_HEADER.pack(0x7FE0, 0x0010, length)
    else:
        header = _PIXEL_HEADER.pack(0x7FE0, 0x0010, pixels.VR.encode(), length)
    end = _SEQUENCE_DELIMITATION if is_encapsulated else b""
    return b"".join((out.getbuffer(), header, pixels.value, end))


def clip_pieces(ds: Dataset, clip: CodedClip) -> Iterator[bytes]:
    """The DICOM file of a clip, piece by piece: at no time is more of it in memory than a frame.

    The dataset is as `build_clip` made it, and verified. Raises ConformanceError where a frame is
    not as long as the clip says, or there are fewer or more of them.
    """
    yield _clip_head(ds)
    lengths = iter(clip.lengths)
    for frame in clip.frames():
        if len(frame) != next(lengths, None):
            raise ConformanceError(_OTHER_FRAMES)
        padding = b"\x00" * (len(frame) % 2)
        yield _ITEM + (len(frame) + len(padding)).to_bytes(4, "little")
        yield frame + padding
    if next(lengths, None) is not None:
        raise ConformanceError(_OTHER_FRAMES)
    yield _SEQUENCE_DELIMITATION


def describe_clip(ds: Dataset, clip: CodedClip) -> Instance:
    """What an archive needs to know of a clip, before its file is written."""
    items = sum(8 + length + length % 2 for length in clip.lengths)
    size = len(_clip_head(ds)) + items + len(_SEQUENCE_DELIMITATION)
    return _described(ds, size, clip.pixel_sha256)


def clip_sha256(frames: Iterable[bytes]) -> str:
    """Hex SHA-256 over frames, each but the last padded to even length: what `pixel_sha256` says of
    them as the fragments of an instance.
    """
    digest, padding = hashlib.sha256(), b""
    for frame in frames:
        digest.update(padding)
        digest.update(frame)
        padding = b"\x00" * (len(frame) % 2)
    return digest.hexdigest()


def _clip_head(ds: Dataset) -> bytes:
    """All that comes before the first frame."""
    return write(ds)[: -len(_SEQUENCE_DELIMITATION)]


def wrap(
    dataset: bytes, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
) -> bytes:
    """An encoded dataset as a DICOM file (PS3.10 7.1); nothing of it is changed."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    out = DicomBytesIO()
    out.write(bytes(128) + b"DICM")
    write_file_meta_info(out, meta)
    return out.getvalue() + dataset


def read(part10: bytes) -> Dataset:
    """The instance of a DICOM file. Raises ConformanceError for bytes that are none."""
    try:
        return dcmread(BytesIO(part10))
    except (InvalidDicomError, EOFError, OSError, ValueError, KeyError) as error:
        message = "these bytes are not a DICOM file"
        raise ConformanceError(message) from error


def pixel_sha256(ds: Dataset, stream_length: int | None = None) -> str:
    """Hex SHA-256 over the pixel data: equal for the same picture, however it was packed.

    Of a compressed frame: its code stream, in however many fragments, without the byte that pads it
    to even length. `stream_length`: how long it is, as the sealed file says; None: unknown, and a
    zero behind the end of the image counts as padding. Of native pixels: the pixels, without that
    byte. Whatever else stands there counts. How the bytes are to be read is for `pixel_layout` to
    say. Raises ConformanceError where there are none.
    """
    value = ds[_PIXEL_DATA].value if _PIXEL_DATA in ds else None
    if not value:
        message = "an instance without pixels has no pixel hash"
        raise ConformanceError(message)
    if UID(ds.file_meta.TransferSyntaxUID).is_encapsulated:
        return hashlib.sha256(_code_stream(value, stream_length)).hexdigest()
    layout = pixel_layout(ds)
    bits = layout.rows * layout.columns * layout.samples_per_pixel * layout.bits_allocated
    size = (layout.frames * bits + 7) // 8
    is_padded = size % 2 == 1 and len(value) == size + 1
    return hashlib.sha256(memoryview(value)[:size] if is_padded else value).hexdigest()


def code_stream(ds: Dataset) -> memoryview:
    """The compressed pixels, fragments put together. What pads them may stand at their end."""
    return _code_stream(ds[_PIXEL_DATA].value, None)


def sha256_of(pixels: bytes | memoryview) -> str:
    """Hex SHA-256 over uncompressed pixels without padding: what `pixel_sha256` says of them."""
    return hashlib.sha256(pixels).hexdigest()


def pixel_layout(ds: Dataset) -> PixelLayout:
    """How the pixel data is to be read. Raises AttributeError for one that does not say."""
    planar = ds.get("PlanarConfiguration")
    return PixelLayout(
        rows=int(ds.Rows),
        columns=int(ds.Columns),
        samples_per_pixel=int(ds.SamplesPerPixel),
        photometric_interpretation=str(ds.PhotometricInterpretation),
        planar_configuration=None if planar is None else int(planar),
        bits_allocated=int(ds.BitsAllocated),
        bits_stored=int(ds.BitsStored),
        high_bit=int(ds.HighBit),
        pixel_representation=int(ds.PixelRepresentation),
        frames=int(ds.get("NumberOfFrames", 1) or 1),
    )


def pixel_fragment(ds: Dataset, part10: bytes, stream_length: int) -> Fragment:
    """Where the pixels lie in the file that `write` made of a dataset with one frame.

    Raises ConformanceError where the file has no element or item of that length there.
    """
    is_encapsulated = UID(ds.file_meta.TransferSyntaxUID).is_encapsulated
    end = len(part10) - (len(_SEQUENCE_DELIMITATION) if is_encapsulated else 0)
    offset = end - stream_length - stream_length % 2
    length = int.from_bytes(part10[offset - 4 : offset], "little")
    if offset < 4 or length != end - offset:
        message = "the pixels do not lie where they should"
        raise ConformanceError(message)
    return Fragment(1, offset, stream_length)


def describe_instance(
    ds: Dataset, size: int, fragments: tuple[Fragment, ...] = (), *, decoded_sha256: str = ""
) -> Instance:
    """What an archive needs to know of a sealed instance. `size` is of its file, in bytes."""
    stream_length = sum(one.length for one in fragments) or None
    described = _described(ds, size, pixel_sha256(ds, stream_length))
    return replace(described, fragments=fragments, decoded_sha256=decoded_sha256)


def _described(ds: Dataset, size: int, pixels: str) -> Instance:
    return Instance(
        sop_instance_uid=str(ds.SOPInstanceUID),
        sop_class_uid=str(ds.SOPClassUID),
        transfer_syntax_uid=str(ds.file_meta.TransferSyntaxUID),
        study_instance_uid=str(ds.StudyInstanceUID),
        series_instance_uid=str(ds.SeriesInstanceUID),
        patient_id=str(ds.PatientID),
        issuer_of_patient_id=str(ds.get("IssuerOfPatientID", "")),
        pixel_sha256=pixels,
        size=size,
        pixel_layout=pixel_layout(ds),
    )


def _code_stream(value: bytes, length: int | None) -> memoryview:
    """The fragments put together, padding left out (PS3.5 A.4); all of it where it is none such.

    What follows `length` bytes and is not the one zero of the padding stays: it is another stream.
    """
    items = list(_fragments(memoryview(value)))
    fragments = items[1:]  # the first item is the Basic Offset Table
    rest = memoryview(value)[sum(8 + len(item) for item in items) :]
    if not fragments or bytes(rest) not in {b"", _SEQUENCE_DELIMITATION}:
        return memoryview(value)
    stream = fragments[0] if len(fragments) == 1 else memoryview(b"".join(fragments))
    if length is not None:
        return stream[:length] if bytes(stream[length:]) == b"\x00" * (length % 2) else stream
    return stream[:-1] if bytes(stream[-3:]) == b"\xff\xd9\x00" else stream


def _fragments(value: memoryview) -> Iterator[memoryview]:
    at = 0
    while bytes(value[at : at + 4]) == _ITEM:
        length = int.from_bytes(value[at + 4 : at + 8], "little")
        at += 8 + length
        if at > len(value):
            break
        yield value[at - length : at]
