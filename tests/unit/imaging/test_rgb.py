"""Pixels that did not come as JPEG, and pixels for a thumbnail."""

import numpy as np
import pytest
from numpy.typing import NDArray

from capture_app.errors import ImageError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import decode, encode_rgb
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from tests.sealing import jpeg, pixels


@pytest.mark.parametrize("came_from_lossy", [True, False])
def test_pixels_come_back_as_they_were(*, came_from_lossy: bool) -> None:
    image = encode_rgb(pixels(), came_from_lossy=came_from_lossy)
    assert image.coding is PixelCoding.RGB
    assert (image.rows, image.columns) == (48, 64)
    assert image.came_from_lossy is came_from_lossy
    assert np.array_equal(decode(image), pixels())


def test_a_view_that_is_not_contiguous_is_laid_out_anew() -> None:
    turned = pixels()[::-1, ::2]
    assert np.array_equal(decode(encode_rgb(turned, came_from_lossy=False)), turned)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
    ],
)
def test_other_arrays_are_refused(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError):
        encode_rgb(wrong, came_from_lossy=False)


def test_a_jpeg_is_shown_as_rgb_and_a_grey_one_too() -> None:
    shown = decode(prepare_jpeg(jpeg()))
    assert np.abs(shown.astype(int) - pixels().astype(int)).mean() < 8
    assert decode(prepare_jpeg(jpeg(grey=True))).shape == (48, 64, 3)


def test_a_thumbnail_is_decoded_small_but_large_enough() -> None:
    shown = decode(prepare_jpeg(jpeg(480, 640)), at_least=100)
    assert shown.shape == (120, 160, 3)


def test_bytes_that_cannot_be_decoded_are_refused() -> None:
    broken = EncodedImage(PixelCoding.JPEG_BASELINE, 4, 4, b"\xff\xd8\xff\xd9")
    with pytest.raises(ImageError):
        decode(broken)
