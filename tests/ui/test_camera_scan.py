"""A wristband before the live camera, on the list of patients: by the same patterns as a scan."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock, SystemClock
from capture_app.devices.capture import Live
from capture_app.devices.chosen import ChosenDevice
from capture_app.model.device import DeviceKind
from capture_app.model.frame import Frame
from capture_app.model.operator import Operator
from capture_app.model.worklist import IdentifiedBy
from capture_app.settings.scanning import Alphabet, Scanner, ScanPattern
from capture_app.settings.schema import Device
from capture_app.ui.patients import camera_scan
from tests.ui.conftest import Desk
from tests.ui.stage import Stage, open_stage

MAI, HANSEN = "0012345678", "0009812204"


def picture_of(path: Path, *texts: str) -> str:
    """A file of a camera that sees these codes."""
    wall = np.full((720, 1280, 3), 190, np.uint8)
    for i, text in enumerate(texts):
        barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
        code = np.array(barcode.to_image(scale=3))
        wall[40 + i * 300 : 40 + i * 300 + code.shape[0], 60 : 60 + code.shape[1]] = code[..., None]
    Image.fromarray(wall).save(path)
    return str(path)


OpenWith = Callable[..., Desk]


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with open_stage(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def open_with(
    stage: Stage, ada: Operator, open_desk: Callable[[], Desk], tmp_path: Path
) -> Iterator[OpenWith]:
    """Signed in, at the list, before a camera that sees codes."""
    made: list[ChosenDevice] = []

    def open_it(*texts: str, camera: bool = True, patterns: tuple[ScanPattern, ...] = ()) -> Desk:
        address = picture_of(tmp_path / "wall.png", *texts)
        device = Device(id="wall", name="Wall", kind=DeviceKind.FILE, address=address)
        devices = ChosenDevice((device,), SystemClock())  # as its child's, whose times are real
        made.append(devices)
        settings = replace(
            stage.services.settings, scanner=Scanner(camera=camera), scan_patterns=patterns
        )
        stage.services = replace(stage.services, settings=settings, devices=devices)
        devices.start()
        desk = open_desk()
        desk.sign_in()
        desk.qtbot.waitUntil(lambda: devices.state.live is Live.LIVE, timeout=20_000)
        return desk

    yield open_it
    for devices in made:
        devices.stop()


def looks(desk: Desk, times: int) -> None:
    """So many pictures were looked at."""
    seen: list[None] = []
    desk.content.camera_scan.changed.connect(lambda: seen.append(None))
    desk.qtbot.waitUntil(lambda: len(seen) >= times, timeout=20_000)


def test_a_code_before_the_camera_opens_its_patient(open_with: OpenWith) -> None:
    desk = open_with(HANSEN)
    desk.qtbot.waitUntil(lambda: desk.content.exam is not None, timeout=20_000)
    exam = desk.content.exam
    assert exam is not None
    assert exam.patient.patient_id.value == HANSEN
    assert exam.identified_by is IdentifiedBy.SCAN


@pytest.mark.parametrize("texts", [(HANSEN, MAI), ("NOTANUMBER",), ()])
def test_two_wristbands_or_none_open_nobody(open_with: OpenWith, texts: tuple[str, ...]) -> None:
    band = ScanPattern("band", alphabet=Alphabet.DIGITS, shortest=10, longest=10)
    desk = open_with(*texts, patterns=(band,))
    looks(desk, 4)
    assert desk.content.exam is None
    assert desk.content.said.what == ""
    two = "More than one wristband is in sight"
    assert (desk.content.camera_scan.state.words == two) is (len(texts) == 2)


def test_another_code_beside_the_wristband_does_not_count(open_with: OpenWith) -> None:
    band = ScanPattern("band", alphabet=Alphabet.DIGITS, shortest=10, longest=10)
    desk = open_with("LOT-4711", HANSEN, patterns=(band,))
    desk.qtbot.waitUntil(lambda: desk.content.exam is not None, timeout=20_000)


def test_a_number_of_nobody_is_told_once(open_with: OpenWith) -> None:
    desk = open_with("9999999999")
    said: list[str] = []
    desk.content.patients_vm.told.connect(lambda message: said.append(message.what))
    looks(desk, 8)
    assert said == ["This code names nobody in the lists. Nobody was opened."]


def test_the_camera_reads_nothing_where_it_is_off_until_it_is_turned_on(
    open_with: OpenWith,
) -> None:
    desk = open_with(HANSEN, camera=False)
    card = desk.content.patients.scan_card
    assert card.turn.text() == "Read by camera"
    assert desk.content.camera_scan.state.preview is None
    card.turn.setFocus()
    desk.key(Qt.Key.Key_Space)
    assert card.turn.text() == "Stop reading"
    desk.qtbot.waitUntil(lambda: desk.content.exam is not None, timeout=20_000)


def test_during_an_exam_and_behind_the_lock_nothing_is_read(
    open_with: OpenWith, qtbot: QtBot
) -> None:
    desk = open_with(HANSEN)
    qtbot.waitUntil(lambda: desk.content.exam is not None, timeout=20_000)
    camera = desk.content.camera_scan
    assert camera.state.preview is None
    with qtbot.assertNotEmitted(camera.changed, wait=600):
        pass
    desk.content.go_to_patients()
    looks(desk, 3)
    desk.window.lock()
    assert camera.state.preview is None
    with qtbot.assertNotEmitted(camera.changed, wait=600):
        pass


def test_a_slow_machine_looks_once_at_a_time(
    open_with: OpenWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end, look = list[None](), threading.Event(), camera_scan._look

    def slowly(frame: Frame) -> object:
        begun.append(None)
        may_end.wait(20)
        return look(frame)

    monkeypatch.setattr(camera_scan, "_look", slowly)
    desk = open_with()
    try:
        desk.qtbot.waitUntil(lambda: len(begun) == 1, timeout=20_000)
        desk.qtbot.wait(600)  # two beats of its timer
        desk.content.camera_scan._timer.setInterval(60_000)
    finally:
        may_end.set()
    desk.qtbot.waitUntil(lambda: not desk.content.camera_scan._looking.is_asking)
    desk.qtbot.wait(200)
    assert len(begun) == 1
