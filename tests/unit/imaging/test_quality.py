"""The quick look at a frame tells blur and light, at any size."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from capture_app.imaging.quality import Quality, QualityChip, assess
from capture_app.model.procedure import ImageKind


def skin(rows: int = 720, columns: int = 1280) -> NDArray[np.uint8]:
    """Skin tones with detail of some pixels."""
    rng = np.random.default_rng(7)
    coarse = rng.normal(0, 22, (rows // 4, columns // 4)).astype(np.float32)
    detail = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    tone = np.array((196, 150, 128), np.float32)
    picture: NDArray[np.uint8] = (tone + detail[..., None]).clip(0, 255).astype(np.uint8)
    return picture


def blurred(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    sigma = picture.shape[1] / 100
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def lit(picture: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    return np.asarray((picture.astype(np.float32) * factor).clip(0, 255), np.uint8)


def chips(picture: NDArray[np.uint8]) -> tuple[QualityChip, ...]:
    return assess(picture, ImageKind.PHOTO).chips


@pytest.mark.parametrize(("rows", "columns"), [(270, 480), (720, 1280), (1500, 2000)])
def test_sharp_and_blurred_are_told_apart_at_any_size(rows: int, columns: int) -> None:
    small = skin()
    picture = np.asarray(cv2.resize(small, (columns, rows)), np.uint8)
    assert chips(picture) == (QualityChip.SHARP, QualityChip.WELL_LIT)
    assert chips(blurred(picture)) == (QualityChip.BLURRED, QualityChip.WELL_LIT)


def test_dark_and_bright_are_told() -> None:
    assert chips(lit(skin(), 0.15))[1] is QualityChip.TOO_DARK
    assert chips(lit(skin(), 2.0))[1] is QualityChip.TOO_BRIGHT


def test_a_blown_out_part_is_told_though_the_rest_is_dark() -> None:
    picture = lit(skin(), 0.4)
    picture[:200] = 255
    found: Quality = assess(picture, ImageKind.PHOTO)
    assert found.brightness < 150
    assert found.chips[1] is QualityChip.TOO_BRIGHT


def test_one_pixel_is_enough_to_look_at() -> None:
    assert chips(np.full((1, 1, 3), 30, np.uint8))[1] is QualityChip.TOO_DARK


@pytest.mark.parametrize(
    ("kind", "judged"),
    [
        (ImageKind.PHOTO, (QualityChip.BLURRED, QualityChip.TOO_DARK)),
        (ImageKind.DERMOSCOPY, (QualityChip.BLURRED, QualityChip.TOO_DARK)),
        (ImageKind.ENDOSCOPY, (QualityChip.BLURRED,)),
        (ImageKind.MICROSCOPY, (QualityChip.BLURRED,)),
        (ImageKind.ULTRASOUND, ()),
    ],
)
def test_only_pictures_of_skin_are_judged_as_skin(
    kind: ImageKind, judged: tuple[QualityChip, ...]
) -> None:
    assert assess(np.full((270, 480, 3), 30, np.uint8), kind).chips == judged


@pytest.mark.parametrize("kind", ImageKind)
def test_a_black_picture_is_told_of_every_kind(kind: ImageKind) -> None:
    black = np.full((480, 640, 3), 16, np.uint8)  # of limited range
    assert assess(black, kind).chips == (QualityChip.BLACK,)
    black[100:130, 100:140] = 200  # a word on it
    assert QualityChip.BLACK not in assess(black, kind).chips
