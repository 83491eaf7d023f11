"""Pictures of a console without the part where it writes names: cut, never with loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from capture_app.dicom.jpeg_stream import SOF0, segments
from capture_app.imaging.jpeg import read_jpeg
from capture_app.imaging.rgb import decode, encode_rgb
from capture_app.model.console import Area, ConsoleLayout
from capture_app.model.encoded_image import EncodedImage, Handling, PixelCoding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from capture_app.imaging.decoder import Decoder

_METHOD = "ISO_10918_1"
"""Lossy Image Compression Method (0028,2114) of JPEG."""


def part_of(pixels: NDArray[np.uint8], area: Area) -> NDArray[np.uint8]:
    """A view of a part of (rows, columns, 3) pixels."""
    return pixels[area.top : area.bottom, area.left : area.right]


def as_kept(pixels: NDArray[np.uint8], console: ConsoleLayout | None) -> NDArray[np.uint8]:
    """A frame's pixels as a still of them is kept: what is shown and looked at."""
    rows, columns = pixels.shape[:2]
    area = None if console is None else console.kept_of(columns, rows)
    return pixels if area is None else part_of(pixels, area)


def banner_in(pixels: NDArray[np.uint8], console: ConsoleLayout) -> NDArray[np.uint8] | None:
    """Where a console's frame says whose picture it is; None where that is not known."""
    rows, columns = pixels.shape[:2]
    area = console.banner_of(columns, rows)
    return None if area is None else part_of(pixels, area)


def cut(image: EncodedImage, console: ConsoleLayout | None, decoder: Decoder) -> EncodedImage:
    """A picture without the console's names; as it is where its layout is not known.

    A JPEG is cut along its blocks, inwards, so that nothing of a name stays; where that cannot be
    done its pixels are kept. Raises ImageError.
    """
    area = None if console is None else console.kept_of(image.columns, image.rows)
    if area is None:
        return image
    if image.coding is not PixelCoding.JPEG_BASELINE:
        return _of_pixels(image, part_of(decode(image), area), area)
    along_blocks = _recoded(image, _along_blocks(image.data, area), decoder)
    if along_blocks is not None:
        return along_blocks
    return _of_jpeg_pixels(image, part_of(decoder.pixels(image.data, 1), area), area)


def _recoded(image: EncodedImage, inner: Area | None, decoder: Decoder) -> EncodedImage | None:
    made = None if inner is None else decoder.cut(image.data, inner)
    if inner is None or not made:
        return None
    found = read_jpeg(image.data).dressed(made)
    if (found.columns, found.rows) != (inner.width, inner.height):
        return None
    return replace(
        found.as_kept(found.stream, image.handling),
        icc_profile=image.icc_profile,
        color_space=image.color_space,
        pixel_aspect=image.pixel_aspect,
        cut_to=inner,
    )


def _along_blocks(jpeg: bytes, area: Area) -> Area | None:
    """The largest part of an area that begins with a block; None where none does.

    The blocks of all components that lie over each other are cut together (T.81 A.2.3).
    """
    (frame,) = (one for one in segments(jpeg) if one.marker == SOF0)
    sampling = jpeg[frame.start + 11 : frame.end : 3]
    is_grey = len(sampling) == 1
    across = 8 * (1 if is_grey else max(one >> 4 for one in sampling))
    down = 8 * (1 if is_grey else max(one & 15 for one in sampling))
    left, top = -(-area.left // across) * across, -(-area.top // down) * down
    return Area(left, top, area.right - left, area.bottom - top).common(area)


def _of_pixels(image: EncodedImage, pixels: NDArray[np.uint8], area: Area) -> EncodedImage:
    return replace(image, rows=area.height, columns=area.width, data=pixels.tobytes(), cut_to=area)


def _of_jpeg_pixels(image: EncodedImage, pixels: NDArray[np.uint8], area: Area) -> EncodedImage:
    return replace(
        encode_rgb(pixels, came_from_lossy=True),
        icc_profile=b"" if image.grey else image.icc_profile,
        color_space=image.color_space,
        handling=Handling.DECODED,
        lossy_method=_METHOD,
        lossy_ratio=image.rows * image.columns * (1 if image.grey else 3) / len(image.data),
        pixel_aspect=image.pixel_aspect,
        cut_to=area,
    )
