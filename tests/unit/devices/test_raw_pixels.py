"""Uncoded pictures in the colours that their driver says, by the numbers of the standards."""

import numpy as np
import pytest

from capture_app.devices import v4l2_abi as abi
from capture_app.devices.raw_format import RawFormat
from capture_app.devices.raw_pixels import rgb_of
from capture_app.devices.trouble import DeviceTroubleError
from capture_app.model.camera import CameraMode

RED_601_LIMITED = (81, 90, 240)
RED_709_LIMITED = (63, 102, 240)
RED_601_FULL = (76, 85, 255)


def form(code: str, columns: int, rows: int, *, line: int = 0, **colours: int) -> RawFormat:
    return RawFormat(
        CameraMode(code, columns, rows),
        line,
        colours.get("colorspace", 8),
        colours.get("ycbcr", 0),
        colours.get("quantization", 0),
    )


@pytest.mark.parametrize(
    ("ycc", "colours"),
    [
        (RED_601_LIMITED, {}),
        (RED_601_LIMITED, {"ycbcr": abi.YCBCR_601, "quantization": abi.LIMITED_RANGE}),
        (RED_709_LIMITED, {"ycbcr": abi.YCBCR_709}),
        (RED_709_LIMITED, {"colorspace": abi.COLORSPACE_REC709}),
        (RED_601_FULL, {"quantization": abi.FULL_RANGE}),
        (RED_601_FULL, {"colorspace": abi.COLORSPACE_JPEG}),
    ],
)
def test_red_is_red_by_every_matrix_and_range(
    ycc: tuple[int, int, int], colours: dict[str, int]
) -> None:
    bright, blue, red = ycc
    pixels = rgb_of(bytes((bright, blue, bright, red)) * 4, form("YUYV", 4, 2, **colours))
    assert pixels.shape == (2, 4, 3)
    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("YUYV", bytes((81, 90, 81, 240)) * 2),
        ("YVYU", bytes((81, 240, 81, 90)) * 2),
        ("UYVY", bytes((90, 81, 240, 81)) * 2),
        ("VYUY", bytes((240, 81, 90, 81)) * 2),
        ("NV12", bytes([81] * 4 + [90, 240])),
        ("NV21", bytes([81] * 4 + [240, 90])),
        ("YU12", bytes([81] * 4 + [90] + [240])),
        ("YV12", bytes([81] * 4 + [240] + [90])),
        ("RGB3", bytes((255, 0, 0)) * 4),
        ("BGR3", bytes((0, 0, 255)) * 4),
        ("XR24", bytes((0, 0, 255, 9)) * 4),
    ],
)
def test_every_order_of_bytes_is_the_same_red(code: str, data: bytes) -> None:
    pixels = rgb_of(data, form(code, 2, 2))
    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 3


def test_black_and_white_of_a_limited_range_are_black_and_white() -> None:
    pixels = rgb_of(bytes((16, 128, 235, 128)), form("YUYV", 2, 1))
    assert pixels.tolist() == [[[0, 0, 0], [255, 255, 255]]]
    limited = form("RGB3", 2, 1, quantization=abi.LIMITED_RANGE)
    assert rgb_of(bytes([16] * 3 + [235] * 3), limited).tolist() == pixels.tolist()


def test_what_a_driver_leaves_at_the_end_of_a_line_is_no_picture() -> None:
    line = bytes((16, 128, 16, 128)) + b"\xff" * 4
    assert rgb_of(line * 2, form("YUYV", 2, 2, line=8)).max() == 0
    assert rgb_of(b"\x07\x07\xff\xff" * 2, form("GREY", 2, 2, line=4)).max() == 7


def test_sizes_that_no_pair_of_colours_fills_keep_every_pixel() -> None:
    assert rgb_of(bytes((81, 90, 81, 240)) * 2, form("YUYV", 3, 1)).shape == (1, 3, 3)
    assert rgb_of(bytes([81] * 9 + [90, 240] * 4), form("NV12", 3, 3, line=3)).shape == (3, 3, 3)


@pytest.mark.parametrize("code", ["YUYV", "NV12", "YU12", "RGB3", "GREY"])
def test_fewer_bytes_than_a_picture_are_told(code: str) -> None:
    with pytest.raises(DeviceTroubleError, match="cannot be read"):
        rgb_of(b"", form(code, 640, 480))
    with pytest.raises(DeviceTroubleError, match="cannot be read"):
        rgb_of(bytes(640 * 100), form(code, 640, 480))


def test_half_a_colour_is_given_to_both_of_its_pixels_and_to_no_third() -> None:
    edge = bytes((81, 90, 81, 240)) + bytes((16, 128, 16, 128))
    pixels = rgb_of(edge, form("YUYV", 4, 1))[0].astype(int)
    assert np.abs(pixels[:2] - (255, 0, 0)).max() <= 3
    assert pixels[2:].max() == 0
