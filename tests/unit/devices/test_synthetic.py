from itertools import islice

import cv2
import numpy as np
import pytest

from capture_app.clock import FixedClock
from capture_app.devices.synthetic import SyntheticSource, size_and_quality
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.frame import Frame
from capture_app.model.procedure import ImageKind

INFO = DeviceInfo("skin", "Drawn camera", DeviceKind.SYNTHETIC)


def first(count: int, clock: FixedClock, *, quality: int | None = None) -> list[Frame]:
    source = SyntheticSource(
        INFO, clock, size=(640, 360), jpeg_quality=quality, frames_per_second=1000
    )
    return list(islice(source.frames(), count))


def test_the_same_numbers_give_the_same_pictures(clock: FixedClock) -> None:
    once, again = first(3, clock), first(3, clock)
    assert [f.sequence for f in once] == [1, 2, 3]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(once, again, strict=True))


def test_it_moves(clock: FixedClock) -> None:
    one, two = first(2, clock)
    assert not np.array_equal(one.pixels, two.pixels)


def test_a_frame_cannot_be_written_to(clock: FixedClock) -> None:
    (frame,) = first(1, clock)
    assert frame.pixels.shape == (360, 640, 3)
    assert frame.jpeg is None
    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[0, 0, 0] = 1


def test_with_a_quality_it_delivers_its_own_jpeg_of_what_is_shown(clock: FixedClock) -> None:
    (frame,) = first(1, clock, quality=95)
    assert frame.jpeg is not None
    decoded = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    difference = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB).astype(int) - frame.pixels
    assert np.abs(difference).mean() < 4


def test_the_wound_is_red_and_the_card_carries_a_marker(clock: FixedClock) -> None:
    source = SyntheticSource(INFO, clock)
    frame = next(source.frames())
    red, green, blue = frame.pixels[300:400, 480:720].reshape(-1, 3).mean(axis=0)
    assert red > green + 60
    assert red > blue + 60
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    _, found, _ = detector.detectMarkers(np.asarray(frame.pixels))
    assert [int(number) for number in found.ravel()] == [7]


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("", ((1280, 720), None)),
        ("4000x3000", ((4000, 3000), None)),
        ("jpeg=90", ((1280, 720), 90)),
        ("4000x3000, jpeg=85", ((4000, 3000), 85)),
    ],
)
def test_the_address_names_size_and_quality(
    address: str, meant: tuple[tuple[int, int], int | None]
) -> None:
    assert size_and_quality(address) == meant


@pytest.mark.parametrize("address", ["big", "jpeg=0", "jpeg=101", "1x1", "99999x10", "640x"])
def test_another_address_is_refused_in_words(address: str) -> None:
    with pytest.raises(DeviceError, match="drawn camera"):
        size_and_quality(address)


def test_an_ultrasound_profile_shows_a_fan_and_not_skin(clock: FixedClock) -> None:
    info = DeviceInfo("us", "US", DeviceKind.SYNTHETIC, image_kind=ImageKind.ULTRASOUND)
    source = SyntheticSource(info, clock, size=(320, 240))
    pixels = next(source.frames()).pixels
    source.close()
    assert pixels.shape == (240, 320, 3)
    assert pixels[180, 4].max() < 20, "black outside the fan"
    assert pixels[80, 60:260].mean() > 60, "tissue inside it"


@pytest.mark.parametrize("kind", [ImageKind.PHOTO, ImageKind.ULTRASOUND])
@pytest.mark.parametrize("address", ["64x64", "160x120", "64x720", "1280x64"])
def test_the_smallest_sizes_that_an_address_allows_give_pictures(
    address: str, kind: ImageKind, clock: FixedClock
) -> None:
    size, _ = size_and_quality(address)
    info = DeviceInfo("skin", "Drawn camera", DeviceKind.SYNTHETIC, image_kind=kind)
    frame = next(SyntheticSource(info, clock, size=size).frames())
    assert frame.pixels.shape == (size[1], size[0], 3)
