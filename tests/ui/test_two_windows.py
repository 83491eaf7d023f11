"""Two windows on one data folder: what is shown is what is acted on, whoever changed it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState
from capture_app.model.operator import Operator
from capture_app.model.procedure import Description, Side, Turn
from capture_app.outbox.outbox import Outbox
from tests import outboxes, sealing
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = "0012345678"
HEEL = sealing.description()
KNEE = sealing.description(side=Side.RIGHT)


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@contextmanager
def another(stage: Stage) -> Iterator[Outbox]:
    """What another process has open on the same folder."""
    outbox = outboxes.open_outbox(stage.folder, stage.services.clock)
    try:
        yield outbox
    finally:
        outboxes.close(outbox)


@pytest.fixture
def mai(
    desk: Desk, stage: Stage, ada: Operator, qtbot: QtBot, clock: FixedClock
) -> Iterator[Hands]:
    """Two coded drafts of Mai are on the screen."""
    stage.pictures(MAI, 2, ada)
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        qtbot.waitUntil(lambda: hands.state.sendable == 2)
        yield hands


def sites(hands: Hands) -> list[str]:
    return [thumb.site for thumb in hands.state.thumbs]


def described(stage: Stage) -> list[Description]:
    return [draft.description for draft in stage.outbox.drafts()]


def test_a_send_of_what_another_window_changed_is_refused_and_the_screen_follows(
    mai: Hands, stage: Stage
) -> None:
    first, second = (draft.capture_id for draft in stage.outbox.drafts())
    with another(stage) as theirs:
        theirs.describe([second], KNEE, sealing.NURSE)
        mai.send()  # nothing told this window yet
        mai.qtbot.waitUntil(lambda: mai.state.message is not None)
        assert mai.state.message is not None
        assert "another window" in mai.state.message.what
        mai.qtbot.waitUntil(
            lambda: sites(mai) == ["Left lower leg, front", "Right lower leg, front"]
        )
    assert {s.state for s in stage.outbox.statuses()} == {ImageState.DRAFT}
    mai.send()
    mai.qtbot.waitUntil(lambda: stage.outbox.counts().held == 2)
    assert stage.outbox.description_of(first).side is Side.LEFT
    assert stage.outbox.description_of(second).side is Side.RIGHT
    events = [row.event for row in read_trail(stage.outbox.spool.database.read())]
    assert [e.action for e in events].count(AuditAction.SEND_ASKED) == 2


def test_what_another_window_does_to_drafts_shows_here(
    mai: Hands, stage: Stage, ada: Operator
) -> None:
    first, second = (draft.capture_id for draft in stage.outbox.drafts())
    with another(stage) as theirs:
        theirs.describe([first], KNEE, sealing.NURSE)
        stage.outbox.tell_changes()  # as the engine's look does
        mai.qtbot.waitUntil(
            lambda: sites(mai) == ["Right lower leg, front", "Left lower leg, front"]
        )
        theirs.delete([first], sealing.NURSE)
        stage.outbox.tell_changes()
        mai.qtbot.waitUntil(lambda: sites(mai) == ["Left lower leg, front"])
        theirs.restore([first], sealing.NURSE)
        stage.outbox.tell_changes()
        mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 2)
        exam = outboxes.begin(
            theirs, stage.services.clock, patient=stage.outbox.exam_of(first).patient
        )
        outboxes.keep(theirs, exam)
        stage.outbox.tell_changes()
        mai.qtbot.waitUntil(lambda: mai.state.sendable == 3)
        theirs.seal([second], sealing.NURSE)
        stage.outbox.tell_changes()
        mai.qtbot.waitUntil(lambda: mai.state.sendable == 2)


def test_a_picture_that_another_window_recoded_is_neither_deleted_nor_recoded_unseen(
    mai: Hands, stage: Stage
) -> None:
    _, second = (draft.capture_id for draft in stage.outbox.drafts())
    with another(stage) as theirs:
        theirs.describe([second], KNEE, sealing.NURSE)
        mai.key(Qt.Key.Key_Delete)
        mai.qtbot.waitUntil(
            lambda: mai.state.message is not None and mai.state.message.tone == "bad"
        )
        mai.qtbot.waitUntil(
            lambda: sites(mai) == ["Left lower leg, front", "Right lower leg, front"]
        )
    assert described(stage) == [HEEL, KNEE]
    mai.key(Qt.Key.Key_Delete)
    mai.qtbot.waitUntil(lambda: described(stage) == [HEEL])
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 2)
    assert sites(mai) == ["Left lower leg, front", "Right lower leg, front"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_T, Qt.Key.Key_2])
def test_an_act_for_what_another_window_deleted_is_done_to_no_other_picture(
    mai: Hands, stage: Stage, key: Qt.Key
) -> None:
    first, second = (draft.capture_id for draft in stage.outbox.drafts())
    mai.page.filmstrip.selected.emit(first, "one")
    with another(stage) as theirs:
        theirs.delete([first], sealing.NURSE)
        stage.outbox.tell_changes()
        mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 1)
        before = stage.outbox.description_of(second)
        mai.key(key)
        mai.qtbot.waitUntil(lambda: mai.state.message is not None)
        assert mai.state.message is not None
        assert "no draft any more" in mai.state.message.what
        assert [draft.capture_id for draft in stage.outbox.drafts()] == [second]
        assert stage.outbox.description_of(second) == before
    mai.key(Qt.Key.Key_Delete)  # it was said: now it is for the newest
    mai.qtbot.waitUntil(lambda: not stage.outbox.drafts())


def test_a_send_that_another_window_called_back_is_not_said_to_be_on_its_way(
    mai: Hands, stage: Stage
) -> None:
    first, _ = (draft.capture_id for draft in stage.outbox.drafts())
    mai.page.viewmodel.describing.select([first])
    mai.key(Qt.Key.Key_R, ALT)
    mai.qtbot.waitUntil(lambda: described(stage) == [KNEE, HEEL])
    mai.send()
    mai.qtbot.waitUntil(lambda: stage.outbox.counts().held == 2)
    with another(stage) as theirs:
        theirs.call_back([s.sop_instance_uid for s in theirs.statuses()], sealing.NURSE)
    mai.key(Qt.Key.Key_Z, CONTROL)
    wanted = "These pictures were called back already."
    mai.qtbot.waitUntil(lambda: mai.state.message is not None and mai.state.message.what == wanted)
    mai.qtbot.waitUntil(lambda: mai.state.sendable == 2)
    mai.key(Qt.Key.Key_Z, CONTROL)  # nothing is left of the Send: the act before it is next
    mai.qtbot.waitUntil(lambda: described(stage) == [HEEL, HEEL])


def test_an_undo_that_finds_nothing_to_take_back_says_so(mai: Hands, stage: Stage) -> None:
    mai.key(Qt.Key.Key_T)
    mai.qtbot.waitUntil(lambda: described(stage)[1].turn is Turn.RIGHT)
    with another(stage) as theirs:
        theirs.seal([draft.capture_id for draft in theirs.drafts()], sealing.NURSE)
        stage.outbox.tell_changes()
        mai.qtbot.waitUntil(lambda: mai.state.sendable == 0)
    mai.key(Qt.Key.Key_Z, CONTROL)
    assert mai.state.message is not None
    assert mai.state.message.what == "Not taken back: Turned right."
    assert mai.state.message.todo == "1 picture is not a draft any more, or was changed since."
    assert mai.state.thumbs[1].turn is Turn.RIGHT
