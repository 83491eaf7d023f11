"""The judge of pictures: turned, progressive, damaged, contradicting, and what is told of each."""

import re
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from capture_app.errors import ImageError
from capture_app.imaging import surgery, turbo
from capture_app.imaging.judge import Judged, judge
from capture_app.imaging.rgb import decode
from capture_app.model.encoded_image import EncodedImage, Handling, PixelCoding
from tests.jpeg_parts import (
    entropy_coded,
    exif,
    icc_segments,
    segment,
    tiff,
    with_segments,
    without_jfif,
)
from tests.sealing import jpeg

GOLDEN = Path(__file__).parents[2] / "golden"
EOI = b"\xff\xd9"
XMP = (
    b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>"
    b"<rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' %b</rdf:RDF></x:xmpmeta>"
)


def xmp(inside: bytes) -> bytes:
    return segment(0xE1, XMP % inside)


def photoshop(exif: bytes) -> bytes:
    length = len(exif).to_bytes(4, "big")
    return segment(0xED, b"Photoshop 3.0\x008BIM\x04\x22\x00\x00" + length + exif)


def judged(data: bytes) -> Judged:
    return judge(data, surgery)


def kept(data: bytes) -> EncodedImage:
    return judged(data).image


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        judge(data, surgery)
    return str(caught.value)


def upright(data: bytes) -> NDArray[np.uint8]:
    """As Pillow puts it, who reads EXIF and XMP by itself."""
    return np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB"))


def ycc(image: EncodedImage) -> NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(image.data)))


# ------------------------------------------------------------------------------ without loss


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"grey": True}, {"progressive": True}])
def test_a_turned_picture_is_put_upright_by_its_coefficients(
    orientation: int, options: dict[str, bool]
) -> None:
    data = with_segments(jpeg(48, 64, **options), exif(orientation=orientation))
    image = kept(data)
    assert image.handling is Handling.TURNED
    assert image.coding is PixelCoding.JPEG_BASELINE
    assert (image.rows, image.columns) == ((64, 48) if orientation >= 5 else (48, 64))
    back = {6: 8, 8: 6}.get(orientation, orientation)
    again = kept(with_segments(image.data, exif(orientation=back)))
    assert entropy_coded(again.data) == entropy_coded(kept(jpeg(48, 64, **options)).data)
    assert np.abs(decode(image).astype(int) - upright(data).astype(int)).mean() < 2


@pytest.mark.parametrize("orientation", range(2, 9))
def test_where_no_coefficients_fit_the_turned_pixels_are_kept(orientation: int) -> None:
    data = with_segments(jpeg(45, 61), exif(orientation=orientation))
    image = kept(data)
    if image.handling is Handling.TURNED:  # a mirror along the side that has whole blocks
        assert orientation == 5
        return
    assert image.handling is Handling.DECODED
    assert image.came_from_lossy
    np.testing.assert_array_equal(decode(image), upright(data))


@pytest.mark.parametrize(
    "data",
    [
        jpeg(40, 56, progressive=True),
        jpeg(41, 57, progressive=True),
        jpeg(40, 56).replace(b"\xff\xc0", b"\xff\xc1", 1),
        (GOLDEN / "arithmetic.jpg").read_bytes(),
        (GOLDEN / "arithmetic-progressive.jpg").read_bytes(),
    ],
    ids=["progressive", "progressive, part blocks", "extended", "arithmetic", "both"],
)
def test_other_processes_are_made_baseline_with_the_same_coefficients(data: bytes) -> None:
    image = kept(data)
    rows, columns = image.rows, image.columns
    assert image.handling is Handling.MADE_BASELINE
    assert entropy_coded(image.data) == entropy_coded(kept(jpeg(rows, columns)).data)
    assert b"\xff\xc0\x00" in image.data
    assert b"JFIF" not in image.data


def test_sixteen_bit_tables_are_no_baseline_and_decoded() -> None:
    data = _with_16_bit_tables(jpeg(quality=10))
    image = kept(data)
    assert image.handling is Handling.DECODED
    np.testing.assert_array_equal(decode(image), upright(data))


