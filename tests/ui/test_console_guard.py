"""The scanner's banner is read, and a chip says where it does not name the patient."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock, SystemClock
from capture_app.demo.people import ADMISSIONS
from capture_app.devices.chosen import ChosenDevice
from capture_app.model.device import DeviceKind
from capture_app.model.operator import Operator
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.procedure import ImageKind
from capture_app.settings.consoles import ConsoleSettings
from capture_app.settings.schema import Device
from capture_app.ui.workspace import guard
from tests.http_cameras import HttpCamera, run_http_camera
from tests.onnx_reader import banner, reader_model
from tests.ui.conftest import Desk
from tests.ui.ends import ends
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = "0012345678"


def shown(words: str) -> bytes:
    """What the console sends: its banner over a scan."""
    picture = np.full((240, 320, 3), 60, np.uint8)
    picture[:60] = 0
    said = banner(words)
    picture[:60, : said.shape[1]] = said
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def ward(
    ada: Operator,
    open_desk: Callable[[], Desk],
    stage: Stage,
    clock: FixedClock,
    qtbot: QtBot,
    tmp_path: Path,
) -> Iterator[tuple[Hands, HttpCamera]]:
    """Mai is Anna Hansen, who is written with letters that the model reads."""
    mai = next(one for one in ADMISSIONS if one.patient.patient_id.value == MAI)
    anna = replace(mai.patient, name=PersonName(NameGroup("Hansen", "Anna")))
    stage.admit(replace(mai, patient=anna), event="A08")
    model = tmp_path / "colours.onnx"
    model.write_bytes(reader_model())
    with run_http_camera([shown("HANSENANNA")]) as camera:
        device = Device(
            "us",
            "Ultrasound",
            DeviceKind.STREAM,
            f"{camera.root}/live",
            image_kind=ImageKind.ULTRASOUND,
            console=ConsoleSettings("320x240", "0,64,320x176", "0,0,320x60", str(model)),
        )
        devices = ChosenDevice((device,), SystemClock())  # as its child's, whose times are real
        stage.services = replace(stage.services, devices=devices)
        desk = open_desk()
        desk.sign_in()
        with at_work(desk.window, stage, qtbot, clock) as hands:
            yield hands, camera
        assert devices.stop(within=5)


def says(hands: Hands, words: str) -> None:
    hands.qtbot.waitUntil(
        lambda: words in [chip.words for chip in hands.page.view.marks.trailing], timeout=30_000
    )


def test_the_banner_of_this_patient_agrees_until_the_console_shows_another(
    ward: tuple[Hands, HttpCamera],
) -> None:
    hands, camera = ward
    hands.scan(MAI)
    says(hands, "Console: same patient")
    camera.pictures = [shown("OSESEHON")]
    says(hands, "Console: not this patient?")
    hands.shot(Qt.Key.Key_Space)  # a chip, never a block
    assert len(hands.state.thumbs) == 1


def test_a_console_that_still_shows_the_patient_before_says_so_before_the_first_still(
    ward: tuple[Hands, HttpCamera],
) -> None:
    hands, camera = ward
    camera.pictures = [shown("OSESEHON")]
    hands.scan(MAI)
    says(hands, "Console: not this patient?")
    assert not hands.state.thumbs


@ends("ConsoleGuard")
def test_a_banner_that_could_not_be_read_is_read_again_and_stops_no_shot(
    ward: tuple[Hands, HttpCamera],
    break_once: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hands, _camera = ward
    monkeypatch.setattr(guard, "_LOOKS_AFTER_ERROR", 2)
    break_once(ChosenDevice, "read_console")
    hands.scan(MAI)
    hands.shot(Qt.Key.Key_Space)
    assert len(hands.state.thumbs) == 1
    says(hands, "Console: same patient")
