"""Files of the formats that are decoded without loss, as nobody should send them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image

from capture_app.dicom import jpeg_ls
from tests.fuzz.spoiling import spoilt

_GOLDEN: Final = Path(__file__).parents[1] / "golden"
_SIZE: Final = (97, 61)


def _pixels() -> Image.Image:
    data = np.random.default_rng(3).integers(0, 255, (*reversed(_SIZE), 3), np.uint8)
    return Image.fromarray(data)


@cache
def _whole(name: str) -> bytes:
    """A good file of that kind."""
    if name.endswith(".heic"):
        return (_GOLDEN / name).read_bytes()
    if name == "JPEG-LS":
        return jpeg_ls.encode(_pixels().tobytes(), _SIZE[1], _SIZE[0], 3)
    kind, _, how = name.partition(" ")
    options: dict[str, dict[str, Any]] = {
        "pages": {"save_all": True, "append_images": [_pixels()] * 3},
        "lzw": {"compression": "tiff_lzw"},
        "deflate": {"compression": "tiff_adobe_deflate"},
        "jpeg": {"compression": "jpeg"},
        "lossless": {"lossless": True},
        "": {},
    }
    _pixels().save(out := BytesIO(), kind, **options[how])
    return out.getvalue()


NAMES: Final = (
    *("upright.heic", "turned.heic", "two.heic", "AVIF", "WEBP", "WEBP lossless", "WEBP pages"),
    *("PNG", "PNG pages", "TIFF", "TIFF lzw", "TIFF deflate", "TIFF jpeg", "TIFF pages"),
    *("GIF", "GIF pages", "BMP", "JPEG-LS"),
)


def spoilt_format(chance: Random) -> bytes:
    """Changed anywhere, or within the first bytes, where sizes and offsets stand."""
    data = _whole(chance.choice(NAMES))
    if chance.random() < 0.5:
        return spoilt(chance, data)
    end = min(len(data), 300)
    return spoilt(chance, data[:end]) + data[end:]


def cut_format(chance: Random) -> bytes:
    data = _whole(chance.choice(NAMES))
    return data[: chance.randrange(4, len(data))]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def png_bomb(chance: Random) -> bytes:
    """Small, and large once it is inflated: pixels, a profile, or a text."""
    zeros = zlib.compress(bytes(chance.choice((30_000_000, 100_000_000))), 9)
    rows, columns = chance.choice(((1, 1), (10_000, 10_000), (60_000, 60_000), (2**31 - 1, 1)))
    header = _chunk(b"IHDR", struct.pack(">LLBBBBB", columns, rows, 8, 2, 0, 0, 0))
    more = chance.choice(
        (_chunk(b"iCCP", b"x\0\0" + zeros), _chunk(b"zTXt", b"x\0\0" + zeros), b"")
    )
    body = _chunk(b"IDAT", zeros) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + more + body


def tiff_bomb(chance: Random) -> bytes:
    """Sides, strips and offsets that no file of this length can have."""
    entries = [
        (256, 4, 1, chance.choice((1, 60_000, 2**32 - 1))),
        (257, 4, 1, chance.choice((1, 60_000, 2**32 - 1))),
        (258, 3, 1, chance.choice((8, 16, 65_535))),
        (259, 3, 1, chance.choice((1, 5, 7, 8, 34_712))),
        (262, 3, 1, 2),
        (273, 4, chance.choice((1, 2**28)), 8),
        (277, 3, 1, chance.choice((3, 65_535))),
        (278, 4, 1, 2**32 - 1),
        (279, 4, 1, 2**32 - 1),
    ]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<L", 8) + directory + struct.pack("<L", 8)


def huge_format(chance: Random) -> bytes:
    """It says that its sides are the largest that there are."""
    sides = chance.choice((65_535, 16_383, 30_000))
    match chance.randrange(4):
        case 0:
            data = bytearray(_whole("GIF"))
            data[6:10] = struct.pack("<HH", sides, sides)
        case 1:
            data = bytearray(_whole("BMP"))
            data[18:26] = struct.pack("<ll", sides, -sides)
        case 2:
            data = bytearray(_whole("WEBP"))
            data[26:30] = struct.pack("<HH", 16_383, 16_383)
        case _:
            data = bytearray(_whole("AVIF"))
            at = data.index(b"ispe") + 8
            data[at : at + 8] = struct.pack(">LL", sides, sides)
    return bytes(data)


FORMATS: Final[tuple[Callable[[Random], bytes], ...]] = (
    spoilt_format,
    cut_format,
    png_bomb,
    spoilt_format,
    tiff_bomb,
    huge_format,
)
