"""JPEG surgery: what is kept is what came; what cannot be kept is refused in words."""

import re
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageCms

from capture_app.errors import ImageError
from capture_app.imaging import surgery
from capture_app.imaging.huffman import STANDARD_TABLES
from capture_app.imaging.judge import judge
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from tests.jpeg_parts import entropy_coded, exif, icc_segments, segment, with_segments, without_jfif
from tests.sealing import jpeg, pixels

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def kept(data: bytes) -> EncodedImage:
    return judge(data, surgery).image


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        kept(data)
    return str(caught.value)


# ------------------------------------------------------------------------------- what is kept


def test_a_plain_picture_keeps_its_coded_data_byte_for_byte() -> None:
    data = jpeg()
    image = kept(data)
    assert entropy_coded(image.data) == entropy_coded(data)
    assert entropy_coded(data) in data
    assert (image.rows, image.columns) == (48, 64)
    assert image.coding is PixelCoding.JPEG_BASELINE
    assert image.came_from_lossy
    assert not image.grey
    assert not image.is_rgb_jpeg
    assert image.color_space == "SRGB"
    assert image.data == without_jfif(data)


def test_preparing_twice_changes_nothing_more() -> None:
    once = kept(with_segments(jpeg(), exif(), segment(0xFE, b"comment")))
    assert kept(once.data).data == once.data


def test_metadata_is_cut_and_the_picture_is_the_same() -> None:
    data = jpeg()
    noisy = (
        SOI
        + exif()
        + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x>Jane Doe</x>")
        + segment(0xE2, b"MPF\x00II*\x00")
        + b"".join(segment(marker, b"Jane Doe") for marker in range(0xE3, 0xEE))
        + segment(0xEF, b"Jane Doe")
        + segment(0xFE, b"Jane Doe, ward 4B")
        + data[2:]
        + b"\x00Jane Doe"
        + data
    )
    image = kept(noisy)
    assert b"Jane Doe" not in image.data
    assert b"Exif" not in image.data
    assert b"JFIF" not in image.data
    assert image.data == without_jfif(data)
    assert image.data.count(EOI) == 1  # the second picture after the end is gone


def test_several_scans_of_a_baseline_picture_are_kept() -> None:
    data = _in_three_scans()
    image = kept(data)
    assert image.data == data
    assert image.data.count(b"\xff\xda") == 3


def test_a_comment_between_scans_is_cut() -> None:
    data = _in_three_scans()
    at = data.rindex(b"\xff\xda")
    assert kept(data[:at] + segment(0xFE, b"Jane Doe") + data[at:]).data == data


def test_restart_markers_stay() -> None:
    data = jpeg(restart_marker_blocks=2)
    assert b"\xff\xd0" in data
    assert kept(data).data == without_jfif(data)


def test_fill_bytes_before_markers_are_dropped_and_the_coded_data_is_not_touched() -> None:
    data = without_jfif(jpeg())
    filled = SOI + b"\xff\xff" + data[2:-2] + b"\xff\xff" + EOI
    assert kept(filled).data == data


def test_a_grey_picture() -> None:
    image = kept(jpeg(grey=True))
    assert image.grey
    assert image.color_space == ""


def test_an_rgb_picture_keeps_the_marker_that_says_so() -> None:
    data = jpeg(keep_rgb=True)
    image = kept(data)
    assert image.is_rgb_jpeg
    assert b"Adobe" in image.data
    shown = np.asarray(Image.open(BytesIO(image.data)).convert("RGB"))
    assert np.abs(shown.astype(int) - pixels().astype(int)).mean() < 4


def test_motion_jpeg_without_tables_gets_the_standard_ones() -> None:
    data = jpeg()
    bare = _without_tables(data)
    image = kept(bare)
    assert entropy_coded(image.data) == entropy_coded(data)
    shown = [np.asarray(Image.open(BytesIO(stream))) for stream in (image.data, data)]
    assert np.array_equal(shown[0], shown[1])


