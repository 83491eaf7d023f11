"""The two facts of EXIF that change how a picture looks; all else is cut unread (CIPA DC-008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

_ORIENTATION, _EXIF_IFD, _COLOR_SPACE, _INTEROP_IFD, _INTEROP_INDEX = (
    0x112,
    0x8769,
    0xA001,
    0xA005,
    1,
)
_UNCALIBRATED: Final = 0xFFFF
_MOST_ENTRIES: Final = 1024

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """How the picture is turned (1: not at all) and which RGB it means ("" : not said)."""

    orientation: int = 1
    color_space: str = ""


def read_exif(tiff: bytes) -> ExifFacts:
    """Reads a TIFF header and its directories; whatever cannot be read counts as not said."""
    order: Order
    if tiff[:4] == b"II*\x00":
        order = "little"
    elif tiff[:4] == b"MM\x00*":
        order = "big"
    else:
        return ExifFacts()
    first = _directory(tiff, int.from_bytes(tiff[4:8], order), order)
    exif = _directory(tiff, first.get(_EXIF_IFD, 0), order)
    interop = _directory(tiff, exif.get(_INTEROP_IFD, 0), order)
    orientation = first.get(_ORIENTATION, 1)
    color_space = ""
    if exif.get(_COLOR_SPACE) == 1:
        color_space = "SRGB"
    elif exif.get(_COLOR_SPACE) == _UNCALIBRATED:
        is_adobe = interop.get(_INTEROP_INDEX, 0).to_bytes(4, order)[:3] == b"R03"
        color_space = "ADOBERGB" if is_adobe else ""
    return ExifFacts(orientation if 1 <= orientation <= 8 else 1, color_space)


def _directory(tiff: bytes, at: int, order: Order) -> dict[int, int]:
    """Tag to value or offset, of the first directory at `at`; short values are unpacked."""
    if not 8 <= at <= len(tiff) - 2:
        return {}
    count = int.from_bytes(tiff[at : at + 2], order)
    values: dict[int, int] = {}
    for n in range(min(count, _MOST_ENTRIES)):
        entry = tiff[at + 2 + 12 * n : at + 14 + 12 * n]
        if len(entry) < 12:
            break
        kind = int.from_bytes(entry[2:4], order)
        raw = entry[8:10] if kind == 3 else entry[8:12]
        values.setdefault(int.from_bytes(entry[:2], order), int.from_bytes(raw, order))
    return values
