"""What an ultrasound scanner is set to: transducer, modes, depth, and its scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from capture_app.model.console import Area


class TransducerType(StrEnum):
    """Transducer Type (0018,6031), by its defined terms (PS3.3 C.8.5.6)."""

    LINEAR = "LINEAR"
    CURVED_LINEAR = "CURVED LINEAR"
    SECTOR_PHASED = "SECTOR_PHASED"
    SECTOR_MECHANICAL = "SECTOR_MECH"
    SECTOR_ANNULAR = "SECTOR_ANNULAR"
    VECTOR_PHASED = "VECTOR_PHASED"
    SINGLE_CRYSTAL = "SINGLE CRYSTAL"
    ENDOCAVITARY_PHASED = "ENDOCAV_PA"
    ENDOCAVITARY_MECHANICAL = "ENDOCAV_MECH"
    ENDOCAVITARY_CURVED_LINEAR = "ENDOCAV_CLA"
    ENDOCAVITARY_ANNULAR = "ENDOCAV_AA"
    ENDOCAVITARY_LINEAR = "ENDOCAV_LINEAR"


class Mode(StrEnum):
    """How the scanner makes its picture; several may be on at once."""

    B = "2D"
    M = "M"
    CW_DOPPLER = "CW"
    PW_DOPPLER = "PW"
    COLOR_DOPPLER = "COLOR"
    COLOR_M = "COLOR M"
    POWER_DOPPLER = "POWER"

    @property
    def is_spatial(self) -> bool:
        """Whether both axes of its picture are lengths: a scale holds for no other."""
        return self in _SPATIAL

    @property
    def is_colored(self) -> bool:
        """Whether its colours are measured."""
        return self in (Mode.COLOR_DOPPLER, Mode.COLOR_M, Mode.POWER_DOPPLER)


_SPATIAL = frozenset({Mode.B, Mode.COLOR_DOPPLER, Mode.POWER_DOPPLER})
_BITS = {
    Mode.B: 0x0001,
    Mode.M: 0x0002,
    Mode.CW_DOPPLER: 0x0004,
    Mode.PW_DOPPLER: 0x0008,
    Mode.COLOR_DOPPLER: 0x0010,
    Mode.COLOR_M: 0x0020,
    Mode.POWER_DOPPLER: 0x0100,
}


def modality_of(modes: Iterable[Mode]) -> str:
    """Value 4 of Image Type (0008,0008): the sum of the modes, four digits (PS3.3 C.8.5.6.1.1)."""
    return f"{sum(_BITS[mode] for mode in frozenset(modes)):04X}"


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the pixels of a part of the picture are in the body.

    It holds for pictures of exactly `columns` x `rows` square pixels, as the device gives them.
    """

    columns: int
    rows: int
    scan_area: Area
    mm_per_pixel: float

    @property
    def size(self) -> tuple[int, int]:
        """(columns, rows)"""
        return self.columns, self.rows


@dataclass(frozen=True, slots=True)
class Preset:
    """A setting of the console that a person says is in use. What is not known is empty."""

    name: str
    transducer_type: TransducerType | None = None
    transducer: str = ""
    """Transducer Data (0018,5010): what its maker calls it."""
    modes: tuple[Mode, ...] = ()
    depth_mm: int | None = None
    scale: Scale | None = None
    """None where nobody has measured it."""
