"""The workspace by real keys and clicks, over real services, a real disk and a camera that runs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock, SystemClock
from capture_app.devices.chosen import ChosenDevice
from capture_app.model.device import DeviceKind
from capture_app.model.operator import Operator
from capture_app.model.procedure import Side
from capture_app.outbox.keeping.drafts import Draft
from capture_app.settings.schema import Device
from capture_app.ui.widgets.choices import KEEP, ListPopover
from capture_app.ui.workspace.region_picker import LargeBodyMap, RegionPicker
from tests import sealing
from tests.rtsp_camera import run_rtsp_camera
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI, MINH = "0012345678", "0012354687"

SHIN = ("SCT", "25763004")


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    """Signed in, at the patient list, with a camera that runs."""
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


@pytest.fixture
def mai(hands: Hands) -> Hands:
    """Mai's wristband was scanned."""
    hands.scan(MAI)
    return hands


def drafts(hands: Hands) -> tuple[Draft, ...]:
    return hands.stage.outbox.drafts()


def act_of(draft: Draft) -> str:
    procedure = draft.description.procedure
    return procedure.entry_id if procedure is not None else ""


def on_disk(hands: Hands, count: int) -> tuple[Draft, ...]:
    hands.qtbot.waitUntil(lambda: len(drafts(hands)) == count)
    return drafts(hands)


def focused() -> QWidget | None:
    return QApplication.focusWidget()


# ---------------------------------------------------------------------------------- the shutter


@pytest.mark.parametrize(
    "key", [Qt.Key.Key_Space, Qt.Key.Key_F13, Qt.Key.Key_Tools, Qt.Key.Key_PageDown]
)
@pytest.mark.qt_log_ignore("keyToAscii Unhandled key code", extend=True)
def test_space_and_both_keys_of_a_pedal_take_a_picture(mai: Hands, key: Qt.Key) -> None:
    """The pedal's F13 arrives as "Tools" through the keyboard map that Linux has."""
    mai.shot(key)
    (draft,) = on_disk(mai, 1)
    assert mai.stage.outbox.exam_of(draft.capture_id).patient.patient_id.value == MAI
    mai.qtbot.waitUntil(lambda: mai.page.filmstrip.buttons[0].has_image)


def test_the_pedal_is_not_eaten_by_a_field_but_space_is_typed(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Slash)
    mai.type("leg ulcer")
    assert mai.page.procedures.filter.text() == "leg ulcer"
    assert not mai.state.thumbs
    mai.shot(Qt.Key.Key_PageDown)
    mai.shot(Qt.Key.Key_F13)
    assert mai.page.procedures.filter.text() == "leg ulcer"
    assert focused() is mai.page.procedures.filter


def test_space_takes_a_picture_whatever_button_has_the_focus(mai: Hands) -> None:
    page = mai.page
    buttons: list[QWidget] = [page.site.region, page.grid, page.choices.buttons[KEEP]]
    for number, button in enumerate(buttons, 1):
        button.setFocus()
        mai.shot(Qt.Key.Key_Space)
        assert len(mai.state.thumbs) == number
    assert mai.page.isVisible()
    assert not mai.page.findChildren(ListPopover)


def test_a_held_key_takes_one_picture(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_F13)
    QTest.keyPress(mai.handle, Qt.Key.Key_F13)
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 2)
    QTest.keyRelease(mai.handle, Qt.Key.Key_F13)
    assert len(on_disk(mai, 2)) == 2


