"""Each image at each of its archives: how it stands there, and what becomes of an archive's images
when it is no more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import AtArchive, ImageState, ProofKind, TaskKind, TaskState
from capture_app.model.operator import Act, Operator, require
from capture_app.model.reason import Reason
from capture_app.model.words import trn
from capture_app.outbox.act_on_image import record_on_image
from capture_app.outbox.spool import Spool, moment_or
from capture_app.outbox.steps.tasks import count_days_where_proved

_OPEN: Final = "'held', 'queued', 'running', 'needs-you'"
_STEPS: Final = (
    "SELECT sop_instance_uid, destination, kind, state, proof, failures, due_at, error_code, "
    "last_error FROM task WHERE kind IN ('store', 'prove') "
    "AND sop_instance_uid IN (SELECT value FROM json_each(?)) ORDER BY task_id"
)


def at_archives(
    spool: Spool, sop_instance_uids: Sequence[str]
) -> Mapping[str, tuple[AtArchive, ...]]:
    """How images stand at each archive that they are for, in the order of their steps."""
    steps: dict[str, dict[str, dict[str, tuple[object, ...]]]] = {}
    rows = spool.database.read().execute(_STEPS, (json.dumps(list(sop_instance_uids)),))
    for uid, destination, kind, *step in rows:
        steps.setdefault(uid, {}).setdefault(destination, {})[kind] = tuple(step)
    return {
        uid: tuple(_stands(name, by_kind) for name, by_kind in by_name.items())
        for uid, by_name in steps.items()
    }


def _stands(name: str, by_kind: Mapping[str, tuple[object, ...]]) -> AtArchive:
    """From the last step that there is: a proof follows once the archive has taken the image."""
    kind = TaskKind.PROVE if TaskKind.PROVE in by_kind else TaskKind.STORE
    if kind is TaskKind.PROVE and by_kind[kind][0] == TaskState.WITHDRAWN:
        kind = TaskKind.STORE  # it is sent again
    state, proof, failures, due_at, code, text = by_kind.get(kind, ("", "", 0, "", "", ""))
    return AtArchive(
        name,
        _STATES.get((kind, str(state)), ImageState.IT_ASKED),
        ProofKind(str(proof)) if proof in [*ProofKind] else None,
        failures if isinstance(failures, int) else 0,
        moment_or(str(due_at), None),
        Reason.from_text(str(text), str(code)),
    )


_STATES: Final = {
    (TaskKind.STORE, "held"): ImageState.HELD,
    (TaskKind.STORE, "queued"): ImageState.QUEUED,
    (TaskKind.STORE, "running"): ImageState.SENDING,
    (TaskKind.STORE, "needs-you"): ImageState.NEEDS_YOU,
    (TaskKind.STORE, "done"): ImageState.SENT,
    (TaskKind.STORE, "withdrawn"): None,
    (TaskKind.PROVE, "queued"): ImageState.SENT,
    (TaskKind.PROVE, "running"): ImageState.SENT,
    (TaskKind.PROVE, "held"): ImageState.SENT,
    (TaskKind.PROVE, "needs-you"): ImageState.NEEDS_YOU,
    (TaskKind.PROVE, "done"): ImageState.CONFIRMED,
}


def retry_at(spool: Spool, destination: str, operator: Operator) -> int:
    """Makes all that waits for one archive, or was stopped there, due at once. How many images.

    Raises RuleError where the operator's roles do not allow it.
    """
    require(operator, Act.STEER_DELIVERY)
    with spool.database.transaction() as connection:
        waiting = _waiting(connection, destination)
        connection.execute(
            "UPDATE task SET state = 'queued', failures = CASE state WHEN 'needs-you' THEN 0 ELSE "
            "failures END, resends = 0, error_code = '', nudges = nudges + 1, due_at = '', "
            "changed_at = ?2 WHERE destination = ?1 AND kind IN ('store', 'prove') "
            "AND state IN ('queued', 'needs-you')",
            (destination, spool.now()),
        )
        for uid in waiting:
            record_on_image(
                connection,
                spool,
                AuditAction.RETRY_ASKED,
                operator.user_id,
                uid,
                {"destination": destination},
            )
    return len(waiting)


def retire(spool: Spool, archive: str, operator: Operator, *, instead: str = "") -> int:
    """Ends what is still due at an archive that is no more. How many images that moved.

    `instead`: the archive to which they go in its place. Raises RuleError, and changes nothing,
    where an image would then be kept by no archive, or the operator's roles do not allow it.
    """
    require(operator, Act.RETIRE_ARCHIVE)
    with spool.database.transaction() as connection:
        waiting = _waiting(connection, archive)
        if not instead and (homeless := _homeless(connection, archive, waiting)):
            raise RuleError(
                trn(
                    "{n} image has no other archive. Name the one that takes it: --to NAME.",
                    "{n} images have no other archive. Name the one that takes them: --to NAME.",
                    homeless,
                )
            )
        for uid in waiting:
            if instead:
                _move(connection, spool, uid, archive, instead)
            connection.execute(
                "DELETE FROM task WHERE sop_instance_uid = ? AND destination = ? "
                "AND kind = 'prove'",
                (uid, archive),
            )
            connection.execute(
                "UPDATE task SET state = 'withdrawn', due_at = '', error_code = '', "
                "last_error = '', changed_at = ?3 "
                "WHERE sop_instance_uid = ?1 AND destination = ?2 AND kind = 'store'",
                (uid, archive, spool.now()),
            )
            count_days_where_proved(connection, spool, uid)
            record_on_image(
                connection,
                spool,
                AuditAction.ARCHIVE_RETIRED,
                operator.user_id,
                uid,
                {"destination": archive} | ({"instead": instead} if instead else {}),
            )
    return len(waiting)


def _move(
    connection: sqlite3.Connection, spool: Spool, uid: str, archive: str, instead: str
) -> None:
    """Makes an image due at another archive, held where it was held; nothing where it is or was
    sent there already. An archive that was retired itself takes it again.
    """
    held = connection.execute(
        "SELECT held_by_person FROM task WHERE kind = 'store' AND sop_instance_uid = ? "
        "AND destination = ? AND state = 'held'",
        (uid, archive),
    ).fetchone()
    state, (by_person,) = (TaskState.HELD, held) if held else (TaskState.QUEUED, (0,))
    connection.execute(
        "INSERT INTO task (kind, sop_instance_uid, destination, state, held_by_person, changed_at) "
        "VALUES ('store', ?, ?, ?, ?, ?) ON CONFLICT (kind, sop_instance_uid, destination) "
        "DO UPDATE SET state = excluded.state, held_by_person = excluded.held_by_person, "
        "failures = 0, resends = 0, nudges = nudges + 1, changed_at = excluded.changed_at "
        "WHERE task.state = 'withdrawn'",
        (uid, instead, state, by_person, spool.now()),
    )


def _waiting(connection: sqlite3.Connection, destination: str) -> tuple[str, ...]:
    """Images that are still due at an archive."""
    rows = connection.execute(
        "SELECT DISTINCT sop_instance_uid FROM task WHERE destination = ? "  # noqa: S608 - a constant of ours
        f"AND kind IN ('store', 'prove') AND state IN ({_OPEN}) ORDER BY task_id",
        (destination,),
    )
    return tuple(uid for (uid,) in rows)


def _homeless(connection: sqlite3.Connection, archive: str, waiting: Sequence[str]) -> int:
    """How many of these images no other archive is to keep."""
    (number,) = connection.execute(
        "SELECT count(*) FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM task "
        "WHERE task.sop_instance_uid = value AND task.destination NOT IN ('', ?2) "
        "AND task.kind IN ('store', 'prove') AND task.state <> 'withdrawn')",
        (json.dumps(list(waiting)), archive),
    ).fetchone()
    return int(number)