@pytest.mark.parametrize("orientation", [1, 6])
def test_colours_are_put_back(orientation: int) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = jpeg(48, 64, progressive=True, keep_rgb=True)
    data = with_segments(plain, exif(orientation=orientation), *icc_segments(profile))
    image = kept(data)
    assert image.icc_profile == profile
    assert image.is_rgb_jpeg
    assert image.data.count(b"Adobe") == 1
    assert b"ICC_PROFILE" in image.data
    assert np.abs(decode(image).astype(int) - upright(data).astype(int)).mean() < 2


def test_without_the_library_it_is_decoded_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turbo, "_library", lambda: None)
    assert not turbo.is_had()
    data = with_segments(jpeg(progressive=True), exif(orientation=6))
    image = kept(data)
    assert image.handling is Handling.DECODED
    np.testing.assert_array_equal(decode(image), upright(data))
    assert kept(jpeg()).handling is Handling.AS_IT_IS
    assert refusal(jpeg()[:-300] + EOI).startswith("This picture is damaged")


# -------------------------------------------------------------------------------------- damage


def test_a_hole_in_the_coded_data_is_damage() -> None:
    """Restart markers count on, and so does whoever only counts them."""
    for data in (jpeg(200, 300), jpeg(200, 300, restart_marker_blocks=4)):
        start = data.index(b"\xff\xda") + 14
        for at in range(start, len(data) - 200, 700):
            assert "damaged" in refusal(data[:at] + bytes(150) + data[at + 150 :])


def test_half_an_interval_gone_is_damage() -> None:
    data = jpeg(200, 300, restart_marker_blocks=8)
    marks = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    first, second = marks[3], marks[4]
    half = (first + second) // 2
    assert "damaged" in refusal(data[:half] + data[second:])
    assert "damaged" in refusal(data[: marks[-1]] + EOI)
    eight = marks[3 + 8]
    assert "damaged" in refusal(data[:first] + data[eight:])


def test_scans_that_are_missing_are_damage_though_no_decoder_minds() -> None:
    data = jpeg(progressive=True)
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for at in scans[1:]:
        assert "cut short" in refusal(data[:at] + EOI)
    assert kept(data[:-2]).handling is Handling.MADE_BASELINE


@pytest.mark.parametrize("name", ["arithmetic.jpg", "arithmetic-progressive.jpg"])
def test_arithmetic_data_that_ends_early_is_damage_though_no_decoder_minds(name: str) -> None:
    data = (GOLDEN / name).read_bytes()
    for missing in range(5, 100):  # the last bytes say little, and not all of it can be missed
        cut = data[: -2 - missing]
        cut = cut[:-1] if cut.endswith(b"\xff") else cut
        assert "Copy it again from its source." in refusal(cut + EOI)


def test_what_a_camera_fills_up_with_is_no_damage() -> None:
    data = jpeg()
    image = kept(data[:-2] + bytes(37) + EOI)
    assert image == kept(data)
    assert "damaged" in refusal(data[:-2] + bytes(37) + b"\x01" + EOI)


def test_scan_parameters_that_mean_nothing_are_put_right() -> None:
    data = jpeg()
    at = data.index(b"\x00\x3f\x00", data.index(b"\xff\xda"))
    assert kept(data[:at] + b"\x00\x00\x00" + data[at + 3 :]) == kept(data)


# ------------------------------------------------------------------------------ two statements


def test_an_exif_block_that_goes_on_in_a_second_segment_keeps_its_orientation() -> None:
    more = segment(0xE1, b"Exif\x00\x00" + b"maker notes, continued")
    data = with_segments(jpeg(), exif(orientation=6), more)
    assert kept(data).handling is Handling.TURNED
    cut = exif(orientation=6)
    parts = (cut[:30], cut[30:])
    two = (segment(0xE1, parts[0][4:]), segment(0xE1, b"Exif\x00\x00" + parts[1]))
    assert kept(with_segments(jpeg(), *two)).handling is Handling.TURNED


