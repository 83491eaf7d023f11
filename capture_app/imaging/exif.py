"""The facts of EXIF that a picture's meaning hangs on; all else is cut unread (CIPA DC-008)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final, Literal

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION = 0x112, 0x11A, 0x11B
_ICC_PROFILE, _EXIF_IFD = 0x8773, 0x8769
_TAKEN_AT, _OFFSET, _FRACTION = 0x9003, 0x9011, 0x9291
_MAKE, _MODEL, _BODY_SERIAL = 0x10F, 0x110, 0xA431
_COLOR_SPACE, _INTEROP_IFD, _INTEROP_INDEX = 0xA001, 0xA005, 1
_SRGB: Final = 1
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4}
"""Bytes of a value of each type that is read here."""
_MOST_ENTRIES: Final = 1024
_MOMENT: Final = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")
_ZONE: Final = re.compile(r"[+-]\d\d:\d\d")
_LONGEST_PIXEL: Final = 100
_FINEST: Final = 10_000

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """What one EXIF block states. A fact that it states twice, differently, is there twice."""

    orientations: frozenset[int] = frozenset()
    """1 (not turned) to 8; empty: not said."""
    is_readable: bool = True
    """False where it breaks off and how the picture is turned may have stood in what is missing."""
    color_space: str = ""
    """SRGB, ADOBERGB; OTHER where it names neither; empty: not said."""
    taken_at: datetime | None = None
    """DateTimeOriginal with its own offset."""
    camera_time: datetime | None = None
    """DateTimeOriginal as the clock of the camera showed it: without a zone."""
    camera: str = ""
    """Make, Model and BodySerialNumber: tells cameras apart."""
    pixel_aspect: Fraction | None = None
    """Height by width of a pixel where its resolutions say that it is not square."""


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    kind: int
    raw: bytes


def read_exif(tiff: bytes) -> ExifFacts:
    """Reads a TIFF header and its directories. What is no TIFF says nothing."""
    order: Order
    if tiff[:4] == b"II*\x00":
        order = "little"
    elif tiff[:4] == b"MM\x00*":
        order = "big"
    else:
        return ExifFacts()
    reader = _Reader(tiff, order)
    first = list(reader.directory(int.from_bytes(tiff[4:8], order)))
    is_first_whole = reader.is_whole
    exif = list(reader.directory(reader.number(first, _EXIF_IFD)))
    interop = list(reader.directory(reader.number(exif, _INTEROP_IFD)))
    said = {reader.number([entry], _ORIENTATION) for entry in first if entry.tag == _ORIENTATION}
    return ExifFacts(
        orientations=frozenset(said & set(range(1, 9))),
        is_readable=bool(said) or is_first_whole,
        color_space=_color_space(reader, first, exif, interop),
        taken_at=_moment(exif),
        camera_time=_camera_time(exif),
        camera=" ".join(
            filter(None, (_text(first, _MAKE), _text(first, _MODEL), _text(exif, _BODY_SERIAL)))
        ),
        pixel_aspect=_aspect(reader, first),
    )


class _Reader:
    """Directories of a TIFF, as far as they lie within it."""

    def __init__(self, tiff: bytes, order: Order) -> None:
        self._tiff = tiff
        self._order = order
        self.is_whole = True

    def directory(self, at: int) -> Iterator[_Entry]:
        """The entries of the directory at `at` (none where `at` is 0) with their values."""
        if not at:
            return
        if not 8 <= at <= len(self._tiff) - 2:
            self.is_whole = False
            return
        count = self._int(self._tiff[at : at + 2])
        for n in range(min(count, _MOST_ENTRIES)):
            entry = self._tiff[at + 2 + 12 * n : at + 14 + 12 * n]
            if len(entry) < 12:
                self.is_whole = False
                return
            kind = self._int(entry[2:4])
            length = self._int(entry[4:8]) * _SIZES.get(kind, 0)
            value_at = self._int(entry[8:12])
            raw = entry[8:12] if length <= 4 else self._tiff[value_at : value_at + length]
            yield _Entry(self._int(entry[:2]), kind, raw)

    def number(self, entries: Sequence[_Entry], tag: int) -> int:
        """The first value of the first entry with this tag, as a whole number; 0: there is none."""
        raw = next((e.raw[: _SIZES.get(e.kind, 0)] for e in entries if e.tag == tag and e.raw), b"")
        return self._int(raw)

    def fraction(self, entries: Sequence[_Entry], tag: int) -> Fraction:
        """As `number`, of a rational; 0 where it has no value."""
        raw = next((e.raw for e in entries if e.tag == tag and e.kind == 5), b"").ljust(8, b"\x00")
        below = self._int(raw[4:8])
        return Fraction(self._int(raw[:4]), below) if below else Fraction(0)

    def _int(self, raw: bytes) -> int:
        return int.from_bytes(raw, self._order)


def _color_space(
    reader: _Reader,
    first: Sequence[_Entry],
    exif: Sequence[_Entry],
    interop: Sequence[_Entry],
) -> str:
    if any(entry.tag == _ICC_PROFILE for entry in first):
        return "OTHER"
    if not any(entry.tag == _COLOR_SPACE for entry in exif):
        return ""
    if reader.number(exif, _COLOR_SPACE) == _SRGB:
        return "SRGB"
    index = _text(interop, _INTEROP_INDEX)
    return "ADOBERGB" if index == "R03" else "OTHER"


def _moment(exif: Sequence[_Entry]) -> datetime | None:
    moment = _MOMENT.fullmatch(_text(exif, _TAKEN_AT))
    zone = _ZONE.fullmatch(_text(exif, _OFFSET))
    if moment is None or zone is None:
        return None
    part = _text(exif, _FRACTION)[:6]
    fraction = f".{part:0<6}" if part.isdecimal() and part.isascii() else ""
    year, month, day, time = moment.groups()
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{time}{fraction}{zone[0]}")
    except ValueError:
        return None


def _camera_time(exif: Sequence[_Entry]) -> datetime | None:
    moment = _MOMENT.fullmatch(_text(exif, _TAKEN_AT))
    if moment is None:
        return None
    year, month, day, time = moment.groups()
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{time}")
    except ValueError:
        return None


def _aspect(reader: _Reader, first: Sequence[_Entry]) -> Fraction | None:
    across, down = (reader.fraction(first, tag) for tag in (_X_RESOLUTION, _Y_RESOLUTION))
    return aspect_of(across, down)


def _text(entries: Sequence[_Entry], tag: int) -> str:
    raw = next((e.raw for e in entries if e.tag == tag and e.kind == 2), b"")
    return raw.split(b"\x00")[0].decode("ascii", "replace").strip()


def aspect_of(across: Fraction, down: Fraction) -> Fraction | None:
    """Height by width of a pixel, of so many pixels a length across and down; None where that is
    square, to one part in twenty (densities are often rounded), not said, or of no pixel that there
    is.

    In terms of which each has its place in Pixel Aspect Ratio (IS), as small as the densities are.
    """
    if across <= 0 or down <= 0 or abs(across - down) * 20 <= max(across, down):
        return None
    aspect = across / down
    if not 1 / _LONGEST_PIXEL <= aspect <= _LONGEST_PIXEL:
        return None
    return aspect.limit_denominator(_FINEST)
