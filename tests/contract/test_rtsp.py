"""RTSP cameras: GStreamer's server sends JPEG and H.264 over RTP, freezes, and is pulled out."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice

import numpy as np
import pytest

from capture_app.clock import SystemClock
from capture_app.devices.capture import CaptureThread, Live
from capture_app.devices.opening import open_source
from capture_app.devices.source import FrameSource
from capture_app.errors import DeviceError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import decode
from capture_app.model.device import DeviceKind
from capture_app.model.frame import Frame
from capture_app.settings.schema import Device
from tests import sealing
from tests.rtsp_camera import run_rtsp_camera

CLOCK = SystemClock()
Until = Callable[..., object]


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


def until_it_changes(source: FrameSource) -> list[Frame]:
    """The first frames, to one that is another picture; the same may come several times."""
    found = list[Frame]()
    with closing(source):
        for frame in islice(source.frames(), 200):
            found.append(frame)
            if frame.jpeg != found[0].jpeg:
                break
    return found


def coded_part(jpeg: bytes) -> bytes:
    """From the start of scan to the first end of image: what no header can change."""
    begin = jpeg.index(b"\xff\xda")
    return jpeg[begin : jpeg.index(b"\xff\xd9", begin) + 2]


def test_the_coded_part_of_jpeg_over_rtp_is_kept_as_the_camera_made_it() -> None:
    served = [sealing.jpeg(480, 640, quality=quality) for quality in (70, 80, 90)]
    with run_rtsp_camera(served) as camera:
        frames = until_it_changes(stream(camera.url))
    sent = {coded_part(jpeg): decode(prepare_jpeg(jpeg)) for jpeg in served}
    kept = set()
    for frame in frames:
        assert frame.jpeg is not None
        image = prepare_jpeg(frame.jpeg)  # decodes it: complete, baseline, of one picture
        part = coded_part(image.data)
        kept.add(part)
        assert part in sent
        assert np.array_equal(decode(image), sent[part])  # so the rebuilt headers are right too
        assert frame.pixels.shape == (480, 640, 3)
    assert len(kept) > 1


def test_video_over_rtp_is_shown_and_kept_as_pixels() -> None:
    with run_rtsp_camera() as camera:
        frames = first(stream(camera.url), 3)
    assert [frame.jpeg for frame in frames] == [None, None, None]
    assert frames[0].pixels.shape == (240, 320, 3)
    assert not np.array_equal(frames[0].pixels, frames[2].pixels)


def test_a_camera_that_freezes_is_no_live_image(eventually: Until) -> None:
    served = [sealing.jpeg(480, 640)]
    with run_rtsp_camera(served) as camera, reading(stream(camera.url)) as capture:
        eventually(capture.latest)
        camera.program.freeze()
        eventually(lambda: capture.state.live is Live.LOST)
        with pytest.raises(DeviceError, match="stopped sending"):
            capture.take()
        camera.program.thaw()


def test_a_pulled_plug_is_told_and_a_camera_put_in_again_comes_back(eventually: Until) -> None:
    served = [sealing.jpeg(480, 640)]
    with run_rtsp_camera(served) as camera, reading(stream(camera.url)) as capture:
        before = eventually(capture.latest)
        camera.program.kill()
        eventually(lambda: capture.state.live is Live.LOST)
        assert capture.latest() is None
        camera.program.start()
        eventually(lambda: capture.state.live is Live.LIVE)
        assert capture.take() is not before
