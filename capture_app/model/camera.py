"""What a camera of this computer can deliver, and what it was asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One way in which a camera delivers pictures.

    `format` is its name for the coding (MJPG, YUYV); sizes are pixels; `rate` pictures a second,
    0 where the driver does not say.
    """

    format: str
    columns: int
    rows: int
    rate: float = 0.0

    def __str__(self) -> str:
        rate = f" at {self.rate:g}/s" if self.rate else ""
        return f"{self.columns}x{self.rows} {self.format}{rate}"

    @property
    def size(self) -> tuple[int, int]:
        """(columns, rows)"""
        return self.columns, self.rows

    @property
    def is_jpeg(self) -> bool:
        """Whether its pictures come as JPEG, and are kept byte for byte."""
        return self.format in ("MJPG", "JPEG")


@dataclass(frozen=True, slots=True)
class CameraControl:
    """Something of a camera that can be locked: `name` is exposure, focus, white_balance ...

    `value` as the driver counts it (exposure in 100 us, white balance in K, power_line in Hz).
    `is_automatic`: whether the camera sets it by itself now; None where it never does.
    """

    name: str
    least: int
    most: int
    value: int
    is_automatic: bool | None = None


@dataclass(frozen=True, slots=True)
class OpenedMode:
    """What a camera was asked for as it was opened, and what its driver gave."""

    wanted: CameraMode
    got: CameraMode
    not_locked: tuple[str, ...] = ()
    """The controls that the settings lock and the camera does not have, or refused."""

    @property
    def is_smaller(self) -> bool:
        """Whether it gives fewer pixels than it was asked for."""
        return self.got.columns * self.got.rows < self.wanted.columns * self.wanted.rows


@dataclass(frozen=True, slots=True)
class AttachedCamera:
    """A camera that is plugged in.

    `identity` stays the same over restarts and other cameras; `place` is what the system calls it
    today: a device path, or an index.
    """

    identity: str
    name: str
    place: str
