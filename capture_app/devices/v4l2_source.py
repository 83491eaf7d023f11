"""A camera of this computer, read through Linux's own interface.

A camera that delivers JPEG keeps that JPEG, byte for byte; any other format is kept without loss.
It is asked for a mode (see `modes`), and what its driver gave instead is told, never kept silent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture_app.clock import Clock
from capture_app.devices.decode import shown_pixels
from capture_app.devices.freshness import Freshness, Pace
from capture_app.devices.modes import Wish, chosen_mode, wanted_mode
from capture_app.devices.raw_format import RawFormat, RawPicture
from capture_app.devices.raw_pixels import rgb_of
from capture_app.devices.source import FrameStamp
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.devices.v4l2 import V4l2Camera
from capture_app.dicom.jpeg_stream import EOI
from capture_app.model.camera import CameraMode, OpenedMode
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame

NO_PICTURE_AFTER_S: Final = 2.0
"""So long a camera may be silent: the slowest that is of use gives one picture a second."""
_LOOK_EVERY_S: Final = 0.2
"""So often it is asked whether a signal is there, and whether it is to end."""
_BAD_PICTURES: Final = 5
_END: Final = bytes((0xFF, EOI))
_NEVER_USED_S: Final = 0.25
"""Pictures of the first moment are passed over where they are damaged: the sensor wakes up."""


class V4l2Source:
    """Reads the camera at a device path. See `OpenedSource`."""

    def __init__(
        self,
        info: DeviceInfo,
        path: str,
        clock: Clock,
        *,
        wish: Wish,
        latency: float = 0.0,
        pace: float | None = None,
    ) -> None:
        self._info = info
        self._path = path
        self._clock = clock
        self._wish = wish
        self._freshness = Freshness(info.device_id, clock, latency, pace)
        self._stamp = FrameStamp(info.device_id, clock)
        self._closed = threading.Event()
        self._opened: OpenedMode | None = None

    @property
    def info(self) -> DeviceInfo:
        return self._info

    @property
    def pace(self) -> float | None:
        return self._freshness.pace

    @property
    def opened(self) -> OpenedMode | None:
        return self._opened

    def frames(self) -> Iterator[Frame]:
        while not self._closed.is_set():
            self._freshness.begin()
            with closing(V4l2Camera(self._path)) as camera:
                try:
                    yield from self._read(camera)
                except DeviceTroubleError as error:
                    if error.trouble is not Trouble.SIGNAL_CHANGED:
                        raise

    def renew(self) -> None:
        self._freshness.renew()

    def close(self) -> None:
        self._closed.set()

    def _read(self, camera: V4l2Camera) -> Iterator[Frame]:
        """The frames until it is closed, or has to be opened again."""
        camera.follow_signal()
        chosen = chosen_mode(camera.modes(), self._wish)
        if chosen is None:
            raise DeviceTroubleError(Trouble.UNKNOWN_FORMAT)
        wanted = _asked(chosen, self._wish, is_grabber=camera.is_grabber)
        form = camera.begin(wanted)
        not_locked = [name for name, value in self._wish.locked if not camera.lock(name, value)]
        self._opened = OpenedMode(wanted, form.mode, tuple(not_locked))
        began = looked_at = came_at = self._clock.monotonic()
        pace, bad = Pace(self._clock), 0
        while not self._closed.is_set():
            picture = camera.next(_LOOK_EVERY_S)
            now = self._clock.monotonic()
            if now - looked_at >= _LOOK_EVERY_S:
                camera.require_signal()  # not every driver tells of it by itself
                looked_at = now
            if picture is None:
                if now - came_at >= NO_PICTURE_AFTER_S:
                    raise DeviceTroubleError(Trouble.STOPPED)
                continue
            came_at = now
            exposure = self._freshness.of(picture.stamp)
            if exposure is None:
                return
            if not pace.is_due():
                continue
            try:
                pixels, jpeg = _decoded(picture, form)
            except DeviceTroubleError:
                bad += now - began > _NEVER_USED_S
                if bad >= _BAD_PICTURES:
                    raise
                continue
            bad = 0
            yield self._stamp.frame(pixels, jpeg, exposure, form.pixel_aspect)


def _asked(chosen: CameraMode, wish: Wish, *, is_grabber: bool) -> CameraMode:
    """A grabber's size and rate are those of its source, whatever the site wants."""
    return chosen if is_grabber else wanted_mode(chosen, wish)


def _decoded(picture: RawPicture, form: RawFormat) -> tuple[NDArray[np.uint8], bytes | None]:
    """What is shown, and the camera's own JPEG. Raises DeviceTroubleError."""
    if picture.is_bad:
        raise DeviceTroubleError(Trouble.DRIVER_ERROR)
    if form.mode.is_jpeg:
        jpeg = _without_padding(picture.data)
        return shown_pixels(jpeg), jpeg
    return rgb_of(picture.data, form), None


def _without_padding(jpeg: bytes) -> bytes:
    """The JPEG alone: some drivers hand out all of their buffer, and zeros are no picture."""
    cut = jpeg.rstrip(b"\0")
    return cut if cut.endswith(_END) else jpeg
