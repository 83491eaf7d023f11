"""What is done to a JPEG's coded data: looked through, turned, decoded. Runs in a child.

With libjpeg-turbo where it is there (see `turbo`); without it less damage is found, and a picture
that is turned or not baseline is decoded instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from itertools import takewhile
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture_app.dicom.jpeg_stream import SOS, damaged, segments
from capture_app.errors import ImageError, TaskRefusedError
from capture_app.imaging import other_formats_work, turbo
from capture_app.imaging.file_kind import kind_of
from capture_app.imaging.jpeg_truncation import scan_is_whole
from capture_app.imaging.other_formats import OtherPicture, refused
from capture_app.imaging.turns import TURNS
from capture_app.model.console import Area

_ARITHMETIC_FRAMES: Final = frozenset({0xC9, 0xCA})
_BEHIND_ARITHMETIC: Final = bytes(2) + bytes.fromhex("5a963ca569c30ff0") * 16
"""An encoder leaves out zeros at the end, and a decoder asks for no more of them than these."""


def is_whole(jpeg: bytes) -> bool:
    """Whether a decoder reads the coded data of a prepared JPEG to its end without a warning."""
    if not turbo.is_had():
        return scan_is_whole(jpeg)
    if not turbo.has_no_fault(jpeg):
        return False
    before_scans = takewhile(lambda segment: segment.marker != SOS, segments(jpeg))
    if not any(segment.marker in _ARITHMETIC_FRAMES for segment in before_scans):
        return True
    # An arithmetic decoder that runs out of data goes on with zeros, and has nothing to say.
    longer = b"".join(
        jpeg[at:end] + (_BEHIND_ARITHMETIC if is_scan else b"") for at, end, is_scan in _parts(jpeg)
    )
    return turbo.as_far_as_it_goes(jpeg) == turbo.as_far_as_it_goes(longer)


def _parts(jpeg: bytes) -> Iterator[tuple[int, int, bool]]:
    """From where to where, and whether a scan ends there: all of the stream."""
    done = 0
    for segment in segments(jpeg):
        if segment.marker == SOS:
            yield done, segment.end, True
            done = segment.end
    yield done, len(jpeg), False


def upright(jpeg: bytes, orientation: int) -> bytes | None:
    """The picture with every pixel in its place, Huffman coded; None where only decoding helps."""
    return turbo.upright(jpeg, orientation) if turbo.is_had() else None


def cut(jpeg: bytes, area: Area) -> bytes | None:
    """A part of the picture that begins with a block, every pixel as it is; None where only
    decoding helps.
    """
    if not turbo.is_had():
        return None
    return turbo.cut(jpeg, area.left, area.top, area.width, area.height)


def pixels(jpeg: bytes, orientation: int) -> NDArray[np.uint8]:
    """The picture decoded and put upright: (rows, columns, 3) uint8 RGB. Raises ImageError."""
    turn = TURNS[orientation]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(jpeg), formats=["JPEG"]) as image:
                whole = image.convert("RGB")
                upright_now = whole if turn is None else whole.transpose(turn)
                return np.asarray(upright_now, np.uint8)
    except (OSError, SyntaxError, ValueError, Warning) as error:
        raise ImageError(damaged()) from error


def other(data: bytes) -> OtherPicture:
    """The picture in a file of another format than JPEG, upright. Raises ImageError in words."""
    try:
        return other_formats_work.decode(data)
    except TaskRefusedError as error:
        raise ImageError(refused(error.code, kind_of(data))) from None