def test_the_standard_tables_are_those_that_encoders_write() -> None:
    assert _tables(jpeg()) == _tables(SOI + STANDARD_TABLES + segment(0xDA, b""))


# ------------------------------------------------------------------------------------ colours


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("order", [1, -1])
def test_the_profile_is_kept_and_put_together(order: int) -> None:
    profile = srgb_profile()
    segments = icc_segments(profile)[::order]
    assert len(segments) > 2
    image = kept(with_segments(jpeg(), *segments))
    assert image.icc_profile == profile
    assert image.color_space == ""
    assert all(part in image.data for part in segments)


@pytest.mark.parametrize(
    "broken",
    [
        lambda segments: segments[1:],
        lambda segments: [*segments, segments[0]],
        lambda segments: [s.replace((588).to_bytes(4, "big"), bytes(4)) for s in segments],
        lambda segments: [s.replace(b"acsp", b"xxxx") for s in segments],
        lambda segments: [s.replace(b"RGB ", b"CMYK", 1) for s in segments],
    ],
)
def test_a_profile_that_cannot_be_believed_is_not_passed_on(
    broken: Callable[[list[bytes]], list[bytes]],
) -> None:
    image = kept(with_segments(jpeg(), *broken(icc_segments(srgb_profile()))))
    assert image.icc_profile == b""
    assert image.color_space == ""  # neither is sRGB claimed


@pytest.mark.parametrize(
    ("color_space", "interop", "meant"),
    [(1, b"R98\x00", "SRGB"), (0xFFFF, b"R03\x00", "ADOBERGB"), (0xFFFF, b"xxx\x00", "")],
)
def test_exif_says_which_rgb_it_is(color_space: int, interop: bytes, meant: str) -> None:
    data = with_segments(jpeg(), exif(color_space=color_space, interop=interop))
    assert kept(data).color_space == meant


def test_contradicting_colours_are_refused() -> None:
    jfif = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    rgb = jpeg(keep_rgb=True)
    assert "two different things about its colours" in refusal(with_segments(rgb, jfif))


# ----------------------------------------------------------------------------------- refusals

ALLOWED = "These can be imported: JPEG, AVIF, BMP, GIF, HEIC, PNG, TIFF, WebP."


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "This file is empty."),
        (b"hello", f"This is not a picture. {ALLOWED}"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(9), f"This is a video file. {ALLOWED}"),
        (b"%PDF-1.7", f"This is a PDF file. {ALLOWED}"),
        (bytes(128) + b"DICM", f"This is a DICOM file. {ALLOWED}"),
        (b"\x00\x00\x00\x0cjP  \r\n", f"This is a JPEG 2000 file. {ALLOWED}"),
    ],
)
def test_other_files_are_named_kindly(data: bytes, said: str) -> None:
    assert refusal(data) == said


def test_a_printers_picture_is_refused() -> None:
    out = BytesIO()
    Image.fromarray(pixels()).convert("CMYK").save(out, "JPEG")
    assert "CMYK" in refusal(out.getvalue())


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        (0xC3, "lossless or layered"),
        (0xC5, "lossless or layered"),
        (0xCB, "lossless or layered"),
        (0xCD, "lossless or layered"),
    ],
)
def test_other_processes_of_jpeg_are_refused(marker: int, said: str) -> None:
    assert said in refusal(jpeg().replace(b"\xff\xc0", bytes((0xFF, marker)), 1))


def test_twelve_bits_are_refused() -> None:
    data = bytearray(jpeg())
    data[data.index(b"\xff\xc0") + 4] = 12
    assert "more than 8 bits" in refusal(bytes(data))


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        (0, 64, "This picture has no size"),
        (64, 0, "This picture has no size"),
        (10_001, 10_000, "This picture has 100 million pixels; 100 million are allowed."),
        (65_535, 65_535, "This picture has 4294 million pixels"),
    ],
)
def test_impossible_sizes_are_refused_before_anything_is_decoded(
    rows: int, columns: int, said: str
) -> None:
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = rows.to_bytes(2, "big") + columns.to_bytes(2, "big")
    assert said in refusal(bytes(data))


