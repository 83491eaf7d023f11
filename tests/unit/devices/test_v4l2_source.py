"""From a driver's buffer to what is shown and kept."""

import pytest

from capture_app.devices.raw_format import RawFormat, RawPicture
from capture_app.devices.trouble import DeviceTroubleError
from capture_app.devices.v4l2_source import _decoded
from capture_app.model.camera import CameraMode
from tests import sealing

MJPEG = RawFormat(CameraMode("MJPG", 64, 48), 0, 0, 0, 0)
JPEG = sealing.jpeg()


def test_a_jpeg_is_kept_as_it_came() -> None:
    pixels, jpeg = _decoded(RawPicture(JPEG, None, is_bad=False), MJPEG)
    assert jpeg == JPEG
    assert pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("padding", [1, 1_000_000])
def test_what_is_left_of_the_buffer_is_no_part_of_it(padding: int) -> None:
    _, jpeg = _decoded(RawPicture(JPEG + bytes(padding), None, is_bad=False), MJPEG)
    assert jpeg == JPEG


def test_one_without_an_end_keeps_all_of_its_bytes() -> None:
    _, jpeg = _decoded(RawPicture(JPEG[:-2] + bytes(5), None, is_bad=False), MJPEG)
    assert jpeg == JPEG[:-2] + bytes(5)


@pytest.mark.parametrize(("data", "is_bad"), [(b"", False), (JPEG, True), (bytes(900), False)])
def test_what_is_no_picture_is_told(data: bytes, is_bad: bool) -> None:
    with pytest.raises(DeviceTroubleError):
        _decoded(RawPicture(data, None, is_bad=is_bad), MJPEG)
