"""Every end ends: after an error that nobody foresaw each view-model goes on, and says so.

The faults are planted in real services: one call of one method raises RuntimeError, as a bug of
ours would. A class of the window that asks a service and has no test here fails the last test.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer
from pytestqt.qtbot import QtBot

import capture_app.ui
from capture_app.clock import FixedClock
from capture_app.errors import CaptureAppError, StoreError
from capture_app.exam.second_identifier import Answer
from capture_app.exam.session import ExamService
from capture_app.model.delivery import ImageState
from capture_app.model.operator import Operator
from capture_app.model.procedure import Side
from capture_app.outbox.outbox import Outbox
from capture_app.patients.census.census import Census
from capture_app.patients.finding.scan import ScannedCode
from capture_app.security.users import Users
from capture_app.settings.scanning import Suffix
from capture_app.ui.outbox.row_widget import OutboxRowWidget
from capture_app.ui.outbox.rows import OutboxAct, Section
from capture_app.ui.patients import camera_scan
from capture_app.ui.reading import Reading
from capture_app.ui.scanner.viewmodel import ScannerViewModel
from capture_app.ui.set_up.viewmodel import SetUpViewModel
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.sign_in.viewmodel import SignInViewModel
from capture_app.ui.tasks import Tasks, UnexpectedError
from capture_app.ui.words.key_stroke import KeyStroke
from capture_app.ui.words.order_words import order_id
from capture_app.ui.workspace import live
from capture_app.ui.workspace.page import WorkspacePage
from tests.ui.conftest import Desk
from tests.ui.hands import CONTROL, Hands, at_work, clinic
from tests.ui.pages import ORDERS
from tests.ui.stage import PIN, Stage

MAI, MINH = "0012345678", "0012354687"
SAID = "Something unexpected happened"

_TESTED: dict[str, str] = {}

Break = Callable[..., None]


def ends(
    *classes: str, log: str = "window-error"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Notes whose ends a test shows, and what the log says of it."""

    def note(test: Callable[..., None]) -> Callable[..., None]:
        _TESTED.update(dict.fromkeys(classes, test.__name__))
        pytest.mark.expects_log(*[log] if log else [])(test)
        return test

    return note


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def break_once(monkeypatch: pytest.MonkeyPatch) -> Break:
    """`break_once(Outbox, "drafts")`: the next call raises, the one after it does not."""

    def plant(where: Any, name: str, error: BaseException | None = None) -> None:
        real = getattr(where, name)

        def once(*args: Any, **options: Any) -> Any:
            monkeypatch.setattr(where, name, real)
            raise error or RuntimeError("a fault of ours")

        monkeypatch.setattr(where, name, once)

    return plant


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


# ---------------------------------------------------------------------------------- the two tools


class _Owner(QObject):
    pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, "done"),
        (StoreError("The disk refused."), "The disk refused."),
        pytest.param(RuntimeError("x"), SAID, marks=pytest.mark.expects_log("window-error")),
        pytest.param(MemoryError(), SAID, marks=pytest.mark.expects_log("window-error")),
        pytest.param(SystemExit(), SAID, marks=pytest.mark.expects_log("window-error")),
    ],
)
@pytest.mark.parametrize("in_order", [False, True])
def test_each_end_is_told_once_and_ends(
    qtbot: QtBot, error: BaseException | None, told: str, *, in_order: bool
) -> None:
    heard: list[str] = []
    pool, owner = Tasks(lambda e: heard.append(f"nobody's: {e}"), in_order=in_order), _Owner()

    def work() -> None:
        if error is not None:
            raise error

    pool.run(
        work,
        owner=owner,
        done=lambda _nothing: heard.append("done"),
        failed=lambda e: heard.append(str(e)),
        ended=lambda: heard.append("ended"),
    )
    qtbot.waitUntil(lambda: "ended" in heard)
    pool.stop()
    assert len(heard) == 2
    assert heard[0].startswith(told)


@pytest.mark.expects_log("window-error")
@pytest.mark.parametrize("fails", [False, True])
def test_an_end_that_raises_itself_still_ends(qtbot: QtBot, *, fails: bool) -> None:
    heard: list[str] = []
    pool, owner = Tasks(lambda e: heard.append(type(e).__name__)), _Owner()

    def work() -> None:
        if fails:
            raise StoreError("The disk refused.")

    def bug(_told: object) -> None:
        raise RuntimeError("in the end")

    pool.run(work, owner=owner, done=bug, failed=bug, ended=lambda: heard.append("ended"))
    qtbot.waitUntil(lambda: "ended" in heard)
    pool.stop()
    assert heard == ["UnexpectedError", "ended"]


