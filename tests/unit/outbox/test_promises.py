"""What is promised of each image whatever goes wrong: step by step, on a real folder."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import (
    ChangedSinceSeenError,
    RuleError,
    SealBrokenError,
    StoreError,
)
from capture_app.model.delivery import ImageState, TaskKind
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.operator import Role
from capture_app.model.patient import PatientId
from capture_app.model.procedure import Side
from capture_app.outbox.delivery.batch import Delivery
from capture_app.outbox.delivery.schedule import Schedule
from capture_app.outbox.keeping.drafts import open_capture, open_kept
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps import tasks
from capture_app.outbox.steps.retain import purge_due
from capture_app.store.sealed import stage_sealed
from tests import outboxes, sealing
from tests.outboxes import PACS, DirectoryArchive, begin, keep
from tests.unit.outbox.rig import prove_at

Opens = Callable[..., object]


def sent(outbox: Outbox, clock: FixedClock, count: int = 1) -> list[str]:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(count)]
    outbox.seal(kept, sealing.NURSE, release_now=True)
    return kept


def deliver(outbox: Outbox, clock: FixedClock, archive: DirectoryArchive) -> None:
    """One round of whatever is open, as a worker of the engine does it."""
    schedule = Schedule(clock, 0.0)
    delivery = Delivery(outbox.spool, archive, schedule, Event(), lambda: None)
    for kind in (TaskKind.STORE, TaskKind.PROVE):
        if due := [task for task in tasks.open_tasks(outbox.spool) if task.kind is kind]:
            delivery.deliver(due)


def file_of(outbox: Outbox, table: str, uid: str) -> Path:
    key = {"capture": "capture_id", "instance": "sop_instance_uid"}[table]
    (name,) = (
        outbox.spool.database.read()
        .execute(f"SELECT file FROM {table} WHERE {key} = ?", (uid,))  # noqa: S608 - names of this test
        .fetchone()
    )
    folder = outbox.spool.captures if table == "capture" else outbox.spool.instances
    return Path(folder / name)


def swap(one: Path, other: Path) -> None:
    """Each file is good in itself, and stands under the other's name."""
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def spoil(path: Path) -> bytes:
    """Changes a byte near the end: header and identity stay whole. What it was before."""
    before = path.read_bytes()
    path.write_bytes(before[:-5] + bytes([before[-5] ^ 1]) + before[-4:])
    return before


def states(outbox: Outbox, kind: TaskKind) -> list[str]:
    rows = outbox.spool.database.read().execute(
        "SELECT state FROM task WHERE kind = ? ORDER BY task_id", (kind,)
    )
    return [state for (state,) in rows]


# ------------------------------------------------------------------------------------- the files


