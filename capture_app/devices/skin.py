"""A drawn picture of skin with a wound and a ruler card: what the synthetic source shows.

It is drawn with numbers only (no photograph of anybody), the same every time, and close enough to
the real thing that focus, exposure, compression and the eye behave as they do at a bedside.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
_Plane = NDArray[np.floating[Any]]

_SEED: Final = 20_561_407
_LIGHT: Final = np.array([-0.55, -0.65, 0.52], np.float32)
_MARKER_ID: Final = 7
_MARKER_CELLS: Final = 6
"""Its four cells across and a border; one pixel each is the least that can be drawn."""
_DRAWN_AT_MOST: Final = 1600
"""Wider pictures are drawn this wide and enlarged; noise of the full size goes on top."""


def _blur(plane: _Plane, sigma: float) -> _Plane:
    """A Gaussian blur; a wide one is done on a smaller copy, which nobody can tell."""
    if sigma <= 8:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(sigma, 0.3)), np.float32)
    rows, columns = plane.shape
    small = cv2.resize(plane, (columns // 4, rows // 4), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / 4)
    return np.asarray(cv2.resize(soft, (columns, rows)), np.float32)


def _cloud(rng: np.random.Generator, rows: int, columns: int, size: float) -> _Plane:
    """Smooth noise, about -1 to 1, whose blobs are `size` pixels wide."""
    small = rng.standard_normal((int(rows / size) + 4, int(columns / size) + 4)).astype(np.float32)
    grown = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.float32)


def _cells(rng: np.random.Generator, rows: int, columns: int, size: float) -> _Plane:
    """The relief of skin: little plateaus with furrows between them, 0 (furrow) to 1."""
    count = int(rows * columns / (size * size))
    seeds = np.full((rows, columns), 255, np.uint8)
    seeds[rng.integers(0, rows, count), rng.integers(0, columns, count)] = 0
    distance = np.asarray(cv2.distanceTransform(seeds, cv2.DIST_L2, 3), np.float32)
    return np.asarray(1.0 - np.clip(distance / np.float32(size * 0.75), 0, 1) ** 2, np.float32)


def _lit(height: _Plane, strength: float) -> _Plane:
    """How bright a relief is under a lamp from the upper left, about 1 where it is flat."""
    across = np.asarray(cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3), np.float32) * strength
    down = np.asarray(cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3), np.float32) * strength
    length = np.sqrt(across * across + down * down + 1.0)
    light = (-across * _LIGHT[0] - down * _LIGHT[1] + _LIGHT[2]) / length
    return np.asarray(light / _LIGHT[2], np.float32)


def _mixed(below: _Plane, above: tuple[float, float, float] | _Plane, share: _Plane) -> _Plane:
    share = share[..., None]
    return np.asarray(below * (1 - share) + np.asarray(above, np.float32) * share, np.float32)


def _outline(scale: float, centre: tuple[float, float]) -> NDArray[np.int32]:
    """The edge of the wound, with its corners, as a closed polygon."""
    corners = [
        (-118, -24), (-60, -36), (-8, -58), (36, -44), (92, -36), (128, -14), (146, 22),
        (132, 48), (104, 58), (84, 68), (40, 74), (-18, 78), (-52, 72), (-72, 44), (-104, 14),
    ]  # fmt: skip
    points = np.array(corners, np.float32)
    for _ in range(3):  # Chaikin: cut the corners, three times
        ahead = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * ahead, 0.25 * points + 0.75 * ahead], 1)
        points = points.reshape(-1, 2)
    return np.asarray(np.round(points * scale + np.array(centre, np.float32)), np.int32)


def _with_wound(skin: _Plane, rng: np.random.Generator, scale: float) -> _Plane:
    rows, columns = skin.shape[:2]
    centre = (columns * 0.455, rows * 0.455)
    inside = np.zeros((rows, columns), np.float32)
    jitter = 1.35 * scale
    cv2.fillPoly(inside, [_outline(jitter, centre)], 1.0)
    ragged = _cloud(rng, rows, columns, 9 * scale) * 0.09
    ragged += _cloud(rng, rows, columns, 30 * scale) * 0.055
    sharp = np.clip((_blur(inside, 5 * scale) + ragged - 0.5) * 6 + 0.5, 0, 1)
    hole = _blur(np.asarray(sharp, np.float32), 1.1 * scale)

    halo: _Plane = np.clip(_blur(hole, 34 * scale) * 1.5, 0, 1)
    skin = _mixed(skin, (214, 112, 108), np.asarray(halo * 0.42, np.float32))
    near: _Plane = np.clip(_blur(hole, 9 * scale) * 1.7, 0, 1)
    skin = _mixed(skin, (222, 120, 118), np.asarray(near * 0.55, np.float32))

    # The bed: granulation, wet, with slough in patches and a darker edge under the rim.
    grain: _Plane = _cloud(rng, rows, columns, 5 * scale) * 0.5
    grain += _cloud(rng, rows, columns, 13 * scale)
    bed = np.empty_like(skin)
    bed[:] = (156, 34, 38)
    bed *= np.clip(1.0 + 0.13 * grain, 0.5, 1.5)[..., None]
    patches = _cloud(rng, rows, columns, 62 * scale) + 0.35 * _cloud(rng, rows, columns, 17 * scale)
    slough = np.clip((_blur(np.asarray(patches, np.float32), 4 * scale) - 0.55) * 3.2, 0, 1)
    yellow = np.empty_like(skin)
    yellow[:] = (193, 152, 84)
    yellow *= (1.0 + 0.08 * grain)[..., None]
    bed = _mixed(bed, yellow, np.asarray(slough * 0.92, np.float32))
    wet: _Plane = _lit(_blur(np.asarray(grain, np.float32), 1.6 * scale) * scale, 0.2)
    bed *= np.clip(0.55 + 0.45 * wet, 0.6, 1.3)[..., None]
    gloss = np.clip((wet - 1.3) * 2.6, 0, 1) * 62
    bed += _blur(np.asarray(gloss, np.float32), 0.9 * scale)[..., None]
    depth = np.clip(_blur(hole, 9 * scale) * 1.9 - 0.85, 0, 1)
    shade = np.roll(depth, (int(5 * scale), int(4 * scale)), (0, 1))
    bed *= (0.42 + 0.58 * shade)[..., None]
    skin = _mixed(skin, np.asarray(bed, np.float32), hole)

    rim = _lit(_blur(hole, 4.5 * scale), -10.0)
    edge = np.clip(4 * hole * (1 - hole) + 0.75 * near * (1 - hole), 0, 1)
    return np.asarray(skin * (1 + (np.clip(rim, 0.55, 1.3) - 1) * edge)[..., None], np.float32)


def _card(scale: float) -> Picture:
    """A ruler card of 60 mm with a 10 mm marker, grey and colour patches; 4.1 px a mm."""
    unit = 4.1 * scale
    width, height = round(62 * unit), round(22 * unit)
    card = np.full((height, width, 3), (232, 230, 226), np.uint8)
    ink, left = (34, 32, 30), 5 * unit
    thick, font = max(1, round(0.9 * scale)), cv2.FONT_HERSHEY_SIMPLEX
    for millimetre in range(51):
        x = round(left + millimetre * unit)
        tall = 3.4 if millimetre % 10 == 0 else 2.4 if millimetre % 5 == 0 else 1.5
        cv2.line(card, (x, 0), (x, round(tall * unit)), ink, thick, cv2.LINE_AA)
        if millimetre % 10 == 0:
            place = (round(x - 0.8 * unit), round(6.4 * unit))
            size = 0.4 * scale
            cv2.putText(card, f"{millimetre // 10}", place, font, size, ink, thick, cv2.LINE_AA)
    corner = (round(52.4 * unit), round(9.6 * unit))
    cv2.putText(card, "cm", corner, font, 0.3 * scale, ink, thick, cv2.LINE_AA)
    if (side := round(10 * unit)) >= _MARKER_CELLS:  # smaller, it is none
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        drawn = cv2.aruco.generateImageMarker(dictionary, _MARKER_ID, side, borderBits=1)
        marker = np.clip(np.asarray(drawn, np.uint8), 16, 236)
        top, x = round(9 * unit), round(5 * unit)
        card[top : top + side, x : x + side] = marker[..., None]
    greys = [(52, 52, 52), (118, 118, 118), (186, 186, 186)]
    for number, colour in enumerate([*greys, (160, 44, 40), (60, 132, 66), (46, 92, 150)]):
        x = round((19 + number * 5.6) * unit)
        card[round(11 * unit) : round(16 * unit), x : x + round(4.6 * unit)] = colour
    return card


def _with_card(picture: _Plane, scale: float) -> _Plane:
    rows, columns = picture.shape[:2]
    card = _card(scale)
    height, width = card.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -4.5, 1.45)
    turn[:, 2] += (columns * 0.545 - width / 2, rows * 0.845 - height / 2)
    size = (columns, rows)
    laid = np.asarray(
        cv2.warpAffine(card.astype(np.float32), turn, size, flags=cv2.INTER_AREA), np.float32
    )
    mask = cv2.warpAffine(np.ones((height, width), np.float32), turn, size, flags=cv2.INTER_LINEAR)
    cover = np.asarray(mask, np.float32)
    shadow = np.roll(_blur(cover, 5 * scale), (int(5 * scale), int(3 * scale)), (0, 1))
    picture = np.asarray(picture * (1 - 0.34 * shadow)[..., None], np.float32)
    return _mixed(picture, laid, cover)


def _with_drapes(skin: _Plane, rng: np.random.Generator, scale: float) -> _Plane:
    """Green theatre cloth above and below, with the shadow that the limb throws on it."""
    rows, columns = skin.shape[:2]
    weave = rng.standard_normal((rows, columns)).astype(np.float32)
    weave = _blur(weave, 0.8 * scale) * 1.6 + _cloud(rng, rows, columns, 70 * scale) * 0.8
    cloth = np.empty_like(skin)
    cloth[:] = (38, 106, 110)
    cloth *= np.clip(1 + 0.1 * weave, 0.6, 1.4)[..., None]
    down, across = np.mgrid[0:rows, 0:columns].astype(np.float32)
    across /= columns
    upper = rows * (0.072 - 0.035 * across + 0.012 * np.sin(across * 5.0))
    lower = rows * (0.905 + 0.075 * across - 0.02 * np.sin(across * 3.4))
    outside = np.clip(np.maximum(upper - down, down - lower) / (1.6 * scale) + 0.5, 0, 1)
    limb = 1 - np.asarray(outside, np.float32)
    cast = np.clip(1 - 0.62 * _blur(limb, 16 * scale), 0.3, 1)
    cloth *= cast[..., None]
    # The limb is round: darker towards both edges.
    place = np.clip((down - upper) / np.maximum(lower - upper, 1), 0, 1)
    roundness = 1 - 0.5 * np.abs(2 * place - 0.86) ** 3.2
    skin = np.asarray(skin * np.clip(roundness, 0.4, 1.05)[..., None], np.float32)
    return _mixed(skin, np.asarray(cloth, np.float32), np.asarray(outside, np.float32))


def _freckle(skin: _Plane, at: tuple[int, int], size: float, rng: np.random.Generator) -> None:
    """Paints one freckle into the skin, in the small part around it."""
    reach = int(size * 3) + 2
    left, top = max(0, at[0] - reach), max(0, at[1] - reach)
    part = skin[top : at[1] + reach, left : at[0] + reach]
    spot = np.zeros(part.shape[:2], np.float32)
    cv2.circle(spot, (at[0] - left, at[1] - top), max(1, round(size)), 1.0, -1, cv2.LINE_AA)
    share = _blur(spot, min(size * 0.6, 8)) * float(rng.uniform(0.25, 0.6))
    part[:] = _mixed(part, (158, 98, 70), share)


@lru_cache(maxsize=2)
def skin_picture(columns: int, rows: int) -> Picture:
    """The picture: (rows, columns, 3), uint8, RGB. The same for the same size, always."""
    shrink = max(1.0, columns / _DRAWN_AT_MOST)
    skin = _drawn(round(columns / shrink), round(rows / shrink))
    if shrink > 1:
        size = (columns, rows)
        skin = np.asarray(cv2.resize(skin, size, interpolation=cv2.INTER_CUBIC), np.float32)
        grain = np.random.default_rng(_SEED).integers(-5, 6, (rows, columns), np.int8)
        skin += grain[..., None]
    picture = np.asarray(np.clip(skin, 0, 255), np.uint8)
    picture.flags.writeable = False
    return picture


def _drawn(columns: int, rows: int) -> _Plane:
    rng = np.random.default_rng(_SEED)
    scale = min(columns / 1280, rows / 720)
    skin = np.empty((rows, columns, 3), np.float32)
    skin[:] = (222, 168, 142)
    tone = (
        _cloud(rng, rows, columns, 210 * scale) * 0.6
        + _cloud(rng, rows, columns, 64 * scale) * 0.35
    )
    skin += tone[..., None] * np.array([5.0, 8.5, 8.0], np.float32)
    blush = np.clip(_cloud(rng, rows, columns, 130 * scale) - 0.4, 0, 1.5)
    skin -= blush[..., None] * np.array([2.0, 12.0, 11.0], np.float32)
    pores = _cloud(rng, rows, columns, 3.2 * scale)
    skin += pores[..., None] * np.array([2.4, 3.2, 3.2], np.float32)
    for _ in range(11):
        x, y = rng.uniform(0, columns), rng.uniform(rows * 0.12, rows * 0.88)
        _freckle(skin, (int(x), int(y)), float(rng.uniform(3.5, 8.5)) * scale, rng)
    fine = _cells(rng, rows, columns, 6.5 * scale)
    coarse = _cells(rng, rows, columns, 17 * scale)
    height = _blur(fine, 1.2 * scale) * 1.1 + _blur(coarse, 2.4 * scale) * 1.1
    height += _cloud(rng, rows, columns, 24 * scale) * 0.5
    relief = _lit(np.asarray(height * scale, np.float32), 0.1)
    skin *= np.clip(0.55 + 0.45 * relief, 0.62, 1.28)[..., None]
    skin = _with_wound(skin, rng, scale)
    skin = _with_drapes(skin, rng, scale)
    skin = _with_card(skin, scale)
    down, across = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    vignette = 1.03 - 0.2 * np.clip(across**2 * 0.6 + down**2 * 0.5, 0, 1)
    return np.asarray(skin * vignette[..., None], np.float32)
