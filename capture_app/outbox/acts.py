"""What a person may do to pictures on their way: try now, hold, release. Each is in the trail.

`seen` says how the pictures stood on the screen of the person who acts; None where nobody looked.
Where they stand otherwise by now, ChangedSinceSeenError is raised and nothing is changed. Each
raises RuleError where the operator's roles do not allow it.
"""

from __future__ import annotations

from collections.abc import Sequence

from capture_app.errors import StoreError
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Act, Operator, require
from capture_app.outbox.act_on_image import record_on_image
from capture_app.outbox.keeping.drafts import faults_noted
from capture_app.outbox.spool import Spool
from capture_app.outbox.status import SeenStates, require_states
from capture_app.store.sealed import verify_sealed


def try_now(
    spool: Spool,
    sop_instance_uids: Sequence[str],
    operator: Operator,
    seen: SeenStates | None = None,
) -> int:
    """Queues what waits or needs a person, due at once; returns how many pictures that moved.

    A picture that was marked because of its file is looked at again. One that went on by itself
    since it was seen needs nothing, where others do.
    """
    moved = _act(
        spool,
        sop_instance_uids,
        operator,
        seen,
        AuditAction.RETRY_ASKED,
        "UPDATE task SET state = 'queued', failures = CASE state WHEN 'needs-you' THEN 0 ELSE "
        "failures END, resends = 0, answered = CASE state WHEN 'needs-you' "
        "THEN trim(answered || ' ' || error_code) ELSE answered END, "
        "error_code = '', nudges = nudges + 1, due_at = '', "
        "changed_at = ?2 WHERE sop_instance_uid = ?1 AND kind <> 'retain' "
        "AND state IN ('queued', 'needs-you')",
    )
    return moved + _look_again(spool, sop_instance_uids, operator)


def hold(
    spool: Spool,
    sop_instance_uids: Sequence[str],
    operator: Operator,
    seen: SeenStates | None = None,
) -> int:
    """Keeps pictures back until `release`, also over a restart; returns how many that moved.

    One that went on by itself since it was seen is too late to hold, and stops no other.
    """
    return _act(
        spool,
        sop_instance_uids,
        operator,
        seen,
        AuditAction.HELD_ASKED,
        "UPDATE task SET state = 'held', held_by_person = 1, due_at = '', changed_at = ?2 "
        "WHERE sop_instance_uid = ?1 AND kind = 'store' AND held_by_person = 0 "
        "AND state IN ('queued', 'held', 'needs-you')",
    )


def release(
    spool: Spool,
    sop_instance_uids: Sequence[str],
    operator: Operator,
    seen: SeenStates | None = None,
) -> int:
    """Lets held pictures go at once; returns how many that moved."""
    return _act(
        spool,
        sop_instance_uids,
        operator,
        seen,
        AuditAction.RELEASED,
        "UPDATE task SET state = 'queued', held_by_person = 0, nudges = nudges + 1, "
        "changed_at = ?2 WHERE sop_instance_uid = ?1 AND state = 'held'",
    )


def _act(
    spool: Spool,
    sop_instance_uids: Sequence[str],
    operator: Operator,
    seen: SeenStates | None,
    action: AuditAction,
    change: str,
) -> int:
    require(operator, Act.STEER_DELIVERY)
    moved = 0
    with spool.database.transaction() as connection:
        if seen is not None:
            require_states(connection, seen, may_go_on=action is not AuditAction.RELEASED)
        for uid in sop_instance_uids:
            if connection.execute(change, (uid, spool.now())).rowcount:
                record_on_image(connection, spool, action, operator.user_id, uid)
                moved += 1
    return moved


def _look_again(spool: Spool, sop_instance_uids: Sequence[str], operator: Operator) -> int:
    """Pictures that are marked because of their file: is it there and whole again?"""
    mended = 0
    for uid in sop_instance_uids:
        row = (
            spool.database.read()
            .execute("SELECT capture_id FROM capture WHERE capture_id = ? AND fault <> ''", (uid,))
            .fetchone()
        )
        if row is None:
            continue
        try:
            with faults_noted(spool, uid) as path:
                verify_sealed(path, spool.cipher, uid=uid)
        except StoreError:
            continue  # the mark stays, with the words of now
        with spool.database.transaction() as connection:
            connection.execute("UPDATE capture SET fault = '' WHERE capture_id = ?", (uid,))
            record_on_image(connection, spool, AuditAction.RETRY_ASKED, operator.user_id, uid)
        mended += 1
    return mended
