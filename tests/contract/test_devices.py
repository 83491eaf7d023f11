"""Devices against real servers: ffmpeg's MJPEG, a socket that says nothing, a film on disk."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture_app.clock import SystemClock
from capture_app.devices.capture import CaptureThread, Live
from capture_app.devices.opening import open_source
from capture_app.devices.source import FrameSource
from capture_app.devices.video import StreamSource
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.frame import Frame
from capture_app.settings.schema import Device
from tests.peers import HOST, free_port, run_mjpeg_server, run_program

CLOCK = SystemClock()
Until = Callable[..., object]


def picture(number: int, columns: int = 1280, rows: int = 720) -> bytes:
    """A JPEG with fine detail, a comment of its own and a colour that tells its number."""
    pixels = np.random.default_rng(number).integers(0, 255, (rows, columns, 3), np.uint8)
    pixels[: rows // 2] = (0, 0, 40 + 60 * number)  # BGR: the upper half is red
    done, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    data = coded.tobytes()
    return data[:2] + b"\xff\xfe\x00\x09number" + bytes([48 + number]) + data[2:]


def scan_data(jpeg: bytes) -> bytes:
    """What follows the start of scan: the entropy-coded part and the end marker."""
    return jpeg[jpeg.index(b"\xff\xda") :].rstrip(b"\x00")


def stream(url: str) -> FrameSource:
    return open_source(Device("net", "Network camera", DeviceKind.STREAM, url), CLOCK)


@contextmanager
def reading(source: FrameSource) -> Iterator[CaptureThread]:
    capture = CaptureThread(source, CLOCK)
    capture.start()
    try:
        yield capture
    finally:
        assert capture.stop(within=3.0)


def first(source: FrameSource, count: int) -> list[Frame]:
    """The first frames; the device is closed, and its child ended."""
    with closing(source):
        return list(islice(source.frames(), count))


def test_the_jpeg_of_a_stream_is_kept_byte_for_byte() -> None:
    served = [picture(n) for n in range(3)]
    with run_mjpeg_server(served) as camera:
        frames = first(stream(camera.url), 4)
    for frame in frames:
        assert frame.jpeg is not None
        assert scan_data(frame.jpeg) in [scan_data(jpeg) for jpeg in served]
        red, green, blue = frame.pixels[100, 100]
        assert red > 30 > max(green, blue)
    assert len({scan_data(frame.jpeg or b"") for frame in frames}) > 1


def test_a_large_stream_is_shown_reduced_and_kept_whole() -> None:
    served = picture(1, 2592, 1944)
    with run_mjpeg_server([served], per_second=4) as camera:
        (frame,) = first(stream(camera.url), 1)
    assert frame.pixels.shape == (972, 1296, 3)
    assert frame.jpeg is not None
    assert scan_data(frame.jpeg) == scan_data(served)


def test_a_camera_that_freezes_is_no_live_image(eventually: Until) -> None:
    with run_mjpeg_server([picture(1)]) as camera, reading(stream(camera.url)) as capture:
        eventually(capture.latest)
        camera.program.freeze()
        eventually(lambda: capture.state.live is Live.LOST)
        with pytest.raises(DeviceError, match="stopped sending"):
            capture.take()
        camera.program.thaw()


def test_a_pulled_plug_is_told_and_a_camera_put_in_again_comes_back(eventually: Until) -> None:
    with run_mjpeg_server([picture(1)]) as camera, reading(stream(camera.url)) as capture:
        before = eventually(capture.latest)
        camera.program.kill()
        eventually(lambda: capture.state.live is Live.LOST)
        assert capture.latest() is None
        camera.program.start()
        eventually(lambda: capture.state.live is Live.LIVE)
        after = capture.take()
        assert after is not before


def test_a_stream_of_video_is_shown_and_kept_as_pixels(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://{HOST}:{port}/live.ts"
    source = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-f", "mpegts"]
    argv = ["ffmpeg", "-nostdin", "-v", "error", *source, *coded, "-listen", "1", url]
    with run_program(argv, (port,)):
        frames = first(stream(url), 3)
    assert [frame.jpeg for frame in frames] == [None, None, None]
    assert frames[0].pixels.shape == (240, 320, 3)
    assert not np.array_equal(frames[0].pixels, frames[2].pixels)


def test_a_server_that_says_nothing_ends_at_the_time_limit() -> None:
    info = DeviceInfo("net", "Network camera", DeviceKind.STREAM)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/live"
        source = StreamSource(info, url, CLOCK, open_limit_ms=300)
        with pytest.raises(DeviceError, match="does not answer"):
            next(source.frames())


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4"])
def test_a_film_is_shown_over_and_over(codec: str, tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    made = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=50"]
    subprocess.run([*made, "-frames:v", "3", "-c:v", codec, str(film)], check=True, timeout=60)
    source = open_source(Device("film", "Film", DeviceKind.FILE, str(film)), CLOCK)
    frames = first(source, 7)
    assert [frame.sequence for frame in frames] == [1, 2, 3, 4, 5, 6, 7]
    assert frames[0].pixels.shape == (240, 320, 3)
    assert np.array_equal(frames[0].pixels, frames[3].pixels)
    assert all((frame.jpeg is not None) is (codec == "mjpeg") for frame in frames)
    if frames[0].jpeg:
        assert film.read_bytes().find(scan_data(frames[0].jpeg)) > 0


def test_pictures_from_a_folder_keep_their_bytes(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.jpg").write_bytes(picture(number, 320, 240))
    (tmp_path / "notes.txt").write_text("not a picture")
    source = open_source(Device("dir", "Folder", DeviceKind.FILE, str(tmp_path)), CLOCK)
    kept = [frame.jpeg for frame in first(source, 3)]
    assert kept == [picture(0, 320, 240), picture(1, 320, 240), picture(0, 320, 240)]


def test_the_password_of_a_camera_is_said_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]  # closed at once: connection refused
    program = f"""
from capture_app.clock import SystemClock
from capture_app.devices.opening import open_source
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceKind
from capture_app.settings.schema import Device
for scheme in ("rtsp", "http"):
    address = scheme + "://nurse:geheim77@127.0.0.1:{port}/live"
    try:
        next(open_source(Device("net", "Net", DeviceKind.STREAM, address), SystemClock()).frames())
    except DeviceError as error:
        print("told:", error)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert len(re.findall("told: The camera does not answer", ended.stdout)) == 2
    assert "geheim77" not in ended.stdout + ended.stderr
    assert "nurse" not in ended.stdout + ended.stderr
