"""Whether frames that go on coming are one and the same picture."""

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from capture_app.clock import FixedClock
from capture_app.devices.source import FrameStamp
from capture_app.imaging.stillness import Glance, glance
from tests.sealing import TAKEN_AT

RNG = np.random.default_rng(5)
SPECKLE = RNG.integers(0, 200, (480, 640, 3), np.uint8)


class Watched:
    """A device that is looked at with each of its frames."""

    def __init__(self) -> None:
        self.stamp = FrameStamp("us", FixedClock(TAKEN_AT))
        self.seen: Glance | None = None

    def shows_all(self, pictures: Iterable[NDArray[np.uint8]]) -> Glance:
        return [self.shows(picture) for picture in pictures][-1]

    def shows(self, pixels: NDArray[np.uint8]) -> Glance:
        self.seen = glance(self.stamp.frame(pixels.copy()), self.seen)
        return self.seen


def test_six_frames_that_are_the_same_are_still() -> None:
    watched = Watched()
    still = [watched.shows(SPECKLE).is_still for _ in range(7)]
    assert still == [False, False, False, False, False, True, True]
    assert not watched.shows(SPECKLE).has_moved
    moved = watched.shows(np.roll(SPECKLE, 3, axis=1))
    assert not moved.is_still
    assert moved.has_moved


def test_a_frame_that_was_seen_before_tells_nothing() -> None:
    """A device that stopped sending is silent, not frozen: that is told elsewhere."""
    frame = FrameStamp("us", FixedClock(TAKEN_AT)).frame(SPECKLE.copy())
    seen = glance(frame, None)
    for _ in range(20):
        seen = glance(frame, seen)
    assert seen.alike == 0


def test_the_clock_of_the_console_goes_on_over_a_frozen_picture() -> None:
    def at(second: int) -> NDArray[np.uint8]:
        shown = SPECKLE.copy()
        shown[4:24, 560:640] = second * 30  # 0.5 % of the picture
        return shown

    assert Watched().shows_all(map(at, range(6))).is_still


@pytest.mark.parametrize("sigma", [1.0, 2.0, 6.0])
def test_what_has_noise_lives(sigma: float) -> None:
    noises = [RNG.normal(0, sigma, SPECKLE.shape) for _ in range(12)]
    seen = Watched().shows_all((SPECKLE + one).clip(0, 255).astype(np.uint8) for one in noises)
    assert not seen.is_still
    assert seen.has_moved


def test_what_drifts_slowly_is_seen_to_move() -> None:
    watched = Watched()
    ramp = np.full((480, 640, 3), 100, np.uint8)
    seen = [watched.shows(ramp + np.uint8(step // 3)) for step in range(30)]
    assert any(not one.is_still and one.has_moved for one in seen[6:])


def test_another_size_and_another_device_begin_anew() -> None:
    watched = Watched()
    assert watched.shows_all([SPECKLE] * 8).is_still
    assert not watched.shows(SPECKLE[:240]).is_still
    before = watched.shows_all([SPECKLE] * 8)
    assert before.is_still
    other = glance(FrameStamp("other", FixedClock(TAKEN_AT)).frame(SPECKLE.copy()), before)
    assert not other.is_still
    assert not other.has_moved
