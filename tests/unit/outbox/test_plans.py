"""What is asked often, or under the write lock, costs what is open: not what was ever taken."""

import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import RuleError
from capture_app.model.delivery import ImageState
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.spool import stamp
from capture_app.outbox.status import StatusFilter
from capture_app.outbox.steps import retain, tasks
from tests import sealing
from tests.outboxes import PACS, begin, keep

BIG = ("capture", "instance", "task", "exam", "study", "series", "change", "audit")
_SMALL_BY_ITS_INDEX = re.compile(r"USING (COVERING )?INDEX (capture_with_fault|\w+_with_file)")
_ENDS_EARLY = ("SCAN task USING INDEX task_kept", "SCAN audit")
"""Read from the newest on, and only so many as are asked for."""
WAITING = frozenset({ImageState.QUEUED, ImageState.SENDING, ImageState.SENT})
DONE = frozenset({ImageState.CONFIRMED, ImageState.PURGED})
IN_SIGHT = frozenset(ImageState) - DONE


def connection_of(outbox: Outbox) -> sqlite3.Connection:
    """That of this thread, to watch what goes over it."""
    with outbox.spool.database.transaction() as connection:
        return connection


def confirmed_long_ago(outbox: Outbox, clock: FixedClock, numbers: range) -> None:
    """Rows of pictures that are done with and, all of them, purged."""
    at = stamp(clock.now() - timedelta(days=90))
    with outbox.spool.database.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO exam VALUES ('e', 'p', 'v', '1.2', 'u', ?, x'00', x'', '')",
            (at,),
        )
        connection.execute("INSERT OR IGNORE INTO study VALUES ('1.2', 'k', 1, 1, x'00')")
        connection.execute("INSERT OR IGNORE INTO series VALUES ('1.3', 'k', '1.2', 1, 1)")
        for number in numbers:
            uid = f"2.25.{number}"
            connection.execute(
                "INSERT INTO capture VALUES (?, 'e', 'u', NULL, ?, ?, x'00', '', '', '')",
                (uid, at, at),
            )
            connection.execute(
                "INSERT INTO instance VALUES (?1, ?1, '1.3', 's', 'u', NULL, ?2, 30, ?3, x'00', 0)",
                (uid, number, at),
            )
            for kind, to, proof in (
                ("store", PACS, ""),
                ("prove", PACS, "pixel-hash"),
                ("retain", "", ""),
            ):
                connection.execute(
                    "INSERT INTO task (kind, sop_instance_uid, destination, state, proof, "
                    "changed_at) VALUES (?, ?, ?, 'done', ?, ?)",
                    (kind, uid, to, proof, at),
                )


def steps(outbox: Outbox, act: Callable[[], object]) -> int:
    """How many steps of SQLite's machine an act takes."""
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    connection = connection_of(outbox)
    connection.set_progress_handler(count, 1)
    try:
        act()
    finally:
        connection.set_progress_handler(None, 1)
    return counted[0]


def test_what_is_asked_often_costs_the_same_after_years(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(4)]
    outbox.seal(kept[:3], sealing.NURSE, release_now=True)
    midnight = clock.now().replace(hour=0)
    today = StatusFilter(states=DONE, changed_since=midnight, limit=200)
    acts: dict[str, Callable[[], object]] = {
        "counts": outbox.counts,
        "last answered": outbox.last_answered,
        "waiting": lambda: outbox.statuses(StatusFilter(states=WAITING, limit=50)),
        "confirmed today": lambda: outbox.statuses(today),
        "newest confirmed": lambda: outbox.statuses(StatusFilter(states=DONE, limit=1)),
        "in sight": lambda: outbox.statuses(StatusFilter(states=IN_SIGHT)),
        "drafts": outbox.drafts,
        "open steps": lambda: tasks.open_tasks(outbox.spool),
        "purge": lambda: retain.purge_due(outbox.spool),
        "clean": lambda: retain.clean_deleted(outbox.spool),
        "changes": outbox.tell_changes,
        "hold": lambda: outbox.hold(kept[:3], sealing.NURSE),
        "release": lambda: outbox.release(kept[:3], sealing.NURSE),
        "try now": lambda: outbox.try_now(kept[:3], sealing.NURSE),
        "describe": lambda: outbox.describe(kept[3:], sealing.description(), sealing.NURSE),
    }
    confirmed_long_ago(outbox, clock, range(1, 50))
    outbox.tell_changes()
    few = {name: steps(outbox, act) for name, act in acts.items()}
    confirmed_long_ago(outbox, clock, range(50, 2000))
    outbox.tell_changes()  # the old pictures are no news
    many = {name: steps(outbox, act) for name, act in acts.items()}
    grown = {name: (few[name], many[name]) for name in acts if many[name] > 1.2 * few[name] + 20}
    assert not grown


