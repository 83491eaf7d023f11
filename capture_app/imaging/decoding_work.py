"""What the child of `decoding` does with a picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capture_app.errors import ImageError, TaskRefusedError
from capture_app.imaging.jpeg_truncation import scan_is_whole
from capture_app.imaging.rgb import decode
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.sandbox.task import Answer, Block, Call


def decode_file(call: Call) -> Iterator[Answer]:
    """`do` says what is asked: whether the coded data of a JPEG is all there, or its pixels.

    Refuses with "damaged".
    """
    data = bytes(call.data)
    try:
        if call.question["do"] == "check":
            yield Answer({"is_whole": scan_is_whole(data)})
        else:
            image = EncodedImage(PixelCoding.JPEG_BASELINE, 0, 0, data)
            pixels = decode(image, at_least=int(call.question["at_least"]))
            yield Answer({}, (Block("pixels", np.ascontiguousarray(pixels).data, pixels.shape),))
    except ImageError as error:
        code = "damaged"
        raise TaskRefusedError(code) from error
