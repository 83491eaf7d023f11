"""The mark of a fault ends when what it was about has ended."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.model.delivery import ImageState, ProofKind, ProofReceipt, StoreReceipt, TaskKind
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps import tasks
from capture_app.outbox.steps.retain import purge_due
from tests import sealing
from tests.outboxes import PACS, begin, keep

pytestmark = pytest.mark.expects_log("file-missing")
YEAR_S = 400 * 24 * 3600


def lost_after_send(outbox: Outbox, clock: FixedClock) -> str:
    """A picture that was sent, and whose kept file is lost before the archive has it."""
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    (path,) = outbox.spool.captures.glob("*.sealed")
    path.rename(path.with_suffix(".away"))
    recover(outbox.spool, [PACS])
    return capture_id


def deliver(outbox: Outbox, kinds: Sequence[TaskKind]) -> None:
    for kind in kinds:
        (task,) = tasks.claim(outbox.spool, tasks.open_tasks(outbox.spool))
        uid = task.sop_instance_uid
        assert task.kind is kind
        if kind is TaskKind.STORE:
            tasks.settle_stored(outbox.spool, task, StoreReceipt(uid, 0))
        else:
            tasks.settle_proved(outbox.spool, task, ProofReceipt(uid, ProofKind.PIXEL_HASH, PACS))


def state(outbox: Outbox) -> ImageState:
    (status,) = outbox.statuses()
    return status.state


def test_a_lost_file_is_no_fault_any_more_once_the_archive_has_proved_the_picture(
    outbox: Outbox, clock: FixedClock
) -> None:
    uid = lost_after_send(outbox, clock)
    assert (state(outbox), outbox.counts().needs_you) == (ImageState.NEEDS_YOU, 1)
    deliver(outbox, [TaskKind.STORE])
    assert state(outbox) is ImageState.NEEDS_YOU, "the archive may yet have lost it"
    deliver(outbox, [TaskKind.PROVE])
    assert (state(outbox), outbox.counts().stopped) == (ImageState.CONFIRMED, 0)
    recover(outbox.spool, [PACS])
    assert state(outbox) is ImageState.CONFIRMED, "a start does not bring it back"
    assert outbox.try_now([uid], sealing.NURSE) == 0
    clock.advance(YEAR_S)
    assert purge_due(outbox.spool) == 1
    recover(outbox.spool, [PACS])
    assert (state(outbox), outbox.counts().stopped) == (ImageState.PURGED, 0)


def test_looking_at_a_confirmed_picture_whose_file_is_lost_marks_nothing(
    outbox: Outbox, clock: FixedClock
) -> None:
    uid = lost_after_send(outbox, clock)
    deliver(outbox, [TaskKind.STORE, TaskKind.PROVE])
    with pytest.raises(Exception, match="missing"):
        outbox.image_of(uid)
    assert state(outbox) is ImageState.CONFIRMED


@pytest.mark.parametrize("folder", ["captures", "instances"])
def test_a_file_that_is_put_back_ends_it_at_the_next_start(
    outbox: Outbox, clock: FixedClock, folder: str
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    place: Path = getattr(outbox.spool, folder)
    (path,) = place.glob("*.sealed")
    path.rename(path.with_suffix(".away"))
    recover(outbox.spool, [PACS])
    assert state(outbox) is ImageState.NEEDS_YOU
    path.with_suffix(".away").rename(path)
    recover(outbox.spool, [PACS])
    assert state(outbox) is ImageState.QUEUED
