"""Pictures go on without their order: to an exam of the same act that has none.

What an archive may have stays where it is: its study is what it was sent under.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.exam import Exam
from capture_app.model.operator import Act, Operator, require
from capture_app.model.words import tr
from capture_app.outbox.keeping.exams import insert_exam, read_known_wording, write_known_wording
from capture_app.outbox.sealing.study import study_uid_for
from capture_app.outbox.sealing.withdraw import (
    RecallReason,
    on_their_way,
    remove_files,
    withdraw,
)
from capture_app.outbox.spool import Spool


@dataclass(frozen=True, slots=True)
class OrderLeft:
    """What became of an exam whose order was left."""

    exam: Exam
    """The same act without the order, with a Study Instance UID of its own."""
    capture_ids: tuple[str, ...]
    """Its pictures, drafts now (some of them deleted)."""
    called_back: tuple[str, ...]
    """Those of them that were sent, and not by any archive seen yet."""
    stayed: int
    """How many pictures stay under the order, for an archive may have them."""


def leave_order(spool: Spool, exam: Exam, operator: Operator) -> OrderLeft:
    """Moves all pictures of an exam that no archive can have to one without its order.

    Same person, visit, operator, time and coding; what was sealed is a draft again. One
    transaction: all of it happened, or nothing. Raises RuleError where there is no order, or the
    operator takes no pictures or may not call them back; StoreError.
    """
    require(operator, Act.TAKE_PICTURES)
    require(operator, Act.STEER_DELIVERY)
    if exam.order is None:
        raise RuleError(tr("These pictures have no order: nothing was changed."))
    known = read_known_wording(spool, exam.exam_id)
    anew = replace(exam, exam_id=spool.clock.new_uid(), order=None, study_instance_uid="")
    with spool.database.transaction() as connection:
        uid = study_uid_for(connection, spool.cipher, spool.clock, anew)
        anew = replace(anew, study_instance_uid=uid)
        insert_exam(connection, spool, anew)
        if known is not None:
            write_known_wording(connection, spool, anew.exam_id, known)
        sent = on_their_way(connection, "capture.exam_id = ?", exam.exam_id)
        stay = [one for one in sent if one.has_begun or one.capture_file is None]
        back = [one for one in sent if one not in stay]
        withdraw(
            connection, spool, back, operator, AuditAction.CALLED_BACK, RecallReason.ORDER_LEFT
        )
        moved = connection.execute(
            "UPDATE capture SET exam_id = ?1 WHERE exam_id = ?2 AND file IS NOT NULL "
            "AND capture_id NOT IN (SELECT value FROM json_each(?3)) RETURNING capture_id",
            (anew.exam_id, exam.exam_id, json.dumps([one.capture_id for one in stay])),
        ).fetchall()
        spool.record(
            connection,
            AuditEvent(
                AuditAction.ORDER_LEFT,
                operator.user_id,
                exam_id=anew.exam_id,
                study_instance_uid=uid,
                patient_key=spool.patient_key(anew.patient),
                details={
                    "of-exam": exam.exam_id,
                    "images": str(len(moved)),
                    "stayed": str(len(stay)),
                },
            ),
        )
    remove_files(spool, back)
    return OrderLeft(
        anew,
        tuple(capture_id for (capture_id,) in moved),
        tuple(one.capture_id for one in back),
        len(stay),
    )
