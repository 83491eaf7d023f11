"""A quick look at a frame: sharp, well lit? It warns and never blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_app.model.procedure import ImageKind

_ROWS, _COLUMNS = 270, 480
_BLURRED_BELOW: Final = 25.0
"""Variance of the Laplacian on the reduction; skin in focus gives some tens to hundreds."""
_TOO_DARK_BELOW: Final = 40.0
_TOO_BRIGHT_ABOVE: Final = 225.0
_CLIPPED_SHARE: Final = 0.15
_CLIPPED_AT: Final = 250
_BLACK_BELOW: Final = 20
"""Grey: black of limited range is 16."""
_BLACK_BUT_FOR: Final = 0.001
"""Share of the pixels."""


class QualityChip(StrEnum):
    """What the picture says over its live view. The words are the window's."""

    SHARP = "sharp"
    BLURRED = "blurred"
    WELL_LIT = "well-lit"
    TOO_DARK = "too-dark"
    TOO_BRIGHT = "too-bright"
    BLACK = "black"
    """Nothing at all: a cap, a cable, a screen that sleeps."""


_FOCUS: Final = frozenset({QualityChip.SHARP, QualityChip.BLURRED, QualityChip.BLACK})
_JUDGED: Final[Mapping[ImageKind, frozenset[QualityChip]]] = MappingProxyType(
    {
        ImageKind.PHOTO: frozenset(QualityChip),
        ImageKind.DERMOSCOPY: frozenset(QualityChip),
        ImageKind.ENDOSCOPY: _FOCUS,
        ImageKind.MICROSCOPY: _FOCUS,
        ImageKind.ULTRASOUND: frozenset({QualityChip.BLACK}),
    }
)


@dataclass(frozen=True, slots=True)
class Quality:
    """The measures and what they mean."""

    sharpness: float
    """Variance of the Laplacian of the grey picture, reduced to at most 480 x 270."""
    brightness: float
    """Mean grey, 0 to 255."""
    clipped: float
    """Share of pixels that are as good as white, 0 to 1."""
    chips: tuple[QualityChip, ...]
    """First how sharp, then how lit."""


def assess(pixels: NDArray[np.uint8], kind: ImageKind) -> Quality:
    """Measures a frame, (rows, columns, 3) uint8 RGB; some milliseconds at any size.

    Judged only by what holds of its kind: the measures are those of skin in daylight. An ultrasound
    picture is dark by nature and has no focus; an endoscope's has a black surround, and a
    microscope's a white ground, so that their light says nothing.
    """
    grey = cv2.cvtColor(_reduced(pixels), cv2.COLOR_RGB2GRAY)
    is_black = float((grey >= _BLACK_BELOW).mean()) < _BLACK_BUT_FOR
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    brightness = float(grey.mean())
    clipped = float((grey >= _CLIPPED_AT).mean())
    light = QualityChip.WELL_LIT
    if brightness < _TOO_DARK_BELOW:
        light = QualityChip.TOO_DARK
    elif brightness > _TOO_BRIGHT_ABOVE or clipped > _CLIPPED_SHARE:
        light = QualityChip.TOO_BRIGHT
    focus = QualityChip.SHARP if sharpness >= _BLURRED_BELOW else QualityChip.BLURRED
    found = (QualityChip.BLACK,) if is_black else (focus, light)
    chips = tuple(chip for chip in found if chip in _JUDGED[kind])
    return Quality(sharpness, brightness, clipped, chips)


def _reduced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Areas averaged: picking single pixels would make noise look sharp."""
    rows, columns = pixels.shape[:2]
    scale = min(_ROWS / rows, _COLUMNS / columns, 1.0)
    if scale == 1.0:
        return pixels
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    # Whole steps first: averaging by area over a 12-megapixel frame alone takes many milliseconds.
    step = max(1, int(1 / scale) // 2)
    thinned = np.ascontiguousarray(pixels[::step, ::step])
    return np.asarray(cv2.resize(thinned, size, interpolation=cv2.INTER_AREA), np.uint8)
