"""A scanner is frozen at its console: the picture is offered by itself, and never an old one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock, SystemClock
from capture_app.devices.chosen import ChosenDevice
from capture_app.model.device import DeviceKind
from capture_app.model.operator import Operator
from capture_app.model.procedure import ImageKind
from capture_app.settings.schema import Device
from capture_app.ui.workspace.live_words import frozen_message
from tests import sealing
from tests.http_cameras import HttpCamera, run_http_camera
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = "0012345678"


@cache
def moving() -> Sequence[bytes]:
    """Pictures that no two glances find alike."""
    return sealing.frames(7)


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def ward(
    ada: Operator, open_desk: Callable[[], Desk], stage: Stage, clock: FixedClock, qtbot: QtBot
) -> Iterator[tuple[Hands, HttpCamera]]:
    """At the list of patients, with a console that can be frozen: `pictures` is what it shows."""
    with run_http_camera(moving()) as camera:
        device = Device(
            "us",
            "Ultrasound",
            DeviceKind.STREAM,
            f"{camera.root}/live",
            image_kind=ImageKind.ULTRASOUND,
        )
        devices = ChosenDevice((device,), SystemClock())  # as its child's, whose times are real
        stage.services = replace(stage.services, devices=devices)
        desk = open_desk()
        desk.sign_in()
        with at_work(desk.window, stage, qtbot, clock) as hands:
            yield hands, camera
        assert devices.stop(within=5)


def chips(hands: Hands) -> list[str]:
    return [chip.words for chip in hands.page.view.marks.trailing]


def freeze(hands: Hands, camera: HttpCamera) -> None:
    camera.pictures = [sealing.jpeg()]
    hands.qtbot.waitUntil(lambda: hands.state.message == frozen_message(), timeout=15_000)


def test_the_frozen_picture_is_offered_once_and_the_offer_ends_with_the_freeze(
    ward: tuple[Hands, HttpCamera],
) -> None:
    hands, camera = ward
    hands.scan(MAI)
    live = hands.page.viewmodel.live
    hands.qtbot.waitUntil(
        lambda: live._glance is not None and live._glance.has_moved, timeout=15_000
    )
    assert chips(hands) == []

    freeze(hands, camera)
    assert chips(hands) == ["Frozen"]
    hands.shot(Qt.Key.Key_Space)
    assert len(hands.state.thumbs) == 1
    assert hands.state.message is None  # kept: not offered again

    camera.pictures = moving()
    hands.qtbot.waitUntil(lambda: chips(hands) == [], timeout=15_000)
    freeze(hands, camera)
    hands.click(hands.page.toast._act)
    hands.qtbot.waitUntil(lambda: len(hands.stage.outbox.drafts()) == 2)

    camera.pictures = moving()
    hands.qtbot.waitUntil(lambda: chips(hands) == [], timeout=15_000)
    freeze(hands, camera)
    camera.pictures = moving()
    hands.qtbot.waitUntil(lambda: hands.state.message is None, timeout=15_000)
    assert len(hands.state.thumbs) == 2


def test_what_was_frozen_before_the_exam_is_not_offered(ward: tuple[Hands, HttpCamera]) -> None:
    """It may show the patient before."""
    hands, camera = ward
    camera.pictures = [sealing.jpeg()]
    devices = hands.stage.services.devices
    hands.qtbot.waitUntil(
        lambda: (frame := devices.latest()) is not None and frame.jpeg == sealing.jpeg(),
        timeout=15_000,
    )
    hands.scan(MAI)
    hands.qtbot.waitUntil(lambda: "Frozen before this exam" in chips(hands), timeout=15_000)
    assert hands.state.message is None
    assert hands.page.shutter.shutter.isEnabled()  # a chip, never a block
