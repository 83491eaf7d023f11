"""When pixels leave this computer: some days after every archive has proved that it has them, and a
day after a draft was deleted. Nothing is ever removed to make room.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import structlog

from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.outbox.counted_time import Waiting, end_waiting, has_waited, must_wait
from capture_app.outbox.keeping.drafts import UNDO_DELETE_FOR
from capture_app.outbox.sealing.seal import remove_file
from capture_app.outbox.spool import Spool, is_past, moment, stamp
from capture_app.outbox.steps.tasks import ENGINE_USER

_log = structlog.get_logger(__name__)

_AT_ONCE: Final = 25
"""Pictures that are purged in one transaction: who takes one meanwhile waits no longer for it."""

# Asked of the rows once more, whatever put the retain step there: each archive that was not retired
# has proved custody, and a listing is no proof.
_PURGEABLE = (
    "SELECT retain.task_id, instance.sop_instance_uid, instance.file, capture.capture_id, "
    "capture.file, capture.exam_id, coalesce(exam.patient_key, ''), series.study_instance_uid, "
    "retain.changed_at, retain.due_at "
    "FROM task AS retain JOIN instance USING (sop_instance_uid) JOIN capture USING (capture_id) "
    "LEFT JOIN exam USING (exam_id) JOIN series USING (series_instance_uid) "
    "WHERE retain.kind = 'retain' AND retain.state = 'queued' AND retain.due_at <= ? "
    "AND retain.due_at >= retain.changed_at "  # an earlier time is damage: it waits, and is named
    "AND NOT EXISTS (SELECT 1 FROM task AS step "
    "WHERE step.sop_instance_uid = retain.sop_instance_uid AND step.kind <> 'retain' "
    "AND (step.state NOT IN ('done', 'withdrawn') OR (step.kind = 'prove' "
    "AND step.proof NOT IN ('pixel-hash', 'storage-commitment')))) "
    "AND EXISTS (SELECT 1 FROM task AS proof WHERE proof.kind = 'prove' "
    "AND proof.state = 'done' AND proof.sop_instance_uid = retain.sop_instance_uid)"
)


def purge_due(spool: Spool) -> int:
    """Removes both files of each picture whose days are over; returns how many pictures."""
    wanted = {
        uid: (task_id, moment(due) - moment(since))
        for task_id, uid, *_, since, due in spool.database.read().execute(
            _PURGEABLE, (spool.now(),)
        )
    }
    if not wanted:
        return 0
    waiting = must_wait(spool, Waiting.PURGE, {uid: time for uid, (_, time) in wanted.items()})
    due_ids = [task_id for uid, (task_id, _) in wanted.items() if uid not in waiting]
    return sum(
        _purge(spool, due_ids[first : first + _AT_ONCE])
        for first in range(0, len(due_ids), _AT_ONCE)
    )


def _purge(spool: Spool, task_ids: Sequence[int]) -> int:
    """Of the pictures of these retain steps those that are due, in one transaction."""
    with spool.database.transaction() as connection:
        rows = [
            row
            for *row, since, due in connection.execute(
                _PURGEABLE + " AND retain.task_id IN (SELECT value FROM json_each(?))",  # noqa: S608 - constants of ours
                (spool.now(), json.dumps(task_ids)),
            ).fetchall()
            # The wall clock alone purges nothing: it may have been set forward.
            if has_waited(connection, spool, Waiting.PURGE, row[1], moment(due) - moment(since))
        ]
        for task_id, uid, _, capture_id, _, exam_id, patient_key, study_instance_uid in rows:
            end_waiting(connection, Waiting.PURGE, uid)
            now = spool.now()
            connection.execute(
                "UPDATE task SET state = 'done', changed_at = ? WHERE task_id = ?", (now, task_id)
            )
            connection.execute("UPDATE instance SET file = NULL WHERE sop_instance_uid = ?", (uid,))
            connection.execute(
                "UPDATE capture SET file = NULL, fault = '' WHERE capture_id = ?", (capture_id,)
            )
            spool.record(
                connection,
                AuditEvent(
                    AuditAction.PURGED,
                    ENGINE_USER,
                    exam_id=exam_id,
                    sop_instance_uid=uid,
                    study_instance_uid=study_instance_uid,
                    patient_key=patient_key,
                ),
            )
    # Only after the commit: a file that outlives its row is swept at the next start, while a row
    # that outlived its file would be an alarm.
    for _, uid, instance_file, _, capture_file, *_ in rows:
        remove_file(spool.instances / instance_file)
        if capture_file is not None:
            remove_file(spool.captures / capture_file)
        _log.info("purged", uid=uid)
    return len(rows)


def clean_deleted(spool: Spool) -> int:
    """Removes the files of drafts that were deleted more than a day ago; returns how many."""
    now, oldest = spool.now(), stamp(spool.clock.now() - UNDO_DELETE_FOR)
    deleted = (
        "SELECT capture_id, capture.file, capture.exam_id, coalesce(exam.patient_key, ''), "
        "deleted_at FROM capture LEFT JOIN exam USING (exam_id) "
        "WHERE deleted_at <> '' AND deleted_at < ? AND file IS NOT NULL"
    )
    if not spool.database.read().execute(deleted, (oldest,)).fetchall():
        return 0
    with spool.database.transaction() as connection:
        rows = [
            row
            for *row, deleted_at in connection.execute(deleted, (oldest,)).fetchall()
            if is_past(deleted_at, now)
            and has_waited(connection, spool, Waiting.CLEAN, row[0], UNDO_DELETE_FOR)
        ]
        for capture_id, _, exam_id, patient_key in rows:
            end_waiting(connection, Waiting.CLEAN, capture_id)
            connection.execute(
                "UPDATE capture SET file = NULL, fault = '' WHERE capture_id = ?", (capture_id,)
            )
            spool.record(
                connection,
                AuditEvent(
                    AuditAction.PURGED,
                    ENGINE_USER,
                    exam_id=exam_id,
                    sop_instance_uid=capture_id,
                    patient_key=patient_key,
                    details={"what": "deleted-draft"},
                ),
            )
    for _, file, _, _ in rows:
        remove_file(spool.captures / file)
    return len(rows)
