"""A film of a device: its frames as JPEG, one after another, each with its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """What all frames of a clip have in common."""

    rows: int
    columns: int
    is_coded_here: bool = False
    """True where the device gave raw pixels, and they were coded as JPEG here, once."""
    pixel_aspect: tuple[int, int] = (1, 1)
    """Height and width of a pixel."""


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where a frame of a kept clip lies."""

    offset: int
    """Bytes from the start of the content of its file."""
    length: int
    at: int
    """Microseconds since the first frame, of a clock that is never set; each more than before."""


@dataclass(frozen=True, slots=True)
class FrameOfClip:
    """Of which clip, and which frame of it, a still was taken."""

    capture_id: str
    number: int
    """The first is 0."""


@dataclass(frozen=True, slots=True)
class ClipLength:
    """How much of a clip there is."""

    frames: int
    last_at: int
    """Microseconds from the first frame to the last."""
    is_partial: bool = False
    """True where the recording was cut off before anybody ended it."""

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return self.last_at / 1_000_000


NOTHING: Final = ClipLength(0, 0)