@pytest.mark.parametrize(
    ("segments", "orientation"),
    [
        ([xmp(b'tiff:Orientation="6"/>')], 6),
        ([xmp(b"><tiff:Orientation> 6 </tiff:Orientation></rdf:Description>")], 6),
        ([xmp(b'T:Orientation="6"/>')], 6),
        ([exif(orientation=6), xmp(b'tiff:Orientation="6"/>')], 6),
        ([exif(orientation=6), exif(orientation=6)], 6),
        ([photoshop(tiff(6))], 6),
        ([segment(0xE1, b"exif\x00\x00" + exif(orientation=6)[10:])], 6),
        ([xmp(b'tiff:Orientation="1"/>')], 1),
        ([xmp(b'tiff:Make="Orientation"/>')], 1),
        ([exif(orientation=0)], 1),
    ],
)
def test_every_way_to_say_how_it_is_turned_is_read(segments: list[bytes], orientation: int) -> None:
    image = kept(with_segments(jpeg(), *segments))
    assert image == kept(with_segments(jpeg(), exif(orientation=orientation)))


@pytest.mark.parametrize(
    "segments",
    [
        [exif(orientation=6), exif(orientation=8)],
        [exif(orientation=1), exif(orientation=6)],
        [exif(orientation=1), xmp(b'tiff:Orientation="6"/>')],
        [exif(orientation=6), xmp(b'tiff:Orientation="1"/>')],
        [xmp(b'tiff:Orientation="6"/>'), xmp(b'tiff:Orientation="3"/>')],
        [exif(orientation=1), photoshop(tiff(6))],
    ],
)
def test_two_statements_that_differ_are_refused(segments: list[bytes]) -> None:
    said = "This picture says two different things about how it is turned. Save it again."
    assert refusal(with_segments(jpeg(), *segments)) == said


@pytest.mark.parametrize(
    "segments",
    [
        [xmp(b'tiff:Orientation="rotated"/>')],
        [xmp(b"><tiff:Orientation rdf:datatype='x'>6</tiff:Orientation></rdf:Description>")],
        [segment(0xE1, exif(orientation=6)[4:24])],
        [segment(0xE1, b"Exif\x00\x00II*\x00\xff\xff\x00\x00")],
    ],
)
def test_a_statement_that_cannot_be_read_is_refused(segments: list[bytes]) -> None:
    assert "cannot be read from it" in refusal(with_segments(jpeg(), *segments))


def test_adobe_rgb_that_only_xmp_speaks_of_is_not_called_srgb() -> None:
    said = xmp(b'photoshop:ICCProfile="Adobe RGB (1998)"/>')
    assert kept(with_segments(jpeg(), said)).color_space == ""
    both = with_segments(jpeg(), exif(color_space=0xFFFF, interop=b"R03\x00"), exif(color_space=1))
    assert kept(both).color_space == ""


# ------------------------------------------------------------------------------- shape and time


def jfif(across: int, down: int, units: int = 1) -> bytes:
    density = across.to_bytes(2, "big") + down.to_bytes(2, "big")
    return segment(0xE0, b"JFIF\x00\x01\x01" + bytes((units,)) + density + b"\x00\x00")


def test_what_stands_in_a_comment_of_xmp_is_not_said() -> None:
    said = b"tiff:Orientation='6'"
    assert kept(with_segments(jpeg(), xmp(b"/><!-- %b -->" % said))).handling is Handling.AS_IT_IS
    both = b"/><!-- x --><rdf:Description %b/><!-- tiff:Orientation='3' -->" % said
    assert kept(with_segments(jpeg(), xmp(both))).handling is Handling.TURNED
    assert kept(with_segments(jpeg(), xmp(b"/><!-- %b" % said))).handling is Handling.TURNED


@pytest.mark.parametrize("units", [0, 1, 2])
def test_pixels_that_are_not_square_say_so(units: int) -> None:
    data = with_segments(without_jfif(jpeg()), jfif(72, 144, units))
    assert kept(data).pixel_aspect == (1, 2)
    assert kept(with_segments(data, exif(orientation=3))).pixel_aspect == (1, 2)
    assert kept(with_segments(data, exif(orientation=6))).pixel_aspect == (2, 1)
    assert kept(with_segments(data, exif(resolution=(72, 144)))).pixel_aspect == (1, 2)
    assert kept(with_segments(jpeg(), exif(resolution=(300, 100)))).pixel_aspect == (3, 1)
    assert "about its shape" in refusal(with_segments(data, exif(resolution=(144, 72))))


