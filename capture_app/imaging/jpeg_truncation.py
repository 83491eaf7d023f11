"""Whether the coded data of a JPEG is all there."""

from __future__ import annotations

import hashlib
import warnings
from io import BytesIO
from typing import Final

from PIL import Image

from capture_app.dicom.jpeg_stream import damaged
from capture_app.errors import ImageError
from capture_app.model.encoded_image import MOST_PIXELS

Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # held before decoding

_PADDING: Final = bytes.fromhex("5a 96 3c a5 69 c3 0f f0") * 16
_ROWS_AT_A_TIME: Final = 256


def scan_is_whole(data: bytes) -> bool:
    """Decodes a prepared JPEG twice, the second time with bytes added at the end of its last scan.

    A decoder that finds the data to be short fills up in silence. A whole scan never asks for the
    added bytes, so both pictures are equal; one that was cut short reads them, and they differ.
    Raises ImageError where it cannot be decoded at all.
    """
    return _digest(data) == _digest(data[:-2] + _PADDING + data[-2:])


def _digest(data: bytes) -> bytes:
    pixels = hashlib.blake2b(digest_size=16)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(data), formats=["JPEG"]) as image:
                image.load()
                for top in range(0, image.height, _ROWS_AT_A_TIME):
                    bottom = min(top + _ROWS_AT_A_TIME, image.height)
                    pixels.update(image.crop((0, top, image.width, bottom)).tobytes())
    except (OSError, SyntaxError, ValueError, Warning) as error:
        raise ImageError(damaged()) from error
    return pixels.digest()
