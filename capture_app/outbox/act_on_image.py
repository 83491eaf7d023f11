"""An act on one image, or on one draft, as a row of the trail."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.model.exam import Exam
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.spool import Spool

# By primary keys alone: it is asked under the write lock, once for each image. Rows that name each
# other wrongly, by damage, stop no act: the image is known by its UID.
_WHOSE: Final = (
    "SELECT coalesce(capture.exam_id, ''), coalesce(exam.patient_key, ''), "
    "coalesce(series.study_instance_uid, '') FROM (SELECT ? AS uid) AS asked "
    "LEFT JOIN instance ON instance.sop_instance_uid = asked.uid "
    "LEFT JOIN capture ON capture.capture_id = coalesce(instance.capture_id, asked.uid) "
    "LEFT JOIN exam ON exam.exam_id = capture.exam_id "
    "LEFT JOIN series ON series.series_instance_uid = instance.series_instance_uid"
)

_OF_FILES: Final = frozenset({IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER, IdentifiedBy.SLATE})


def record_on_image(
    connection: sqlite3.Connection,
    spool: Spool,
    action: AuditAction,
    user_id: str,
    uid: str,
    details: Mapping[str, str] = MappingProxyType({}),
    outcome: EventOutcome = EventOutcome.SUCCESS,
) -> None:
    """Records it with exam, patient and study, as far as the rows say them, in the transaction of
    the act. `uid`: SOP Instance UID of an image, capture id of a draft.
    """
    exam_id, patient_key, study_instance_uid = connection.execute(_WHOSE, (uid,)).fetchone()
    spool.record(
        connection,
        AuditEvent(
            action,
            user_id,
            outcome=outcome,
            exam_id=exam_id,
            sop_instance_uid=uid,
            study_instance_uid=study_instance_uid,
            patient_key=patient_key,
            details=dict(details),
        ),
    )


def record_kept(
    connection: sqlite3.Connection,
    spool: Spool,
    uid: str,
    exam: Exam,
    details: Mapping[str, str],
    *,
    by: str = "",
) -> None:
    """Records that a picture or clip is kept, in the transaction that keeps it. `by`: the user id
    of who did it, where that is not the exam's operator.
    """
    spool.record(
        connection,
        AuditEvent(
            _how_it_came(exam),
            by or exam.operator.user_id,
            exam_id=exam.exam_id,
            sop_instance_uid=uid,
            study_instance_uid=exam.study_instance_uid,
            patient_key=spool.patient_key(exam.patient),
            details=dict(details),
        ),
    )


def _how_it_came(exam: Exam) -> AuditAction:
    """Taken at a shutter, or read from files: by the command, or from a card. Each is an exam of
    its own kind.
    """
    return AuditAction.IMPORTED if exam.identified_by in _OF_FILES else AuditAction.CAPTURED
