"""Back to draft: until an attempt has begun, all that was asked for or none."""

from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState, TaskKind
from capture_app.model.operator import Role
from capture_app.model.reason import Reason
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps.tasks import claim, open_tasks, settle_needs_you, settle_untried
from tests import outboxes, sealing
from tests.outboxes import PACS, DirectoryArchive, begin, keep
from tests.waiting import Eventually


def send(outbox: Outbox, clock: FixedClock, n: int = 2, *, release_now: bool = True) -> list[str]:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(n)]
    outbox.seal(kept, sealing.NURSE, release_now=release_now)
    return kept


def states(outbox: Outbox) -> list[ImageState]:
    return [status.state for status in outbox.statuses()]


@pytest.mark.parametrize("release_now", [False, True])
def test_what_is_held_or_queued_is_a_draft_again(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, release_now: bool
) -> None:
    kept = send(outbox, clock, release_now=release_now)
    assert all(status.can_be_recalled for status in outbox.statuses())
    told: list[str] = []
    outbox.on_change(told.append)
    assert outbox.call_back(kept, sealing.NURSE) == 2
    assert set(told) == {*kept}
    assert [draft.capture_id for draft in outbox.drafts()] == kept
    assert states(outbox) == [ImageState.DRAFT] * 2
    assert open_tasks(outbox.spool) == ()
    assert len(outboxes.sealed_files(tmp_path)) == 2, "the sealed instances are gone"
    events = [row.event for row in read_trail(outbox.spool.database.read())][-2:]
    assert {event.action for event in events} == {AuditAction.CALLED_BACK}
    assert [event.sop_instance_uid for event in events] == kept
    assert [event.details for event in events] == [{"reason": "to-change"}] * 2
    assert {event.user_id for event in events} == {sealing.NURSE.user_id}


def test_what_is_sent_again_has_another_uid(outbox: Outbox, clock: FixedClock) -> None:
    kept = send(outbox, clock, 1)
    outbox.call_back(kept, sealing.NURSE)
    outbox.describe(kept, sealing.description(purpose=1), sealing.NURSE)
    outbox.seal(kept, sealing.NURSE, release_now=True)
    (status,) = outbox.statuses()
    assert status.capture_id == kept[0]
    assert status.sop_instance_uid != kept[0]
    recover(outbox.spool, [PACS])
    assert outbox.call_back([status.sop_instance_uid], sealing.NURSE) == 1


def test_what_a_person_must_look_at_can_be_a_draft_where_nothing_was_tried(
    outbox: Outbox, clock: FixedClock
) -> None:
    kept = send(outbox, clock)
    recover(outbox.spool, ["another"])
    assert states(outbox) == [ImageState.IT_ASKED] * 2
    assert outbox.call_back(kept, sealing.NURSE) == 2


@pytest.mark.parametrize("ending", ["running", "untried", "refused"])
def test_after_an_attempt_has_begun_all_are_refused_in_words(
    outbox: Outbox, clock: FixedClock, ending: str
) -> None:
    kept = send(outbox, clock)
    (task,) = claim(outbox.spool, open_tasks(outbox.spool)[:1])
    assert task.kind is TaskKind.STORE
    if ending == "untried":
        settle_untried(outbox.spool, task, reached_nobody=False)
    elif ending == "refused":
        settle_needs_you(outbox.spool, task, Reason.of("status-0122", name=PACS))
    before, rows = states(outbox), len(list(read_trail(outbox.spool.database.read())))
    with pytest.raises(RuleError, match="Sending of 1 picture has begun"):
        outbox.call_back(kept, sealing.NURSE)
    assert states(outbox) == before
    assert outbox.drafts() == ()
    assert len(list(read_trail(outbox.spool.database.read()))) == rows
    recallable = [s.sop_instance_uid for s in outbox.statuses() if s.can_be_recalled]
    assert recallable == [uid for uid in kept if uid != task.sop_instance_uid]
    assert outbox.call_back(recallable, sealing.NURSE) == 1


def test_twice_is_refused_and_without_its_picture_there_is_no_draft(
    outbox: Outbox, clock: FixedClock
) -> None:
    kept = send(outbox, clock)
    outbox.call_back(kept[:1], sealing.NURSE)
    with pytest.raises(RuleError, match="not on its way"):
        outbox.call_back(kept, sealing.NURSE)
    for path in outbox.spool.captures.glob("*.sealed"):
        path.unlink()
    with pytest.raises(RuleError, match="file of a picture is missing"):
        outbox.call_back(kept[1:], sealing.NURSE)


def test_what_was_called_back_is_not_sent_by_an_engine_that_had_seen_it(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, eventually: Eventually
) -> None:
    first, second = send(outbox, clock, release_now=False)
    archive = DirectoryArchive(tmp_path / "archive")
    engine = outboxes.open_engine(outbox, tmp_path, clock, archive)
    engine.start()
    try:
        eventually(lambda: engine.leads)
        other = outboxes.open_outbox(tmp_path, clock)
        assert other.call_back([first], sealing.NURSE) == 1
        outboxes.close(other)
        outbox.release([second], sealing.NURSE)
        eventually(lambda: ImageState.CONFIRMED in states(outbox))
    finally:
        assert engine.stop()
    assert list(archive.holds()) == [second]
    assert [draft.capture_id for draft in outbox.drafts()] == [first]


@pytest.mark.parametrize("roles", [(), (Role.AUDIT,)])
def test_who_may_not_steer_takes_nothing_back(
    outbox: Outbox, clock: FixedClock, roles: tuple[Role, ...]
) -> None:
    kept = send(outbox, clock, release_now=False)
    other = replace(sealing.NURSE, roles=roles)
    (send_id,) = outbox.live_sends()
    with pytest.raises(RuleError, match="Your roles do not allow this"):
        outbox.call_back(kept, other)
    with pytest.raises(RuleError, match="Your roles do not allow this"):
        outbox.undo(send_id, other)
    assert states(outbox) == [ImageState.HELD] * 2
