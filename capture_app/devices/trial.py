"""Whether a device can be opened, what it delivers and how fast: for the doctor."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from capture_app.clock import Clock
from capture_app.devices.network_camera import Password, no_password
from capture_app.devices.opening import open_source
from capture_app.errors import DeviceError
from capture_app.model.camera import OpenedMode
from capture_app.model.words import tr
from capture_app.settings.schema import Device

_OPENS_WITHIN_S: Final = 12.0
_LOOKS_FOR_S: Final = 2.0
_MOST_FRAMES: Final = 60


@dataclass(frozen=True, slots=True)
class DeviceTrial:
    """What came of a device in a moment. Rates are pictures a second, sizes pixels."""

    width: int
    height: int
    rate: float
    """0 where it delivered one picture only."""
    opened_after: float
    """Seconds from the wish to the first picture."""
    mode: OpenedMode | None
    """What a camera of this computer was asked for, and what it gave."""


def try_device(device: Device, clock: Clock, password: Password = no_password) -> DeviceTrial:
    """Opens the device, looks for two seconds and closes it. The pictures are dropped.

    Raises DeviceError, in words: not found, in use, refused, silent.
    """
    source = open_source(device, clock, password)
    end = threading.Timer(_OPENS_WITHIN_S + _LOOKS_FOR_S, source.close)
    end.daemon = True
    end.start()
    count, width, height, first, last = 0, 0, 0, 0.0, 0.0
    began = clock.monotonic()
    try:
        for frame in source.frames():
            last = clock.monotonic()
            count += 1
            if count == 1:
                first, (height, width) = last, frame.pixels.shape[:2]
            if count == _MOST_FRAMES or last - first > _LOOKS_FOR_S:
                source.close()
    finally:
        end.cancel()
        source.close()
        end.join()
    if not count:
        raise DeviceError(tr("{name} delivers no picture.", name=device.name))
    rate = (count - 1) / (last - first) if last > first else 0.0
    return DeviceTrial(width, height, round(rate, 1), first - began, source.opened)
