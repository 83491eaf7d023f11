"""The steps of delivery as rows: one is claimed, settled, and the next written with that."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from capture_app.errors import CodedReason, DeliveryError, SealBrokenError
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.model.delivery import Instance, ProofKind, ProofReceipt, StoreReceipt, TaskKind
from capture_app.model.reason import Reason
from capture_app.outbox.act_on_image import record_on_image
from capture_app.outbox.counted_time import Waiting, begin_waiting
from capture_app.outbox.sealing.identity import instance_context, read_identity
from capture_app.outbox.spool import LONGEST_KEEP_DAYS, MOST, Spool, stamp
from capture_app.store.sealed import open_identity

ENGINE_USER: Final = "capture-app"
"""Who the trail names where no person acted."""


@dataclass(frozen=True, slots=True)
class Task:
    """One step that is not done yet."""

    task_id: int
    kind: TaskKind
    sop_instance_uid: str
    destination: str
    is_held: bool
    held_by_person: bool
    failures: int
    resends: int
    nudges: int
    send_id: str
    is_suspect: bool = False
    """The archive fell silent at it, or this computer ended while it was under way."""


_log = structlog.get_logger(__name__)

_OPEN: Final = (
    "SELECT task.task_id, task.kind, task.sop_instance_uid, task.destination, "
    "task.state = 'held', task.held_by_person, task.failures, task.resends, task.nudges, "
    "instance.send_id, task.is_suspect FROM task JOIN instance USING (sop_instance_uid) "
    "WHERE task.state IN ('queued', 'held') AND task.kind <> 'retain' ORDER BY task.task_id"
)


def open_tasks(spool: Spool) -> tuple[Task, ...]:
    """Everything that waits to be stored or proved, oldest first.

    A row that cannot be read waits alone; it is named in the log and by `outbox --check`.
    """
    found = []
    for row in spool.database.read().execute(_OPEN):
        try:
            kind = TaskKind(row[1])
        except ValueError:
            _log.error("task-row-unreadable", task=row[0], uid=row[2])
            continue
        if not all(isinstance(count, int) and 0 <= count <= MOST for count in row[6:9]):
            _log.error("task-row-unreadable", task=row[0], uid=row[2])
            continue
        held, by_person, suspect = bool(row[4]), bool(row[5]), bool(row[10])
        task = Task(row[0], kind, row[2], row[3], held, by_person, *row[6:10])
        found.append(replace(task, is_suspect=suspect))
    return tuple(found)


def release_held(spool: Spool, task_ids: Iterable[int]) -> None:
    """Queues what was held for undo and still is; what a person holds back stays."""
    with spool.database.transaction() as connection:
        connection.executemany(
            "UPDATE task SET state = 'queued', changed_at = ?2 "
            "WHERE task_id = ?1 AND state = 'held' AND held_by_person = 0",
            [(task_id, spool.now()) for task_id in task_ids],
        )


def requeue_running(spool: Spool, in_flight: Callable[[], Sequence[int]]) -> int:
    """Queues steps that claim to be under way while nobody works at them; returns how many.

    Who is at work is asked under the write lock: a step is in flight before it is claimed, so that
    one which is claimed just now is not taken back.
    """
    with spool.database.transaction() as connection:
        return connection.execute(
            "UPDATE task SET state = 'queued', changed_at = ?2 WHERE state = 'running' "
            "AND task_id NOT IN (SELECT value FROM json_each(?1))",
            (json.dumps(list(in_flight())), spool.now()),
        ).rowcount


def has_running(spool: Spool, in_flight: Sequence[int]) -> bool:
    """Whether `requeue_running` would find anything: a question without the write lock."""
    row = (
        spool.database.read()
        .execute(
            "SELECT 1 FROM task WHERE state = 'running' "
            "AND task_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
            (json.dumps(list(in_flight)),),
        )
        .fetchone()
    )
    return row is not None


@dataclass(frozen=True, slots=True)
class Unbegun:
    """A picture of which no archive can have anything yet."""

    exam_id: str
    answered: tuple[str, ...]
    """Codes of what a person knew of who wants it sent all the same."""


def unbegun(spool: Spool, task: Task) -> Unbegun | None:
    """What is to be known before an attempt; None where one may have reached an archive."""
    row = (
        spool.database.read()
        .execute(
            "SELECT capture.exam_id, task.answered FROM task "
            "JOIN instance USING (sop_instance_uid) JOIN capture USING (capture_id) "
            "WHERE task.task_id = ?1 AND task.state = 'queued' AND NOT EXISTS (SELECT 1 "
            "FROM task AS tried WHERE tried.sop_instance_uid = task.sop_instance_uid "
            "AND (tried.attempts > 0 OR tried.kind <> 'store'))",
            (task.task_id,),
        )
        .fetchone()
    )
    return Unbegun(row[0], tuple(row[1].split())) if row is not None else None


def settle_hindered(spool: Spool, task: Task, reason: CodedReason) -> None:
    """The feed says something against sending it: a person decides, before an archive has it."""
    with spool.database.transaction() as connection:
        changed = connection.execute(
            "UPDATE task SET state = 'needs-you', due_at = '', error_code = ?2, last_error = ?3, "
            "changed_at = ?4 WHERE task_id = ?1 AND state = 'queued'",
            (task.task_id, reason.code, _text(reason), spool.now()),
        )
        if changed.rowcount:
            details = {"destination": task.destination, "reason": reason.code}
            _record(connection, spool, AuditAction.STOPPED_BY_FEED, task, details)


def claim(spool: Spool, tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Marks steps as under way. What a person held or withdrew meanwhile is left out.

    The attempt counts from here on, whatever ends the process; one that reached nobody is counted
    no more when it is settled.
    """
    claimed = []
    with spool.database.transaction() as connection:
        for task in tasks:
            changed = connection.execute(
                "UPDATE task SET state = 'running', changed_at = ?2, "
                "attempts = iif(attempts BETWEEN 0 AND ?3, attempts + 1, 1) "
                "WHERE task_id = ?1 AND state = 'queued'",
                (task.task_id, spool.now(), MOST),
            )
            if changed.rowcount:
                claimed.append(task)
        if claimed and claimed[0].kind is TaskKind.STORE and any(not t.failures for t in claimed):
            spool.record(
                connection,
                AuditEvent(
                    AuditAction.TRANSFER_BEGUN,
                    ENGINE_USER,
                    details={"destination": claimed[0].destination, "images": str(len(claimed))},
                ),
            )
    return tuple(claimed)


