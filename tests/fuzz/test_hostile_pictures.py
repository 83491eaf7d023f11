"""Pictures and films that nobody should send: each ends in a picture or in words, within bounds."""

import struct
from collections.abc import Callable
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from capture_app.clock import SystemClock
from capture_app.errors import RuleError
from capture_app.exam.importing import picture_of_file
from capture_app.imaging.decoding import PictureDecoder
from capture_app.imaging.rgb import decode
from capture_app.model.encoded_image import MOST_PIXELS
from tests.draws import PATIENCE_S, drawn
from tests.fuzz.hostile_formats import FORMATS
from tests.fuzz.spoiling import MAY_GROW_BY, Growth, only_children_end, spoilt
from tests.jpeg_parts import exif, segment, with_segments
from tests.sealing import jpeg

CLOCK = SystemClock()
PICTURES = drawn(30, whole=300)
SOF_BY_PROCESS = (b"\xff\xc1", b"\xff\xc2", b"\xff\xc9", b"\xff\xca", b"\xff\xc3")


def spoilt_picture(chance: Random) -> bytes:
    options = {"progressive": True} if chance.random() < 0.4 else {}
    return spoilt(chance, jpeg(chance.randrange(8, 300), chance.randrange(8, 300), **options))


def another_process(chance: Random) -> bytes:
    return jpeg(96, 96).replace(b"\xff\xc0", chance.choice(SOF_BY_PROCESS), 1)


def huge(chance: Random) -> bytes:
    """It says that it has up to 100 million pixels, and has data of a few."""
    data = bytearray(jpeg(64, 64, progressive=chance.random() < 0.5))
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    rows = chance.choice((1, 8, 10_000, 65_500))
    columns = min(65_500, MOST_PIXELS // rows)
    data[at + 5 : at + 9] = struct.pack(">HH", rows, columns)
    return bytes(data)


def many_scans(chance: Random) -> bytes:
    """The same refinement again and again: each scan goes over every block of the picture."""
    Image.new("RGB", (3_000, 3_000)).save(out := BytesIO(), "JPEG", progressive=True)
    data = out.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * chance.randrange(200, 900) + data[-2:]


def many_segments(chance: Random) -> bytes:
    block = segment(0xE1, exif(6)[4:] + bytes(60_000))
    return with_segments(jpeg(), *[block] * chance.randrange(50, 400))


def circular_exif(chance: Random) -> bytes:
    directory = struct.pack("<HHHII", chance.choice((1, 65_535)), 0x8769, 4, 1, 8) + bytes(4)
    return with_segments(jpeg(), segment(0xE1, b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + directory))


def long_xmp(chance: Random) -> bytes:
    part = chance.choice((b":Orientation = ", b"</", b":Orientation='" + b" " * 900, b"</a:b "))
    packet = b"http://ns.adobe.com/xap/1.0/\x00" + part * chance.randrange(1, 60_000 // len(part))
    return with_segments(jpeg(), *[segment(0xE1, packet[:65_000])] * 20)


def turned_and_spoilt(chance: Random) -> bytes:
    data = jpeg(chance.randrange(8, 200), chance.randrange(8, 200))
    return with_segments(spoilt(chance, data, most=1), exif(chance.randrange(1, 9)))


def no_picture(chance: Random) -> bytes:
    return chance.choice((b"", b"\xff\xd8", b"\xff\xd8\xff")) + chance.randbytes(5_000)


JPEGS: tuple[Callable[[Random], bytes], ...] = (
    spoilt_picture,
    another_process,
    huge,
    many_scans,
    many_segments,
    circular_exif,
    long_xmp,
    turned_and_spoilt,
    no_picture,
)


KINDS = (*JPEGS, *FORMATS)


@pytest.mark.timeout(PATIENCE_S)
def test_each_ends_in_a_picture_or_in_words(tmp_path: Path) -> None:
    chance, growth = Random(20_261_128), Growth()
    path = tmp_path / "hostile.jpg"
    with only_children_end(), closing(PictureDecoder(CLOCK)) as decoder:
        for n in range(PICTURES):
            path.write_bytes(KINDS[n % len(KINDS)](chance))
            begun = CLOCK.monotonic()
            with suppress(RuleError):
                image = picture_of_file(path, decoder, now=CLOCK.now()).image
                assert b"Exif" not in image.data
                if image.rows * image.columns < 1_000_000:
                    assert decode(image).shape == (image.rows, image.columns, 3)
            assert CLOCK.monotonic() - begun < 60
            growth.look()
        path.write_bytes(jpeg())
        assert picture_of_file(path, decoder, now=CLOCK.now()).image.rows == 48
    assert growth.most <= MAY_GROW_BY
