import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue

import numpy as np
import pytest

from capture_app.clock import FixedClock
from capture_app.devices.capture import (
    NO_IMAGE_AFTER_S,
    CaptureThread,
    Live,
    LiveState,
    _pauses,
)
from capture_app.devices.source import FrameSource, FrameStamp
from capture_app.errors import DeviceError
from capture_app.model.camera import CameraMode, OpenedMode
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.frame import Frame

Step = Exception | None
"""None: one more frame. An error: the device fails with it."""


class HandFedSource:
    """A device that does one step for each one put into `steps`, and blocks between them."""

    def __init__(self, clock: FixedClock) -> None:
        self.info = DeviceInfo("hand", "Fed by hand", DeviceKind.SYNTHETIC)
        self.steps: SimpleQueue[Step | None] = SimpleQueue()
        self.openings = 0
        self.opened: OpenedMode | None = None
        self._stamp = FrameStamp("hand", clock)
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        self.openings += 1
        while True:
            step = self.steps.get()
            if self._closed.is_set():
                return
            if step is not None:
                raise step
            yield self._stamp.frame(np.zeros((4, 6, 3), np.uint8))

    def renew(self) -> None:
        """Its pictures are made as they are asked for."""

    def close(self) -> None:
        self._closed.set()
        self.steps.put(None)


@contextmanager
def reading(source: FrameSource, clock: FixedClock) -> Iterator[CaptureThread]:
    capture = CaptureThread(source, clock)
    capture.start()
    try:
        yield capture
    finally:
        assert capture.stop()


Until = Callable[..., object]


def test_opening_shows_nothing_and_takes_nothing(clock: FixedClock) -> None:
    with reading(HandFedSource(clock), clock) as capture:
        assert capture.state == LiveState(Live.OPENING, clock.now())
        assert capture.latest() is None
        with pytest.raises(DeviceError, match="no live image"):
            capture.take()


def test_the_shutter_takes_the_frame_on_the_screen(clock: FixedClock, eventually: Until) -> None:
    source = HandFedSource(clock)
    with reading(source, clock) as capture:
        source.steps.put(None)
        source.steps.put(None)
        eventually(lambda: (frame := capture.latest()) and frame.sequence == 2)
        assert capture.take() is capture.latest()


def test_silence_is_no_live_image(clock: FixedClock, eventually: Until) -> None:
    source = HandFedSource(clock)
    with reading(source, clock) as capture:
        source.steps.put(None)
        eventually(capture.latest)
        clock.advance(NO_IMAGE_AFTER_S - 0.01)
        assert capture.take().sequence == 1
        clock.advance(0.02)
        with pytest.raises(DeviceError):  # at once, before the watchdog has looked
            capture.take()
        eventually(lambda: capture.state.live is Live.LOST)
        assert capture.latest() is None
        assert capture.state.was_live
        with pytest.raises(DeviceError, match="stopped sending"):
            capture.take()
        source.steps.put(None)
        eventually(lambda: capture.state.live is Live.LIVE)
        assert capture.take().sequence == 2


def test_a_device_that_fails_is_opened_again(clock: FixedClock, eventually: Until) -> None:
    source = HandFedSource(clock)
    told: list[LiveState] = []
    with reading(source, clock) as capture:
        end = capture.on_state(told.append)
        source.steps.put(DeviceError("It is in use by another program."))
        eventually(lambda: capture.state.live is Live.LOST)
        assert capture.state.reason == "It is in use by another program."
        assert not capture.state.was_live
        source.steps.put(None)
        eventually(capture.latest)
        assert source.openings == 2
        end()
        source.steps.put(DeviceError("Gone."))
        eventually(lambda: capture.state.reason == "Gone.")
    assert [state.live for state in told] == [Live.LOST, Live.LIVE]


@pytest.mark.expects_log("device-failed")
def test_a_driver_that_raises_anything_is_logged_and_shown(
    clock: FixedClock, eventually: Until
) -> None:
    source = HandFedSource(clock)
    with reading(source, clock) as capture:
        source.steps.put(ZeroDivisionError())
        eventually(lambda: "not expected" in capture.state.reason)


def test_a_device_that_never_answers_is_told(clock: FixedClock, eventually: Until) -> None:
    with reading(HandFedSource(clock), clock) as capture:
        clock.advance(5.1)
        eventually(lambda: capture.state.live is Live.LOST)
        assert "does not answer" in capture.state.reason


def test_a_driver_that_blocks_does_not_hold_stop(clock: FixedClock) -> None:
    released = threading.Event()

    class Blocking(HandFedSource):
        def close(self) -> None:
            """The driver notices nothing."""

        def frames(self) -> Iterator[Frame]:
            released.wait()
            return iter(())

    capture = CaptureThread(Blocking(clock), clock)
    capture.start()
    assert not capture.stop(within=0.05)
    released.set()


def test_a_camera_of_this_computer_may_be_slow_and_is_tried_often(
    clock: FixedClock, eventually: Until
) -> None:
    source = HandFedSource(clock)
    source.info = DeviceInfo("hand", "Fed by hand", DeviceKind.CAMERA)
    with reading(source, clock) as capture:
        source.steps.put(None)
        eventually(lambda: capture.state.live is Live.LIVE)
        clock.advance(1.9)  # it gives one picture in two seconds
        assert capture.take() is not None
        clock.advance(0.2)
        eventually(lambda: capture.state.live is Live.LOST)
        with pytest.raises(DeviceError, match="stopped"):
            capture.take()
    assert max(islice(_pauses(capture._longest_pause), 10)) == 1.0
    assert max(islice(_pauses(5.0), 10)) == 5.0


def test_what_a_camera_was_asked_for_and_gave_is_in_the_state_while_it_is_live(
    clock: FixedClock, eventually: Until
) -> None:
    source = HandFedSource(clock)
    mode = CameraMode("MJPG", 1920, 1080, 30.0)
    source.opened = OpenedMode(mode, mode)
    with reading(source, clock) as capture:
        assert capture.state.mode is None
        source.steps.put(None)
        eventually(lambda: capture.state.mode == source.opened)
        assert capture.state.opened_after == 0.0
        source.steps.put(DeviceError("gone"))
        eventually(lambda: capture.state.live is Live.LOST)
        assert capture.state.mode is None
