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
from capture_app.imaging.file_kind import RAW_KINDS, kind_of
from capture_app.imaging.jpeg import ReadJpeg, read_jpeg
from capture_app.imaging.other_formats import DECODED_KINDS, Loss, OtherPicture, is_raw
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

    def other(self, data: bytes) -> OtherPicture:
        """The picture in a file of one of `DECODED_KINDS`. Raises ImageError that says why not."""
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
        return _of_another_format(data, decoder)
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


def _of_another_format(data: bytes, decoder: Decoder) -> Judged:
    kind = kind_of(data)
    if kind not in DECODED_KINDS:
        raise ImageError(_not_taken(data, kind))
    other = decoder.other(data)
    rows, columns, _ = other.pixels.shape
    method = "" if other.loss is Loss.NAMELESS else other.loss
    image = replace(
        encode_rgb(other.pixels, came_from_lossy=other.loss is not Loss.NONE),
        icc_profile=other.icc_profile,
        color_space=other.color_space,
        handling=Handling.DECODED,
        lossy_method=str(method),
        lossy_ratio=rows * columns * 3 / len(data) if method else 0.0,
        pixel_aspect=(other.pixel_aspect.numerator, other.pixel_aspect.denominator),
    )
    return Judged(image, other.taken_at)


def _not_taken(data: bytes, kind: str) -> str:
    if not data:
        return tr("This file is empty.")
    formats = ", ".join(("JPEG", *sorted(DECODED_KINDS)))
    if kind in RAW_KINDS:
        return is_raw(tr("{kind} camera raw", kind=kind))
    if kind:
        return tr(
            "This is a {kind} file. These can be imported: {formats}.", kind=kind, formats=formats
        )
    return tr("This is not a picture. These can be imported: {formats}.", formats=formats)
