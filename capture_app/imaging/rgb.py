"""Pixels that did not come as JPEG, kept losslessly; and pixels back for a thumbnail."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture_app.dicom import jpeg_ls
from capture_app.dicom.jpeg_stream import damaged
from capture_app.errors import ConformanceError, ImageError
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.words import tr


def encode_rgb(pixels: NDArray[np.uint8], *, came_from_lossy: bool) -> EncodedImage:
    """A frame's pixels, (rows, columns, 3) uint8 RGB, as they are kept: interleaved, uncompressed.

    `came_from_lossy` is True for frames that were decoded from H.264 or the like: it is never
    forgotten (PS3.3 C.7.6.1.1.5). Raises ImageError for an array of another shape or type.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ImageError(tr("The camera sent a picture that cannot be kept."))
    rows, columns, _ = pixels.shape
    return EncodedImage(
        coding=PixelCoding.RGB,
        rows=rows,
        columns=columns,
        data=np.ascontiguousarray(pixels).tobytes(),
        came_from_lossy=came_from_lossy,
        color_space="SRGB",
    )


def decode(image: EncodedImage, *, at_least: int = 0) -> NDArray[np.uint8]:
    """The pixels, (rows, columns, 3) uint8 RGB, for showing only.

    With `at_least` a JPEG is decoded smaller, as small as keeps both sides that long: a thumbnail
    of a 12-megapixel picture in a tenth of the time. Raises ImageError.
    """
    if image.coding is PixelCoding.RGB:
        flat = np.frombuffer(image.data, np.uint8, count=image.rows * image.columns * 3)
        return flat.reshape(image.rows, image.columns, 3)
    if image.coding is PixelCoding.JPEG_LS:
        try:
            flat = np.frombuffer(jpeg_ls.decode(image.data, image.rows, image.columns, 3), np.uint8)
        except ConformanceError as error:
            raise ImageError(damaged()) from error
        return flat.reshape(image.rows, image.columns, 3)
    try:
        with Image.open(BytesIO(image.data), formats=["JPEG"]) as jpeg:
            if at_least:
                jpeg.draft("RGB", (at_least, at_least))
            return np.asarray(jpeg.convert("RGB"), np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(damaged()) from error
