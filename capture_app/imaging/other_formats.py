"""Pictures in other formats than JPEG: what is decoded without loss, and what is said of the rest.

What looks into their bytes stands in `other_formats_work`, and runs in a child.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from capture_app.dicom.jpeg_stream import damaged
from capture_app.model.words import tr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DECODED_KINDS: Final = frozenset({"PNG", "TIFF", "WebP", "BMP", "GIF", "HEIC", "AVIF"})
"""Names of `file_kind.kind_of`."""


class Loss(StrEnum):
    """How a file was coded before it came here. The value is its Lossy Image Compression Method
    (0028,2114), where that has a word for it (PS3.3 C.7.6.1.1.5.1).
    """

    NONE = ""
    JPEG = "ISO_10918_1"
    JPEG_2000 = "ISO_15444_1"
    HEVC = "ISO_23008_2"
    NAMELESS = "-"
    """Lossy by a method that has no word there: VP8 of WebP, AV1 of AVIF."""


class PictureRefusal(StrEnum):
    """Why a picture is not taken, as the child says it."""

    DAMAGED = "damaged"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    SEVERAL = "several"
    SEE_THROUGH = "see-through"
    PRINTING = "printing"
    COLORS = "colors"
    RAW = "raw"
    TURNED = "turned"
    """Two statements about how it is turned, or one that cannot be read."""


@dataclass(frozen=True, slots=True)
class OtherPicture:
    """A picture that was decoded and put upright."""

    pixels: NDArray[np.uint8]
    """(rows, columns, 3), RGB."""
    loss: Loss
    icc_profile: bytes
    color_space: str
    """SRGB or ADOBERGB; empty: neither is said."""
    taken_at: datetime | None
    pixel_aspect: Fraction
    """Height by width of a pixel, upright."""


def refused(code: str, kind: str) -> str:
    """A sentence for a person. `kind` is the name of the file's format."""
    match code:
        case PictureRefusal.TOO_LARGE:
            return tr("This picture has more than 100 million pixels, so it cannot be kept.")
        case PictureRefusal.TOO_DEEP:
            return tr(
                "This {kind} file has more than 8 bits for each colour. Nothing of it may be lost, "
                "so it cannot be kept: save it with 8 bits.",
                kind=kind,
            )
        case PictureRefusal.SEVERAL:
            return tr(
                "This {kind} file holds more than one picture. Save each as a file of its own.",
                kind=kind,
            )
        case PictureRefusal.SEE_THROUGH:
            return tr(
                "Parts of this {kind} picture are transparent. Save it on a plain background.",
                kind=kind,
            )
        case PictureRefusal.PRINTING:
            return tr("This {kind} file is made for printing (CMYK). Save it as RGB.", kind=kind)
        case PictureRefusal.COLORS:
            return tr(
                "The colours of this {kind} file cannot be kept as they are. Save it as RGB.",
                kind=kind,
            )
        case PictureRefusal.RAW:
            return is_raw(tr("camera raw"))
        case PictureRefusal.TURNED:
            return tr("How this picture is turned cannot be read from it. Save it again.")
        case _:
            return damaged()


def is_raw(name: str) -> str:
    """What is said of a camera's raw file."""
    return tr(
        "This is a {name} file: what a sensor saw, before it is a picture. "
        "Export it as JPEG, or set the camera to JPEG.",
        name=name,
    )
