"""Pictures from outside against the child that decodes them, and a decoder that dies over them."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture_app.clock import SystemClock
from capture_app.errors import ImageError, RuleError
from capture_app.exam.importing import picture_of_file
from capture_app.imaging import surgery
from capture_app.imaging.decoding import DECODE_FILE, PictureDecoder
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.sandbox.child import Child
from tests.faults.test_sandbox import HOSTILE

CLOCK = SystemClock()
GOLDEN = Path(__file__).parents[1] / "golden" / "photo.jpg"


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureDecoder]:
    with closing(PictureDecoder(CLOCK)) as decoder:
        yield decoder


def test_it_decodes_as_the_application_itself_would(decoder: PictureDecoder) -> None:
    jpeg = prepare_jpeg(GOLDEN.read_bytes()).data
    assert decoder.is_whole(jpeg)
    for orientation in range(1, 9):
        assert decoder.upright(jpeg, orientation) == surgery.upright(jpeg, orientation)
        np.testing.assert_array_equal(
            decoder.pixels(jpeg, orientation), surgery.pixels(jpeg, orientation)
        )


def test_a_picture_cut_short_is_refused_and_the_next_is_taken(
    decoder: PictureDecoder, tmp_path: Path
) -> None:
    whole = BytesIO()
    noise = np.random.default_rng(3).integers(0, 255, (300, 400, 3), np.uint8)
    Image.fromarray(noise).save(whole, "JPEG")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.getvalue()[:-3000])
    with pytest.raises(RuleError, match="damaged"):
        picture_of_file(cut, decoder, now=CLOCK.now())
    cut.write_bytes(whole.getvalue())
    assert picture_of_file(cut, decoder, now=CLOCK.now()).image.columns == 400


def test_garbage_is_damage(decoder: PictureDecoder) -> None:
    jpeg = prepare_jpeg(GOLDEN.read_bytes()).data
    for data in (b"", b"\xff\xd8\xff", jpeg[:40], b"\x00" * 100_000):
        assert not decoder.is_whole(data)
        assert decoder.upright(data, 6) is None
        with pytest.raises(ImageError, match="damaged"):
            decoder.pixels(data, 1)


@pytest.mark.expects_log("child-ended", "'reason': 'crashed'")
def test_a_picture_that_kills_its_decoder_is_refused_by_name(tmp_path: Path) -> None:
    decoder = PictureDecoder(CLOCK)
    decoder._child = Child(replace(DECODE_FILE, name="crash"), CLOCK, command=HOSTILE)
    with closing(decoder), pytest.raises(RuleError, match=r"photo\.jpg: It cannot be read"):
        picture_of_file(GOLDEN, decoder, now=CLOCK.now())


@pytest.mark.expects_log("child-ended", "'reason': 'memory'")
def test_a_picture_that_becomes_too_much_is_refused_by_name() -> None:
    decoder = PictureDecoder(CLOCK)
    task = replace(DECODE_FILE, name="hog", memory=100 << 20)
    decoder._child = Child(task, CLOCK, command=HOSTILE)
    with closing(decoder), pytest.raises(RuleError, match=r"photo\.jpg: .*more memory"):
        picture_of_file(GOLDEN, decoder, now=CLOCK.now())
