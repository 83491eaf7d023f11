"""A console's banner is read in a child, by a model that comes from the site."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from capture_app.clock import SystemClock
from capture_app.devices.console_text import ConsoleReader
from capture_app.errors import DeviceError
from tests.onnx_reader import banner, reader_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "colours.onnx"
    path.write_bytes(reader_model())
    return path


@pytest.fixture
def reader(model: Path) -> Iterator[ConsoleReader]:
    made = ConsoleReader(str(model), SystemClock())
    yield made
    made.close()


def test_lines_are_found_and_read_in_their_order(reader: ConsoleReader) -> None:
    assert reader.read(banner("HANSEN")) == ("HANSEN",)
    wide = np.zeros((60, 400, 3), np.uint8)
    wide[:, :184] = banner("HANSEN")
    wide[:, 300:388] = banner("ON")
    two = np.concatenate([wide, np.zeros((20, 400, 3), np.uint8), wide])
    assert reader.read(two) == ("HANSEN", "ON", "HANSEN", "ON")


def test_a_banner_without_words_says_nothing(reader: ConsoleReader) -> None:
    assert reader.read(np.zeros((60, 300, 3), np.uint8)) == ()
    assert reader.read(np.full((1, 1, 3), 255, np.uint8)) == ()


@pytest.mark.parametrize("content", [b"", b"no model", reader_model()[:400]])
def test_what_is_no_model_is_told_and_ends_nothing(model: Path, content: bytes) -> None:
    model.write_bytes(content)
    reader = ConsoleReader(str(model), SystemClock())
    with pytest.raises(DeviceError):
        reader.read(banner("HANSEN"))
    with pytest.raises(DeviceError):
        reader.read(banner("HANSEN"))
    reader.close()


def test_a_banner_beyond_measure_is_refused(reader: ConsoleReader) -> None:
    with pytest.raises(DeviceError, match="too large"):
        reader.read(np.zeros((1200, 1920, 3), np.uint8))