def test_no_statement_of_the_outbox_reads_a_whole_table(outbox: Outbox, clock: FixedClock) -> None:
    spool, statements = outbox.spool, list[str]()
    connection = connection_of(outbox)
    connection.set_trace_callback(statements.append)
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(4)]
    outbox.statuses(StatusFilter(capture_ids=tuple(kept)))
    outbox.statuses(StatusFilter(exam_id=exam.exam_id))
    outbox.statuses(StatusFilter(states=WAITING))
    outbox.statuses(StatusFilter(states=IN_SIGHT))
    outbox.statuses(StatusFilter(states=DONE, changed_since=clock.now()))
    outbox.drafts(exam_id=exam.exam_id)
    outbox.drafts(patient_key=outbox.patient_key(exam))
    outbox.last_taken([exam.patient])
    outbox.has_pictures(exam)
    outbox.exam_of(kept[0])
    outbox.delete(kept[3:], sealing.NURSE)
    outbox.restore(kept[3:], sealing.NURSE)
    sending = outbox.seal(kept, sealing.NURSE)
    assert outbox.undo(sending.send_id, sealing.NURSE)
    outbox.seal(kept, sealing.NURSE)
    uids = [status.sop_instance_uid for status in outbox.statuses(StatusFilter(states=IN_SIGHT))]
    outbox.hold(uids, sealing.NURSE, dict.fromkeys(uids, ImageState.HELD))
    outbox.release(uids, sealing.NURSE)
    outbox.try_now(uids, sealing.NURSE)
    assert outbox.call_back(uids[:1], sealing.NURSE) == 1
    outbox.counts()
    outbox.last_answered()
    (task, *_) = tasks.claim(spool, tasks.open_tasks(spool))
    tasks.has_running(spool, [1])
    tasks.requeue_running(spool, list)
    tasks.resends_of(spool, task)
    retain.purge_due(spool)
    retain.clean_deleted(spool)
    with pytest.raises(RuleError):
        outbox.call_back(uids[1:], sealing.NURSE)
    recover(spool, [PACS])
    outbox.tell_changes()
    connection.set_trace_callback(None)
    asked = [s for s in statements if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", s)]
    assert len(asked) > 100
    scans = {
        (step, statement[:120])
        for statement in asked
        for _, _, _, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        if re.match(rf"SCAN ({'|'.join(BIG)})\b", step) and not _SMALL_BY_ITS_INDEX.search(step)
    }
    assert {scan for scan in scans if scan[0] not in _ENDS_EARLY} == set()


def test_the_table_of_drafts_follows_whatever_happens_to_a_picture(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    def listed() -> set[str]:
        rows = outbox.spool.database.read().execute("SELECT capture_id FROM draft")
        return {capture_id for (capture_id,) in rows}

    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(3)]
    assert listed() == {*kept}
    outbox.delete(kept[:1], sealing.NURSE)
    assert listed() == {*kept[1:]}
    outbox.restore(kept[:1], sealing.NURSE)
    sending = outbox.seal(kept[:2], sealing.NURSE)
    assert listed() == {kept[2]}
    outbox.undo(sending.send_id, sealing.NURSE)
    assert listed() == {*kept}
    outbox.seal(kept[:2], sealing.NURSE, release_now=True)
    assert listed() == {kept[2]}
    outbox.delete(kept[2:], sealing.NURSE)
    clock.advance(2 * 24 * 3600)
    retain.clean_deleted(outbox.spool)
    assert listed() == set()
