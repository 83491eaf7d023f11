"""Every end ends: after an error that nobody foresaw each view-model goes on, and says so.

The faults are planted in real services: one call of one method raises RuntimeError, as a bug of
ours would. A class of the window that asks a service and has no test with `ends` fails the last.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import capture_app.ui
from capture_app.clock import FixedClock
from capture_app.errors import CaptureAppError
from capture_app.exam.second_identifier import Answer
from capture_app.exam.session import ExamService
from capture_app.model.operator import Operator, Role
from capture_app.outbox.outbox import Outbox
from capture_app.patients.census.census import Census
from capture_app.patients.finding.scan import ScannedCode
from capture_app.security.auditing import Auditing, ExportKind
from capture_app.security.users import FIRST_ROLES, Users
from capture_app.settings.scanning import Suffix
from capture_app.ui.cameras import viewmodel as cameras_viewmodel
from capture_app.ui.cameras.viewmodel import CamerasViewModel
from capture_app.ui.outbox.row_widget import OutboxRowWidget
from capture_app.ui.outbox.rows import OutboxAct, Section
from capture_app.ui.scanner.viewmodel import ScannerViewModel
from capture_app.ui.set_up.viewmodel import SetUpViewModel
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.sign_in.viewmodel import SignInViewModel
from capture_app.ui.tasks import Tasks
from capture_app.ui.trail.viewmodel import TrailViewModel
from capture_app.ui.words.key_stroke import KeyStroke
from capture_app.ui.words.marks import Tone
from capture_app.ui.workspace.page import WorkspacePage
from tests.ui.conftest import Desk
from tests.ui.ends import MAI, MINH, SAID, Break, ends, shown_in
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import PIN, Stage


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
    break_once(mai.stage.services.exams, "confirm")
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
    told: list[CaptureAppError] = []
    desk.window.tasks._on_error = told.append
    vm.choose(vm.state.rows[0].key)
    qtbot.waitUntil(lambda: vm.check is not None)
    assert vm.check is not None
    break_once(ExamService, "identity_check_failed")
    vm.check.answer(Answer("XX", "1900"))
    qtbot.waitUntil(lambda: bool(told))
    assert SAID in str(told[0])
    assert vm.check.state.tries_left == 2
    vm.check.answer(Answer("XX", "1900"))
    said = len(told)
    break_once(ExamService, "identity_check_failed")
    vm.check.answer(Answer("XX", "1900"))  # the last: the question is gone
    assert vm.check is None
    qtbot.waitUntil(lambda: len(told) > said)


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
    break_once(Outbox, "poster_of")
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


@ends("SessionWatch")
def test_a_session_that_could_not_be_looked_at_goes_on_and_is_looked_at_again(
    desk: Desk, ada: Operator, qtbot: QtBot, break_once: Break
) -> None:
    desk.sign_in()
    desk.stage.add_user("eve", "Eve", *FIRST_ROLES)
    real = Users.current
    break_once(Users, "current")
    qtbot.waitUntil(lambda: Users.current is real)  # it was asked, and raised
    assert not desk.window.is_locked
    desk.stage.services.users.set_roles(ada.user_id, [Role.CAPTURE], ada)
    qtbot.waitUntil(lambda: desk.window.is_locked)


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


@ends("TrailViewModel")
def test_a_trail_that_could_not_be_read_or_written_out_can_be_again(
    desk: Desk, ada: Operator, qtbot: QtBot, break_once: Break, tmp_path: Path
) -> None:
    vm = TrailViewModel(desk.stage.services, desk.window.tasks, ada)
    break_once(Auditing, "verify")
    vm.appear()
    qtbot.waitUntil(lambda: SAID in vm.state.fault)
    vm.appear()
    qtbot.waitUntil(lambda: bool(vm.state.rows) and not vm.state.fault)
    assert vm.state.tone is Tone.OK
    break_once(Auditing, "export")
    vm.export(ExportKind.CSV, tmp_path / "trail.csv")
    qtbot.waitUntil(lambda: SAID in vm.state.fault and not vm.state.busy)
    vm.export(ExportKind.CSV, tmp_path / "trail.csv")
    qtbot.waitUntil(lambda: bool(vm.state.said) and not vm.state.busy)
    assert (tmp_path / "trail.csv").read_text().startswith("row,at,act,user")


@ends("CamerasViewModel")
def test_cameras_that_could_not_be_listed_are_asked_for_again(
    desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    vm = CamerasViewModel(desk.stage.services, desk.window.tasks)
    break_once(cameras_viewmodel, "attached_cameras")
    vm.appear()
    qtbot.waitUntil(lambda: SAID in vm.state.fault)
    qtbot.waitUntil(lambda: vm.state.is_read and not vm.state.fault)
    vm.close()


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
    assert asking == shown_in(Path(__file__).parent)