@pytest.mark.expects_log("delivery-needs-you")
def test_two_sealed_files_that_changed_their_names_are_never_sent(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    one, other = sent(outbox, clock, 2)
    swap(file_of(outbox, "instance", one), file_of(outbox, "instance", other))
    archive = DirectoryArchive(tmp_path / "archive")
    deliver(outbox, clock, archive)
    assert archive.holds() == {}
    assert {str(status.reason and status.reason.code) for status in outbox.statuses()} == {
        "seal-broken"
    }


@pytest.mark.parametrize("opens", [open_capture, open_kept])
def test_two_kept_pictures_that_changed_their_names_are_never_shown(
    outbox: Outbox, clock: FixedClock, opens: Opens
) -> None:
    exam = begin(outbox, clock)
    one, other = keep(outbox, exam), keep(outbox, exam)
    swap(file_of(outbox, "capture", one), file_of(outbox, "capture", other))
    for uid in (one, other):
        with pytest.raises(SealBrokenError):
            opens(outbox.spool, uid)
    assert all(draft.fault is not None for draft in outbox.drafts())


@pytest.mark.parametrize("spoils", ["byte", "names"])
def test_a_mark_stays_until_the_whole_picture_was_looked_at(
    outbox: Outbox, clock: FixedClock, spoils: str
) -> None:
    exam = begin(outbox, clock)
    one, other = keep(outbox, exam), keep(outbox, exam)
    path, second = file_of(outbox, "capture", one), file_of(outbox, "capture", other)
    before = spoil(path) if spoils == "byte" else b""
    if spoils == "names":
        swap(path, second)
    with pytest.raises(SealBrokenError):
        outbox.image_of(one)
    assert outbox.try_now([one], sealing.NURSE) == 0
    recover(outbox.spool, [PACS])
    marked = {draft.capture_id: draft.fault for draft in outbox.drafts()}
    assert marked[one] is not None
    if spoils == "byte":
        path.write_bytes(before)
    else:
        swap(path, second)
    assert outbox.try_now([one], sealing.NURSE) == 1
    assert isinstance(outbox.image_of(one), EncodedImage)


@pytest.mark.expects_log("delivery-needs-you")
@pytest.mark.parametrize("spoils", ["byte", "names"])
def test_a_start_sends_no_file_that_is_still_broken(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, spoils: str
) -> None:
    one, other = sent(outbox, clock, 2)
    path, second = file_of(outbox, "instance", one), file_of(outbox, "instance", other)
    before = spoil(path) if spoils == "byte" else b""
    if spoils == "names":
        swap(path, second)
    deliver(outbox, clock, DirectoryArchive(tmp_path / "archive"))
    needs = states(outbox, TaskKind.STORE)
    assert "needs-you" in needs
    recover(outbox.spool, [PACS])
    assert states(outbox, TaskKind.STORE) == needs
    if spoils == "byte":
        path.write_bytes(before)
    else:
        swap(path, second)
    recover(outbox.spool, [PACS])
    assert "needs-you" not in states(outbox, TaskKind.STORE)


def test_where_the_commit_itself_fails_the_file_stays(outbox: Outbox) -> None:
    """Nobody can say then whether the rows are there: recovery looks."""
    spool = outbox.spool
    uid = spool.clock.new_uid()
    staged = stage_sealed(
        spool.captures, uid=uid, identity=b"{}", content=b"x", cipher=spool.cipher, kind="capture"
    )

    def publish_a_step_of_nothing() -> None:
        with spool.publishing([staged]) as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")  # so that COMMIT finds it out
            connection.execute(
                "INSERT INTO task (kind, sop_instance_uid, destination, state, changed_at) "
                "VALUES ('store', 'of-nothing', 'pacs', 'queued', ?)",
                (spool.now(),),
            )

    with pytest.raises((StoreError, sqlite3.Error)):
        publish_a_step_of_nothing()
    assert staged.path.exists()


# ------------------------------------------------------------------------------------- the steps


@pytest.mark.expects_log("destination-silent")
def test_an_archive_is_never_given_up(outbox: Outbox, clock: FixedClock, tmp_path: Path) -> None:
    sent(outbox, clock)
    archive = DirectoryArchive(tmp_path / "archive", is_down=True)
    for failures in range(1, 31):
        deliver(outbox, clock, archive)
        (status,) = outbox.statuses()
        assert (status.state, status.failures) == (ImageState.QUEUED, failures)
    archive.is_down = False
    deliver(outbox, clock, archive)
    assert len(archive.holds()) == 1


@pytest.mark.parametrize("state", ["held", "running", "done", "needs-you", "withdrawn"])
def test_only_what_is_queued_is_claimed(outbox: Outbox, clock: FixedClock, state: str) -> None:
    sent(outbox, clock)
    seen = tasks.open_tasks(outbox.spool)
    with outbox.spool.database.transaction() as connection:  # meanwhile, in another window
        connection.execute("UPDATE task SET state = ?", (state,))
    assert tasks.claim(outbox.spool, seen) == ()
    assert states(outbox, TaskKind.STORE) == [state]


def test_what_a_person_holds_back_is_not_released_by_time(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam), keep(outbox, exam)]
    outbox.seal(kept, sealing.NURSE)
    seen = [task.task_id for task in tasks.open_tasks(outbox.spool)]
    outbox.hold([kept[0]], sealing.NURSE)
    tasks.release_held(outbox.spool, seen)
    assert states(outbox, TaskKind.STORE) == ["held", "queued"]


# ----------------------------------------------------------------------------------------- Send


