"""Every end ends at the workspace: after an error that nobody foresaw the work goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.exam.session import ExamService
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Side
from capture_app.outbox.outbox import Outbox
from capture_app.patients.finding.scan import ScannedCode
from capture_app.ui.patients import camera_scan
from capture_app.ui.words.order_words import order_id
from capture_app.ui.workspace import live
from tests.ui.conftest import Desk
from tests.ui.ends import MAI, MINH, SAID, Break, ends
from tests.ui.hands import CONTROL, Hands, at_work, clinic
from tests.ui.pages import ORDERS
from tests.ui.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


@pytest.fixture
def mai(hands: Hands) -> Hands:
    hands.scan(MAI)
    return hands


def message(hands: Hands) -> str:
    said = hands.state.message
    return "" if said is None else f"{said.what} {said.todo}"


@ends("Shutter")
@pytest.mark.parametrize("error", [RuntimeError("x"), MemoryError()])
def test_after_a_picture_that_was_not_kept_another_patient_can_be_opened(
    mai: Hands, desk: Desk, qtbot: QtBot, break_once: Break, error: BaseException
) -> None:
    break_once(ExamService, "take", error)
    mai.key(Qt.Key.Key_F13)
    qtbot.waitUntil(lambda: SAID in message(mai))
    assert "take it again" in message(mai)
    assert not mai.state.thumbs
    mai.pedal()
    assert len(mai.stage.outbox.drafts()) == 1
    desk.content.patients_vm.scanned(ScannedCode(MINH))
    qtbot.waitUntil(lambda: desk.content.exam.patient.patient_id.value == MINH)  # type: ignore[union-attr]
    mai.until_live()
    mai.pedal()
    kept = [mai.stage.outbox.exam_of(d.capture_id) for d in mai.stage.outbox.drafts()]
    assert sorted(exam.patient.patient_id.value for exam in kept) == [MAI, MINH]


@ends("Shutter")
def test_a_picture_that_was_kept_before_the_error_is_in_the_strip(
    mai: Hands, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where keeping came further than its end says, the disk has the truth."""
    real = ExamService.take

    def kept_but_not_told(*args: Any, **options: Any) -> str:
        real(*args, **options)
        monkeypatch.setattr(ExamService, "take", real)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(ExamService, "take", kept_but_not_told)
    mai.key(Qt.Key.Key_F13)
    qtbot.waitUntil(lambda: len(mai.state.thumbs) == 1)
    assert len(mai.stage.outbox.drafts()) == 1


