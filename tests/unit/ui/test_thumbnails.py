"""Small pictures: of what a camera sends nothing is decoded in the window's own process."""

from datetime import UTC, datetime

import numpy as np
import pytest

from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.frame import Frame
from capture_app.ui import thumbnails
from capture_app.ui.thumbnails import FILMSTRIP, small
from tests import sealing


def frame(jpeg: bytes | None) -> Frame:
    pixels = np.zeros((600, 800, 3), np.uint8)
    pixels[:, :, 1] = 200
    return Frame("cam", 1, datetime(2024, 7, 2, tzinfo=UTC), 0.0, pixels, jpeg)


def test_a_frame_is_shown_by_its_pixels_and_its_jpeg_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(thumbnails, "_of_jpeg", lambda jpeg, _size: read.append(jpeg))
    for jpeg in (None, b"\xff\xd8 what nobody has judged", sealing.jpeg(600, 800)):
        made = small(frame(jpeg))
        assert (made.width(), made.height()) == (264, 198)
        assert made.pixelColor(100, 100).name() == "#00c800"
    assert read == []


def test_a_kept_jpeg_is_decoded_at_its_small_size() -> None:
    image = EncodedImage(PixelCoding.JPEG_BASELINE, 600, 800, sealing.jpeg(600, 800))
    made = small(image)
    assert made.width() >= FILMSTRIP.width() or made.height() >= FILMSTRIP.height()
    assert not made.isNull()