def test_a_picture_of_somebody_else_stops_the_whole_send(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam), keep(outbox, exam)]
    other = replace(exam.patient, patient_id=PatientId("900002", "ST_ANNE"))
    with pytest.raises(RuleError, match="another patient"):
        outbox.seal(kept, sealing.NURSE, patient=other)
    assert states(outbox, TaskKind.STORE) == []
    assert len(outbox.drafts()) == 2


def test_who_takes_no_pictures_describes_and_sends_none(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam)]
    right = sealing.description(side=Side.RIGHT)
    for roles in ((), (Role.AUDIT,), (Role.ADMINISTER, Role.CORRECT)):
        other = replace(sealing.NURSE, roles=roles)
        with pytest.raises(RuleError, match="Your roles do not allow this"):
            outbox.describe(kept, right, other)
        with pytest.raises(RuleError, match="Your roles do not allow this"):
            outbox.seal(kept, other)
    assert [draft.description for draft in outbox.drafts()] == [sealing.description()]
    outbox.seal(kept, sealing.NURSE)
    with pytest.raises(RuleError, match="Your roles do not allow this"):
        outbox.hold(kept, replace(sealing.NURSE, roles=(Role.AUDIT,)))
    assert states(outbox, TaskKind.STORE) == ["held"]


def test_an_act_counts_on_what_was_seen_alone(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam), keep(outbox, exam)]
    described, right = sealing.description(), sealing.description(side=Side.RIGHT)
    outbox.describe([kept[1]], right, sealing.NURSE)  # in another window
    seen = dict.fromkeys(kept, described)
    for act in (
        lambda: outbox.describe(kept, right, sealing.NURSE, seen),
        lambda: outbox.delete(kept, sealing.NURSE, seen),
        lambda: outbox.seal(kept, sealing.NURSE, seen=seen),
    ):
        with pytest.raises(ChangedSinceSeenError):
            act()
    assert [draft.description for draft in outbox.drafts()] == [described, right]
    assert states(outbox, TaskKind.STORE) == []


# -------------------------------------------------------------------------------------- the purge


def test_days_are_counted_from_the_last_archive(tmp_path: Path, clock: FixedClock) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock, destinations=("one", "two"))
    sent(outbox, clock)
    prove_at(outbox, ["one"])
    assert states(outbox, TaskKind.RETAIN) == []
    clock.advance(timedelta(days=20).total_seconds())
    prove_at(outbox, ["two"])
    assert states(outbox, TaskKind.RETAIN) == ["queued"]
    (due,) = outbox.spool.database.read().execute("SELECT due_at FROM task WHERE kind = 'retain'")
    assert due[0] > outbox.spool.now()
    assert purge_due(outbox.spool) == 0
    outboxes.close(outbox)


def over(outbox: Outbox, clock: FixedClock) -> Path:
    """An image whose days are over, proven. Its file."""
    (uid,) = sent(outbox, clock)
    prove_at(outbox, [PACS])
    clock.advance(timedelta(days=400).total_seconds())
    return file_of(outbox, "instance", uid)


def test_nothing_is_purged_before_that_is_written_down(outbox: Outbox, clock: FixedClock) -> None:
    path = over(outbox, clock)
    with outbox.spool.database.transaction() as connection:
        connection.execute(
            "CREATE TRIGGER no_purge BEFORE UPDATE OF file ON capture "
            "BEGIN SELECT RAISE(ABORT, 'not now'); END"
        )
    with pytest.raises((StoreError, sqlite3.Error)):
        purge_due(outbox.spool)
    assert path.exists()
    with outbox.spool.database.transaction() as connection:
        connection.execute("DROP TRIGGER no_purge")
    assert purge_due(outbox.spool) == 1
    assert not path.exists()


@pytest.mark.parametrize(
    "change",
    ["proof = 'listed'", "proof = ''", "state = 'queued'", "state = 'needs-you'"],
)
def test_nothing_is_purged_without_custody(outbox: Outbox, clock: FixedClock, change: str) -> None:
    path = over(outbox, clock)
    with outbox.spool.database.transaction() as connection:
        connection.execute(f"UPDATE task SET {change} WHERE kind = 'prove'")  # noqa: S608 - of this test
    assert purge_due(outbox.spool) == 0
    assert path.exists()