def read_instance(spool: Spool, sop_instance_uid: str) -> tuple[Instance, str | None]:
    """A sealed instance and the name of its file (None where it was withdrawn or purged).

    Where the row's cell is damaged, what the sealed file says of itself counts. Raises
    SealBrokenError where that cannot be read either.
    """
    row = (
        spool.database.read()
        .execute(
            "SELECT sealed, file FROM instance WHERE sop_instance_uid = ?", (sop_instance_uid,)
        )
        .fetchone()
    )
    cell, file = row
    try:
        return spool.unseal(Instance, cell, instance_context(sop_instance_uid)), file
    except SealBrokenError:
        if file is None:
            raise
        _log.warning("instance-row-unreadable", uid=sop_instance_uid)
        if not (path := spool.instances / file).is_file():
            raise
        header, record = open_identity(path, spool.cipher, uid=sop_instance_uid)
        identity = read_identity(header, record)
        return replace(identity.instance, patient=identity.patient), file


def settle_stored(spool: Spool, task: Task, receipt: StoreReceipt) -> None:
    """Sent: the step is done and the proof is asked for next.

    Of an archive that was retired meanwhile the trail alone says that it took the image.
    """
    note = json.dumps({"status": f"{receipt.status:04X}"})
    with spool.database.transaction() as connection:
        if _finish(connection, spool, task, proof=None, receipt=note):
            connection.execute(
                "INSERT INTO task (kind, sop_instance_uid, destination, state, changed_at) "
                "VALUES ('prove', ?1, ?2, 'queued', ?3) "
                "ON CONFLICT (kind, sop_instance_uid, destination) DO UPDATE SET state = 'queued', "
                "failures = 0, due_at = '', error_code = '', last_error = '', proof = '', "
                "is_suspect = 0, nudges = nudges + 1, changed_at = excluded.changed_at",
                (task.sop_instance_uid, task.destination, spool.now()),
            )
        details = {"destination": task.destination, "status": f"{receipt.status:04X}"}
        _record(connection, spool, AuditAction.TRANSFERRED, task, details)


