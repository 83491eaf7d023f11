"""The one judge of coded pictures, whichever way they came: file, stream or camera.

    judged = judge(data, decoder)
    judged.image.handling  # as it is, made baseline, turned, decoded

What is refused is refused in words, by an ImageError. A picture that it lets pass is all there, is
upright, is a baseline JPEG or lossless pixels, and holds no text of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from capture_app.dicom.jpeg_stream import START, damaged
from capture_app.errors import ImageError
from capture_app.imaging.file_kind import kind_of
from capture_app.imaging.jpeg import ReadJpeg, read_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.encoded_image import EncodedImage, Handling
from capture_app.model.words import tr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Decoder(Protocol):
    """What looks into coded data: `surgery`, mostly in a child (see `decoding`).

    Any of it raises ImageError where the data cannot be read at all.
    """

    def is_whole(self, jpeg: bytes) -> bool:
        """Whether it is read to its end without a warning."""
        ...

    def upright(self, jpeg: bytes, orientation: int) -> bytes | None:
        """The same pixels as a sequential Huffman JPEG, turned; None where that cannot be done."""
        ...

    def pixels(self, jpeg: bytes, orientation: int) -> NDArray[np.uint8]:
        """The pixels, turned: (rows, columns, 3) uint8 RGB."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """A picture that may be kept, and what it says of itself."""

    image: EncodedImage
    taken_at: datetime | None
    """Its own time with its own offset from UTC; None where it does not say both."""


def judge(data: bytes, decoder: Decoder) -> Judged:
    """The picture in the bytes of a file or of a device. Raises ImageError in words."""
    if data[:2] != START:
        raise ImageError(_not_a_jpeg(data))
    found = read_jpeg(data)
    stream = _whole(found.stream, decoder)
    if found.is_baseline and found.said.orientation == 1:
        return Judged(found.as_kept(stream, Handling.AS_IT_IS), found.said.taken_at)
    image = _recoded(found, stream, decoder) or _decoded(found, stream, decoder)
    if found.said.orientation >= 5:
        image = replace(image, pixel_aspect=image.pixel_aspect[::-1])
    return Judged(image, found.said.taken_at)


def _whole(stream: bytes, decoder: Decoder) -> bytes:
    """The stream, or what of it is not padding. Raises ImageError where it is damaged.

    Some cameras fill up with zeros between the coded data and the end mark.
    """
    if decoder.is_whole(stream):
        return stream
    coded = stream[:-2]
    bare = coded.rstrip(b"\x00")
    bare += b"\x00" if bare.endswith(b"\xff") else b""  # a stuffed byte is coded data
    if len(bare) < len(coded) and decoder.is_whole(bare + stream[-2:]):
        return bare + stream[-2:]
    raise ImageError(damaged())


def _recoded(found: ReadJpeg, stream: bytes, decoder: Decoder) -> EncodedImage | None:
    orientation = found.said.orientation
    made = decoder.upright(stream, orientation)
    if not made:
        return None
    again = found.dressed(made)
    if not again.is_baseline:
        return None
    turned = replace(again, color_space=found.color_space, said=found.said)
    handling = Handling.MADE_BASELINE if orientation == 1 else Handling.TURNED
    return turned.as_kept(turned.stream, handling)


def _decoded(found: ReadJpeg, stream: bytes, decoder: Decoder) -> EncodedImage:
    pixels = decoder.pixels(stream, found.said.orientation)
    kept = encode_rgb(pixels, came_from_lossy=True)
    aspect = found.said.pixel_aspect
    return replace(
        kept,
        icc_profile=b"" if found.components == 1 else found.profile,
        color_space=found.color_space,
        handling=Handling.DECODED,
        pixel_aspect=(aspect.numerator, aspect.denominator),
    )


def _not_a_jpeg(data: bytes) -> str:
    if not data:
        return tr("This file is empty.")
    if kind := kind_of(data):
        return tr("This is a {kind} file. Only JPEG can be imported for now.", kind=kind)
    return tr("This is not a picture. Only JPEG can be imported for now.")
