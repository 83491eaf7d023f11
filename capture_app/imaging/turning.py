"""Pictures in another place: put upright as they say, or turned as a person did; never with loss.

A JPEG is turned by its coefficients. Where its blocks do not allow that it is decoded once, and its
pixels are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from capture_app.imaging.decoder import Decoder
from capture_app.imaging.jpeg import ReadJpeg, read_jpeg
from capture_app.imaging.rgb import decode, encode_rgb
from capture_app.model.encoded_image import EncodedImage, Handling, PixelCoding
from capture_app.model.procedure import Turn

_ORIENTATIONS: Final[Mapping[Turn, int]] = MappingProxyType(
    {Turn.RIGHT: 6, Turn.HALF: 3, Turn.LEFT: 8}
)
"""The EXIF orientation that asks for the same turn."""
_METHOD: Final = "ISO_10918_1"
"""Lossy Image Compression Method (0028,2114) of JPEG."""


def turned(image: EncodedImage, turn: Turn, decoder: Decoder) -> EncodedImage:
    """A kept picture as it is sent after a person turned it. Raises ImageError."""
    if turn is Turn.NONE:
        return image
    if image.coding is PixelCoding.JPEG_BASELINE:
        made = upright(read_jpeg(image.data), image.data, _ORIENTATIONS[turn], decoder)
    else:
        made = _pixels_turned(image, turn)
    is_on_its_side = turn is not Turn.HALF
    return replace(
        made,
        color_space=image.color_space,
        cut_to=image.cut_to,
        pixel_aspect=image.pixel_aspect[::-1] if is_on_its_side else image.pixel_aspect,
    )


def upright(found: ReadJpeg, stream: bytes, orientation: int, decoder: Decoder) -> EncodedImage:
    """A JPEG that was read, as a baseline one that is turned as an EXIF orientation asks for; its
    pixels, where that would lose any. Raises ImageError.
    """
    image = _recoded(found, stream, orientation, decoder)
    if image is None:
        image = _decoded(found, stream, orientation, decoder)
    return replace(image, pixel_aspect=image.pixel_aspect[::-1]) if orientation >= 5 else image


def _recoded(
    found: ReadJpeg, stream: bytes, orientation: int, decoder: Decoder
) -> EncodedImage | None:
    made = decoder.upright(stream, orientation)
    if not made:
        return None
    again = found.dressed(made)
    if not again.is_baseline:
        return None
    turned_now = replace(again, color_space=found.color_space, said=found.said)
    handling = Handling.MADE_BASELINE if orientation == 1 else Handling.TURNED
    return turned_now.as_kept(turned_now.stream, handling)


def _decoded(found: ReadJpeg, stream: bytes, orientation: int, decoder: Decoder) -> EncodedImage:
    pixels = decoder.pixels(stream, orientation)
    aspect = found.said.pixel_aspect
    return replace(
        encode_rgb(pixels, came_from_lossy=True),
        icc_profile=b"" if found.components == 1 else found.profile,
        color_space=found.color_space,
        handling=Handling.DECODED,
        lossy_method=_METHOD,
        lossy_ratio=found.rows * found.columns * found.components / len(stream),
        pixel_aspect=(aspect.numerator, aspect.denominator),
    )


def _pixels_turned(image: EncodedImage, turn: Turn) -> EncodedImage:
    import numpy as np  # noqa: PLC0415 - whoever turns nothing need not wait for it

    pixels = np.rot90(decode(image), -int(turn) // 90)
    rows, columns, _ = pixels.shape
    was = image.handling
    handling = Handling.TURNED if was is Handling.AS_IT_IS else was
    data = np.ascontiguousarray(pixels).tobytes()
    return replace(image, rows=rows, columns=columns, data=data, handling=handling)
