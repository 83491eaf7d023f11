"""An HDMI grabber and its source: there, lost, changed, and in the colours of the source."""

from contextlib import closing

import numpy as np
import pytest

from capture_app.devices.capture import Live
from capture_app.devices.raw_pixels import rgb_of
from capture_app.devices.v4l2 import V4l2Camera
from tests.devices.rig import (
    PATIENCE_S,
    SELECTED,
    Vivid,
    call,
    camera,
    chosen,
    live,
    seen,
    wait_for,
)
from tests.devices.test_cameras import BARS_75, VIVID, bars_of, picture_of
from tests.waiting import eventually

NO_SIGNAL, NO_LOCK, OUT_OF_RANGE = 1, 2, 3
"""dv_timings_signal_mode of vivid."""
GRABBER = camera(VIVID)


@pytest.mark.short
def test_a_grabber_gives_the_size_of_its_source_whatever_was_there_before(vivid: Vivid) -> None:
    vivid.become_grabber("1920x1080p24")
    with live(GRABBER) as service:
        assert seen(service).pixels.shape == (1080, 1920, 3)
        assert service.state.mode is not None
        assert service.state.mode.got.size == (1920, 1080)


@pytest.mark.short
def test_a_signal_that_is_lost_is_told_though_pictures_go_on_coming(vivid: Vivid) -> None:
    vivid.become_grabber()
    with live(GRABBER) as service:
        vivid.set(dv_timings_signal_mode=NO_SIGNAL)
        wait_for(service, Live.LOST, "No signal")
        assert service.latest() is None
        vivid.set(dv_timings_signal_mode=SELECTED)
        wait_for(service, Live.LIVE)


def test_a_grabber_without_a_source_says_so_from_the_first(vivid: Vivid) -> None:
    vivid.become_grabber()
    vivid.set(dv_timings_signal_mode=NO_SIGNAL)
    with chosen(GRABBER) as service:
        wait_for(service, Live.LOST, "No signal")
        assert not service.state.was_live


def test_a_signal_that_nobody_can_lock_on_is_none(vivid: Vivid) -> None:
    vivid.become_grabber()
    vivid.set(dv_timings_signal_mode=NO_LOCK)
    with chosen(GRABBER) as service:
        wait_for(service, Live.LOST, "No signal")


def test_a_source_that_the_grabber_does_not_take_is_told(vivid: Vivid) -> None:
    vivid.become_grabber()
    vivid.set(dv_timings_signal_mode=OUT_OF_RANGE)
    with chosen(GRABBER) as service:
        wait_for(service, Live.LOST, "output size")


@pytest.mark.short
def test_a_source_that_changes_its_size_is_followed(vivid: Vivid) -> None:
    vivid.become_grabber()
    with live(GRABBER) as service:
        assert seen(service).pixels.shape == (480, 640, 3)
        vivid.change_source("720x576p")
        eventually(
            lambda: (frame := service.latest()) is not None and frame.pixels.shape[0] == 576,
            timeout=PATIENCE_S,
        )
        assert service.state.mode is not None
        assert service.state.mode.got.size == (720, 576)


@pytest.mark.parametrize("quantization", [0, 2], ids=["automatic", "full"])
def test_bars_of_an_hdmi_source_have_their_colours(vivid: Vivid, quantization: int) -> None:
    vivid.become_grabber()
    vivid.set(rx_rgb_quantization_range=quantization)
    wrong = {}
    for code in ("YUYV", "RGB3"):
        data, form = picture_of(vivid, code)
        seen = np.array(bars_of(rgb_of(data, form)))
        if np.abs(seen - np.array(BARS_75)).max() > 5:
            wrong[code] = (form, seen.tolist())
    assert not wrong


def test_the_pixels_of_a_television_picture_are_not_square(vivid: Vivid) -> None:
    call("v4l2-ctl", "-d", vivid.node, "-i", "2")
    call("v4l2-ctl", "-d", vivid.node, "-s", "pal")
    with closing(V4l2Camera(vivid.node)) as opened:
        form = opened.begin(opened.modes()[0])
    assert form.mode.size == (720, 576)
    assert form.pixel_aspect == (54, 59)
