"""Exams as rows: frozen when the patient was chosen, opened again when drafts are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from capture_app.errors import RuleError, SealBrokenError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.exam import Exam
from capture_app.model.patient import Patient
from capture_app.model.reason import ROW_UNREADABLE, Reason
from capture_app.model.words import tr
from capture_app.outbox.sealing.study import exam_context, study_uid_for, visit_key
from capture_app.outbox.spool import Spool, stamp
from capture_app.store.record import from_record
from capture_app.store.sealed import open_identity

_log = structlog.get_logger(__name__)


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
    """The row of an exam, where it is not there yet, or was emptied as one without pictures."""
    connection.execute(
        "INSERT INTO exam (exam_id, patient_key, visit_key, study_instance_uid, user_id, "
        "opened_at, sealed) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (exam_id) "
        "DO UPDATE SET sealed = excluded.sealed WHERE length(exam.sealed) = 0",
        (
            exam.exam_id,
            spool.patient_key(exam.patient),
            visit_key(spool.cipher, exam),
            exam.study_instance_uid,
            exam.operator.user_id,
            stamp(exam.started_at),
            spool.seal(exam, exam_context(exam.exam_id)),
        ),
    )


def read_exam(spool: Spool, exam_id: str) -> Exam:
    """The exam as it was frozen. Raises RuleError where there is none.

    Where its row is damaged or gone the exam is read from the sealed file of one of its pictures,
    and the row is put right. Raises SealBrokenError where there is no such file.
    """
    row = (
        spool.database.read()
        .execute("SELECT sealed FROM exam WHERE exam_id = ?", (exam_id,))
        .fetchone()
    )
    if row is None and not _is_named(spool, exam_id):
        raise RuleError(tr("There is no such exam."))
    try:
        if row is not None:
            return spool.unseal(Exam, row[0], exam_context(exam_id))
    except SealBrokenError:
        pass
    exam = _exam_of_a_file(spool, exam_id)
    with spool.database.transaction() as connection:
        insert_exam(connection, spool, exam)
        connection.execute(
            "UPDATE exam SET sealed = ? WHERE exam_id = ?",
            (spool.seal(exam, exam_context(exam_id)), exam_id),
        )
    _log.warning("exam-row-put-right", exam_id=exam_id)
    return exam


def _is_named(spool: Spool, exam_id: str) -> bool:
    rows = spool.database.read().execute("SELECT 1 FROM capture WHERE exam_id = ?", (exam_id,))
    return rows.fetchone() is not None


def readable_exams(spool: Spool, exam_ids: Iterable[str]) -> Mapping[str, Exam]:
    """Those of the exams that can be read, by their id. One that cannot is named in the log."""
    found = {}
    for exam_id in exam_ids:
        try:
            found[exam_id] = read_exam(spool, exam_id)
        except (RuleError, SealBrokenError):
            _log.warning("exam-row-unreadable", exam_id=exam_id)
            _mark(spool, exam_id)
    return found


def _mark(spool: Spool, exam_id: str) -> None:
    """Shows the pictures of an exam that cannot be read as stopped: nobody would see the drafts."""
    unmarked = (
        "capture.exam_id = ? AND capture.fault = '' AND capture.deleted_at = '' AND NOT EXISTS "
        "(SELECT 1 FROM counted JOIN task USING (sop_instance_uid) "
        "WHERE counted.capture_id = capture.capture_id "
        "AND task.kind = 'retain')"
    )
    question = f"SELECT 1 FROM capture WHERE {unmarked} LIMIT 1"  # noqa: S608 - a constant of ours
    if spool.database.read().execute(question, (exam_id,)).fetchone() is None:
        return
    with spool.database.transaction() as connection:
        connection.execute(
            f"UPDATE capture SET fault = ? WHERE {unmarked}",  # noqa: S608 - a constant of ours
            (Reason.of(ROW_UNREADABLE, row=exam_id).to_text(), exam_id),
        )


def _exam_of_a_file(spool: Spool, exam_id: str) -> Exam:
    """What the sealed files of an exam's pictures say of it. Raises SealBrokenError."""
    rows = spool.database.read().execute(
        "SELECT capture.capture_id, capture.file, counted.sop_instance_uid, counted.file "
        "FROM capture LEFT JOIN counted ON counted.capture_id = capture.capture_id "
        "WHERE capture.exam_id = ?",
        (exam_id,),
    )
    for capture_id, capture_file, uid, instance_file in rows:
        for folder, file, name in (
            (spool.captures, capture_file, capture_id),
            (spool.instances, instance_file, uid),
        ):
            if file is None:
                continue
            with suppress(SealBrokenError, OSError):
                _, record = open_identity(folder / file, spool.cipher, uid=name)
                is_capture = folder is spool.captures
                exam = (
                    from_record(_OfAnExam, record)
                    if is_capture
                    else from_record(_OfAnInstance, record).kept
                ).exam
                if exam.exam_id == exam_id:
                    return exam
    raise SealBrokenError(tr("The row of the exam {uid} cannot be read.", uid=exam_id))


@dataclass(frozen=True, slots=True)
class _OfAnExam:
    """What the identity of each sealed picture begins with."""

    exam: Exam


@dataclass(frozen=True, slots=True)
class _OfAnInstance:
    kept: _OfAnExam


def read_known_wording(spool: Spool, exam_id: str) -> Patient | None:
    """The wording that changes to the patient of an exam are compared with in place of the exam's:
    somebody said that it is the patient, or who was unknown became known. None: nothing was noted,
    or it cannot be read.
    """
    rows = spool.database.read().execute("SELECT known FROM exam WHERE exam_id = ?", (exam_id,))
    row = rows.fetchone()
    if row is None or row[0] == b"":
        return None
    try:
        return spool.unseal(Patient, row[0], known_context(exam_id))
    except SealBrokenError:
        _log.warning("exam-row-unreadable", exam_id=exam_id)
        return None


def note_known_wording(spool: Spool, exam_id: str, patient: Patient) -> None:
    """Keeps that wording."""
    with spool.database.transaction() as connection:
        write_known_wording(connection, spool, exam_id, patient)


def write_known_wording(
    connection: sqlite3.Connection, spool: Spool, exam_id: str, patient: Patient
) -> None:
    """The same in the caller's transaction."""
    connection.execute(
        "UPDATE exam SET known = ? WHERE exam_id = ?",
        (spool.seal(patient, known_context(exam_id)), exam_id),
    )


def known_context(exam_id: str) -> str:
    """The place of that cell."""
    return f"known wording {exam_id}"


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
