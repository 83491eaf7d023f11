"""What of a camera can be locked, and by which controls of its driver. Pure.

A locked control is set at each opening, and what would set it by itself is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Lockable:
    """The control of a value, and the one that leaves it to the camera: its value then and else.

    Numbers are those of linux/v4l2-controls.h; `automatic` is 0 where there is none.
    """

    control: int
    automatic: int = 0
    on: int = 1
    off: int = 0


LOCKABLE: Final[Mapping[str, Lockable]] = {
    "exposure": Lockable(0x009A_0902, automatic=0x009A_0901, on=3, off=1),
    "focus": Lockable(0x009A_090A, automatic=0x009A_090C),
    "white_balance": Lockable(0x0098_091A, automatic=0x0098_090C),
    "gain": Lockable(0x0098_0913, automatic=0x0098_0912),
    "zoom": Lockable(0x009A_090D),
    "brightness": Lockable(0x0098_0900),
    "power_line": Lockable(0x0098_0918),
}
"""Exposure by EXPOSURE_AUTO: aperture priority is automatic, manual is not."""
POWER_LINE_HZ: Final[Mapping[int, int]] = {0: 0, 1: 50, 2: 60}
"""What the menu of the power-line frequency means; 3 is automatic."""


def locks_of(written: tuple[str, ...]) -> dict[str, int]:
    """What the settings lock: exposure=156 is {"exposure": 156}."""
    pairs = (one.partition("=") for one in written)
    return {name.strip(): int(value) for name, _, value in pairs}
