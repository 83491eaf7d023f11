"""A kept picture as the content of a sealed file: a short header, the colour profile, the data.

Layout: four bytes, big-endian, the length of the header; the header (JSON: all that is said of the
picture, and the length of the profile); the profile; the data, untouched, to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from capture_app.errors import SealBrokenError
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.words import tr
from capture_app.store.record import from_record, to_record

_LENGTH_BYTES: Final = 4
_PART_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _PictureHeader:
    image: EncodedImage
    """All that is said of the picture, without the profile and the data."""
    profile_length: int


def picture_content(image: EncodedImage) -> Iterator[bytes]:
    """The picture in parts of at most 1 MiB, so that no second copy of it is made."""
    bare = replace(image, data=b"", icc_profile=b"")
    header = to_record(_PictureHeader(bare, len(image.icc_profile)))
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
    return replace(
        header.image, data=content[profile_end:], icc_profile=content[header_end:profile_end]
    )
