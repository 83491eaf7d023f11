"""A session ends when its user's rights change, and the window locks when the system says so."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from pytestqt.qtbot import QtBot

from capture_app.audit.trail import read_trail
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Operator, Role
from capture_app.patients.finding.scan import ScannedCode
from capture_app.security.pins import PinHasher
from capture_app.security.user_table import UserRecord, UserTable
from capture_app.ui.sign_in.viewmodel import Asks
from capture_app.ui.widgets.labels import Label
from capture_app.ui.workspace.page import WorkspacePage
from tests.ui.conftest import Desk
from tests.ui.stage import CHEAP, PIN, Stage

MAI = "0012345678"
BO = "bo"
LOGIND = "org.freedesktop.login1"


@pytest.fixture
def at_work(stage: Stage, ada: Operator, open_desk: Callable[[], Desk], qtbot: QtBot) -> Desk:
    """Bo is signed in with a patient open; another process administers."""
    stage.add_user(BO, "Bo Ruiz")
    desk = open_desk()
    desk.window.sign_in_vm.choose(BO)
    given(desk, qtbot, PIN)
    qtbot.waitUntil(lambda: not desk.window.is_locked)
    desk.content.patients_vm.scanned(ScannedCode(MAI))
    qtbot.waitUntil(lambda: desk.content.exam is not None)
    return desk


def events(stage: Stage) -> list[AuditEvent]:
    return [row.event for row in read_trail(stage.outbox.spool.database.read())]


@pytest.mark.parametrize("act", ["removed", "other roles"])
def test_a_session_ends_when_the_rights_of_its_user_change(
    at_work: Desk, stage: Stage, ada: Operator, qtbot: QtBot, act: str
) -> None:
    users, window = stage.services.users, at_work.window
    if act == "removed":
        users.remove(BO, ada)
    else:
        users.set_roles(BO, [Role.AUDIT], ada)
    qtbot.waitUntil(lambda: window.is_locked)
    qtbot.waitUntil(lambda: window.content is None)  # nothing is left to go back to
    assert window.sign_in_vm.state.fault == "Bo Ruiz: your rights were changed. Sign in again."
    assert not window.findChildren(WorkspacePage)
    tiles = [tile.user_id for tile in window.sign_in_vm.state.tiles]
    assert (BO in tiles) is (act != "removed")
    qtbot.waitUntil(lambda: events(stage)[-1].action is AuditAction.SESSION_ENDED)
    assert events(stage)[-1].user_id == BO


def test_a_session_goes_on_while_others_are_added_and_the_list_cannot_be_read(
    at_work: Desk, stage: Stage, qtbot: QtBot
) -> None:
    stage.add_user("eve", "Eve")
    looked = at_work.window._session._looking
    for statement in ("UPDATE users_head SET sealed = x'00'", "DELETE FROM users_head"):
        with stage.outbox.spool.database.transaction() as connection:
            connection.execute(statement)
        looked.ask()
        qtbot.waitUntil(lambda: not looked.is_asking)
        assert not at_work.window.is_locked


def test_who_only_audits_is_told_that_the_window_is_not_for_them(
    stage: Stage, ada: Operator, open_desk: Callable[[], Desk], qtbot: QtBot
) -> None:
    stage.add_user("aud", "Aud It", Role.AUDIT)
    desk = open_desk()
    vm = desk.window.sign_in_vm
    vm.choose("aud")
    for digit in PIN:
        vm.type(digit)
    vm.submit()
    qtbot.waitUntil(lambda: bool(vm.state.fault) and not vm.state.busy)
    assert vm.state.fault == "Your roles open nothing in this window."
    assert desk.window.is_locked


def test_a_lost_list_of_users_is_a_fault_at_the_lock_and_no_first_start(
    stage: Stage, ada: Operator, open_desk: Callable[[], Desk]
) -> None:
    with stage.outbox.spool.database.transaction() as connection:
        connection.execute("DELETE FROM users")
        connection.execute("DELETE FROM users_head")
    desk = open_desk()
    assert desk.window.sign_in.isVisible()
    assert "Nobody can sign in; sending goes on." in desk.window.sign_in_vm.state.fault
    (said,) = (
        label
        for label in desk.window.sign_in.findChildren(Label)
        if label.text() == desk.window.sign_in_vm.state.fault
    )
    assert said.height() >= said.heightForWidth(said.width())  # all of it is in sight


# ------------------------------------------------------------------------------- PINs of before


@pytest.fixture
def short(stage: Stage, ada: Operator) -> str:
    """Ada's PIN of four digits, from an earlier version."""
    spool = stage.outbox.spool
    table = UserTable(spool.database, spool.cipher, spool.clock)
    row = table.row(spool.database.read(), ada.user_id)
    assert isinstance(row, UserRecord)
    kept = PinHasher(spool.cipher, CHEAP).make(ada.user_id, "2749")
    with spool.database.transaction() as connection:
        table.write(connection, UserRecord(
            row.user_id, row.display_name, row.name, row.roles, kept, row.added_at, row.added_by
        ))  # fmt: skip
    return "2749"


