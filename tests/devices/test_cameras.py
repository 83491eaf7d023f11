"""Cameras of this computer, through the application's own services and the kernel's test camera."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from capture_app.devices.attached import attached_cameras
from capture_app.devices.capture import Live
from capture_app.devices.chosen import ChosenDevice
from capture_app.devices.raw_format import RawFormat
from capture_app.devices.raw_pixels import rgb_of
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.devices.v4l2 import V4l2Camera
from capture_app.errors import DeviceError
from capture_app.model.camera import CameraMode
from tests.devices.rig import PATIENCE_S, Vivid, call, camera, chosen, heard, live, seen, wait_for
from tests.waiting import eventually

VIVID = "platform:vivid.0"
SMALL = camera(VIVID, largest_size="640x480")
BARS_75 = [
    *((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0)),
    *((191, 0, 191), (191, 0, 0), (0, 0, 191), (0, 0, 0)),
]
"""White, yellow, cyan, green, magenta, red, blue, black, at three quarters."""


def child_of(service: ChosenDevice) -> int:
    capture = service._capture
    assert capture is not None
    process = capture.source._child._process  # type: ignore[attr-defined]
    assert process is not None
    return int(process.pid)


# ---------------------------------------------------------------------------- which, and how large


@pytest.mark.short
def test_a_camera_is_listed_by_an_identity_that_is_no_number(vivid: Vivid) -> None:
    by_place = {one.place: one for one in attached_cameras()}
    assert by_place[vivid.node].identity == VIVID
    assert by_place[vivid.node].name == "vivid-000-vid-cap"


@pytest.mark.short
def test_the_largest_size_that_is_fast_enough_is_taken_and_told(vivid: Vivid) -> None:
    with live(camera(VIVID, least_rate=10.0)) as service:
        assert seen(service).pixels.shape == (720, 1280, 3)
        mode = service.state.mode
        assert mode is not None
        assert mode.wanted.size == mode.got.size == (1280, 720)
        assert mode.got.rate >= 10.0
        assert not mode.is_smaller


def test_a_site_that_wants_pixels_more_than_motion_gets_the_largest(vivid: Vivid) -> None:
    with live(camera(VIVID, least_rate=1.0)) as service:
        assert seen(service).pixels.shape == (2160, 3840, 3)


@pytest.mark.parametrize("number_or_path", ["path", "number"])
def test_the_addresses_of_older_settings_go_on_working(vivid: Vivid, number_or_path: str) -> None:
    address = vivid.node if number_or_path == "path" else vivid.node.removeprefix("/dev/video")
    with live(camera(address, largest_size="320x180")) as service:
        assert seen(service).pixels.shape == (180, 320, 3)


def test_two_cameras_are_two_whatever_their_numbers() -> None:
    with Vivid.plugged_in("n_devs=2"):
        by_name = {one.name: one.identity for one in attached_cameras()}
        first, other = by_name["vivid-000-vid-cap"], by_name["vivid-001-vid-cap"]
        assert first != other
        one = camera(first, largest_size="640x480")
        second = camera(other, id="other", largest_size="320x180")
        with live(one, second) as service:
            assert seen(service).pixels.shape == (480, 640, 3)
            service.choose("other")
            wait_for(service, Live.LIVE)
            eventually(lambda: seen(service).device_id == "other", timeout=PATIENCE_S)
            assert seen(service).pixels.shape == (180, 320, 3)


# ----------------------------------------------------------------------------------------- colours


def bars_of(pixels: NDArray[np.uint8]) -> list[tuple[int, ...]]:
    """The colour of the middle of each of eight bars, clear of the text in the upper left."""
    rows, columns = pixels.shape[:2]
    row = pixels[rows * 7 // 8]
    return [tuple(int(c) for c in row[columns * (2 * n + 1) // 16]) for n in range(8)]


def picture_of(
    vivid: Vivid, code: str, columns: int = 640, rows: int = 480
) -> tuple[bytes, RawFormat]:
    with closing(V4l2Camera(vivid.node)) as opened:
        form = opened.begin(CameraMode(code, columns, rows, 15.0))
        for _ in range(100):
            if (picture := opened.next(1.0)) is not None and not picture.is_bad:
                return picture.data, form
    raise AssertionError(code)


@pytest.mark.short
def test_every_coding_shows_the_colour_bars_in_their_colours(vivid: Vivid) -> None:
    wrong = {}
    for code in ("YUYV", "YVYU", "UYVY", "VYUY", "NV12", "NV21", "YU12", "YV12", "RGB3", "BGR3"):
        data, form = picture_of(vivid, code)
        assert form.mode.format == code
        seen = np.array(bars_of(rgb_of(data, form)))
        if np.abs(seen - np.array(BARS_75)).max() > 4:
            wrong[code] = seen.tolist()
    assert not wrong


@pytest.mark.parametrize("space", [1, 3, 8], ids=["SMPTE 170M", "Rec. 709", "sRGB"])
def test_every_matrix_and_range_shows_the_colour_bars_in_their_colours(
    vivid: Vivid, space: int
) -> None:
    wrong = {}
    vivid.set(colorspace={1: 0, 3: 1, 8: 2}[space], transfer_function=2)
    for matrix in (0, 1, 2):
        for quantization in (0, 1, 2):
            vivid.set(y_cbcr_encoding=matrix, quantization=quantization)
            data, form = picture_of(vivid, "YUYV")
            assert form.quantization == quantization
            seen = np.array(bars_of(rgb_of(data, form)))
            # What lies between colour spaces is vivid's affair; grey and black are ours.
            greys = seen[[0, 7]]
            if np.abs(greys - np.array([BARS_75[0], BARS_75[7]])).max() > 4:
                wrong[matrix, quantization] = seen.tolist()
    assert not wrong


# ---------------------------------------------------------------------------------------- failures


@pytest.mark.short
def test_unplugging_is_told_and_it_comes_back_by_itself(vivid: Vivid) -> None:
    with live(SMALL) as service:
        before = seen(service)
        vivid.set(disconnect=1)
        wait_for(service, Live.LOST, "unplugged")
        assert service.latest() is None
        with pytest.raises(DeviceError, match="unplugged"):
            service.take()
        vivid.unload()
        wait_for(service, Live.LOST, "not found")
        vivid.load()
        wait_for(service, Live.LIVE)
        assert seen(service).sequence > before.sequence


def test_one_that_is_plugged_in_later_is_opened_by_itself() -> None:
    with chosen(SMALL) as service:
        wait_for(service, Live.LOST, "not found")
        with Vivid.plugged_in():
            wait_for(service, Live.LIVE)
            service.stop(within=10.0)


def test_one_that_another_program_has_says_so_and_comes_back(vivid: Vivid) -> None:
    command = ["v4l2-ctl", "-d", vivid.node, "--stream-mmap", "--stream-count=0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        eventually(lambda: _is_busy(vivid), timeout=PATIENCE_S)
        with chosen(SMALL) as service:
            wait_for(service, Live.LOST, "in use")
            other.kill()
            wait_for(service, Live.LIVE)


def _is_busy(vivid: Vivid) -> bool:
    with closing(V4l2Camera(vivid.node)) as opened:
        try:
            opened.begin(CameraMode("YUYV", 640, 480, 15.0))
        except DeviceTroubleError as error:
            return error.trouble is Trouble.IN_USE
    return False


@pytest.mark.parametrize(
    "fault",
    [
        "inject_vidioc_reqbufs_error",
        "inject_vidioc_qbuf_error",
        "inject_vidioc_streamon_error",
        "inject_fatal_streaming_error",
    ],
)
def test_an_error_of_the_driver_is_told_and_it_is_opened_again(vivid: Vivid, fault: str) -> None:
    if fault != "inject_fatal_streaming_error":
        vivid.set(**{fault: 1})
    with chosen(SMALL) as service, heard(service) as states:
        wait_for(service, Live.LIVE)
        if fault == "inject_fatal_streaming_error":
            vivid.set(**{fault: 1})
        eventually(lambda: any("driver" in s.reason for s in states), timeout=PATIENCE_S)
        wait_for(service, Live.LIVE)


def test_one_that_falls_silent_is_told_and_opened_again(vivid: Vivid) -> None:
    with live(SMALL) as service:
        vivid.set(percentage_of_dropped_buffers=100)
        wait_for(service, Live.LOST, "stopped sending")
        vivid.set(percentage_of_dropped_buffers=0)
        wait_for(service, Live.LIVE)


def test_one_that_drops_half_of_its_pictures_stays_live(vivid: Vivid) -> None:
    with live(SMALL) as service:
        vivid.set(percentage_of_dropped_buffers=50)
        first = seen(service).sequence
        eventually(
            lambda: (frame := service.latest()) is not None and frame.sequence > first + 5,
            timeout=PATIENCE_S,
        )


def test_what_is_no_camera_says_so(vivid: Vivid) -> None:
    other = next(one for one in attached_cameras() if one.name == "vivid-000-vid-out")
    with chosen(camera(other.identity)) as service:
        wait_for(service, Live.LOST, "gives no pictures")


def test_one_that_the_user_may_not_open_says_what_it_is_to_do(vivid: Vivid) -> None:
    Path(vivid.node).chmod(0o600)
    os.seteuid(65534)
    try:
        with pytest.raises(DeviceTroubleError, match="group video"):
            V4l2Camera(vivid.node)
    finally:
        os.seteuid(0)


@pytest.mark.short
@pytest.mark.expects_log("child-ended")
def test_a_child_that_is_killed_is_told_and_begun_anew(vivid: Vivid) -> None:
    with live(SMALL) as service:
        os.kill(child_of(service), signal.SIGKILL)
        wait_for(service, Live.LOST)
        wait_for(service, Live.LIVE)


@pytest.mark.expects_log("child-ended")
def test_a_child_that_stands_still_is_told_and_begun_anew(
    vivid: Vivid, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live(SMALL) as service:
        monkeypatch.setattr("capture_app.sandbox.process.SILENCE_S", 3.0)
        os.kill(child_of(service), signal.SIGSTOP)
        wait_for(service, Live.LOST)
        monkeypatch.setattr("capture_app.sandbox.process.SILENCE_S", 20.0)
        wait_for(service, Live.LIVE)


def test_another_exam_sees_only_what_was_exposed_since(vivid: Vivid) -> None:
    with live(SMALL) as service:
        from_now = seen(service).not_before
        service.renew()
        eventually(
            lambda: (frame := service.latest()) is not None and frame.not_before > from_now,
            timeout=PATIENCE_S,
        )


# ------------------------------------------------------------------------------------- the command


def test_the_command_lists_modes_and_measures_a_camera(vivid: Vivid) -> None:
    def run(*arguments: str) -> dict[str, list[dict[str, object]]]:
        done = subprocess.run(
            [sys.executable, "-m", "capture_app", "devices", *arguments, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
        return found

    (listed,) = [one for one in run("list")["cameras"] if one["place"] == vivid.node]
    assert listed["identity"] == VIVID
    assert {"format": "YUYV", "columns": 3840, "rows": 2160, "rate": 2.0} in listed["modes"]  # type: ignore[operator]
    (tried,) = run("test", VIVID)["devices"]
    assert tried["works"]
    assert str(tried["asked"]).startswith("640x480")
    assert tried["rate"]


# ---------------------------------------------------------------------------------- what is locked


@pytest.mark.expects_log("device-not-locked")
def test_what_the_settings_lock_is_set_and_what_cannot_be_is_told(vivid: Vivid) -> None:
    locked = ("brightness=77", "gain=33", "zoom=2")
    with live(camera(VIVID, largest_size="320x180", locked=locked)) as service:
        assert service.state.mode is not None
        assert service.state.mode.not_locked == ("zoom",)
        said = call("v4l2-ctl", "-d", vivid.node, "-C", "brightness,gain,gain_automatic")
        values = dict(line.split(": ") for line in said.strip().splitlines())
        assert values == {"brightness": "77", "gain": "33", "gain_automatic": "0"}
    with closing(V4l2Camera(vivid.node)) as opened:
        found = {control.name: control for control in opened.controls()}
    assert found["gain"].value == 33
    assert found["gain"].is_automatic is False
    assert (found["brightness"].least, found["brightness"].most) == (0, 255)
