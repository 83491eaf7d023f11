"""Sent, and taken back before any attempt began: the pictures are drafts again.

Sealing them again mints new SOP Instance UIDs; the withdrawn ones keep theirs and their numbers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture_app.errors import ChangedSinceSeenError, RuleError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Act, Operator, require
from capture_app.model.words import tr, trn
from capture_app.outbox.sealing.seal import remove_file
from capture_app.outbox.spool import Spool
from capture_app.outbox.status import SeenStates, require_states


class RecallReason(StrEnum):
    """Why a picture was called back, as the trail has it."""

    TO_CHANGE = "to-change"
    """Said by *Back to draft*: to look at it, change it or delete it."""
    UNDO = "undo"
    ORDER_LEFT = "order-left"
    """To be sent without the order, which may be another patient's."""


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """An instance that counts, and what became of it so far."""

    sop_instance_uid: str
    capture_id: str
    file: str | None
    capture_file: str | None
    exam_id: str
    patient_key: str
    has_begun: int
    """1 where an attempt to send it was begun, by any of its steps."""
    is_held: int
    """1 where all of its steps are held."""


_SENT: Final = (
    "SELECT instance.sop_instance_uid, capture_id, instance.file, capture.file, capture.exam_id, "
    "exam.patient_key, "
    "EXISTS (SELECT 1 FROM task WHERE task.sop_instance_uid = instance.sop_instance_uid "
    "AND (task.attempts > 0 OR task.kind <> 'store')), "
    "NOT EXISTS (SELECT 1 FROM task WHERE task.sop_instance_uid = instance.sop_instance_uid "
    "AND task.state <> 'held') "
    "FROM instance JOIN capture USING (capture_id) JOIN exam USING (exam_id) "
    "WHERE instance.withdrawn = 0 AND "
)


def undo(
    spool: Spool, send_id: str, operator: Operator, seen: Collection[str] | None = None
) -> bool:
    """Withdraws a whole Send that is held and was never tried, else changes nothing: False.

    Nor is an instance withdrawn that has outlived its picture: no draft would be left of it.
    `seen`: the capture ids of which it consisted for the person who takes it back. Raises
    ChangedSinceSeenError where some or all of them were called back since. Raises RuleError where
    the operator's roles do not allow it.
    """
    require(operator, Act.STEER_DELIVERY)
    with spool.database.transaction() as connection:
        sent = on_their_way(connection, "instance.send_id = ?", send_id)
        if seen is not None and not sent and _was_called_back(connection, send_id):
            raise ChangedSinceSeenError(tr("These pictures were called back already."))
        if sent and seen is not None and {one.capture_id for one in sent} != {*seen}:
            raise ChangedSinceSeenError(
                tr(
                    "Some of these pictures were called back meanwhile: nothing was changed. "
                    "See the outbox."
                )
            )
        if not sent or any(
            one.has_begun or not one.is_held or one.capture_file is None for one in sent
        ):
            return False
        withdraw(connection, spool, sent, operator, AuditAction.SEND_UNDONE, RecallReason.UNDO)
    remove_files(spool, sent)
    return True


def call_back(
    spool: Spool,
    sop_instance_uids: Sequence[str],
    operator: Operator,
    reason: RecallReason,
    seen: SeenStates | None = None,
) -> int:
    """Makes drafts again of pictures that are held, queued or stopped; returns how many.

    All of them or none. `seen`: how they stood on the screen of the person who acts; raises
    ChangedSinceSeenError where they stand otherwise by now. Raises RuleError where an attempt to
    send one has begun, for an archive may have it by now; where one is a draft already; and where
    its picture is no longer here, or the operator's roles do not allow it.
    """
    require(operator, Act.STEER_DELIVERY)
    uids = tuple(dict.fromkeys(sop_instance_uids))
    with spool.database.transaction() as connection:
        sent = [
            one
            for uid in uids
            for one in on_their_way(connection, "instance.sop_instance_uid = ?", uid)
        ]
        if len(sent) < len(uids):
            raise RuleError(tr("A picture is not on its way any more: nothing was changed."))
        if begun := sum(one.has_begun for one in sent):
            raise RuleError(
                trn(
                    "Sending of {n} picture has begun: it cannot be a draft again. "
                    "Nothing was changed.",
                    "Sending of {n} pictures has begun: they cannot be drafts again. "
                    "Nothing was changed.",
                    begun,
                )
            )
        if seen is not None:
            require_states(connection, seen, may_go_on=False)
        if not all(_has_picture(spool, one) for one in sent):
            raise RuleError(
                tr("The file of a picture is missing, so no draft can be made of it. Ask for help.")
            )
        withdraw(connection, spool, sent, operator, AuditAction.CALLED_BACK, reason)
    remove_files(spool, sent)
    return len(sent)


def _was_called_back(connection: sqlite3.Connection, send_id: str) -> bool:
    rows = connection.execute(
        "SELECT 1 FROM instance WHERE send_id = ? AND withdrawn = 1", (send_id,)
    )
    return rows.fetchone() is not None


def on_their_way(connection: sqlite3.Connection, condition: str, value: str) -> list[OnItsWay]:
    """The instances that count and fit a condition of ours about one value."""
    rows = connection.execute(_SENT + condition, (value,)).fetchall()
    return [OnItsWay(*row) for row in rows]


def _has_picture(spool: Spool, sent: OnItsWay) -> bool:
    return sent.capture_file is not None and (spool.captures / sent.capture_file).is_file()


def withdraw(
    connection: sqlite3.Connection,
    spool: Spool,
    sent: Sequence[OnItsWay],
    operator: Operator,
    action: AuditAction,
    reason: RecallReason,
) -> None:
    """Makes drafts of what none of was begun, in the caller's transaction: trail. `remove_files`
    follows it.
    """
    for one in sent:
        connection.execute(
            "UPDATE task SET state = 'withdrawn', changed_at = ?2 WHERE sop_instance_uid = ?1",
            (one.sop_instance_uid, spool.now()),
        )
        connection.execute(
            "UPDATE instance SET withdrawn = 1, file = NULL WHERE sop_instance_uid = ?",
            (one.sop_instance_uid,),
        )
        spool.record(
            connection,
            AuditEvent(
                action,
                operator.user_id,
                exam_id=one.exam_id,
                sop_instance_uid=one.sop_instance_uid,
                patient_key=one.patient_key,
                details={"reason": reason},
            ),
        )


def remove_files(spool: Spool, sent: Sequence[OnItsWay]) -> None:
    """The sealed files that no row names any more."""
    for one in sent:
        if one.file is not None:
            remove_file(spool.instances / one.file)