def settle_proved(spool: Spool, task: Task, receipt: ProofReceipt) -> None:
    """Confirmed there; when it is confirmed everywhere, the local copy's days are counted.

    The proof of an archive that was retired meanwhile counts for nothing.
    """
    note = json.dumps({"archive": receipt.archive_name, "transaction": receipt.transaction_uid})
    with spool.database.transaction() as connection:
        if not _finish(connection, spool, task, proof=receipt.kind, receipt=note):
            return
        details = {"destination": task.destination, "proof": str(receipt.kind)}
        _record(connection, spool, AuditAction.CONFIRMED, task, details)
        count_days_where_proved(connection, spool, task.sop_instance_uid)


def count_days_where_proved(
    connection: sqlite3.Connection, spool: Spool, sop_instance_uid: str
) -> None:
    """Begins the days of the local copy where every archive that is to keep the image proved it."""
    unproved, proved = connection.execute(
        "SELECT count(*) FILTER (WHERE state NOT IN ('done', 'withdrawn')), "
        "count(*) FILTER (WHERE kind = 'prove' AND state = 'done') "
        "FROM task WHERE sop_instance_uid = ? AND kind <> 'retain'",
        (sop_instance_uid,),
    ).fetchone()
    if unproved or not proved:
        return
    (days,) = connection.execute(
        "SELECT keep_days FROM instance WHERE sop_instance_uid = ?", (sop_instance_uid,)
    ).fetchone()
    due = spool.clock.now() + timedelta(days=min(max(days, 0), LONGEST_KEEP_DAYS))
    connection.execute(
        "INSERT INTO task (kind, sop_instance_uid, destination, state, due_at, changed_at) "
        "VALUES ('retain', ?, '', 'queued', ?, ?) "
        "ON CONFLICT (kind, sop_instance_uid, destination) DO NOTHING",
        (sop_instance_uid, stamp(due), spool.now()),
    )
    begin_waiting(connection, spool, Waiting.PURGE, sop_instance_uid)
    # Whatever was wrong with the picture's file here, every archive has the picture.
    connection.execute(
        "UPDATE capture SET fault = '' WHERE fault <> '' AND capture_id = "
        "(SELECT capture_id FROM instance WHERE sop_instance_uid = ?)",
        (sop_instance_uid,),
    )


def settle_again(
    spool: Spool,
    task: Task,
    *,
    due: datetime,
    error: DeliveryError | None = None,
    listed: bool = False,
    is_suspect: bool = False,
) -> None:
    """Not yet: the same step again, later. LISTED is written down; it is no proof."""
    with spool.database.transaction() as connection:
        if error is not None and error.reached_nobody:
            _uncount(connection, task)
        connection.execute(
            "UPDATE task SET state = 'queued', failures = failures + 1, due_at = ?2, "
            "error_code = ?3, last_error = ?4, proof = CASE WHEN ?5 THEN 'listed' ELSE proof END, "
            "changed_at = ?6, is_suspect = ?7 WHERE task_id = ?1 AND state = 'running'",
            (
                task.task_id,
                stamp(due),
                error.code if error else "",
                _text(error.reason) if error else "",
                listed,
                spool.now(),
                is_suspect,
            ),
        )


