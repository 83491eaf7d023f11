"""Which of a camera's modes is used."""

import pytest

from capture_app.devices.modes import Wish, chosen_mode, wanted_mode
from capture_app.model.camera import CameraMode, OpenedMode

VGA = CameraMode("MJPG", 640, 480, 30.0)
HD = CameraMode("MJPG", 1920, 1080, 30.0)
HD_RAW = CameraMode("YUYV", 1920, 1080, 5.0)
STILL = CameraMode("MJPG", 4000, 3000, 4.0)
MODES = (VGA, HD, HD_RAW, STILL)


def test_the_largest_that_a_hand_can_aim_by_is_used() -> None:
    assert chosen_mode(MODES, Wish()) == HD


def test_a_site_that_wants_pixels_more_than_motion_gets_them() -> None:
    assert chosen_mode(MODES, Wish(least_rate=2.0)) == STILL


def test_a_site_that_wants_less_gets_less() -> None:
    assert chosen_mode(MODES, Wish(largest=(1280, 720))) == VGA


def test_a_camera_with_nothing_so_small_gives_its_smallest() -> None:
    assert chosen_mode((HD, STILL), Wish(largest=(320, 240))) == HD


def test_a_slow_camera_is_used_at_its_fastest() -> None:
    slow = (CameraMode("YUYV", 640, 480, 5.0), CameraMode("YUYV", 1920, 1080, 1.0))
    assert chosen_mode(slow, Wish()) == slow[0]


def test_a_rate_that_is_not_told_is_no_reason_for_a_small_picture() -> None:
    assert chosen_mode((VGA, CameraMode("YUYV", 1920, 1080)), Wish()) == CameraMode(
        "YUYV", 1920, 1080
    )


@pytest.mark.parametrize(
    ("codes", "best"),
    [
        (("YUYV", "MJPG", "RGB3"), "MJPG"),
        (("NV12", "YUYV"), "YUYV"),
        (("YUYV", "BGR3"), "BGR3"),
        (("H264", "GREY"), "GREY"),
    ],
)
def test_of_equal_sizes_the_coding_that_keeps_most_is_used(
    codes: tuple[str, ...], best: str
) -> None:
    modes = [CameraMode(code, 640, 480, 30.0) for code in codes]
    chosen = chosen_mode(modes, Wish())
    assert chosen is not None
    assert chosen.format == best


def test_a_camera_whose_coding_nobody_knows_gives_no_mode() -> None:
    assert chosen_mode((CameraMode("H264", 640, 480, 30.0),), Wish()) is None
    assert chosen_mode((), Wish()) is None


def test_pictures_that_nobody_would_see_are_not_asked_for() -> None:
    fast = CameraMode("MJPG", 640, 480, 240.0)
    assert wanted_mode(fast, Wish()).rate == 30.0
    assert wanted_mode(fast, Wish(least_rate=60.0)).rate == 60.0
    assert wanted_mode(STILL, Wish(least_rate=2.0)).rate == 4.0


def test_less_than_was_asked_for_is_seen() -> None:
    assert OpenedMode(HD, VGA).is_smaller
    assert not OpenedMode(HD, HD_RAW).is_smaller
    assert str(HD) == "1920x1080 MJPG at 30/s"
