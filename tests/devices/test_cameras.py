"""Cameras of this computer, through the application's own services and the kernel's own drivers."""

import pytest

from capture_app.devices.attached import attached_cameras
from capture_app.devices.capture import Live
from tests.devices.rig import Vivid, camera, live, wait_for

VIVID = "platform:vivid.0"


@pytest.mark.short
def test_a_camera_is_listed_by_an_identity_that_is_no_number(vivid: Vivid) -> None:
    by_place = {one.place: one for one in attached_cameras()}
    assert by_place[vivid.node].identity == VIVID
    assert by_place[vivid.node].name == "vivid-000-vid-cap"


@pytest.mark.short
def test_the_largest_size_that_is_fast_enough_is_taken(vivid: Vivid) -> None:
    with live(camera(VIVID, least_rate=10.0)) as service:
        frame = service.take()
        assert frame.pixels.shape == (720, 1280, 3)
        mode = service.state.mode
        assert mode is not None
        assert mode.wanted.size == mode.got.size == (1280, 720)


@pytest.mark.short
def test_unplugging_is_told_and_it_comes_back_by_itself(vivid: Vivid) -> None:
    with live(camera(VIVID, largest_size="640x480")) as service:
        vivid.set(disconnect=1)
        wait_for(service, Live.LOST, "unplugged")
