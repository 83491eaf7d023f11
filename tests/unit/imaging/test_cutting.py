"""A console's names are cut away, and not one pixel of what is kept is changed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageCms

from capture_app.clock import SystemClock
from capture_app.imaging import surgery, turbo
from capture_app.imaging.cutting import as_kept, banner_in, cut
from capture_app.imaging.decoding import PictureDecoder
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import decode, encode_rgb
from capture_app.imaging.turning import turned
from capture_app.model.console import Area, ConsoleLayout
from capture_app.model.encoded_image import EncodedImage, Handling, PixelCoding
from capture_app.model.procedure import Turn
from tests.jpeg_parts import icc_segments, with_segments
from tests.sealing import jpeg, pixels

KEPT = Area(32, 16, 80, 64)
CONSOLE = ConsoleLayout(128, 96, KEPT, Area(0, 0, 128, 12))


def black_but_for(image: EncodedImage, whole: np.ndarray) -> None:
    """What is kept is that part of the whole."""
    assert image.cut_to is not None
    area = image.cut_to
    wanted = whole[area.top : area.bottom, area.left : area.right].astype(int)
    assert np.abs(decode(image).astype(int) - wanted).max() <= 60  # chroma at the cut edge
    assert np.abs(decode(image).astype(int) - wanted).mean() < 1


def test_raw_pixels_are_a_part_of_those_that_came() -> None:
    whole = pixels(96, 128)
    image = cut(encode_rgb(whole, came_from_lossy=False), CONSOLE, surgery)
    assert (image.coding, image.rows, image.columns) == (PixelCoding.RGB, 64, 80)
    np.testing.assert_array_equal(decode(image), whole[16:80, 32:112])
    assert (image.cut_to, image.handling, image.came_from_lossy) == (KEPT, Handling.AS_IT_IS, False)


@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 0}, {"subsampling": 1}, {"grey": True}, {"keep_rgb": True}]
)
def test_a_jpeg_is_cut_by_its_blocks(options: dict[str, bool]) -> None:
    came = prepare_jpeg(jpeg(96, 128, **options))
    image = cut(came, CONSOLE, surgery)
    assert (image.coding, image.handling) == (PixelCoding.JPEG_BASELINE, Handling.AS_IT_IS)
    assert (image.rows, image.columns, image.cut_to) == (64, 80, KEPT)
    assert (image.grey, image.is_rgb_jpeg) == (came.grey, came.is_rgb_jpeg)
    black_but_for(image, decode(came))


@pytest.mark.parametrize(
    ("options", "begins"),
    [({}, (48, 32)), ({"subsampling": 1}, (48, 24)), ({"subsampling": 0}, (40, 24))],
)
def test_what_is_between_two_blocks_is_cut_inwards(
    options: dict[str, bool], begins: tuple[int, int]
) -> None:
    """Nothing of a name stays: rather a few pixels less."""
    console = replace(CONSOLE, kept=Area(35, 18, 70, 60))
    came = prepare_jpeg(jpeg(96, 128, **options))
    image = cut(came, console, surgery)
    assert image.cut_to == Area(*begins, 105 - begins[0], 78 - begins[1])
    assert (image.columns, image.rows) == (105 - begins[0], 78 - begins[1])
    black_but_for(image, decode(came))


def test_an_area_within_one_block_is_kept_as_pixels() -> None:
    came = prepare_jpeg(jpeg(96, 128))
    image = cut(came, replace(CONSOLE, kept=Area(17, 17, 10, 12)), surgery)
    assert (image.coding, image.handling) == (PixelCoding.RGB, Handling.DECODED)
    assert (image.rows, image.columns) == (12, 10)
    assert image.came_from_lossy
    assert image.lossy_method == "ISO_10918_1"
    assert image.lossy_ratio == pytest.approx(96 * 128 * 3 / len(came.data))


def test_without_the_library_the_pixels_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    came = prepare_jpeg(jpeg(96, 128))
    monkeypatch.setattr(turbo, "is_had", lambda: False)
    image = cut(came, CONSOLE, surgery)
    assert (image.coding, image.handling, image.cut_to) == (
        PixelCoding.RGB,
        Handling.DECODED,
        KEPT,
    )
    np.testing.assert_array_equal(decode(image), decode(came)[16:80, 32:112])


def test_colours_and_shape_stay() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    read = prepare_jpeg(with_segments(jpeg(96, 128), *icc_segments(profile)))
    came = replace(read, pixel_aspect=(16, 15))
    image = cut(came, CONSOLE, surgery)
    assert image.icc_profile == profile
    assert image.color_space == came.color_space
    assert image.pixel_aspect == (16, 15)


@pytest.mark.parametrize("console", [None, replace(CONSOLE, kept=None), replace(CONSOLE, rows=97)])
def test_what_is_laid_out_otherwise_is_kept_whole(console: ConsoleLayout | None) -> None:
    came = prepare_jpeg(jpeg(96, 128))
    assert cut(came, console, surgery) is came
    whole = pixels(96, 128)
    assert as_kept(whole, console) is whole


def test_a_turn_does_not_forget_the_cut() -> None:
    image = cut(prepare_jpeg(jpeg(96, 128)), CONSOLE, surgery)
    assert turned(image, Turn.RIGHT, surgery).cut_to == KEPT


def test_what_is_shown_is_what_is_kept_and_the_banner_beside_it() -> None:
    whole = pixels(96, 128)
    np.testing.assert_array_equal(as_kept(whole, CONSOLE), whole[16:80, 32:112])
    banner = banner_in(whole, CONSOLE)
    assert banner is not None
    np.testing.assert_array_equal(banner, whole[:12])
    assert banner_in(pixels(97, 128), CONSOLE) is None


@pytest.fixture
def decoder() -> Iterator[PictureDecoder]:
    made = PictureDecoder(SystemClock())
    yield made
    made.close()


def test_the_child_cuts_as_we_do(decoder: PictureDecoder) -> None:
    came = prepare_jpeg(jpeg(96, 128))
    assert cut(came, CONSOLE, decoder) == cut(came, CONSOLE, surgery)
    assert decoder.cut(came.data, Area(1, 1, 10, 10)) is None  # begins no block
