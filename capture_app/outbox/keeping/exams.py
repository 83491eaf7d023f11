"""Exams as rows: frozen when the patient was chosen, opened again when drafts are."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.exam import Exam
from capture_app.model.words import tr
from capture_app.outbox.sealing.study import study_uid_for, visit_key
from capture_app.outbox.spool import Spool, stamp


def open_exam(spool: Spool, exam: Exam, action: AuditAction = AuditAction.PATIENT_OPENED) -> Exam:
    """Writes down that an exam began, with its Study Instance UID, and returns it with that.

    What `exam` says of the UID is ignored: the same patient, visit, order, department and day find
    the UID that an earlier exam was given.
    """
    with spool.database.transaction() as connection:
        uid = study_uid_for(connection, spool.cipher, spool.clock, exam)
        opened = replace(exam, study_instance_uid=uid)
        insert_exam(connection, spool, opened)
        spool.record(
            connection,
            AuditEvent(
                action,
                exam.operator.user_id,
                exam_id=exam.exam_id,
                study_instance_uid=uid,
                patient_key=spool.patient_key(exam.patient),
                details={
                    "identified-by": exam.identified_by,
                    "order": "none" if exam.order is None else "used",
                },
            ),
        )
    return opened


def insert_exam(connection: sqlite3.Connection, spool: Spool, exam: Exam) -> None:
    """The row of an exam, where it is not there yet."""
    connection.execute(
        "INSERT INTO exam (exam_id, patient_key, visit_key, study_instance_uid, user_id, "
        "opened_at, sealed) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (exam_id) DO NOTHING",
        (
            exam.exam_id,
            spool.patient_key(exam.patient),
            visit_key(spool.cipher, exam),
            exam.study_instance_uid,
            exam.operator.user_id,
            stamp(exam.started_at),
            spool.seal(exam, _context(exam.exam_id)),
        ),
    )


def read_exam(spool: Spool, exam_id: str) -> Exam:
    """The exam as it was frozen. Raises RuleError where there is none."""
    connection = spool.database.read()
    row = connection.execute("SELECT sealed FROM exam WHERE exam_id = ?", (exam_id,)).fetchone()
    if row is None:
        raise RuleError(tr("There is no such exam."))
    return spool.unseal(Exam, row[0], _context(exam_id))


def has_pictures(spool: Spool, exam_id: str) -> bool:
    """Whether a picture of the exam was taken and not deleted, sent or not."""
    row = spool.database.read().execute(
        "SELECT EXISTS (SELECT 1 FROM capture WHERE exam_id = ? AND deleted_at = '')", (exam_id,)
    )
    return bool(row.fetchone()[0])


def read_exam_of(spool: Spool, capture_id: str) -> Exam:
    """The exam of a picture. Raises RuleError where there is no such picture."""
    row = (
        spool.database.read()
        .execute("SELECT exam_id FROM capture WHERE capture_id = ?", (capture_id,))
        .fetchone()
    )
    if row is None:
        raise RuleError(tr("There is no such picture."))
    return read_exam(spool, row[0])


def _context(exam_id: str) -> str:
    return f"exam {exam_id}"
