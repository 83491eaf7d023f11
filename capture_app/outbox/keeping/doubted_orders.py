"""Orders that a worklist gave to another patient while pictures waited: noted for good."""

from __future__ import annotations

from typing import Final

from capture_app.model import reason
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.exam import Exam
from capture_app.outbox.spool import Spool
from capture_app.outbox.steps.tasks import ENGINE_USER

_WAITING: Final = (
    "SELECT exam_id FROM exam WHERE order_doubted = '' AND exam_id IN ("
    "SELECT capture.exam_id FROM draft CROSS JOIN capture USING (capture_id) UNION "
    "SELECT capture.exam_id FROM capture WHERE deleted_at <> '' AND file IS NOT NULL UNION "
    "SELECT capture.exam_id FROM task CROSS JOIN instance USING (sop_instance_uid) "
    "CROSS JOIN capture USING (capture_id) "
    "WHERE task.state IN ('held', 'queued', 'needs-you') AND task.kind = 'store')"
)


def exams_that_wait(spool: Spool) -> tuple[str, ...]:
    """The ids of exams with pictures that no archive need have yet, deleted drafts among them, of
    whose orders nothing was noted.
    """
    return tuple(exam_id for (exam_id,) in spool.database.read().execute(_WAITING))


def is_order_doubted(spool: Spool, exam_id: str) -> bool:
    """Whether it was noted that another patient was given the order of an exam."""
    row = (
        spool.database.read()
        .execute("SELECT order_doubted <> '' FROM exam WHERE exam_id = ?", (exam_id,))
        .fetchone()
    )
    return bool(row and row[0])


def note_order_doubted(spool: Spool, exam: Exam) -> None:
    """Keeps that, for all processes and after a restart; once: trail."""
    with spool.database.transaction() as connection:
        changed = connection.execute(
            "UPDATE exam SET order_doubted = ? WHERE exam_id = ? AND order_doubted = ''",
            (spool.now(), exam.exam_id),
        )
        if changed.rowcount:
            spool.record(
                connection,
                AuditEvent(
                    AuditAction.STOPPED_BY_FEED,
                    ENGINE_USER,
                    exam_id=exam.exam_id,
                    study_instance_uid=exam.study_instance_uid,
                    patient_key=spool.patient_key(exam.patient),
                    details={"reason": reason.ORDER_DOUBTED},
                ),
            )
