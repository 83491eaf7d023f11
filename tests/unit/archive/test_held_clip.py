"""A clip that an archive gives back, compared as it comes."""

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from capture_app.archive.held_clip import HeldClip, NoEncapsulatedPixelsError
from capture_app.archive.held_copy import HeldCopy, read_held_copy
from capture_app.dicom.build import build_clip
from capture_app.dicom.part10 import clip_pieces, describe_clip, read, write
from tests.sealing import SCANNER, clip, clip_request, frames

CLIP = clip()
DATASET = build_clip(clip_request(CLIP, SCANNER), CLIP)
CONTENT = b"".join(clip_pieces(DATASET, CLIP))
TOLD = describe_clip(DATASET, CLIP)
MULTIPART = 'multipart/related; type="application/dicom"; boundary=abc'


def body(content: bytes) -> bytes:
    head = b"\r\n--abc\r\nContent-Type: application/dicom; transfer-syntax=x\r\n\r\n"
    return head + content + b"\r\n--abc--\r\n"


def read_back(answer: bytes, content_type: str = MULTIPART, *, at_once: int = 999) -> HeldCopy:
    held = HeldClip(content_type)
    for begin in range(0, len(answer), at_once):
        held.write(answer[begin : begin + at_once])
    found = held.read(read_held_copy)
    assert isinstance(found, HeldCopy)
    return found


@pytest.mark.parametrize("at_once", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("content_type", [MULTIPART, "application/dicom"])
def test_it_is_the_same_however_it_comes(content_type: str, at_once: int) -> None:
    answer = body(CONTENT) if content_type == MULTIPART else CONTENT
    held = read_back(answer, content_type, at_once=at_once)
    assert held.digest == TOLD.pixel_sha256
    assert held.layout == TOLD.pixel_layout
    assert held.sop_instance_uid == TOLD.sop_instance_uid
    assert held.identity.patient_id == TOLD.patient_id


@pytest.mark.parametrize("number", [0, 5, 11])
def test_one_other_byte_in_any_frame_is_another_clip(number: int) -> None:
    coded = frames()
    place = CONTENT.index(coded[number]) + len(coded[number]) // 2
    other = bytearray(CONTENT)
    other[place] ^= 1
    assert read_back(body(bytes(other))).digest != TOLD.pixel_sha256


def test_frames_in_another_order_are_another_clip() -> None:
    coded = frames()
    turned = clip([coded[1], coded[0], *coded[2:]])
    other = b"".join(clip_pieces(build_clip(clip_request(turned, SCANNER), turned), turned))
    assert read_back(body(other)).digest != TOLD.pixel_sha256


def test_an_archive_may_leave_the_offset_table_empty() -> None:
    begins = b"OB" + bytes.fromhex("0000ffffffff")
    at = CONTENT.index(begins + bytes.fromhex("feff00e0")) + len(begins)
    rest = CONTENT[at + 8 + 4 * CLIP.count :]
    other = CONTENT[:at] + bytes.fromhex("feff00e000000000") + rest
    assert read_back(body(other)).digest == TOLD.pixel_sha256


@pytest.mark.parametrize("cut", [1, 9, 40, 5000])
def test_what_breaks_off_is_no_proof(cut: int) -> None:
    held = HeldClip(MULTIPART)
    held.write(body(CONTENT)[: -len(b"\r\n--abc--\r\n") - cut + 1])
    with pytest.raises(ValueError, match="not whole"):
        held.read(read_held_copy)


def test_a_second_instance_behind_it_is_refused() -> None:
    answer = body(CONTENT).replace(b"\r\n--abc--\r\n", b"") + body(CONTENT)
    with pytest.raises(ValueError, match=r"not whole|more than one"):
        read_back(answer)


def test_what_lies_in_front_must_be_a_dataset_up_to_the_frames() -> None:
    """Frames within a private element prove nothing, whatever their hash."""
    ds = read(CONTENT)
    pixels = bytes(ds.PixelData)
    ds.private_block(0x0011, "OTHER", create=True).add_new(
        1, "OB", bytes.fromhex("e07f1000") + b"OB" + bytes.fromhex("0000ffffffff") + pixels
    )
    ds.PixelData = bytes(pixels).replace(b"\xff\xd9", b"\xff\xd8")
    try:
        found = read_back(body(write(ds)))
    except Exception:  # noqa: BLE001 - whatever the reader raises is no proof either
        return
    assert found.layout is None or found.digest != TOLD.pixel_sha256


def test_a_clip_that_was_recoded_is_told_as_such() -> None:
    ds = uncompressed()
    held = HeldClip(MULTIPART)
    with pytest.raises(NoEncapsulatedPixelsError):
        held.write(body(ds))


def uncompressed() -> bytes:
    ds = read(CONTENT)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.PixelData = bytes(5 << 20)
    ds["PixelData"].is_undefined_length = False
    return write(ds)


@pytest.mark.parametrize("content_type", ["text/html", "multipart/related", ""])
def test_an_answer_of_another_kind_is_refused(content_type: str) -> None:
    with pytest.raises(ValueError, match="multipart"):
        HeldClip(content_type)


def test_a_flood_in_front_of_the_part_is_not_kept() -> None:
    held = HeldClip(MULTIPART)
    with pytest.raises(ValueError, match="no part"):
        held.write(bytes(1 << 17))
