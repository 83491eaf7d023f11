"""Pictures of other formats: what of them is kept, and why others are refused."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from capture_app.clock import SystemClock
from capture_app.errors import ImageError
from capture_app.imaging.decoding import PictureDecoder
from capture_app.imaging.judge import judge
from capture_app.model.encoded_image import Handling, PixelCoding
from tests.sealing import pixels

GOLDEN = Path(__file__).parents[2] / "golden"
PICTURE = pixels(40, 56)
P3 = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureDecoder]:
    """The real child, behind its walls."""
    with closing(PictureDecoder(SystemClock())) as decoder:
        yield decoder


def saved(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    image = picture if picture is not None else Image.fromarray(PICTURE)
    image.save(out := BytesIO(), kind, **options)
    return out.getvalue()


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x112] = orientation
    ifd = block.get_ifd(0x8769)
    ifd[0x9003], ifd[0x9011] = "2024:07:02 09:31:07", "+02:00"
    return block.tobytes()


def few_colors() -> Image.Image:
    return Image.fromarray(PICTURE).quantize(32)


def kept(data: bytes, decoder: PictureDecoder) -> NDArray[np.uint8]:
    image = judge(data, decoder).image
    return np.frombuffer(image.data, np.uint8).reshape(image.rows, image.columns, 3)


WITHOUT_LOSS: dict[str, bytes] = {
    "PNG": saved("PNG"),
    "TIFF": saved("TIFF"),
    "TIFF, LZW": saved("TIFF", compression="tiff_lzw"),
    "TIFF, Deflate": saved("TIFF", compression="tiff_deflate"),
    "WebP": saved("WEBP", lossless=True),
    "BMP": saved("BMP"),
    "opaque alpha": saved("PNG", Image.fromarray(PICTURE).convert("RGBA")),
}


@pytest.mark.parametrize("name", WITHOUT_LOSS)
def test_what_was_coded_without_loss_is_kept_pixel_for_pixel(
    name: str, decoder: PictureDecoder
) -> None:
    image = judge(WITHOUT_LOSS[name], decoder).image
    assert np.array_equal(kept(WITHOUT_LOSS[name], decoder), PICTURE)
    assert (image.coding, image.handling) == (PixelCoding.RGB, Handling.DECODED)
    assert not image.came_from_lossy
    assert (image.lossy_method, image.lossy_ratio) == ("", 0.0)
    assert image.color_space == "SRGB"


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_palette_and_one_bit_become_colours(kind: str, decoder: PictureDecoder) -> None:
    palette = few_colors()
    assert np.array_equal(
        kept(saved(kind, palette), decoder), np.asarray(palette.convert("RGB"), np.uint8)
    )
    line = Image.fromarray(PICTURE).convert("1")
    assert np.array_equal(
        kept(saved(kind, line), decoder), np.asarray(line.convert("RGB"), np.uint8)
    )


LOSSY: dict[str, tuple[bytes, str]] = {
    "HEIC": ((GOLDEN / "upright.heic").read_bytes(), "ISO_23008_2"),
    "AVIF": (saved("AVIF", quality=90), ""),
    "WebP": (saved("WEBP", quality=90), ""),
    "TIFF, JPEG": (saved("TIFF", compression="jpeg"), "ISO_10918_1"),
}


@pytest.mark.parametrize("name", LOSSY)
def test_what_was_lossy_stays_so_and_says_by_what(name: str, decoder: PictureDecoder) -> None:
    data, method = LOSSY[name]
    image = judge(data, decoder).image
    assert image.came_from_lossy
    assert image.lossy_method == method
    assert (image.lossy_ratio > 0) == bool(method)
    assert image.coding is PixelCoding.RGB


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_a_profile_stays_as_it_is(kind: str, decoder: PictureDecoder) -> None:
    image = judge(saved(kind, icc_profile=P3), decoder).image
    assert image.icc_profile == P3
    assert image.color_space == ""
    broken = judge(saved(kind, icc_profile=P3[:200]), decoder).image if kind == "TIFF" else None
    assert broken is None or (broken.icc_profile, broken.color_space) == (b"", "")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_turned_picture_is_kept_upright_with_its_own_time(
    kind: str, orientation: int, decoder: PictureDecoder
) -> None:
    lossless: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    }
    data = saved(kind, exif=exif(orientation), **lossless.get(kind, {}))
    turned = {
        1: PICTURE,
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        4: PICTURE[::-1],
        5: PICTURE.swapaxes(0, 1),
        6: np.rot90(PICTURE, -1),
        7: PICTURE[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(PICTURE),
    }[orientation]
    found = kept(data, decoder).astype(int)
    assert found.shape == turned.shape
    assert np.abs(found - turned).max() <= (12 if kind == "AVIF" else 0)
    there = timezone(timedelta(hours=2))
    assert judge(data, decoder).taken_at == datetime(2024, 7, 2, 9, 31, 7, tzinfo=there)


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    return png[:33] + png_chunk(name, body) + png[33:]


def test_pixels_that_are_not_square_say_so(decoder: PictureDecoder) -> None:
    tall = with_chunk(saved("PNG"), b"pHYs", struct.pack(">IIB", 2000, 1000, 1))
    assert Fraction(*judge(tall, decoder).image.pixel_aspect) == 2
    bare = with_chunk(saved("PNG"), b"pHYs", struct.pack(">IIB", 2, 1, 0))
    assert Fraction(*judge(bare, decoder).image.pixel_aspect) == 2
    assert judge(saved("PNG", dpi=(72, 72)), decoder).image.pixel_aspect == (1, 1)
    bmp = saved("BMP")
    bmp = bmp[:38] + struct.pack("<II", 1000, 2000) + bmp[46:]
    assert judge(bmp, decoder).image.pixel_aspect == (1, 2)
    tiff = saved("TIFF", x_resolution=100.0, y_resolution=200.0, resolution_unit="inch")
    assert Fraction(*judge(tiff, decoder).image.pixel_aspect) == Fraction(1, 2)


def test_colours_that_are_not_those_of_srgb_are_not_called_so(decoder: PictureDecoder) -> None:
    linear = with_chunk(saved("PNG"), b"gAMA", struct.pack(">I", 100_000))
    assert judge(linear, decoder).image.color_space == ""
    hdr = with_chunk(saved("PNG"), b"cICP", bytes((9, 16, 0, 1)))
    assert judge(hdr, decoder).image.color_space == ""


def test_of_an_animated_png_the_first_picture_is_kept(decoder: PictureDecoder) -> None:
    second = Image.fromarray(PICTURE[::-1].copy())
    moving = saved("PNG", save_all=True, append_images=[second])
    assert np.array_equal(kept(moving, decoder), PICTURE)


def two(kind: str, **options: Any) -> bytes:
    second = Image.fromarray(PICTURE[::-1].copy())
    return saved(kind, save_all=True, append_images=[second], **options)


def see_through() -> Image.Image:
    image = Image.fromarray(PICTURE).convert("RGBA")
    image.putpixel((3, 3), (0, 0, 0, 254))
    return image


def deep_png() -> bytes:
    head = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    rows = zlib.compress((b"\x00" + bytes(12)) * 2)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )


def huge_png() -> bytes:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"IDAT", zlib.compress(bytes(999)))
        + png_chunk(b"IEND", b"")
    )


def flipped(data: bytes) -> bytes:
    at = data.index(b"IDAT") + 30
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def brand(name: bytes) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + name + bytes(200)


REFUSED: dict[str, tuple[bytes, str]] = {
    "two pages": (two("TIFF"), "TIFF file holds more than one picture"),
    "moving GIF": (
        saved("GIF", few_colors(), save_all=True, append_images=[few_colors().rotate(180)]),
        "GIF file holds more than one",
    ),
    "moving WebP": (two("WEBP"), "WebP file holds more than one"),
    "moving AVIF": (two("AVIF"), "AVIF file holds more than one"),
    "see-through": (saved("PNG", see_through()), "transparent"),
    "16-bit PNG": (deep_png(), "more than 8 bits"),
    "16-bit grey PNG": (saved("PNG", Image.new("I;16", (9, 9))), "more than 8 bits"),
    "16-bit TIFF": (saved("TIFF", Image.new("I;16", (9, 9))), "more than 8 bits"),
    "real numbers": (saved("TIFF", Image.new("F", (9, 9))), "more than 8 bits"),
    "for printing": (saved("TIFF", Image.new("CMYK", (9, 9))), "CMYK"),
    "Lab": (saved("TIFF", Image.new("LAB", (9, 9))), "colours"),
    "too large": (huge_png(), "100 million"),
    "two orientations": (
        saved("PNG", exif=exif(6))[:33]
        + png_chunk(
            b"iTXt",
            b"XML:com.adobe.xmp\x00\x00\x00\x00\x00<rdf:Description tiff:Orientation='1'/>",
        )
        + saved("PNG", exif=exif(6))[33:],
        "turned",
    ),
    "PNG cut short": (saved("PNG")[:-40], "damaged"),
    "PNG with one wrong bit": (flipped(saved("PNG")), "damaged"),
    "TIFF cut short": (saved("TIFF")[:3000], "damaged"),
    "WebP cut short": (saved("WEBP", lossless=True)[:-400], "damaged"),
    "AVIF cut short": (saved("AVIF")[:-400], "damaged"),
    "GIF cut short": (saved("GIF", few_colors())[:-300], "damaged"),
    "BMP cut short": (saved("BMP")[:-300], "damaged"),
    "HEIC cut short": ((GOLDEN / "upright.heic").read_bytes()[:-400], "damaged"),
    "two in a HEIC": ((GOLDEN / "two.heic").read_bytes(), "HEIC file holds more than one"),
    "10-bit HEIC": ((GOLDEN / "ten-bits.heic").read_bytes(), "more than 8 bits"),
    "HEIC turned by EXIF alone": ((GOLDEN / "exif-alone.heic").read_bytes(), "turned"),
    "BigTIFF": (saved("TIFF", big_tiff=True), "BigTIFF file"),
    "Photoshop": (b"8BPS\x00\x01" + bytes(40), "Photoshop file"),
    "DNG": (saved("TIFF", tiffinfo={50706: b"\x01\x04\x00\x00"}), "camera raw"),
    "CR2": (b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(200), "CR2"),
    "CR3": (brand(b"crx "), "CR3"),
    "RAF": (b"FUJIFILMCCD-RAW 0201" + bytes(200), "RAF"),
    "ORF": (b"IIRO\x08\x00\x00\x00" + bytes(200), "ORF"),
    "RW2": (b"IIU\x00\x18\x00\x00\x00" + bytes(200), "RW2"),
    "JPEG 2000": (b"\x00\x00\x00\x0cjP  " + bytes(200), "JPEG 2000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_whole_is_refused_in_words(name: str, decoder: PictureDecoder) -> None:
    data, said = REFUSED[name]
    with pytest.raises(ImageError, match=said):
        judge(data, decoder)


def test_a_heic_is_turned_by_its_boxes_and_keeps_its_profile(decoder: PictureDecoder) -> None:
    upright = judge((GOLDEN / "upright.heic").read_bytes(), decoder).image
    turned = judge((GOLDEN / "turned.heic").read_bytes(), decoder).image
    assert (upright.rows, upright.columns) == (turned.columns, turned.rows)
    assert upright.icc_profile
    assert upright.color_space == ""
