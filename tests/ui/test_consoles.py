"""A scanner behind a grabber, by real keys and clicks: what its console is set to."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.console import Area
from capture_app.model.device import DeviceKind
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.procedure import ImageKind
from capture_app.settings.consoles import ConsoleSettings, PresetSettings
from capture_app.settings.schema import Device
from capture_app.ui.widgets.choices import ListPopover
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage, with_devices

MAI = "0012345678"
LINEAR = PresetSettings(
    "Linear, 4 cm",
    modes=("2D",),
    depth_mm=40,
    scan_area="40,20,240x200",
    mm_per_pixel=0.2,
)
SCANNER = Device(
    "us",
    "Ultrasound",
    DeviceKind.SYNTHETIC,
    "320x240",
    image_kind=ImageKind.ULTRASOUND,
    console=ConsoleSettings("320x240"),
    presets=(LINEAR, PresetSettings("Curved")),
)
CUT = replace(
    SCANNER,
    id="cut",
    name="Raw grabber",
    console=ConsoleSettings("320x240", kept_area="32,32,288x208", banner_area="0,0,320x30"),
    presets=(),
)
JPEG = replace(CUT, id="jpeg", name="JPEG grabber", address="320x240,jpeg=90")
LARGER = replace(CUT, id="larger", name="Other size", address="640x480")
OTHER = Device("skin", "Skin", DeviceKind.SYNTHETIC, "320x240")
CURVED_ROW = "Ultrasound \N{MIDDLE DOT} Curved"
LINEAR_ROW = "Ultrasound \N{MIDDLE DOT} Linear, 4 cm"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        services = with_devices(opened.services, (SCANNER, OTHER, CUT, JPEG, LARGER), clock)
        yield replace(opened, services=services)
        services.devices.stop()


@pytest.fixture
def mai(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    """Mai's wristband was scanned."""
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        qtbot.waitUntil(lambda: hands.page.viewmodel.live.is_live)
        yield hands


def rows(hands: Hands) -> list[str]:
    """What the list of cameras offers."""
    hands.click(hands.page.camera)
    (popover,) = hands.page.findChildren(ListPopover)
    found = [row.words for row in popover.list.rows]
    hands.key(Qt.Key.Key_Escape)
    hands.qtbot.waitUntil(lambda: not hands.page.findChildren(ListPopover))
    return found


def pick(hands: Hands, words: str) -> None:
    """One row of the list of cameras."""
    hands.click(hands.page.camera)
    (popover,) = hands.page.findChildren(ListPopover)
    chosen = next(row.row_id for row in popover.list.rows if row.words == words)
    popover.picked.emit(chosen)
    hands.qtbot.waitUntil(lambda: not hands.page.findChildren(ListPopover))


def chips(hands: Hands) -> list[str]:
    return [chip.words for chip in hands.page.view.marks.trailing]


def presets_kept(hands: Hands, count: int) -> list[str]:
    """What each draft says of the console."""
    outbox = hands.stage.outbox
    hands.qtbot.waitUntil(lambda: len(outbox.drafts()) == count)
    presets = [outbox.device_of(draft.capture_id).preset for draft in outbox.drafts()]
    return [preset.name if preset is not None else "" for preset in presets]


def test_what_the_console_is_set_to_is_chosen_shown_and_kept(mai: Hands) -> None:
    assert rows(mai)[:4] == ["Ultrasound", LINEAR_ROW, CURVED_ROW, "Skin"]
    assert chips(mai) == []
    mai.pedal()
    pick(mai, LINEAR_ROW)
    assert chips(mai) == ["Linear, 4 cm"]
    mai.pedal()
    pick(mai, "Ultrasound")  # nobody knows any more
    assert chips(mai) == []
    mai.pedal()
    assert presets_kept(mai, 3) == ["", "Linear, 4 cm", ""]


def test_a_choice_is_not_carried_over_to_another_camera_or_back(mai: Hands) -> None:
    pick(mai, CURVED_ROW)
    assert chips(mai) == ["Curved"]
    pick(mai, "Skin")
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.live.is_live)
    assert rows(mai)[:2] == ["Ultrasound", "Skin"]
    pick(mai, "Ultrasound")
    live = mai.page.viewmodel.live
    mai.qtbot.waitUntil(lambda: live.is_live and live.device is not None)
    assert chips(mai) == []
    mai.pedal()
    assert presets_kept(mai, 1) == [""]


def test_a_choice_is_not_carried_over_a_lock(mai: Hands) -> None:
    pick(mai, LINEAR_ROW)
    mai.page.viewmodel.resume()
    assert chips(mai) == []


def test_a_scale_for_another_size_says_so(mai: Hands) -> None:
    live = mai.page.viewmodel.live
    pick(mai, LINEAR_ROW)
    live.size = (640, 480)
    live.changed.emit()
    assert chips(mai) == ["Linear, 4 cm", "No scale: it is for 320 x 240"]


def kept(hands: Hands, device: str) -> EncodedImage:
    """What is kept of the next picture of a camera."""
    pick(hands, device)
    live = hands.page.viewmodel.live
    hands.qtbot.waitUntil(lambda: live.is_live and live.size is not None)
    hands.pedal()
    outbox = hands.stage.outbox
    hands.qtbot.waitUntil(lambda: len(outbox.drafts()) == 1)
    return outbox.image_of(outbox.drafts()[0].capture_id)


@pytest.mark.parametrize("device", ["Raw grabber", "JPEG grabber"])
def test_names_are_cut_away_and_stand_above_the_picture(mai: Hands, device: str) -> None:
    image = kept(mai, device)
    assert image.cut_to == Area(32, 32, 288, 208)
    assert (image.columns, image.rows) == (288, 208)
    assert "Names cut away" in chips(mai)
    mai.qtbot.waitUntil(lambda: mai.page.view.banner is not None)
    view = mai.page.view
    assert view.banner is not None
    assert (view.banner.width(), view.banner.height()) == (320, 30)
    assert view.picture is not None
    assert (view.picture.width(), view.picture.height()) == (288, 208)


def test_of_another_size_all_is_kept_and_that_is_told(mai: Hands) -> None:
    image = kept(mai, "Other size")
    assert image.cut_to is None
    assert (image.columns, image.rows) == (640, 480)
    assert "Names not cut away: another size" in chips(mai)
    assert mai.page.view.banner is None


def test_the_banner_goes_with_its_camera(mai: Hands) -> None:
    kept(mai, "Raw grabber")
    mai.qtbot.waitUntil(lambda: mai.page.view.banner is not None)
    pick(mai, "Skin")
    mai.qtbot.waitUntil(lambda: mai.page.view.has_picture and mai.page.view.banner is None)
    assert chips(mai) == [chip for chip in chips(mai) if "Names" not in chip]