@pytest.mark.parametrize("down", [2**32 - 1, 2**31 - 1, 50_001, 3])
@pytest.mark.parametrize("across", [2**32 - 5, 99_991, 1_000, 7])
def test_whatever_a_density_is_the_shape_of_a_pixel_has_its_place(across: int, down: int) -> None:
    """Pixel Aspect Ratio is an IS: below 2 to the 31st (PS3.5 6.2)."""
    image = kept(with_segments(without_jfif(jpeg()), exif(resolution=(across, down))))
    height, width = image.pixel_aspect
    assert max(height, width) < 2**31
    if 0.01 < across / down < 100 and abs(across / down - 1) > 0.1:
        assert height / width == pytest.approx(across / down, rel=0.01)
    else:
        assert image.pixel_aspect == (1, 1)


@pytest.mark.parametrize(("across", "down"), [(72, 72), (72, 74), (0, 72), (72, 0)])
def test_a_density_that_is_square_or_not_said_changes_nothing(across: int, down: int) -> None:
    data = with_segments(without_jfif(jpeg()), jfif(across, down))
    assert kept(data).pixel_aspect == (1, 1)


@pytest.mark.parametrize(
    "mark",
    [
        segment(0xE0, b"AVI1\x01" + bytes(9)),
        segment(0xE0, b"AVI1\x02" + bytes(9)),
        segment(0xE1, bytes(4) + b"mjpg" + bytes(8) + b"\x00\x00\x40\x00" + bytes(24)),
    ],
)
def test_half_a_picture_is_refused(mark: bytes) -> None:
    field = with_segments(without_jfif(jpeg(24, 64)), mark)
    assert "two half pictures (interlaced)" in refusal(field + field)
    assert "two half pictures (interlaced)" in refusal(field)


def test_a_picture_of_one_field_is_whole() -> None:
    mark = segment(0xE0, b"AVI1\x00" + bytes(9))
    assert kept(with_segments(without_jfif(jpeg()), mark)).rows == 48


@pytest.mark.parametrize(
    ("taken", "offset", "fraction", "meant"),
    [
        (
            "2026:11:20 08:15:00",
            "+01:00",
            "",
            datetime(2026, 11, 20, 8, 15, tzinfo=timezone(timedelta(hours=1))),
        ),
        ("2026:11:20 08:15:00", "-00:00", "25", datetime(2026, 11, 20, 8, 15, 0, 250_000, UTC)),
        ("2026:11:20 08:15:00", "", "", None),
        ("2026:11:20 08:15:00", "Berlin", "", None),
        ("0000:00:00 00:00:00", "+01:00", "", None),
        ("    :  :     :  :  ", "+01:00", "", None),
        ("", "+01:00", "", None),
    ],
)
def test_a_pictures_own_time_needs_its_own_offset(
    taken: str, offset: str, fraction: str, meant: datetime | None
) -> None:
    data = with_segments(jpeg(), exif(taken=taken, offset=offset, fraction=fraction))
    assert judged(data).taken_at == meant


@pytest.mark.parametrize(
    ("taken", "shown"),
    [
        ("2026:11:20 08:15:00", datetime(2026, 11, 20, 8, 15)),  # noqa: DTZ001 - a camera's
        ("2026:02:30 08:15:00", None),
        ("0000:00:00 00:00:00", None),
        ("", None),
    ],
)
def test_what_the_clock_of_a_camera_showed_needs_no_offset(
    taken: str, shown: datetime | None
) -> None:
    assert judged(with_segments(jpeg(), exif(taken=taken))).camera_time == shown


# --------------------------------------------------------------------------------- helpers


def _with_16_bit_tables(data: bytes) -> bytes:
    out, at = bytearray(data[:2]), 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        part = data[at:end]
        if data[at + 1] == 0xDB:
            body = part[4:]
            wide = b"".join((value * 5).to_bytes(2, "big") for value in body[1:65])
            part = segment(0xDB, bytes((0x10 | body[0],)) + wide)
        elif data[at + 1] == 0xC0:
            part = b"\xff\xc1" + part[2:]
        out += part
        at = end
    return bytes(out) + data[at:]