def test_a_pulled_plug_turns_the_shutter_off_and_says_what_is_safe(
    ada: Operator, open_desk: Callable[[], Desk], stage: Stage, clock: FixedClock, qtbot: QtBot
) -> None:
    with run_rtsp_camera([sealing.jpeg(480, 640)]) as camera:
        network = Device("net", "Network camera", DeviceKind.STREAM, camera.url)
        devices = ChosenDevice((network,), SystemClock())  # as its child's, whose times are real
        stage.services = replace(stage.services, devices=devices)
        desk = open_desk()
        desk.sign_in()
        with at_work(desk.window, stage, qtbot, clock) as hands:
            hands.scan(MAI)
            hands.shot(Qt.Key.Key_Space)
            camera.program.kill()
            qtbot.waitUntil(lambda: not hands.page.shutter.shutter.isEnabled())
            marks = hands.page.view.marks
            assert marks.absent.startswith("Camera stopped at")
            assert marks.absent_help.endswith("1 picture is safe. Trying again.")
            assert hands.page.shutter.next.words == "No live image"
            assert not hands.page.view.has_picture
            hands.key(Qt.Key.Key_F13)
            assert len(hands.state.thumbs) == 1
            assert len(drafts(hands)) == 1
        assert devices.stop(within=5)


def test_a_full_disk_refuses_in_words_and_loses_nothing(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_Space)
    rules = mai.stage.outbox.rules
    full = replace(rules.capture, min_free_mb=1_000_000_000)
    mai.stage.outbox.rules = replace(rules, capture=full)
    mai.key(Qt.Key.Key_F13)
    mai.qtbot.waitUntil(lambda: mai.state.message is not None)
    assert mai.state.message is not None
    assert "too little room on the disk" in mai.state.message.what
    assert len(mai.state.thumbs) == len(drafts(mai)) == 1
    mai.stage.outbox.rules = rules
    mai.shot(Qt.Key.Key_F13)
    assert len(on_disk(mai, 2)) == 2


# -------------------------------------------------------------------------- saying what it shows


def test_a_digit_chooses_a_favourite_and_fills_in_what_follows(mai: Hands) -> None:
    mai.key(Qt.Key.Key_2)
    assert mai.state.chosen_row == "WND-LEG-ULCER"
    assert mai.page.choices.buttons[KEEP].value == "Record"


def test_the_filter_finds_as_one_types_and_gives_the_focus_back(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Slash)
    mai.type("biopsy")
    assert [row.row_id for row in mai.state.rows][:1] == ["DERM-BIOPSY-SITE"]
    mai.key(Qt.Key.Key_Return)
    assert mai.state.chosen_row == "DERM-BIOPSY-SITE"
    assert focused() is mai.page.view
    assert mai.page.procedures.filter.text() == ""
    assert mai.state.rows[-1].row_id == "DERM-BIOPSY-SITE"  # chosen, though no favourite


def test_escape_leaves_the_filter_before_it_leaves_the_patient(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Slash)
    mai.type("a")
    mai.key(Qt.Key.Key_Escape)
    mai.key(Qt.Key.Key_Escape)
    assert focused() is mai.page.view
    mai.key(Qt.Key.Key_Escape)
    assert mai.window.content is not None
    assert mai.window.content.exam is None


def test_an_act_that_the_camera_cannot_make_is_refused_in_words(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Slash)
    mai.type("ultrasound knee")
    assert mai.state.rows[0].note == "needs ultrasound"
    mai.page.viewmodel.describing.choose_procedure("RH-US-KNEE")
    assert mai.state.chosen_row == ""
    assert mai.state.message is not None
    assert "ultrasound source" in mai.state.message.what


def test_a_tap_on_the_map_gives_site_and_side(mai: Hands) -> None:
    mai.tap("front.shin.L")
    assert (mai.state.region_key, mai.state.side) == ("SCT:25763004", Side.LEFT)
    mai.tap("back.calf.R")
    assert mai.state.side is Side.RIGHT
    assert focused() is mai.page.view


def test_the_map_is_never_mirrored(mai: Hands) -> None:
    right, left = (mai.page.site.map.point_of(f"front.shin.{side}") for side in "RL")
    assert right is not None
    assert left is not None
    assert right.x() < left.x()
    QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    assert mai.page.site.map.point_of("front.shin.R") == right
    sides = mai.page.site.sides.buttons
    assert sides[Side.RIGHT].x() < sides[Side.LEFT].x()


