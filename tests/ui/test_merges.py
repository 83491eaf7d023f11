"""A refused merge is settled in the window: by whom, after which question, with which trail."""

from typing import TypeVar

import pytest
from PySide6.QtCore import Qt

from capture_app.audit.trail import read_trail
from capture_app.demo.people import ADMISSIONS
from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Operator
from capture_app.model.worklist import Doubt
from capture_app.patients.census.merges import Merges
from capture_app.patients.finding.scan import ScannedCode
from capture_app.ui.patients.feed_popover import FeedPopover
from capture_app.ui.patients.merges import MergeSettling
from capture_app.ui.patients.settle_popover import SettlePopover
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from tests.ui.conftest import Desk
from tests.ui.ends import Break, ends
from tests.ui.stage import Stage

T = TypeVar("T", bound=Popover)
MAI = ADMISSIONS[0].patient.patient_id.value


@pytest.fixture
def merging(desk: Desk, stage: Stage) -> Desk:
    """The feed merges MAI's number with another one, and is refused."""
    desk.sign_in()
    merge = (
        rb"MSH|^~\&|ADT|HOSP|||20240702080000||ADT^A40|X1|P|2.5" + b"\rEVN|A40|20240702080000\r"
        rb"PID|1||%s^^^ST ANNE^MR||Canary^Carla" % MAI.encode() + b"\rMRG|4712^^^ST ANNE^MR"
    )
    assert b"MSA|AE" in stage.receiver.handle(merge)
    desk.qtbot.waitUntil(lambda: len(desk.content.patients_vm.state.feed_lines) == 1)
    return desk


def notes(desk: Desk) -> FeedPopover:
    desk.content.patients.feed_messages.click()
    return shown(desk, FeedPopover)


def shown(desk: Desk, kind: type[T]) -> T:
    (popover,) = [one for one in desk.window.findChildren(kind) if one.isVisible()]
    return popover


def is_shown(desk: Desk, kind: type[Popover]) -> bool:
    return any(one.isVisible() for one in desk.window.findChildren(kind))


def wait_for(desk: Desk, said: str) -> None:
    desk.qtbot.waitUntil(lambda: desk.content.said.what == said)


def words(popover: Popover) -> str:
    return "\n".join(label.text() for label in popover.findChildren(Label))


def is_marked(stage: Stage) -> bool:
    (row,) = stage.census.lookup(MAI)
    return Doubt.MERGE_REFUSED in row.doubts


def settled_by(stage: Stage) -> list[tuple[str, str]]:
    events = [row.event for row in read_trail(stage.outbox.spool.database.read())]
    settled = [one for one in events if one.action is AuditAction.MERGE_SETTLED]
    return [(one.user_id, one.details["dead-letter"]) for one in settled]


def test_who_may_settles_it_by_keys_alone_after_one_question(merging: Desk, stage: Stage) -> None:
    button = merging.content.patients.feed_messages
    button.setFocus()
    merging.key(Qt.Key.Key_Return)
    assert "A40, refused, waits for a person: " in words(shown(merging, FeedPopover))
    merging.key(Qt.Key.Key_Tab)  # from Close round to the lines
    merging.key(Qt.Key.Key_Tab)
    settle = merging.focused
    assert isinstance(settle, Button)
    assert settle.accessibleName().startswith("Settle: ")
    merging.key(Qt.Key.Key_Return)
    question = shown(merging, SettlePopover)
    said = words(question)
    assert MAI in said
    assert "4712" in said
    assert "Look first" in said
    assert "recorded under your name" in said
    merging.key(Qt.Key.Key_Return)  # one too many: it is on "Not yet"
    assert not is_shown(merging, SettlePopover)
    assert (is_marked(stage), settled_by(stage)) == (True, [])
    assert merging.focused is settle
    merging.key(Qt.Key.Key_Return)
    merging.key(Qt.Key.Key_Tab)
    merging.key(Qt.Key.Key_Return)
    merging.qtbot.waitUntil(lambda: not is_marked(stage))
    assert not is_shown(merging, FeedPopover)
    wait_for(merging, "Settled.")
    (number,) = [letter.dead_letter_id for letter in stage.census.dead_letters()]
    assert settled_by(stage) == [("aokafor", str(number))]
    vm = merging.content.patients_vm
    merging.qtbot.waitUntil(lambda: [line.merge for line in vm.state.feed_lines] == [None])
    assert not [one for one in notes(merging).findChildren(Button) if one.text() == "Settle"]


def test_escape_leaves_question_and_notes_one_after_the_other(merging: Desk, stage: Stage) -> None:
    popover = notes(merging)
    assert MAI not in words(popover), "no patient stands in the notes"
    popover.settle_asked.emit(merging.content.patients_vm.state.feed_lines[0])
    merging.key(Qt.Key.Key_Escape)
    assert (is_shown(merging, SettlePopover), is_shown(merging, FeedPopover)) == (False, True)
    merging.key(Qt.Key.Key_Escape)
    assert not is_shown(merging, FeedPopover)
    assert (is_marked(stage), settled_by(stage)) == (True, [])


def test_what_another_window_has_settled_is_said_and_recorded_once(
    merging: Desk, stage: Stage, ada: Operator
) -> None:
    popover = notes(merging)
    (line,) = merging.content.patients_vm.state.feed_lines
    popover.settle_asked.emit(line)
    assert line.merge is not None
    stage.services.merges.settle(line.merge.number, ada)
    shown(merging, SettlePopover).settle.click()
    wait_for(merging, "The merge was not settled.")
    assert "No merge with the id" in merging.content.said.todo
    assert len(settled_by(stage)) == 1


def test_a_scan_uncovers_whom_it_opened(merging: Desk) -> None:
    notes(merging).settle_asked.emit(merging.content.patients_vm.state.feed_lines[0])
    merging.content.patients_vm.scanned(ScannedCode(MAI))
    merging.qtbot.waitUntil(lambda: merging.content.exam is not None)
    assert not is_shown(merging, FeedPopover)
    assert not is_shown(merging, SettlePopover)


def test_who_may_not_is_told_who_may_and_is_refused(merging: Desk, stage: Stage) -> None:
    bob, vm = stage.add_user("bob", "Bob"), merging.content.patients_vm
    assert vm.merges.may_settle
    assert not MergeSettling(stage.services, merging.window.acts, bob, vm).may_settle
    popover = FeedPopover(merging.content, vm.state.feed_lines, may_settle=False)
    popover.open()
    assert not [one for one in popover.findChildren(Button) if one.text() == "Settle"]
    assert "users with the role correct or administer" in words(popover)
    (number,) = stage.census.merges()
    with pytest.raises(RuleError, match="Your roles do not allow this"):
        stage.services.merges.settle(number, bob)
    assert (is_marked(stage), settled_by(stage)) == (True, [])


@ends("MergeSettling")
def test_after_an_error_that_nobody_foresaw_it_still_waits_and_can_be_settled(
    merging: Desk, stage: Stage, break_once: Break
) -> None:
    (line,) = merging.content.patients_vm.state.feed_lines
    for has_failed in (True, False):
        if has_failed:
            break_once(Merges, "settle")
        notes(merging).settle_asked.emit(line)
        shown(merging, SettlePopover).settle.click()
        wait_for(merging, "The merge was not settled." if has_failed else "Settled.")
        assert is_marked(stage) is has_failed
    assert len(settled_by(stage)) == 1
