"""Images that are for several archives, and archives that are no more."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import RuleError, TransientDeliveryError
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState, ProofKind, ProofReceipt, StoreReceipt
from capture_app.model.operator import Role
from capture_app.model.reason import Reason
from capture_app.outbox.act_on_image import record_on_image
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps.retain import purge_due
from capture_app.outbox.steps.tasks import (
    Task,
    claim,
    open_tasks,
    settle_again,
    settle_needs_you,
    settle_proved,
    settle_resend,
    settle_stored,
    settle_untried,
)
from tests import outboxes, sealing
from tests.outboxes import DirectoryArchive, begin, keep
from tests.unit.outbox.rig import Rig
from tests.waiting import Eventually

NURSE = sealing.NURSE
ADMIN = replace(NURSE, roles=(Role.ADMINISTER,))


@pytest.fixture
def both(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    """An outbox whose images are for `old` and `new`."""
    outbox = outboxes.open_outbox(tmp_path, clock, destinations=("old", "new"))
    yield outbox
    outboxes.close(outbox)


def send(outbox: Outbox, clock: FixedClock, n: int = 1) -> list[str]:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(n)]
    outbox.seal(kept, NURSE, release_now=True)
    return kept


def stands(outbox: Outbox, uid: str) -> dict[str, ImageState | None]:
    return {at.destination: at.state for at in outbox.at_archives([uid])[uid]}


def delivered(
    outbox: Outbox, clock: FixedClock, eventually: Eventually, *names: str, folder: Path
) -> None:
    """All goes that can, to these archives."""
    archives = [DirectoryArchive(folder / name, name) for name in names]
    rig = Rig(folder, clock, eventually, outbox, archives[0])
    rig.start(*archives)
    eventually(
        lambda: (
            not outbox.spool.database.read()
            .execute("SELECT 1 FROM task WHERE state IN ('queued', 'running') AND kind <> 'retain'")
            .fetchone()
        )
    )
    for engine in rig.engines:
        assert engine.stop()


def test_each_archive_of_an_image_is_told(
    both: Outbox, clock: FixedClock, eventually: Eventually, tmp_path: Path
) -> None:
    (uid,) = send(both, clock)
    assert stands(both, uid) == {"old": ImageState.QUEUED, "new": ImageState.QUEUED}
    delivered(both, clock, eventually, "new", folder=tmp_path)
    old, new = both.at_archives([uid])[uid]
    assert (new.destination, new.state, new.proof) == (
        "new",
        ImageState.CONFIRMED,
        ProofKind.PIXEL_HASH,
    )
    assert (old.destination, old.state) == ("old", ImageState.NEEDS_YOU)
    assert old.reason is not None
    assert old.reason.code == "unknown-destination"


def test_an_archive_that_is_no_more_is_retired_and_the_other_confirms(
    both: Outbox, clock: FixedClock, eventually: Eventually, tmp_path: Path
) -> None:
    one, two = send(both, clock, 2)
    delivered(both, clock, eventually, "new", folder=tmp_path)
    assert [status.state for status in both.statuses()] == [ImageState.IT_ASKED] * 2
    assert both.retire("old", ADMIN) == 2
    assert stands(both, one) == {"old": None, "new": ImageState.CONFIRMED}
    for status in both.statuses():
        assert (status.state, status.destination) == (ImageState.CONFIRMED, "new")
        assert status.proof is ProofKind.PIXEL_HASH
    recover(both.spool, ("new",))  # a start gives it no step again
    assert stands(both, two) == {"old": None, "new": ImageState.CONFIRMED}
    assert both.retire("old", ADMIN) == 0
    events = [row.event for row in read_trail(both.spool.database.read())]
    retired = [event for event in events if event.action is AuditAction.ARCHIVE_RETIRED]
    assert sorted(event.sop_instance_uid for event in retired) == sorted([one, two])
    assert {event.details["destination"] for event in retired} == {"old"}


def test_an_image_is_never_left_without_an_archive(
    tmp_path: Path, clock: FixedClock, eventually: Eventually
) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock, destinations=("old",))
    (uid,) = send(outbox, clock)
    with pytest.raises(RuleError, match="1 image has no other archive"):
        outbox.retire("old", ADMIN)
    assert stands(outbox, uid) == {"old": ImageState.QUEUED}
    assert outbox.retire("old", ADMIN, instead="new") == 1
    assert stands(outbox, uid) == {"old": None, "new": ImageState.QUEUED}
    recover(outbox.spool, ("new",))
    assert stands(outbox, uid) == {"old": None, "new": ImageState.QUEUED}
    delivered(outbox, clock, eventually, "new", folder=tmp_path)
    (status,) = outbox.statuses()
    assert (status.state, status.destination) == (ImageState.CONFIRMED, "new")
    outboxes.close(outbox)


@pytest.mark.expects_log("step-given-again")
def test_a_retired_archive_is_no_proof(both: Outbox, clock: FixedClock) -> None:
    (uid,) = send(both, clock)
    assert both.retire("old", ADMIN) == 1
    assert stands(both, uid) == {"old": None, "new": ImageState.QUEUED}
    with pytest.raises(RuleError):
        both.retire("new", ADMIN)
    retained = "SELECT count(*) FROM task WHERE kind = 'retain'"
    assert both.spool.database.read().execute(retained).fetchone() == (0,)
    with both.spool.database.transaction() as connection:  # a damage takes the step that is left
        connection.execute("DELETE FROM task WHERE destination = 'new'")
    recover(both.spool, ("new",))
    assert both.spool.database.read().execute(retained).fetchone() == (0,)
    assert stands(both, uid)["new"] in {ImageState.QUEUED, ImageState.SENT}


def test_what_waits_for_one_archive_is_tried_now(both: Outbox, clock: FixedClock) -> None:
    kept = send(both, clock, 2)
    with both.spool.database.transaction() as connection:
        connection.execute("UPDATE task SET state = 'needs-you', failures = 3, error_code = 'x'")
    assert both.retry_at("old", NURSE) == 2
    for uid in kept:
        assert stands(both, uid) == {"old": ImageState.QUEUED, "new": ImageState.NEEDS_YOU}
    events = [row.event for row in read_trail(both.spool.database.read())]
    asked = [event for event in events if event.action is AuditAction.RETRY_ASKED]
    assert [event.details for event in asked] == [{"destination": "old"}] * 2
    assert both.retry_at("nobody", NURSE) == 0


def test_who_may_not_steer_or_retire_changes_nothing(both: Outbox, clock: FixedClock) -> None:
    (uid,) = send(both, clock)
    for roles in ((Role.CAPTURE,), (Role.AUDIT, Role.CORRECT), ()):
        with pytest.raises(RuleError, match="Your roles do not allow this"):
            both.retire("old", replace(NURSE, roles=roles))
    for roles in ((Role.AUDIT,), ()):
        with pytest.raises(RuleError, match="Your roles do not allow this"):
            both.retry_at("old", replace(NURSE, roles=roles))
    assert stands(both, uid) == {"old": ImageState.QUEUED, "new": ImageState.QUEUED}


def test_an_archive_that_came_back_takes_images_again(
    tmp_path: Path, clock: FixedClock, eventually: Eventually
) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock, destinations=("old",))
    (uid,) = send(outbox, clock)
    assert outbox.retire("old", ADMIN, instead="new") == 1
    assert outbox.retire("new", ADMIN, instead="old") == 1
    assert stands(outbox, uid) == {"old": ImageState.QUEUED, "new": None}
    delivered(outbox, clock, eventually, "old", folder=tmp_path)
    (status,) = outbox.statuses()
    assert (status.state, status.destination) == (ImageState.CONFIRMED, "old")
    outboxes.close(outbox)


def test_an_image_whose_step_of_sending_is_lost_moves_all_the_same(
    tmp_path: Path, clock: FixedClock
) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock, destinations=("old",))
    (uid,) = send(outbox, clock)
    with outbox.spool.database.transaction() as connection:  # as a damage leaves it
        connection.execute("UPDATE task SET kind = 'prove'")
    assert outbox.retire("old", ADMIN, instead="new") == 1
    assert stands(outbox, uid) == {"new": ImageState.QUEUED}
    outboxes.close(outbox)


def test_what_a_person_holds_back_is_held_at_the_next_archive_too(
    both: Outbox, clock: FixedClock
) -> None:
    held, free = send(both, clock, 2)
    both.hold([held], NURSE)
    assert both.retire("old", ADMIN, instead="third") == 2
    assert stands(both, held) == {
        "old": None,
        "new": ImageState.HELD,
        "third": ImageState.HELD,
    }
    assert stands(both, free)["third"] is ImageState.QUEUED
    by_person = "SELECT held_by_person FROM task WHERE state = 'held'"
    assert both.spool.database.read().execute(by_person).fetchall() == [(1,), (1,)]


def test_a_retired_archive_keeps_no_pixels_on_this_computer(
    both: Outbox, clock: FixedClock, eventually: Eventually, tmp_path: Path
) -> None:
    send(both, clock)
    delivered(both, clock, eventually, "new", folder=tmp_path)
    assert purge_due(both.spool) == 0
    assert both.retire("old", ADMIN) == 1
    assert purge_due(both.spool) == 0
    clock.advance(timedelta(days=400).total_seconds())
    assert purge_due(both.spool) == 1
    assert [status.state for status in both.statuses()] == [ImageState.PURGED]


def test_an_act_says_whose_image_it_was_and_of_which_study(both: Outbox, clock: FixedClock) -> None:
    """However it is known: a draft, an image, one whose rows are damaged."""
    (uid,) = send(both, clock)
    both.retry_at("old", NURSE)
    both.try_now([uid], NURSE)
    spool = both.spool
    with spool.database.transaction() as connection:
        record_on_image(connection, spool, AuditAction.RETRY_ASKED, "kay", "1.2.3.4")
    events = [row.event for row in read_trail(spool.database.read())]
    (sent,) = [one for one in events if one.action is AuditAction.SEND_ASKED]
    *asked, unknown = [one for one in events if one.action is AuditAction.RETRY_ASKED]
    assert len(asked) == 2
    for event in asked:
        assert (event.exam_id, event.patient_key) == (sent.exam_id, sent.patient_key)
        assert event.study_instance_uid == sent.study_instance_uid != ""
    assert (unknown.exam_id, unknown.patient_key, unknown.study_instance_uid) == ("", "", "")


def take(outbox: Outbox) -> Task:
    """The step at `old`, under way in another process."""
    (task,) = [task for task in open_tasks(outbox.spool) if task.destination == "old"]
    assert claim(outbox.spool, [task]) == (task,)
    return task


SILENT = TransientDeliveryError(Reason.of("timeout", name="old"))
Ending = Callable[[Outbox, Task], None]
ENDINGS: dict[str, Ending] = {
    "stored": lambda outbox, task: settle_stored(
        outbox.spool, task, StoreReceipt(task.sop_instance_uid, 0)
    ),
    "again": lambda outbox, task: settle_again(
        outbox.spool, task, due=outbox.spool.clock.now(), error=SILENT
    ),
    "untried": lambda outbox, task: settle_untried(outbox.spool, task, reached_nobody=True),
    "needs-you": lambda outbox, task: settle_needs_you(outbox.spool, task, SILENT.reason),
}
OF_PROOF: dict[str, Ending] = {
    "proved": lambda outbox, task: settle_proved(
        outbox.spool,
        task,
        ProofReceipt(task.sop_instance_uid, ProofKind.PIXEL_HASH, "old"),
    ),
    "resend": lambda outbox, task: settle_resend(outbox.spool, task, error=SILENT),
    "again": ENDINGS["again"],
    "needs-you": ENDINGS["needs-you"],
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_under_way_when_its_archive_was_retired_asks_nothing_of_it(
    both: Outbox, clock: FixedClock, ending: str
) -> None:
    (uid,) = send(both, clock)
    task = take(both)
    assert both.retire("old", ADMIN) == 1
    ENDINGS[ending](both, task)
    assert stands(both, uid) == {"old": None, "new": ImageState.QUEUED}
    assert {task.destination for task in open_tasks(both.spool)} == {"new"}
    acts = [row.event.action for row in read_trail(both.spool.database.read())]
    # Whoever asks who has the picture finds that the archive took it all the same.
    assert acts.count(AuditAction.TRANSFERRED) == (ending == "stored")


@pytest.mark.parametrize("ending", OF_PROOF)
def test_a_proof_that_was_under_way_when_its_archive_was_retired_counts_for_nothing(
    both: Outbox, clock: FixedClock, ending: str
) -> None:
    (uid,) = send(both, clock)
    ENDINGS["stored"](both, take(both))
    task = take(both)
    assert both.retire("old", ADMIN) == 1
    OF_PROOF[ending](both, task)
    assert stands(both, uid) == {"old": None, "new": ImageState.QUEUED}
    assert {task.destination for task in open_tasks(both.spool)} == {"new"}
    acts = [row.event.action for row in read_trail(both.spool.database.read())]
    assert AuditAction.CONFIRMED not in acts
