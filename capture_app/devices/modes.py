"""Which of a camera's modes is used. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from capture_app.model.camera import CameraMode

LEAST_RATE: Final = 15.0
"""Pictures a second that a hand can aim by."""
_BY_WORTH: Final = (
    *("MJPG", "JPEG"),  # the camera's own pictures, byte for byte
    *("RGB3", "BGR3", "BGR4", "XR24", "AR24"),  # every colour of every pixel
    *("YUYV", "UYVY", "YVYU", "VYUY"),  # every second colour
    *("NV12", "NV21", "YU12", "YV12"),  # every fourth
    "GREY",
)
READABLE: Final = frozenset(_BY_WORTH)
"""The codings that we can show and keep."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a site asks of a camera: at most this size (columns, rows), no slower than this rate."""

    largest: tuple[int, int] | None = None
    least_rate: float = LEAST_RATE
    locked: tuple[tuple[str, int], ...] = ()
    """Controls (see `controls.LOCKABLE`) and what they are to stand at."""


def chosen_mode(modes: Iterable[CameraMode], wish: Wish) -> CameraMode | None:
    """The largest size that is wanted and fast enough; of equal ones the coding that keeps most.

    Where none is fast enough the fastest is taken; where none is small enough, the smallest. None
    where the camera has no coding that we can read. A rate that is not told counts as enough.
    """
    readable = [mode for mode in modes if mode.format in READABLE]
    if not readable:
        return None
    if wish.largest is not None:
        columns, rows = wish.largest
        fitting = [mode for mode in readable if mode.columns <= columns and mode.rows <= rows]
        least = min(_pixels(mode) for mode in readable)
        readable = fitting or [mode for mode in readable if _pixels(mode) == least]
    fast = [mode for mode in readable if not mode.rate or mode.rate >= wish.least_rate - 0.1]
    if not fast:
        fastest = max(mode.rate for mode in readable)
        fast = [mode for mode in readable if mode.rate >= fastest - 0.1]
    return max(fast, key=lambda mode: (_pixels(mode), -_BY_WORTH.index(mode.format), mode.rate))


def wanted_mode(chosen: CameraMode, wish: Wish) -> CameraMode:
    """What is asked for: the mode, and no pictures that nobody sees."""
    return replace(chosen, rate=min(chosen.rate, max(_MOST_RATE, wish.least_rate)))


_MOST_RATE: Final = 30.0


def _pixels(mode: CameraMode) -> int:
    return mode.columns * mode.rows