def test_alt_and_a_letter_choose_the_side_and_another_site_clears_it(mai: Hands) -> None:
    describing = mai.page.viewmodel.describing
    describing.choose_region(*SHIN)
    assert mai.state.side is None
    mai.key(Qt.Key.Key_M, ALT)
    assert mai.state.side is None  # a limb has no midline
    mai.key(Qt.Key.Key_R, ALT)
    assert mai.state.side is Side.RIGHT
    describing.choose_region("SCT", "70559009")
    assert mai.state.side is None
    describing.choose_region("SCT", "699893008")
    mai.key(Qt.Key.Key_M, ALT)
    assert mai.state.side is Side.MIDLINE


def test_the_list_is_the_keyboard_twin_of_the_map(mai: Hands) -> None:
    mai.page.site.region.setFocus()
    mai.key(Qt.Key.Key_Return)
    assert mai.page.findChildren(RegionPicker)
    mai.type("shin")
    mai.key(Qt.Key.Key_Down)
    mai.key(Qt.Key.Key_Up)
    mai.key(Qt.Key.Key_Return)
    assert mai.state.region_key == "SCT:25763004"
    mai.qtbot.waitUntil(lambda: not mai.page.findChildren(RegionPicker))
    assert focused() is mai.page.view


@pytest.mark.parametrize(
    ("typed", "site", "side"),
    [
        ("navel", "SCT:315003", None),
        ("armpit", "SCT:76261009", None),
        ("tooth 36", "SCT:866006002", Side.LEFT),
    ],
)
def test_a_site_is_found_by_what_people_call_it(
    mai: Hands, typed: str, site: str, side: Side | None
) -> None:
    mai.page.site.region.setFocus()
    mai.key(Qt.Key.Key_Return)
    mai.type(typed)
    mai.key(Qt.Key.Key_Return)
    assert (mai.state.region_key, mai.state.side) == (site, side)


def test_b_opens_the_map_large_with_closer_views(mai: Hands) -> None:
    mai.key(Qt.Key.Key_B)
    (large,) = mai.page.findChildren(LargeBodyMap)
    mai.click_at(large.tabs, large.tabs.rect_of("Palms").center())
    thumb = next(
        region.region_id
        for region in mai.page.viewmodel.body_map.views["hand_palm_L"].regions
        if "humb" in region.label
    )
    at = large.map.point_of(thumb)
    assert at is not None
    mai.click_at(large.map, at.toPoint())
    assert mai.state.side is Side.LEFT
    assert "humb" in mai.state.region
    mai.key(Qt.Key.Key_B)
    mai.key(Qt.Key.Key_B)
    mai.qtbot.waitUntil(lambda: not mai.page.findChildren(LargeBodyMap))


def test_the_large_map_leaves_the_patient_in_sight(mai: Hands) -> None:
    mai.key(Qt.Key.Key_B)
    (large,) = mai.page.findChildren(LargeBodyMap)
    card = large.card.geometry().translated(large.mapTo(mai.page, QPoint(0, 0)))
    assert card.top() >= mai.page.banner.geometry().bottom()
    assert card.bottom() <= mai.page.height()


def test_a_site_that_the_act_is_not_about_is_refused_in_words(mai: Hands) -> None:
    mai.key(Qt.Key.Key_3)  # diabetic foot ulcer
    before = mai.state.region_key
    mai.tap("front.forearm.L")
    assert mai.state.region_key == before
    assert mai.state.hint.startswith("Not a site of")


def test_what_is_chosen_after_the_shot_fills_in_what_pictures_lack(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_Space)
    mai.shot(Qt.Key.Key_Space)
    assert [thumb.badge.words for thumb in mai.state.thumbs] == ["Needs 2", "Needs 2"]
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.R")
    assert [thumb.badge.words for thumb in mai.state.thumbs] == ["Draft", "Draft"]
    mai.qtbot.waitUntil(lambda: all(d.description.side is Side.RIGHT for d in drafts(mai)))


