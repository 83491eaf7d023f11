from collections.abc import Callable, Iterator

import pytest

from capture_app.clock import FixedClock
from capture_app.devices.capture import Live, LiveState
from capture_app.devices.chosen import ChosenDevice
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceKind
from capture_app.model.frame import Frame
from capture_app.settings.schema import Device

Until = Callable[..., object]
SKIN = Device("skin", "Drawn camera", DeviceKind.SYNTHETIC, "320x240")
LARGE = Device("large", "Large drawn camera", DeviceKind.SYNTHETIC, "640x480,jpeg=80")
WRONG = Device("wrong", "Wrong", DeviceKind.SYNTHETIC, "nonsense")


@pytest.fixture
def devices(clock: FixedClock) -> Iterator[ChosenDevice]:
    chosen = ChosenDevice((SKIN, LARGE, WRONG), clock)
    yield chosen
    assert chosen.stop()


def test_the_first_device_is_opened_at_the_start(devices: ChosenDevice, eventually: Until) -> None:
    assert devices.chosen is None
    assert devices.latest() is None
    devices.start()
    assert devices.chosen == devices.available[0]
    eventually(lambda: devices.state.live is Live.LIVE)
    assert devices.take().pixels.shape == (240, 320, 3)


def test_another_device_takes_over_and_listeners_stay(
    devices: ChosenDevice, eventually: Until
) -> None:
    told: list[LiveState] = []
    end = devices.on_state(told.append)
    devices.start()
    eventually(devices.latest)
    devices.choose("large")
    eventually(lambda: (frame := devices.latest()) and frame.device_id == "large")
    eventually(lambda: told[-1].live is Live.LIVE)
    end()
    count = len(told)
    devices.choose("skin")
    eventually(lambda: (frame := devices.latest()) and frame.device_id == "skin")
    assert len(told) == count


def test_an_address_that_cannot_be_changes_nothing(
    devices: ChosenDevice, eventually: Until
) -> None:
    devices.start()
    eventually(devices.latest)
    with pytest.raises(DeviceError):
        devices.choose("wrong")
    assert devices.chosen == devices.available[0]
    assert devices.take().device_id == "skin"


def test_without_a_device_the_shutter_says_so(clock: FixedClock) -> None:
    none = ChosenDevice((), clock)
    none.start()
    assert none.state.live is Live.LOST
    with pytest.raises(DeviceError, match="No camera is set up"):
        none.take()
    assert none.stop()


def test_every_frame_of_whichever_device_is_seen(clock: FixedClock, eventually: Until) -> None:
    seen: list[Frame] = []
    chosen = ChosenDevice((SKIN, LARGE), clock, sees=seen.append)
    chosen.start()
    eventually(lambda: len(seen) >= 3)
    assert [one.sequence for one in seen] == sorted({one.sequence for one in seen})
    chosen.choose("large")
    eventually(lambda: seen[-1].device_id == "large" and seen[-1].jpeg is not None)
    assert chosen.stop()
