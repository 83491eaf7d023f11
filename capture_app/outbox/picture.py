"""A kept picture as the content of a sealed file: a short header, the colour profile, the data.

Layout: four bytes, big-endian, the length of the header; the header (JSON: how the bytes are coded,
the size in pixels, the length of the profile); the profile; the data, untouched, to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from capture_app.errors import SealBrokenError
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.words import tr
from capture_app.outbox.record import from_record, to_record

_LENGTH_BYTES: Final = 4
_PART_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _PictureHeader:
    coding: PixelCoding
    rows: int
    columns: int
    profile_length: int
    is_rgb_jpeg: bool
    came_from_lossy: bool
    grey: bool


def picture_content(image: EncodedImage) -> Iterator[bytes]:
    """The picture in parts of at most 1 MiB, so that no second copy of it is made."""
    header = to_record(
        _PictureHeader(
            image.coding,
            image.rows,
            image.columns,
            len(image.icc_profile),
            image.is_rgb_jpeg,
            image.came_from_lossy,
            image.grey,
        )
    )
    yield len(header).to_bytes(_LENGTH_BYTES, "big") + header
    yield image.icc_profile
    for start in range(0, len(image.data), _PART_BYTES):
        yield image.data[start : start + _PART_BYTES]


def picture_of(content: bytes) -> EncodedImage:
    """The picture that was kept. Raises SealBrokenError where the header does not fit."""
    length = int.from_bytes(content[:_LENGTH_BYTES], "big")
    header_end = _LENGTH_BYTES + length
    if len(content) < header_end:
        raise SealBrokenError(tr("A kept picture has no readable header."))
    header = from_record(_PictureHeader, content[_LENGTH_BYTES:header_end])
    profile_end = header_end + header.profile_length
    return EncodedImage(
        coding=header.coding,
        rows=header.rows,
        columns=header.columns,
        data=content[profile_end:],
        icc_profile=content[header_end:profile_end],
        is_rgb_jpeg=header.is_rgb_jpeg,
        came_from_lossy=header.came_from_lossy,
        grey=header.grey,
    )