@pytest.mark.expects_log("window-error")
def test_where_no_thread_can_be_started_it_is_told(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[CaptureAppError] = []
    pool, owner = Tasks(heard.append), _Owner()

    def refused(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refused)
    pool.run(lambda: None, owner=owner)
    qtbot.waitUntil(lambda: bool(heard))
    monkeypatch.undo()
    pool.stop()
    assert isinstance(heard[0], UnexpectedError)


def test_an_act_on_pictures_that_failed_is_told_when_its_page_is_gone(qtbot: QtBot) -> None:
    """A search whose page is gone is nobody's; an act on pictures is always somebody's."""
    heard: list[str] = []
    acts, owner = Tasks(lambda e: heard.append(str(e)), in_order=True), _Owner()
    pool = Tasks(lambda e: heard.append(f"search: {e}"))

    def refuse() -> None:
        raise StoreError("The disk refused.")

    for each in (pool, acts):
        each.run(refuse, owner=owner, failed=lambda _e: heard.append("page"))
    shiboken6.delete(owner)
    qtbot.waitUntil(lambda: bool(heard))
    pool.stop()
    acts.stop()
    assert heard == ["The disk refused."]


@pytest.mark.expects_log("window-error")
def test_a_reading_asks_again_after_every_end(qtbot: QtBot) -> None:
    answers: list[BaseException | int] = [1, StoreError("No."), RuntimeError("x"), 4, 5]
    heard: list[object] = []
    pool, owner = Tasks(heard.append), _Owner()

    def question() -> Callable[[], int]:
        answer = answers.pop(0)

        def work() -> int:
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return work

    reading = Reading(
        pool, question, told=heard.append, failed=lambda e: heard.append(str(e)), parent=owner
    )
    for n in range(1, 4):
        reading.ask()
        assert reading.is_asking
        qtbot.waitUntil(lambda: not reading.is_asking)
        assert len(heard) == n
    reading.ask()
    reading.ask()
    reading.ask()  # stale by two: asked once more
    qtbot.waitUntil(lambda: len(heard) == 5)
    pool.stop()
    assert heard[:2] == [1, "No."]
    assert str(heard[2]).startswith(SAID)
    assert heard[3:] == [4, 5]
    assert not answers


def test_changes_without_a_pause_do_not_put_a_question_off_for_ever(qtbot: QtBot) -> None:
    """150 pictures on their way change more often than a page is read."""
    heard: list[object] = []
    pool, owner = Tasks(heard.append), _Owner()
    reading = Reading(pool, lambda: lambda: 1, told=heard.append, soon_ms=100, parent=owner)
    stream = QTimer(owner)
    stream.timeout.connect(reading.ask_soon)
    stream.start(5)
    qtbot.waitUntil(lambda: len(heard) >= 2)
    assert stream.isActive()
    stream.stop()
    reading.close()
    qtbot.waitUntil(lambda: not reading.is_asking)
    pool.stop()
    assert set(heard) == {1}


def test_a_reading_that_is_closed_tells_nothing_more(qtbot: QtBot) -> None:
    heard: list[object] = []
    pool, owner = Tasks(heard.append), _Owner()
    reading = Reading(pool, lambda: lambda: 1, told=heard.append, soon_ms=1, parent=owner)
    reading.ask()
    reading.ask_soon()
    reading.close()
    qtbot.waitUntil(lambda: not reading.is_asking)
    reading.ask()
    assert not reading.is_asking
    pool.stop()
    assert not heard


# ---------------------------------------------------------------------------- a view-model each


@ends("PatientsViewModel")
def test_patients_after_a_search_that_failed_the_next_is_answered(
    desk: Desk, qtbot: QtBot, clock: FixedClock, break_once: Break
) -> None:
    desk.sign_in()
    vm, content = desk.content.patients_vm, desk.content
    break_once(Census, "find")
    vm.filter("nguyen")
    vm.open_marked()  # an Enter waits for the one match
    qtbot.waitUntil(lambda: content.said.what == "The list cannot be read.")
    assert SAID in content.said.todo
    assert not vm.state.loading
    vm.filter("okoro")
    qtbot.waitUntil(lambda: vm.shows_what_was_asked)
    break_once(Census, "find")
    vm.filter("ngu")
    qtbot.waitUntil(lambda: not vm._reading.is_asking)
    assert not vm.shows_what_was_asked
    clock.advance(6)  # nobody presses another key: it is asked again by itself
    qtbot.waitUntil(lambda: vm.shows_what_was_asked)
    assert vm.state.rows
    assert content.exam is None


@ends("PatientsViewModel")
def test_patients_after_an_opening_that_failed_the_next_scan_opens(
    desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    desk.sign_in()
    content, vm = desk.content, desk.content.patients_vm
    break_once(ExamService, "open")
    vm.scanned(ScannedCode(MAI))
    qtbot.waitUntil(lambda: content.said.what == "The patient was not opened.")
    assert SAID in content.said.todo
    qtbot.waitUntil(lambda: not vm.state.opening)
    vm.scanned(ScannedCode(MINH))
    qtbot.waitUntil(lambda: content.exam is not None)
    assert content.exam is not None
    assert content.exam.patient.patient_id.value == MINH


@ends("PatientsViewModel")
def test_patients_who_cannot_be_noted_as_recent_are_opened_all_the_same(
    desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    """The exam takes pictures from the moment it was opened: then it is on the screen."""
    desk.sign_in()
    break_once(Census, "note_opened")
    desk.content.patients_vm.scanned(ScannedCode(MAI))
    qtbot.waitUntil(lambda: desk.content.exam is not None)
    qtbot.waitUntil(lambda: not desk.content.patients_vm.state.opening)
    qtbot.waitUntil(lambda: SAID in desk.window.said.what)


def test_a_workspace_that_cannot_be_shown_takes_no_pictures(
    desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    desk.sign_in()
    content = desk.content
    break_once(WorkspacePage, "__init__")
    with qtbot.captureExceptions() as caught:
        content.patients_vm.scanned(ScannedCode(MAI))
        qtbot.waitUntil(lambda: bool(caught))
    assert content.place is Place.PATIENTS
    assert content.exam is None
    content.patients_vm.scanned(ScannedCode(MINH))
    qtbot.waitUntil(lambda: content.exam is not None)


@ends("Whose")
def test_a_scan_that_cannot_be_noted_leaves_the_patient_due_and_counts_the_next_time(
    mai: Hands, desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    desk.content.identity_is_due()
    break_once(ExamService, "confirm")
    mai.window.scanner.scanned.emit(ScannedCode(MAI))
    qtbot.waitUntil(lambda: SAID in desk.window.said.what)
    assert "at Send" in mai.page.banner.accessibleName()
    mai.window.scanner.scanned.emit(ScannedCode(MAI))
    qtbot.waitUntil(lambda: "Wristband scanned" in mai.page.banner.accessibleName())


@ends("IdentityCheck")
def test_a_wrong_answer_that_cannot_be_noted_still_counts(
    desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    desk.sign_in()
    vm = desk.content.patients_vm
    vm.choose(vm.state.rows[0].key)
    qtbot.waitUntil(lambda: vm.check is not None)
    assert vm.check is not None
    break_once(ExamService, "identity_check_failed")
    vm.check.answer(Answer("XX", "1900"))
    qtbot.waitUntil(lambda: SAID in desk.window.said.what)
    assert vm.check.state.tries_left == 2
    vm.check.cancel()
    assert vm.check is None


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


@ends("OutboxViewModel")
def test_the_outbox_is_read_again_after_an_error(
    desk: Desk, ada: Operator, stage: Stage, qtbot: QtBot, break_once: Break
) -> None:
    desk.sign_in()
    stage.outbox.seal(stage.pictures(MAI, 1, ada), ada)
    vm = desk.content.outbox_vm
    break_once(Outbox, "counts")
    desk.window.status.close()  # it counts, too
    desk.content.go(Place.OUTBOX)
    qtbot.waitUntil(lambda: SAID in vm.state.fault)
    stage.outbox.seal(stage.pictures(MINH, 1, ada), ada)
    qtbot.waitUntil(lambda: len(vm.state.section(Section.WAITING)) == 2)
    assert not vm.state.fault
    break_once(Outbox, "hold")
    vm.act(vm.state.section(Section.WAITING)[0], OutboxAct.HOLD)
    qtbot.waitUntil(lambda: SAID in desk.content.said.what)


@ends("OutboxPage")
def test_a_picture_of_a_row_that_cannot_be_read_leaves_the_row(
    desk: Desk, ada: Operator, stage: Stage, qtbot: QtBot, break_once: Break
) -> None:
    desk.sign_in()
    stage.outbox.seal(stage.pictures(MAI, 1, ada), ada)
    break_once(Outbox, "image_of")
    desk.content.go(Place.OUTBOX)
    qtbot.waitUntil(lambda: bool(desk.content.outbox.findChildren(OutboxRowWidget)))


@ends("StatusViewModel")
def test_the_status_strip_says_so_and_recovers(
    desk: Desk, ada: Operator, stage: Stage, qtbot: QtBot, break_once: Break
) -> None:
    status = desk.window.status
    qtbot.waitUntil(lambda: bool(status.state.clock))
    break_once(Outbox, "counts")
    status.read()
    qtbot.waitUntil(lambda: SAID in status.state.outbox.words)
    stage.pictures(MAI, 1, ada)
    qtbot.waitUntil(lambda: status.state.unsent == 1)
    assert SAID not in status.state.outbox.words


@ends("SignInViewModel")
def test_after_a_sign_in_that_failed_the_pin_is_asked_again(
    desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    vm = desk.window.sign_in_vm
    break_once(Users, "sign_in")
    for digit in PIN:
        vm.type(digit)
    vm.submit()
    qtbot.waitUntil(lambda: SAID in vm.state.fault)
    assert not vm.state.busy
    desk.sign_in()


@ends("SignInViewModel")
def test_what_is_unsent_that_cannot_be_counted_keeps_nobody_out(
    stage: Stage, ada: Operator, qtbot: QtBot, break_once: Break
) -> None:
    told: list[CaptureAppError] = []
    pool = Tasks(told.append)
    vm = SignInViewModel(stage.services, pool)
    stage.pictures(MAI, 1, ada)
    break_once(Outbox, "drafts")
    vm.appear()
    qtbot.waitUntil(lambda: bool(told))
    assert vm.state.chosen is not None
    vm.appear()
    qtbot.waitUntil(lambda: bool(vm.state.unsent))
    vm.close()
    pool.stop()


@ends("MainWindow")
def test_a_window_is_locked_although_its_users_cannot_be_read(
    mai: Hands, desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    break_once(Users, "list")
    break_once(Users, "record_lock")
    desk.window.lock()
    assert desk.window.is_locked
    assert SAID in desk.window.sign_in_vm.state.fault
    qtbot.waitUntil(lambda: not mai.page_is_there)
    qtbot.waitUntil(lambda: SAID in desk.window.said.what)
    desk.sign_in()


@ends("SetUpViewModel")
def test_after_a_set_up_that_failed_half_way_it_can_be_asked_again(
    stage: Stage, qtbot: QtBot, break_once: Break
) -> None:
    pool, signed_in = Tasks(lambda _e: None), list[Operator]()
    vm = SetUpViewModel(stage.services, pool)
    vm.signed_in.connect(signed_in.append)
    break_once(Users, "sign_in")
    vm.create("Ada", "Okafor", PIN, PIN)
    qtbot.waitUntil(lambda: not vm.state.busy)
    assert SAID in vm.state.fault
    vm.create("Ada", "Okafor", PIN, PIN)
    qtbot.waitUntil(lambda: bool(signed_in))
    pool.stop()


@ends("ScannerViewModel")
def test_a_scanner_that_could_not_be_saved_can_be_saved_again(
    desk: Desk, ada: Operator, qtbot: QtBot, break_once: Break
) -> None:
    vm = ScannerViewModel(desk.stage.services, desk.window.tasks, ada)
    vm.start()
    for n, code in enumerate((MAI, MINH, "0009812204"), 1):
        for i, character in enumerate(code):
            vm.stroke(KeyStroke(character, Suffix.NONE, i / 100))
        vm.stroke(KeyStroke("", Suffix.ENTER, 0.1))
        qtbot.waitUntil(lambda: len(vm.state.heard) == n)  # noqa: B023 - waited for here
    break_once(Users, "record_scanner_set_up")
    vm.save()
    qtbot.waitUntil(lambda: SAID in vm.state.problem)
    assert vm.state.can_save
    vm.save()
    qtbot.waitUntil(lambda: bool(vm.state.saved))


# ------------------------------------------------------------------------------ all of them


def asks_a_service(of: ast.ClassDef) -> bool:
    """Whether a class sends work off the GUI thread: through Tasks, a Reading or the board."""
    for node in ast.walk(of):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "Reading" or called.endswith(("tasks.run", "acts.run", "board.do")):
            return True
    return False


def test_every_class_that_asks_a_service_has_a_test_here() -> None:
    folder = Path(capture_app.ui.__file__).parent
    asking = {
        node.name
        for file in folder.rglob("*.py")
        if file.name not in ("tasks.py", "reading.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and asks_a_service(node)
    }
    assert len(asking) > 10, "the walk found too few: has the way of asking another name?"
    assert asking == set(_TESTED)