@ends("Shutter")
def test_a_thumbnail_that_cannot_be_made_takes_nothing_else_with_it(
    mai: Hands, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(_picture: object) -> object:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(mai.page.viewmodel.shutter, "_small", bug)
    mai.pedal()
    qtbot.waitUntil(lambda: SAID in message(mai))
    assert len(mai.stage.outbox.drafts()) == 1


@ends("Shutter")
def test_a_lock_is_not_held_up_by_a_picture_that_fails(
    mai: Hands, desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    break_once(ExamService, "take")
    mai.key(Qt.Key.Key_F13)
    desk.window.lock()
    assert desk.window.is_locked
    qtbot.waitUntil(lambda: not mai.page_is_there)


def complete(mai: Hands) -> None:
    """One draft that may be sent."""
    mai.pedal()
    vm = mai.page.viewmodel
    vm.describing.press_digit(2)
    vm.describing.choose_region("SCT", "25763004")
    vm.describing.choose_side(Side.LEFT)
    mai.qtbot.waitUntil(lambda: vm.state.sendable == 1)


@ends("SendingActs")
def test_after_a_send_that_failed_the_next_one_sends(
    mai: Hands, qtbot: QtBot, break_once: Break
) -> None:
    complete(mai)
    break_once(ExamService, "send")
    mai.key(Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: SAID in message(mai))
    assert "Look at the pictures" in message(mai)
    qtbot.waitUntil(lambda: not mai.page.viewmodel._board.known.sending)
    mai.send()
    qtbot.waitUntil(lambda: mai.state.sendable == 0)


@ends("SendingActs")
def test_pictures_that_went_before_the_error_are_not_shown_as_drafts(
    mai: Hands, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(mai)
    real = ExamService.send

    def sent_but_not_told(*args: Any, **options: Any) -> object:
        real(*args, **options)
        monkeypatch.setattr(ExamService, "send", real)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(ExamService, "send", sent_but_not_told)
    mai.key(Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: "Look at the pictures" in message(mai))
    qtbot.waitUntil(lambda: mai.state.sendable == 0)


@ends("SendingActs", "HeldSends")
def test_an_undo_that_failed_leaves_the_pictures_as_they_are(
    mai: Hands, qtbot: QtBot, break_once: Break
) -> None:
    complete(mai)
    mai.send()
    qtbot.waitUntil(lambda: bool(message(mai)))
    break_once(ExamService, "undo")
    mai.page.viewmodel.undo()
    qtbot.waitUntil(lambda: SAID in message(mai))
    assert mai.stage.outbox.statuses()[0].state is ImageState.HELD


@ends("Board", "Describing")
def test_words_that_were_not_written_are_read_again(
    mai: Hands, qtbot: QtBot, break_once: Break
) -> None:
    mai.pedal()
    break_once(ExamService, "describe")
    mai.page.viewmodel.describing.press_digit(2)
    qtbot.waitUntil(lambda: SAID in message(mai))
    (draft,) = mai.stage.outbox.drafts()
    board = mai.page.viewmodel._board
    qtbot.waitUntil(lambda: board.known.shots[0].description == draft.description)


@ends("Ordering")
def test_presses_during_an_order_that_failed_are_taken(
    mai: Hands, qtbot: QtBot, break_once: Break
) -> None:
    mai.stage.order(MAI, ORDERS[0])
    ordering = mai.page.viewmodel.ordering
    qtbot.waitUntil(lambda: bool(ordering._board.known.offers))
    break_once(ExamService, "choose_order")
    ordering.choose(order_id(ORDERS[0]))
    mai.page.viewmodel.shutter.shoot()
    qtbot.waitUntil(lambda: len(mai.stage.outbox.drafts()) == 1)
    assert not ordering._board.known.ordering
    left: list[bool] = []
    mai.page.viewmodel.when_kept(lambda: left.append(True))
    qtbot.waitUntil(lambda: bool(left))


@ends("Placing")
def test_after_a_place_that_was_not_picked_another_can_be(
    mai: Hands, qtbot: QtBot, break_once: Break
) -> None:
    placing = mai.page.viewmodel.placing
    ward = placing.wards()[1].row_id
    break_once(ExamService, "pick_place")
    placing.choose(ward)
    qtbot.waitUntil(lambda: SAID in message(mai))
    assert placing.chosen == "visit"
    mai.page.viewmodel.shutter.shoot()
    qtbot.waitUntil(lambda: len(mai.stage.outbox.drafts()) == 1)
    placing.choose(ward)
    qtbot.waitUntil(lambda: placing.chosen == ward)


@ends("WorkspaceViewModel")
def test_states_that_could_not_be_read_are_read_at_the_next_change(
    mai: Hands, desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    complete(mai)
    desk.window.status.close()  # it reads them, too
    break_once(Outbox, "statuses")
    mai.send()
    qtbot.waitUntil(lambda: SAID in desk.window.said.what)
    mai.key(Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: mai.state.sendable == 1)


@ends("LiveViewModel")
def test_the_picture_goes_on_without_chips(
    mai: Hands, qtbot: QtBot, break_once: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = mai.page.viewmodel.live
    qtbot.waitUntil(lambda: vm.quality is not None)
    break_once(live, "assess")
    qtbot.waitUntil(lambda: vm.quality is None)
    assert vm.is_live
    vm._look()  # what the timer does in a while
    qtbot.waitUntil(lambda: vm.quality is not None)


@ends("CameraScan")
def test_a_camera_that_cannot_be_read_is_turned_off_and_can_be_tried_again(
    hands: Hands, desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    scan = desk.content.camera_scan
    break_once(camera_scan, "_look")
    scan.turn(on=True)
    qtbot.waitUntil(lambda: SAID in scan.state.words)
    assert not scan.state.is_on
    scan.turn(on=True)
    qtbot.waitUntil(lambda: scan.state.preview is not None)


def test_an_act_that_waited_for_a_picture_and_fails_keeps_no_other_waiting(
    mai: Hands,
) -> None:
    """What waits behind it may be the end of the exam at a lock."""
    done: list[str] = []

    def bug() -> None:
        raise RuntimeError("a fault of ours")

    mai.page.viewmodel.shutter.hold()
    mai.page.viewmodel.when_kept(bug)
    mai.page.viewmodel.when_kept(lambda: done.append("the exam is closed"))
    with pytest.raises(RuntimeError, match="a fault of ours"):
        mai.page.viewmodel.shutter.go_on()
    assert done == ["the exam is closed"]