@pytest.mark.parametrize("missing", [4, 5, 10, 50, 200, 700, 800])
def test_a_picture_without_its_end_is_refused(missing: int) -> None:
    assert "Copy it again from its source." in refusal(jpeg()[:-missing])


@pytest.mark.parametrize("missing", [1, 2])
def test_a_missing_end_mark_alone_is_no_damage(missing: int) -> None:
    assert kept(jpeg()[:-missing]).data == kept(jpeg()).data


@pytest.mark.parametrize("missing", [1, 2, 5, 20, 100, 500])
@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 2}, {"grey": True}])
def test_a_scan_cut_short_before_its_end_marker_is_refused(
    missing: int, options: dict[str, bool]
) -> None:
    data = jpeg(96, 128, **options)
    cut = data[: -2 - missing]
    cut = cut[:-1] if cut.endswith(b"\xff") else cut
    assert refusal(cut + EOI).startswith("This picture is damaged")


def test_a_picture_with_a_part_gone_from_its_middle_is_refused() -> None:
    """Decoders draw the rest in its place: a picture, but of something else."""
    whole = jpeg(restart_marker_blocks=2)
    marks = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", whole)]
    for first, second in pairwise(marks):
        assert refusal(whole[:first] + whole[second:]).startswith("This picture is damaged")


def test_a_missing_scan_of_several_is_refused() -> None:
    data = _in_three_scans()
    assert "cut short" in refusal(data[: data.rindex(b"\xff\xda")] + EOI)


def test_a_whole_picture_is_never_taken_for_a_short_one() -> None:
    for size in range(1, 40):
        for quality in (5, 50, 100):
            image = kept(jpeg(size, 41 - size, quality=quality))
            assert (image.rows, image.columns) == (size, 41 - size)


def test_no_refusal_repeats_the_pictures_metadata() -> None:
    noisy = with_segments(jpeg()[:-300], segment(0xFE, b"Jane Doe"))
    assert "Jane" not in refusal(noisy)


# ------------------------------------------------------------------------------------ helpers


def _in_three_scans() -> bytes:
    """A baseline JPEG with a scan for each component: legal, and rare."""
    planes = Image.fromarray(pixels()).convert("YCbCr").split()
    streams = []
    for plane in planes:
        plane.save(out := BytesIO(), "JPEG", quality=90)
        streams.append(without_jfif(out.getvalue()))
    head = streams[0][: streams[0].index(b"\xff\xda")]
    frame = head.index(b"\xff\xc0")
    length = int.from_bytes(head[frame + 2 : frame + 4], "big")
    size = head[frame + 4 : frame + 9]
    three = segment(0xC0, size + b"\x03" + b"".join(bytes((n, 0x11, 0)) for n in (1, 2, 3)))
    data = head[:frame] + three + head[frame + 2 + length :]
    for number, stream in enumerate(streams, start=1):
        coded = stream[stream.index(b"\xff\xda") + 10 : -2]
        data += segment(0xDA, bytes((1, number, 0, 0, 63, 0))) + coded
    return data + EOI


def _tables(data: bytes) -> dict[int, bytes]:
    tables: dict[int, bytes] = {}
    at = 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        rest = data[at + 4 : at + 2 + length] if data[at + 1] == 0xC4 else b""
        while rest:
            size = 17 + sum(rest[1:17])
            tables[rest[0]], rest = rest[:size], rest[size:]
        at += 2 + length
    return tables


def _without_tables(data: bytes) -> bytes:
    out, at = bytearray(SOI), 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] != 0xC4:
            out += data[at:end]
        at = end
    return bytes(out) + data[at:]
