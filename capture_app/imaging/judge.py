"""The one judge of coded pictures, whichever way they came: file, stream or camera.

    judged = judge(data, decoder)
    judged.image.handling  # as it is, made baseline, turned, decoded

What is refused is refused in words, by an ImageError. A picture that it lets pass is all there, is
upright, is a baseline JPEG or lossless pixels, and holds no text of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from capture_app.dicom.jpeg_stream import START, damaged
from capture_app.errors import ImageError
from capture_app.imaging.decoder import Decoder
from capture_app.imaging.file_kind import RAW_KINDS, kind_of
from capture_app.imaging.jpeg import read_jpeg
from capture_app.imaging.other_formats import DECODED_KINDS, Loss, is_raw
from capture_app.imaging.rgb import encode_rgb
from capture_app.imaging.turning import upright
from capture_app.model.encoded_image import EncodedImage, Handling
from capture_app.model.words import tr


@dataclass(frozen=True, slots=True)
class Judged:
    """A picture that may be kept, and what it says of itself."""

    image: EncodedImage
    taken_at: datetime | None
    """Its own time with its own offset from UTC; None where it does not say both."""
    camera_time: datetime | None = None
    """What the clock of the camera showed, without a zone; None where it says none."""
    camera: str = ""
    """Make, model and serial number of the camera, as far as it says them."""


def judge(data: bytes, decoder: Decoder) -> Judged:
    """The picture in the bytes of a file or of a device. Raises ImageError in words."""
    if data[:2] != START:
        return _of_another_format(data, decoder)
    found = read_jpeg(data)
    stream = _whole(found.stream, decoder)
    said = found.said
    if found.is_baseline and said.orientation == 1:
        image = found.as_kept(stream, Handling.AS_IT_IS)
    else:
        image = upright(found, stream, said.orientation, decoder)
    return Judged(image, said.taken_at, said.camera_time, said.camera)


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
    own = other.taken_at
    return Judged(image, own, None if own is None else own.replace(tzinfo=None))


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