def test_another_side_is_for_the_next_pictures_and_says_who_stays(mai: Hands) -> None:
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.R")
    mai.shot(Qt.Key.Key_Space)
    mai.tap("front.shin.L")
    assert mai.state.message is not None
    assert mai.state.message.todo == "1 picture stays as it is."
    mai.shot(Qt.Key.Key_Space)
    assert [d.description.side for d in on_disk(mai, 2)] == [Side.RIGHT, Side.LEFT]
    mai.tap("front.shin.R")
    mai.page.toast.acted.emit()
    mai.qtbot.waitUntil(
        lambda: [d.description.side for d in drafts(mai)] == [Side.RIGHT, Side.RIGHT]
    )


def test_another_side_says_who_stays_before_an_act_is_chosen_too(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_Space)
    mai.tap("front.shin.L")  # the picture gets it, too
    mai.key(Qt.Key.Key_R, ALT)
    assert mai.state.message is not None
    assert mai.state.message.todo == "1 picture stays as it is."
    mai.page.toast.acted.emit()
    mai.qtbot.waitUntil(lambda: [d.description.side for d in drafts(mai)] == [Side.RIGHT])


def test_another_act_is_for_the_next_pictures_and_says_who_stays(mai: Hands) -> None:
    mai.key(Qt.Key.Key_1)
    mai.shot(Qt.Key.Key_Space)
    mai.key(Qt.Key.Key_2)
    message = mai.state.message
    assert message is not None
    assert message.what == "Next pictures: Leg ulcer (venous, arterial or mixed)."
    assert (message.todo, message.act) == ("1 picture stays as it is.", "Change it too")
    mai.page.toast.acted.emit()
    mai.qtbot.waitUntil(lambda: [act_of(d) for d in drafts(mai)] == ["WND-LEG-ULCER"])


def test_a_selected_picture_is_the_one_that_changes(mai: Hands) -> None:
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.R")
    for _ in range(3):
        mai.shot(Qt.Key.Key_Space)
    mai.click(mai.page.filmstrip.buttons[1])
    mai.key(Qt.Key.Key_L, ALT)
    mai.qtbot.waitUntil(
        lambda: [d.description.side for d in drafts(mai)] == [Side.RIGHT, Side.LEFT, Side.RIGHT]
    )
    mai.click(mai.page.filmstrip.buttons[2], CONTROL)
    assert sum(thumb.selected for thumb in mai.state.thumbs) == 2
    assert mai.state.side is None  # they differ
    mai.click(mai.page.filmstrip.buttons[0])
    mai.click(mai.page.filmstrip.buttons[2], Qt.KeyboardModifier.ShiftModifier)
    assert sum(thumb.selected for thumb in mai.state.thumbs) == 3


# -------------------------------------------------------------------------------- what is there


def test_everything_can_be_reached_named_and_touched(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_Space)
    mai.key(Qt.Key.Key_2)
    mai.page.viewmodel.describing.choose_region(*SHIN)
    seen: list[QWidget] = []
    mai.page.view.setFocus()
    for _ in range(60):
        QTest.keyClick(mai.handle, Qt.Key.Key_Tab)
        widget = focused()
        assert widget is not None
        if widget in seen:
            break
        seen.append(widget)
    expected = [
        mai.page.shutter.shutter,
        mai.page.procedures.filter,
        mai.page.procedures.list,
        mai.page.site.region,
        mai.page.site.sides.buttons[Side.LEFT],
        mai.page.choices.buttons[KEEP],
        mai.page.filmstrip.buttons[0],
        mai.page.send_bar.delete,
        mai.page.send_bar.send,
        mai.page.grid,
        mai.page.camera,
    ]
    assert [w for w in seen if w in expected] == expected  # in the order of the work
    for widget in (w for w in seen if mai.page.isAncestorOf(w)):
        assert widget.accessibleName() or getattr(widget, "text", str)(), widget
        assert min(widget.width(), widget.height()) >= 44, widget


def test_another_camera_is_chosen_from_a_list(mai: Hands) -> None:
    mai.click(mai.page.camera)
    (popover,) = mai.page.findChildren(ListPopover)
    assert [row.words for row in popover.list.rows] == ["Synthetic skin"]
    mai.key(Qt.Key.Key_Escape)
    mai.qtbot.waitUntil(lambda: not mai.page.findChildren(ListPopover))
    assert mai.page.isVisible()
