"""A camera that delivers JPEG: its own bytes, whatever else it does."""

from pathlib import Path

import pytest

from capture_app.devices.attached import attached_cameras
from capture_app.devices.capture import Live
from tests import sealing
from tests.devices.rig import PATIENCE_S, Loopback, camera, live, seen, wait_for
from tests.waiting import eventually

WOUND = camera("virtual:Wound")


@pytest.mark.short
def test_a_cameras_jpeg_is_kept_byte_for_byte(loopback: Loopback, tmp_path: Path) -> None:
    pictures = [sealing.jpeg(480, 640, quality=quality) for quality in (70, 80, 90)]
    with loopback.fed(tmp_path, pictures):
        eventually(
            lambda: any(one.place == loopback.node for one in attached_cameras()),
            timeout=PATIENCE_S,
        )
        with live(WOUND) as service:
            assert service.state.mode is not None
            assert service.state.mode.got.is_jpeg
            assert service.state.mode.got.size == (640, 480)
            came: set[bytes] = set()

            def look() -> bool:
                came.add(seen(service).jpeg or b"")
                return came >= set(pictures)

            eventually(look, timeout=PATIENCE_S)
            # The driver may tell the length of the one before: then more follows, as it lay there.
            others = came - set(pictures)
            assert all(any(one.startswith(whole) for whole in pictures) for one in others)


def test_damaged_pictures_between_good_ones_are_passed_over(
    loopback: Loopback, tmp_path: Path
) -> None:
    good = sealing.jpeg(480, 640)
    bad = good[:20] + bytes(2000)
    with loopback.fed(tmp_path, [good, bad, good, good]), live(WOUND) as service:
        for _ in range(3):
            last = seen(service).sequence
            eventually(
                lambda last=last: (
                    (frame := service.latest()) is not None  # type: ignore[misc]
                    and frame.sequence > last
                ),
                timeout=PATIENCE_S,
            )
            assert seen(service).jpeg == good


def test_a_program_behind_the_camera_that_ends_is_told(loopback: Loopback, tmp_path: Path) -> None:
    good = sealing.jpeg(480, 640)
    with loopback.fed(tmp_path, [good]) as feeding, live(WOUND) as service:
        feeding.kill()
        wait_for(service, Live.LOST, "stopped sending")
        with loopback.fed(tmp_path, [good]):
            wait_for(service, Live.LIVE)
            assert seen(service).jpeg == good
