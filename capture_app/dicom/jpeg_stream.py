"""The marker segments of a JPEG interchange stream, found without decoding (ITU-T T.81 B; DICOM
PS3.5 8.2.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from capture_app.errors import ImageError
from capture_app.model.words import tr

START: Final = b"\xff\xd8"
SOI, EOI, SOS, SOF0, DHT = 0xD8, 0xD9, 0xDA, 0xC0, 0xC4
_FRAME_HEADERS: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""SOF0 to SOF15; DHT, JPG and DAC share their range (T.81 Table B.1)."""
_ENDS_A_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
"""Within coded data FF is followed by 00 (a stuffed byte), a restart marker or a fill byte."""


@dataclass(frozen=True, slots=True)
class JpegSegment:
    """A marker and what belongs to it, as places in the stream."""

    marker: int
    start: int
    """Of the FF of the marker."""
    end: int
    """For SOS: of the coded data that follows the header."""


def segments(data: bytes, *, end_may_miss: bool = False) -> Iterator[JpegSegment]:
    """The marker segments between SOI and EOI; fill bytes before markers belong to none.

    `end_may_miss`: a stream may end with a scan, without its EOI. Raises ImageError in words where
    the stream breaks off or is none.
    """
    if data[:2] != START:
        raise ImageError(damaged())
    at = 2
    while True:
        at = _next_marker(data, at)
        marker = data[at + 1]
        if marker == EOI:
            return
        if marker == 0x01 or 0xD0 <= marker <= SOI:
            raise ImageError(damaged())
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise ImageError(cut_short())
        if marker == SOS:
            ends = _ENDS_A_SCAN.search(data, end)
            if ends is None and not end_may_miss:
                raise ImageError(cut_short())
            end = len(data) if ends is None else ends.start()
            while data[end - 1] == 0xFF:  # fill bytes: they belong to the marker that follows
                end -= 1
            if ends is None:
                yield JpegSegment(marker, at, end)
                return
        yield JpegSegment(marker, at, end)
        at = end


def _next_marker(data: bytes, at: int) -> int:
    """Where the marker at `at` begins, fill bytes skipped."""
    if at >= len(data):
        raise ImageError(cut_short())
    if data[at] != 0xFF:
        raise ImageError(damaged())
    while data[at + 1 : at + 2] == b"\xff":
        at += 1
    if at + 1 >= len(data):
        raise ImageError(cut_short())
    return at


def frame_size(data: bytes) -> tuple[int, int]:
    """Rows and columns that the first frame header tells; ImageError where there is none."""
    for segment in segments(data):
        if segment.marker in _FRAME_HEADERS:
            return size_in(data[segment.start + 4 : segment.end])
    raise ImageError(cut_short())


def size_in(header: bytes) -> tuple[int, int]:
    """Rows and columns of a frame header, (0, 0) where it is too short (T.81 B.2.2)."""
    return int.from_bytes(header[1:3], "big"), int.from_bytes(header[3:5], "big")


def cut_short() -> str:
    """What a person is told of a stream that ends too early."""
    return tr("This picture is cut short: its end is missing. Copy it again from its source.")


def damaged() -> str:
    """What a person is told of a stream that breaks the rules."""
    return tr("This picture is damaged and cannot be read. Copy it again from its source.")
