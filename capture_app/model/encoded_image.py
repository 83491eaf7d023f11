"""Pixels as they are kept and wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture_app.model.console import Area

MOST_PIXELS: Final = 100_000_000
"""Of one picture. One that says it has more is refused before memory is given to it."""


class PixelCoding(StrEnum):
    """How the bytes are coded."""

    JPEG_BASELINE = "jpeg-baseline"
    """A clean JPEG interchange stream, SOF0, 8 bit."""
    RGB = "rgb"
    """rows * columns * 3 bytes, interleaved by pixel."""
    JPEG_LS = "jpeg-ls"
    """A lossless JPEG-LS stream of RGB, 8 bit."""


class Handling(StrEnum):
    """What was done to a picture before it was kept."""

    AS_IT_IS = "as-it-is"
    """Nothing but its metadata was cut out; pixels that were never coded as a file, likewise."""
    MADE_BASELINE = "made-baseline"
    """A JPEG's coefficients were written anew as baseline: every pixel is the same."""
    TURNED = "turned"
    """A JPEG by its coefficients, or other pixels: every one is the same, in another place."""
    DECODED = "decoded"
    """Its pixels are kept without loss: its own coding cannot be."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """A picture ready to be kept: metadata cut out, and otherwise as `handling` says."""

    coding: PixelCoding
    rows: int
    columns: int
    data: bytes
    icc_profile: bytes = b""
    is_rgb_jpeg: bool = False
    """True for a JPEG whose components are RGB (Adobe APP14 transform 0)."""
    came_from_lossy: bool = False
    """True for RGB that was decoded from a lossy source: the flag never goes back to 00."""
    grey: bool = False
    """True for a JPEG of one component."""
    color_space: str = ""
    """SRGB or ADOBERGB where the metadata says so (0028,2002); an ICC profile goes first."""
    handling: Handling = Handling.AS_IT_IS
    lossy_method: str = ""
    """How RGB was coded before, as Lossy Image Compression Method (0028,2114) names it; empty where
    nobody knows or it has no name for it.
    """
    lossy_ratio: float = 0.0
    """By how much that had made it smaller; 0 where there is no method."""
    pixel_aspect: tuple[int, int] = (1, 1)
    """Height and width of a pixel, as Pixel Aspect Ratio (0028,0034) has them."""
    cut_to: Area | None = None
    """Which part it is of the picture that came, the console's names being cut away; None: all."""
