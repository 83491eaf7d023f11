"""How the bytes of a camera's picture lie, as its driver says."""

from __future__ import annotations

from dataclasses import dataclass

from capture_app.model.camera import CameraMode


@dataclass(frozen=True, slots=True)
class RawFormat:
    """What `S_FMT` answered; `pixel_aspect` is the height and width of a pixel."""

    mode: CameraMode
    bytes_per_line: int
    colorspace: int
    ycbcr: int
    quantization: int
    pixel_aspect: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class RawPicture:
    """One picture as the driver gave it, and its time in seconds of the monotonic clock (or of the
    device; None where it has none). `is_bad`: the driver says that it is damaged.
    """

    data: bytes
    stamp: float | None
    is_bad: bool