def settle_untried(spool: Spool, task: Task, *, reached_nobody: bool) -> None:
    """Given back as it was: the engine is stopping, or the archive gave up at others."""
    with spool.database.transaction() as connection:
        if reached_nobody:
            _uncount(connection, task)
        connection.execute(
            "UPDATE task SET state = 'queued', changed_at = ? "
            "WHERE task_id = ? AND state = 'running'",
            (spool.now(), task.task_id),
        )


def settle_resend(spool: Spool, task: Task, *, error: DeliveryError) -> None:
    """The archive lacks what it said it stored: the same bytes again, under the same UID.

    Nothing is sent again to an archive that was retired meanwhile.
    """
    with spool.database.transaction() as connection:
        changed = connection.execute(
            "UPDATE task SET state = 'withdrawn', proof = '', changed_at = ? "
            "WHERE task_id = ? AND state <> 'withdrawn'",
            (spool.now(), task.task_id),
        )
        if not changed.rowcount:
            return
        connection.execute(
            "UPDATE task SET state = 'queued', resends = resends + 1, nudges = nudges + 1, "
            "due_at = '', error_code = ?3, last_error = ?4, changed_at = ?5 "
            "WHERE kind = 'store' AND sop_instance_uid = ?1 AND destination = ?2",
            (task.sop_instance_uid, task.destination, error.code, _text(error.reason), spool.now()),
        )


def settle_needs_you(
    spool: Spool, task: Task, reason: CodedReason, *, reached_nobody: bool = False
) -> None:
    """Trying again cannot help: a person has to act, and is told why.

    Nobody is asked about an archive that was retired meanwhile.
    """
    with spool.database.transaction() as connection:
        if reached_nobody:
            _uncount(connection, task)
        changed = connection.execute(
            "UPDATE task SET state = 'needs-you', failures = failures + 1, due_at = '', "
            "error_code = ?2, last_error = ?3, changed_at = ?4 "
            "WHERE task_id = ?1 AND state <> 'withdrawn'",
            (task.task_id, reason.code, _text(reason), spool.now()),
        )
        if not changed.rowcount:
            return
        action = AuditAction.TRANSFERRED if task.kind is TaskKind.STORE else AuditAction.CONFIRMED
        details = {"destination": task.destination, "reason": reason.code}
        _record(connection, spool, action, task, details, EventOutcome.SERIOUS_FAILURE)


def _uncount(connection: sqlite3.Connection, task: Task) -> None:
    """The attempt that was claimed was none."""
    connection.execute(
        "UPDATE task SET attempts = max(attempts - 1, 0) WHERE task_id = ? AND state = 'running'",
        (task.task_id,),
    )


def resends_of(spool: Spool, task: Task) -> int:
    """How often the instance was sent again because the archive did not have it."""
    row = (
        spool.database.read()
        .execute(
            "SELECT resends FROM task WHERE kind = 'store' AND sop_instance_uid = ? "
            "AND destination = ?",
            (task.sop_instance_uid, task.destination),
        )
        .fetchone()
    )
    return int(row[0]) if row else 0


def _text(reason: CodedReason) -> str:
    return Reason(reason.code, reason.values).to_text()


def _finish(
    connection: sqlite3.Connection,
    spool: Spool,
    task: Task,
    *,
    proof: ProofKind | None,
    receipt: str,
) -> bool:
    """False, and nothing changed, where the step was withdrawn while somebody worked at it."""
    changed = connection.execute(
        "UPDATE task SET state = 'done', due_at = '', error_code = '', last_error = '', "
        "is_suspect = 0, proof = ?2, receipt = ?3, changed_at = ?4 "
        "WHERE task_id = ?1 AND state <> 'withdrawn'",
        (task.task_id, proof or "", receipt, spool.now()),
    )
    return changed.rowcount > 0


def _record(
    connection: sqlite3.Connection,
    spool: Spool,
    action: AuditAction,
    task: Task,
    details: dict[str, str],
    outcome: EventOutcome = EventOutcome.SUCCESS,
) -> None:
    uid = task.sop_instance_uid
    record_on_image(connection, spool, action, ENGINE_USER, uid, details, outcome)
