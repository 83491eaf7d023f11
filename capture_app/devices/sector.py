"""Draws what an ultrasound probe over a joint would show: for practice and tests."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_HALF_ANGLE: Final = 0.62
"""Of the fan, in radians."""
_LINES, _DEPTHS = 256, 512
_SEED: Final = 11

_Plane = NDArray[np.float32]


def sector_picture(columns: int, rows: int) -> NDArray[np.uint8]:
    """A fan of tissue, bone and fluid, always the same: (rows, columns, 3), uint8, RGB."""
    fan = _scan_converted(_echoes(), columns, rows)
    grey = np.clip(fan * 255, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)


def _echoes() -> _Plane:
    """Brightness by depth (rows) and line (columns), 0 to 1."""
    rng = np.random.default_rng(_SEED)
    depth = np.linspace(0, 1, _DEPTHS, dtype=np.float32)[:, np.newaxis]
    line = np.linspace(-1, 1, _LINES, dtype=np.float32)[np.newaxis, :]
    tissue = 0.34 + 0.16 * np.sin(depth * 26 + line * 2.2) * np.exp(-depth * 1.5)
    tissue += 0.5 * np.exp(-(((depth - 0.05) / 0.02) ** 2))  # skin
    fascia = 0.22 + 0.03 * np.sin(line * 3)
    tissue += 0.45 * np.exp(-(((depth - fascia) / 0.012) ** 2))
    fluid = ((line + 0.12) / 0.52) ** 2 + ((depth - 0.42) / 0.085) ** 2
    tissue *= np.where(fluid < 1, 0.08, 1.0)
    tissue += 0.25 * np.exp(-(((fluid - 1.0) / 0.25) ** 2))  # its wall
    bone = 0.64 + 0.07 * line**2 - 0.03 * np.cos(line * 5)
    tissue *= np.where(depth > bone, 0.12, 1.0)  # shadow
    tissue += 1.1 * np.exp(-(((depth - bone) / 0.016) ** 2))
    speckle = rng.rayleigh(0.8, (_DEPTHS, _LINES)).astype(np.float32)
    speckle = np.asarray(cv2.GaussianBlur(speckle, (0, 0), sigmaX=1.1, sigmaY=0.7), np.float32)
    faded = tissue * speckle * np.exp(-depth * 0.55)
    return np.asarray(np.log1p(6 * np.clip(faded, 0, None)) / np.log(7), np.float32)


def _scan_converted(echoes: _Plane, columns: int, rows: int) -> _Plane:
    """The fan as the screen shows it: black outside."""
    top, reach = -0.12 * rows, 1.06 * rows
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    across, down = x - columns / 2, y - top
    distance = np.hypot(across, down)
    angle = np.arctan2(across, down)
    nearest = -top + 0.02 * rows
    line = ((angle / _HALF_ANGLE) * 0.5 + 0.5) * (_LINES - 1)
    depth = (distance - nearest) / (reach - nearest) * (_DEPTHS - 1)
    fan = cv2.remap(
        echoes,
        line.astype(np.float32),
        depth.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(fan, np.float32)
