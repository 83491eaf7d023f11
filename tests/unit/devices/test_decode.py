import cv2
import numpy as np
import pytest

from capture_app.devices.decode import rgb_of_bgr, shown_pixels
from capture_app.errors import DeviceError


def jpeg(columns: int, rows: int, blue: int = 0) -> bytes:
    bgr = np.zeros((rows, columns, 3), np.uint8)
    bgr[..., 0] = blue
    done, coded = cv2.imencode(".jpg", bgr)
    assert done
    return coded.tobytes()


@pytest.mark.parametrize(
    ("columns", "shown"), [(1280, 1280), (2559, 2559), (2560, 1280), (4000, 2000), (5120, 1280)]
)
def test_a_large_picture_is_shown_reduced_but_never_narrower_than_the_window(
    columns: int, shown: int
) -> None:
    assert shown_pixels(jpeg(columns, 480)).shape[1] == shown


def test_what_is_shown_is_red_green_blue() -> None:
    red, green, blue = (int(value) for value in shown_pixels(jpeg(64, 64, blue=255))[32, 32])
    assert blue > 240
    assert red < 15
    assert green < 15


def test_a_turned_picture_is_shown_upright_because_so_it_is_kept() -> None:
    plain = jpeg(200, 100)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    assert shown_pixels(turned).shape == (200, 100, 3)


def test_a_picture_that_claims_to_be_huge_gets_no_memory() -> None:
    data = bytearray(jpeg(64, 64))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(DeviceError, match="cannot be read"):
        shown_pixels(bytes(data))


def test_grey_and_four_channels_become_rgb() -> None:
    assert rgb_of_bgr(np.zeros((4, 6), np.uint8)).shape == (4, 6, 3)
    assert rgb_of_bgr(np.zeros((4, 6, 4), np.uint8)).shape == (4, 6, 3)
