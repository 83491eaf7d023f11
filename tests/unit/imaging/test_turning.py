"""Pictures that a person turns: every pixel is there again, in its new place."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageCms

from capture_app.imaging import surgery, turbo
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import decode, encode_rgb
from capture_app.imaging.turning import turned
from capture_app.model.encoded_image import EncodedImage, Handling, PixelCoding
from capture_app.model.procedure import Turn
from tests.jpeg_parts import entropy_coded, icc_segments, with_segments
from tests.sealing import jpeg, pixels

TURNS = [Turn.RIGHT, Turn.HALF, Turn.LEFT]
BACK = {Turn.RIGHT: Turn.LEFT, Turn.HALF: Turn.HALF, Turn.LEFT: Turn.RIGHT}


def quarters(turn: Turn) -> int:
    """As numpy counts them: to the left."""
    return -int(turn) // 90


def by(image: EncodedImage, turn: Turn) -> EncodedImage:
    return turned(image, turn, surgery)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"grey": True}, {"keep_rgb": True}])
def test_a_jpeg_is_turned_by_its_coefficients(turn: Turn, options: dict[str, bool]) -> None:
    image = prepare_jpeg(jpeg(48, 64, **options))
    there = by(image, turn)
    assert (there.coding, there.handling) == (PixelCoding.JPEG_BASELINE, Handling.TURNED)
    assert (there.rows, there.columns) == ((48, 64) if turn is Turn.HALF else (64, 48))
    assert (there.is_rgb_jpeg, there.grey) == (image.is_rgb_jpeg, image.grey)
    wanted = np.rot90(decode(image), quarters(turn))
    assert np.abs(decode(there).astype(int) - wanted.astype(int)).mean() < 2  # chroma is smoothed
    assert entropy_coded(by(there, BACK[turn]).data) == entropy_coded(by(image, Turn.NONE).data)


@pytest.mark.parametrize("turn", TURNS)
def test_where_blocks_do_not_fit_the_pixels_are_turned_and_their_history_told(turn: Turn) -> None:
    image = prepare_jpeg(jpeg(45, 61))
    there = by(image, turn)
    assert (there.coding, there.handling) == (PixelCoding.RGB, Handling.DECODED)
    np.testing.assert_array_equal(decode(there), np.rot90(decode(image), quarters(turn)))
    assert there.came_from_lossy
    assert there.lossy_method == "ISO_10918_1"
    assert there.lossy_ratio == pytest.approx(45 * 61 * 3 / len(image.data))


@pytest.mark.parametrize(
    ("turn", "handling"),
    [
        (Turn.LEFT, Handling.TURNED),
        (Turn.RIGHT, Handling.DECODED),
        (Turn.HALF, Handling.DECODED),
    ],
)
def test_a_height_that_blocks_do_not_divide_keeps_its_coefficients_at_the_bottom_edge_alone(
    turn: Turn, handling: Handling
) -> None:
    """As 4000 x 3000 with halved colours: 16 divides the width alone."""
    there = by(prepare_jpeg(jpeg(300, 400)), turn)
    assert there.handling is handling
    assert by(prepare_jpeg(jpeg(304, 400)), turn).handling is Handling.TURNED


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("handling", [Handling.AS_IT_IS, Handling.DECODED])
def test_other_pixels_are_turned_as_they_are(turn: Turn, handling: Handling) -> None:
    image = replace(
        encode_rgb(pixels(45, 61), came_from_lossy=True),
        handling=handling,
        lossy_method="ISO_23008_2",
        icc_profile=b"profile",
    )
    there = by(image, turn)
    np.testing.assert_array_equal(decode(there), np.rot90(pixels(45, 61), quarters(turn)))
    told = Handling.TURNED if handling is Handling.AS_IT_IS else handling
    same = replace(image, rows=there.rows, columns=there.columns, data=there.data, handling=told)
    assert there == same


@pytest.mark.parametrize("size", [(48, 64), (45, 61)])
def test_colours_and_the_shape_of_a_pixel_come_along(size: tuple[int, int]) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = prepare_jpeg(with_segments(jpeg(*size), *icc_segments(profile)))
    assert image.icc_profile == profile
    image = replace(image, pixel_aspect=(12, 11))
    assert by(image, Turn.RIGHT).icc_profile == profile
    assert by(image, Turn.RIGHT).pixel_aspect == (11, 12)
    assert by(image, Turn.HALF).pixel_aspect == (12, 11)
    adobe = replace(prepare_jpeg(jpeg(*size)), color_space="ADOBERGB")
    assert by(adobe, Turn.LEFT).color_space == "ADOBERGB"  # said by what was cut long ago


def test_without_the_library_a_jpeg_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turbo, "_library", lambda: None)
    image = prepare_jpeg(jpeg(48, 64))
    there = by(image, Turn.RIGHT)
    assert there.handling is Handling.DECODED
    np.testing.assert_array_equal(decode(there), np.rot90(decode(image), -1))


def test_turns_add_up() -> None:
    assert Turn.RIGHT.then(Turn.RIGHT) is Turn.HALF
    assert Turn.RIGHT.then(Turn.LEFT) is Turn.NONE
    assert Turn.LEFT.then(Turn.HALF) is Turn.RIGHT
