"""A worklist gives the order in use to another patient: Send stops, and goes on without it."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.exam import Exam
from capture_app.ui.outbox.row_widget import OutboxRowWidget
from capture_app.ui.outbox.rows import OutboxRow, Section
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.words.marks import Message
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, Hands, at_work, clinic
from tests.ui.stage import Stage
from tests.ui.test_orders import PHOTO, exam, send

MAI, OLE = "0012345678", "0009812204"
pytestmark = pytest.mark.expects_log("order-doubted")


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        stage.give_order(PHOTO, MAI)
        hands.scan(MAI)
        hands.key(Qt.Key.Key_O, ALT)
        hands.qtbot.waitUntil(lambda: exam(hands).order == PHOTO)
        yield hands


def message(hands: Hands) -> Message:
    hands.qtbot.waitUntil(lambda: hands.page.toast.message.act == "Go on without the order")
    assert hands.page.toast.isVisible()
    return hands.page.toast.message


def take_and_describe(hands: Hands) -> None:
    hands.key(Qt.Key.Key_2)
    hands.tap("front.shin.L")
    hands.shot(Qt.Key.Key_F13)


def leave_order(hands: Hands) -> Exam:
    hands.click(hands.page.toast._act)
    hands.qtbot.waitUntil(lambda: exam(hands).order is None)
    return exam(hands)


@pytest.mark.parametrize("is_dropped", [False, True])
def test_send_stops_and_one_act_goes_on_without_the_order(
    hands: Hands, *, is_dropped: bool
) -> None:
    take_and_describe(hands)
    begun = exam(hands)
    hands.stage.give_order(PHOTO, OLE)
    said = message(hands)
    assert said.what == "A worklist gave the order to another patient: nothing is sent under it."
    assert said.stop
    note = hands.state.banner.note
    assert note is not None
    assert note.words == "The order became another patient's: Send is stopped"
    if is_dropped:
        hands.stage.give_order(None)
        hands.qtbot.waitUntil(lambda: not hands.page.viewmodel.whose._reading.is_asking)
    hands.send()
    assert not hands.stage.outbox.counts().waiting
    message(hands)
    left = leave_order(hands)
    hands.qtbot.waitUntil(
        lambda: (
            hands.page.toast.message.what == "1 picture is without the order now, coded as it was."
        )
    )
    hands.qtbot.waitUntil(lambda: hands.state.banner.note is None)
    assert left.is_without_order_of(begun)
    hands.shot(Qt.Key.Key_F13)
    found = send(hands)
    assert len(found) == 2
    for ds in found:
        assert ds.StudyInstanceUID == left.study_instance_uid != PHOTO.study_instance_uid
        assert (ds.PatientID, ds.AccessionNumber) == (MAI, "")
        assert "RequestAttributesSequence" not in ds


def test_what_was_sent_a_moment_ago_comes_with_it(hands: Hands) -> None:
    take_and_describe(hands)
    hands.send()
    hands.qtbot.waitUntil(lambda: hands.stage.outbox.counts().held == 1)
    hands.stage.give_order(PHOTO, MAI, OLE)
    assert "Ctrl+Z takes it back" in message(hands).todo
    leave_order(hands)
    hands.qtbot.waitUntil(lambda: [t.is_draft for t in hands.state.thumbs] == [True])
    (ds,) = send(hands)
    assert ds.StudyInstanceUID != PHOTO.study_instance_uid


def test_what_another_window_settled_is_no_stop_any_more(hands: Hands) -> None:
    take_and_describe(hands)
    hands.stage.give_order(PHOTO, OLE)
    message(hands)
    board = hands.page.viewmodel._board
    board.services.exams.leave_order(exam(hands), (), board.operator)
    hands.click(hands.page.toast._act)
    hands.qtbot.waitUntil(lambda: exam(hands).order is None)
    hands.qtbot.waitUntil(lambda: hands.state.banner.note is None)
    (ds,) = send(hands)
    assert ds.AccessionNumber == ""


@pytest.mark.expects_log("delivery-hindered")
def test_the_outbox_sends_what_was_stopped_without_the_order(hands: Hands, desk: Desk) -> None:
    take_and_describe(hands)
    hands.send()
    hands.qtbot.waitUntil(lambda: hands.stage.outbox.counts().held == 1)
    desk.content.go(Place.PATIENTS)
    hands.stage.give_order(PHOTO, OLE)
    hands.clock.advance(11)
    engine = hands.stage.engine()
    engine.start()
    try:
        desk.content.go(Place.OUTBOX)
        row = stopped(desk)
        assert row.state == (
            "A worklist gave the order of this picture to another patient before it was sent."
        )
        press(desk, "Send without the order")
        hands.qtbot.waitUntil(lambda: hands.stage.outbox.counts().held == 1)

        def is_delivered() -> bool:
            hands.clock.advance(11)
            return hands.stage.outbox.counts().confirmed_today == 1

        hands.qtbot.waitUntil(is_delivered)
    finally:
        engine.stop()
    (ds,) = [pydicom.dcmread(path) for path in hands.stage.archive.folder.iterdir()]
    assert ds.PatientID == MAI
    assert ds.StudyInstanceUID != PHOTO.study_instance_uid


def stopped(desk: Desk) -> OutboxRow:
    vm = desk.content.outbox_vm
    desk.qtbot.waitUntil(lambda: bool(vm.state.section(Section.NEEDS_YOU)))
    (row,) = vm.state.section(Section.NEEDS_YOU)
    return row


def press(desk: Desk, words: str) -> None:
    def buttons() -> list[Button]:
        rows = desk.window.findChildren(OutboxRowWidget)
        found = (button for row in rows for button in row.findChildren(Button))
        return [button for button in found if button.text() == words and button.isVisible()]

    desk.qtbot.waitUntil(lambda: bool(buttons()))
    buttons()[0].click()
