"""A disk that stalls: whoever is asked for meanwhile gets no picture of anybody else's."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.errors import StoreError
from capture_app.exam.session import ExamService
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Side
from capture_app.model.worklist import IdentifiedBy
from capture_app.patients.census.census import Census
from tests.ui.conftest import Desk
from tests.ui.hands import CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI, MINH = "0012345678", "0012354687"

Stall = Callable[[str], threading.Event]


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def mai(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        yield hands


@pytest.fixture
def stall(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stall]:
    """`stall("take")`: keeping waits, as on a disk that answers late, until the event is set."""
    made: list[threading.Event] = []

    def plant(name: str) -> threading.Event:
        exams = stage.services.exams
        real, gate = getattr(exams, name), threading.Event()
        made.append(gate)

        def late(*args: Any, **options: Any) -> Any:
            assert gate.wait(60)
            return real(*args, **options)

        monkeypatch.setattr(exams, name, late)
        return gate

    yield plant
    for gate in made:
        gate.set()


def whose(hands: Hands) -> list[str]:
    outbox = hands.stage.outbox
    return [outbox.exam_of(one.capture_id).patient.patient_id.value for one in outbox.drafts()]


def message(hands: Hands) -> str:
    said = hands.state.message
    return "" if said is None else f"{said.what} {said.todo}"


def is_open(desk: Desk, number: str) -> bool:
    exam = desk.content.exam
    return exam is not None and exam.patient.patient_id.value == number


def test_nobody_is_photographed_while_another_patient_is_being_opened(
    mai: Hands, desk: Desk, qtbot: QtBot, stall: Stall
) -> None:
    gate = stall("open")
    mai.type_code(MINH)
    mai.key(Qt.Key.Key_F13)
    assert "another patient is being opened" in message(mai)
    gate.set()
    qtbot.waitUntil(lambda: is_open(desk, MINH))
    assert whose(mai) == []
    mai.until_live()
    mai.pedal()
    assert whose(mai) == [MINH]


def test_a_picture_on_its_way_is_kept_and_the_next_one_is_not_the_first_patients(
    mai: Hands, desk: Desk, qtbot: QtBot, stall: Stall
) -> None:
    gate = stall("take")
    mai.key(Qt.Key.Key_F13)
    mai.type_code(MINH)
    for _ in range(3):  # they would also put the opening off, again and again
        mai.key(Qt.Key.Key_F13)
    gate.set()
    qtbot.waitUntil(lambda: is_open(desk, MINH))
    assert whose(mai) == [MAI]


def test_after_an_opening_that_failed_it_is_said_who_is_still_open_and_pictures_are_taken(
    mai: Hands, desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("The disk refused.")

    monkeypatch.setattr(ExamService, "open", refuse)
    mai.type_code(MINH)
    qtbot.waitUntil(lambda: desk.content.said.what == "The patient was not opened.")
    assert desk.content.said.is_loud
    assert re.match(r"Still open: NGUYỄN .*678.*\. The disk refused\.$", desk.content.said.todo)
    qtbot.waitUntil(lambda: not desk.content.patients_vm.state.opening)
    mai.pedal()
    assert whose(mai) == [MAI]


@pytest.mark.expects_log("window-error")
def test_a_scan_that_could_not_be_looked_up_says_who_is_still_open(
    mai: Hands, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Census, "by_record_number", bug)
    mai.type_code(MINH)
    assert desk.content.said.is_loud
    assert re.match(r"Still open: NGUYỄN .*678.*\. Something unexpected", desk.content.said.todo)


def test_a_lock_and_its_end_while_a_picture_is_being_kept_leave_the_exam_open(
    mai: Hands, desk: Desk, qtbot: QtBot, stall: Stall
) -> None:
    gate = stall("take")
    mai.key(Qt.Key.Key_F13)
    desk.window.lock()
    desk.sign_in()
    mai.until_live()
    gate.set()
    mai.key(Qt.Key.Key_F13)
    qtbot.waitUntil(lambda: len(mai.state.thumbs) == 2)
    mai.until_live()
    mai.pedal()
    assert whose(mai) == [MAI, MAI, MAI]


def test_an_answer_of_before_a_lock_does_not_hold_for_after_it(
    mai: Hands, desk: Desk, qtbot: QtBot, stall: Stall
) -> None:
    gate = stall("confirm")
    desk.clock.advance(60)
    mai.type_code(MAI)
    desk.window.lock()
    desk.sign_in()
    known = mai.page.viewmodel._board.known
    assert known.due
    at = known.identified.at
    desk.clock.advance(300)
    gate.set()
    board = mai.page.viewmodel._board
    qtbot.waitUntil(lambda: board.known.identified.at != at)
    assert board.known.due
    assert board.known.identified.by is IdentifiedBy.SCAN
    assert (desk.clock.now() - board.known.identified.at).total_seconds() >= 300


def described(mai: Hands) -> None:
    mai.pedal()
    vm = mai.page.viewmodel
    vm.describing.press_digit(2)
    vm.describing.choose_region("SCT", "25763004")
    vm.describing.choose_side(Side.LEFT)
    mai.qtbot.waitUntil(lambda: vm.state.sendable == 1)


def sent(mai: Hands) -> None:
    described(mai)
    mai.send()
    mai.qtbot.waitUntil(lambda: not mai.page.viewmodel.is_sending)


def test_an_undo_that_ends_after_its_workspace_is_told_all_the_same(
    mai: Hands, desk: Desk, qtbot: QtBot, stall: Stall
) -> None:
    sent(mai)
    gate = stall("undo")
    mai.key(Qt.Key.Key_Z, CONTROL)
    desk.content.go_to_patients()
    qtbot.waitUntil(lambda: not mai.page_is_there)
    gate.set()
    qtbot.waitUntil(lambda: "is a draft again" in desk.content.said.what)


def test_an_undo_that_fails_after_its_workspace_is_told_and_may_be_asked_once_more(
    mai: Hands, desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(mai)
    real, gate = ExamService.undo, threading.Event()

    def refuse(*_: object) -> None:
        assert gate.wait(60)
        raise StoreError("The disk refused.")

    monkeypatch.setattr(ExamService, "undo", refuse)
    mai.key(Qt.Key.Key_Z, CONTROL)
    desk.content.go_to_patients()
    qtbot.waitUntil(lambda: not mai.page_is_there)
    gate.set()
    qtbot.waitUntil(lambda: desk.content.said.what == "The disk refused.")
    assert mai.stage.outbox.statuses()[0].state is ImageState.HELD
    monkeypatch.setattr(ExamService, "undo", real)
    mai.key(Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: mai.stage.outbox.statuses()[0].state is ImageState.DRAFT)


def test_an_undo_that_fails_may_be_asked_once_more_and_undoes_nothing_else(
    mai: Hands, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(mai)
    real = ExamService.undo

    def refuse(*_: object) -> None:
        monkeypatch.setattr(ExamService, "undo", real)
        raise StoreError("The disk refused.")

    monkeypatch.setattr(ExamService, "undo", refuse)
    mai.key(Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: message(mai).startswith("The disk refused."))
    mai.key(Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: mai.state.sendable == 1)
    (draft,) = mai.stage.outbox.drafts()
    assert draft.description.side is Side.LEFT


@pytest.mark.parametrize("goes_away", [False, True])
def test_undo_right_after_send_takes_back_the_send_and_not_what_was_chosen_before(
    mai: Hands, desk: Desk, qtbot: QtBot, stall: Stall, *, goes_away: bool
) -> None:
    described(mai)
    gate = stall("send")
    mai.send()
    assert mai.page.viewmodel.is_sending
    said = mai.page.viewmodel._board.known.panels
    if goes_away:
        desk.content.go_to_patients()
        qtbot.waitUntil(lambda: not mai.page_is_there)
    mai.key(Qt.Key.Key_Z, CONTROL)
    if not goes_away:
        assert mai.page.viewmodel._board.known.panels == said
    gate.set()
    qtbot.waitUntil(
        lambda: "is a draft again" in (desk.content.said.what if goes_away else message(mai))
    )
    assert [one.state for one in mai.stage.outbox.statuses()] == [ImageState.DRAFT]
    (draft,) = mai.stage.outbox.drafts()
    assert draft.description.side is Side.LEFT
    if not goes_away:
        qtbot.waitUntil(lambda: mai.state.sendable == 1)