def given(desk: Desk, qtbot: QtBot, pin: str) -> None:
    vm = desk.window.sign_in_vm
    for digit in pin:
        vm.type(digit)
    vm.submit()
    qtbot.waitUntil(lambda: not vm.state.busy)


def test_a_short_pin_of_before_is_changed_at_the_lock(
    stage: Stage, short: str, open_desk: Callable[[], Desk], qtbot: QtBot
) -> None:
    desk = open_desk()
    vm = desk.window.sign_in_vm
    given(desk, qtbot, short)
    assert vm.state.asks is Asks.NEW_PIN
    assert vm.state.fault.startswith("Your PIN is too short by now.")
    for bad, said in (("111111", "easy to guess"), ("27", "at least 6")):
        given(desk, qtbot, bad)
        assert said in vm.state.fault
        assert vm.state.asks is Asks.NEW_PIN
        vm.delete()
        vm.delete()
    given(desk, qtbot, "619438")
    assert (vm.state.asks, vm.state.hint) == (Asks.NEW_PIN_AGAIN, "Once more, the same new PIN.")
    given(desk, qtbot, "619439")
    assert vm.state.fault.startswith("The two PINs are not the same.")
    given(desk, qtbot, "619438")
    given(desk, qtbot, "619438")
    qtbot.waitUntil(lambda: not desk.window.is_locked)
    assert stage.services.users.sign_in("aokafor", "619438").user_id == "aokafor"
    assert AuditAction.PIN_CHANGED in [event.action for event in events(stage)]


def test_clearing_begins_again_with_the_old_pin(
    short: str, open_desk: Callable[[], Desk], qtbot: QtBot
) -> None:
    desk = open_desk()
    vm = desk.window.sign_in_vm
    given(desk, qtbot, short)
    vm.clear()
    assert (vm.state.asks, vm.state.digits, vm.state.fault) == (Asks.PIN, 0, "")
    given(desk, qtbot, short)
    assert vm.state.asks is Asks.NEW_PIN


# -------------------------------------------------------------------------------------- logind


@pytest.fixture
def bus() -> Iterator[str]:
    """The address of a message bus of its own."""
    argv = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as daemon:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()
        daemon.terminate()


@pytest.mark.parametrize(
    ("path", "interface", "signal", "arguments", "reason"),
    [
        (f"/{LOGIND.replace('.', '/')}/session/_31", "Session", "Lock", [], "session"),
        (f"/{LOGIND.replace('.', '/')}", "Manager", "PrepareForSleep", [True], "sleep"),
    ],
)
def test_the_window_locks_with_the_session_and_before_sleep(
    at_work: Desk,
    stage: Stage,
    qtbot: QtBot,
    bus: str,
    path: str,
    interface: str,
    signal: str,
    arguments: list[bool],
    reason: str,
) -> None:
    at_work.window.listen_to_system(QDBusConnection.connectToBus(bus, f"window-{signal}"))
    logind = QDBusConnection.connectToBus(bus, f"logind-{signal}")
    assert logind.registerService(LOGIND)
    try:
        woke = QDBusMessage.createSignal(path, f"{LOGIND}.Manager", "PrepareForSleep")
        woke.setArguments([False])  # after sleep: nothing more is locked by that
        assert logind.send(woke)
        message = QDBusMessage.createSignal(path, f"{LOGIND}.{interface}", signal)
        message.setArguments(arguments)
        assert not at_work.window.is_locked
        assert logind.send(message)
        qtbot.waitUntil(lambda: at_work.window.is_locked)
        qtbot.waitUntil(lambda: events(stage)[-1].action is AuditAction.LOCKED)
        assert events(stage)[-1].details == {"reason": reason}
    finally:
        for name in (f"window-{signal}", f"logind-{signal}"):
            QDBusConnection.disconnectFromBus(name)


def test_without_a_bus_the_window_works_as_ever(at_work: Desk) -> None:
    at_work.window.listen_to_system(QDBusConnection.connectToBus("unix:path=/none", "nobody"))
    assert not at_work.window.is_locked
    QDBusConnection.disconnectFromBus("nobody")
