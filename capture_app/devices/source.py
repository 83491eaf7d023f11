"""What a source of pictures is, and how its frames are stamped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from capture_app.clock import Clock
from capture_app.devices.exposure import Exposure
from capture_app.model.camera import OpenedMode
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FrameSource(Protocol):
    """A device that delivers pictures one after another."""

    @property
    def info(self) -> DeviceInfo:
        """What images say of the device."""
        ...

    @property
    def opened(self) -> OpenedMode | None:
        """What it was asked for as it was last opened, and what it gave; None where its pictures
        come as they come.
        """
        ...

    def frames(self) -> Iterator[Frame]:
        """Opens the device and yields its frames; blocks between them, within the time limits.

        Ends after `close`. Called again it opens the device again, and the numbers go on.
        Raises DeviceError, in words for people, when the device is not found, is in use by
        another program, does not answer, or stops.
        """
        ...

    def renew(self) -> None:
        """Another exam begins: a source that cannot tell yet how old its pictures are is opened
        again at its next chance, so that what it delivers then is newer than now.
        """
        ...

    def close(self) -> None:
        """Asks `frames` to end at its next chance. Any thread may call it; it never blocks."""
        ...


class OpenedSource(FrameSource, Protocol):
    """A source whose device is opened in the process that holds it."""

    @property
    def pace(self) -> float | None:
        """Seconds between two of its pictures, where that is learnt (see `ExposureClock.pace`)."""
        ...


class FrameStamp:
    """Numbers the frames of one device and gives them their time."""

    def __init__(self, device_id: str, clock: Clock) -> None:
        self._device_id = device_id
        self._clock = clock
        self._sequence = 0

    def frame(
        self,
        pixels: NDArray[np.uint8],
        jpeg: bytes | None = None,
        exposure: Exposure | None = None,
        pixel_aspect: tuple[int, int] = (1, 1),
    ) -> Frame:
        """A frame of now, or of the moment that `exposure` says.

        `pixels` is (rows, columns, 3) RGB and is not written to any more.
        """
        self._sequence += 1
        pixels.flags.writeable = False
        now = self._clock.monotonic()
        age = 0.0 if exposure is None else now - exposure.arrival + exposure.delay
        return Frame(
            device_id=self._device_id,
            sequence=self._sequence,
            taken_at=self._clock.now() - timedelta(seconds=age),
            not_before=now if exposure is None else exposure.not_before,
            late=0.0 if exposure is None else exposure.late,
            pixels=pixels,
            jpeg=jpeg,
            pixel_aspect=pixel_aspect,
        )
