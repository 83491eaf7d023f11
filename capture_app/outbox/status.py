"""Where pictures stand, for lists and counts. Reads only; carries no patient data."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from capture_app.model.delivery import ImageState, ImageStatus, ProofKind
from capture_app.outbox.spool import Spool, moment, stamp

_OPEN: Final = frozenset(
    {
        ImageState.HELD,
        ImageState.QUEUED,
        ImageState.SENDING,
        ImageState.SENT,
        ImageState.LISTED,
        ImageState.NEEDS_YOU,
    }
)
_SHOWN: Final = frozenset({ImageState.LISTED, ImageState.CONFIRMED, ImageState.PURGED})
"""States in which an archive has shown something of the image."""
_UNFINISHED: Final = (
    "SELECT instance.capture_id FROM task JOIN instance USING (sop_instance_uid) "
    "WHERE task.state IN ('held', 'queued', 'running', 'needs-you') AND task.kind <> 'retain' "
    "AND instance.withdrawn = 0 UNION SELECT capture_id FROM capture WHERE fault <> ''"
)
_TOUCHED_SINCE: Final = (
    "SELECT instance.capture_id FROM task JOIN instance USING (sop_instance_uid) "
    "WHERE task.changed_at >= @since "
    "UNION SELECT capture_id FROM instance WHERE sealed_at >= @since "
    "UNION SELECT capture_id FROM capture WHERE kept_at >= @since"
)


@dataclass(frozen=True, slots=True)
class StatusFilter:
    """Which pictures to list; all conditions together. Newest change first."""

    states: frozenset[ImageState] | None = None
    exam_id: str | None = None
    capture_ids: tuple[str, ...] | None = None
    changed_since: datetime | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pictures stand where."""

    drafts: int = 0
    held: int = 0
    queued: int = 0
    sending: int = 0
    sent: int = 0
    listed: int = 0
    needs_you: int = 0
    confirmed_today: int = 0

    @property
    def waiting(self) -> int:
        """On their way: sent off by a person, and not confirmed."""
        return self.held + self.queued + self.sending + self.sent + self.listed


def statuses(spool: Spool, wanted: StatusFilter) -> tuple[ImageStatus, ...]:
    """The pictures that fit, each with the step that speaks for it."""
    conditions = ["1"]
    values: dict[str, object] = {"limit": wanted.limit}
    if wanted.states is not None:
        conditions.append("state IN (SELECT value FROM json_each(@states))")
        values["states"] = json.dumps(sorted(wanted.states))
        if wanted.states <= _OPEN:
            conditions.append(f"capture_id IN ({_UNFINISHED})")  # spares reading years of pictures
    if wanted.exam_id is not None:
        conditions.append("exam_id = @exam_id")
        values["exam_id"] = wanted.exam_id
    if wanted.capture_ids is not None:
        conditions.append("capture_id IN (SELECT value FROM json_each(@capture_ids))")
        values["capture_ids"] = json.dumps(wanted.capture_ids)
    if wanted.changed_since is not None:
        conditions.append(f"changed_at >= @since AND capture_id IN ({_TOUCHED_SINCE})")
        values["since"] = stamp(wanted.changed_since)
    query = (
        "SELECT capture_id, sop_instance_uid, exam_id, state, kept_at, sealed_at, changed_at, "  # noqa: S608 - conditions are ours, values are bound
        "destination, failures, due_at, last_error, proof, "
        "coalesce((SELECT send_id FROM instance "
        "WHERE instance.sop_instance_uid = image.sop_instance_uid), ''), "
        "EXISTS (SELECT 1 FROM task WHERE task.sop_instance_uid = image.sop_instance_uid "
        "AND task.state = 'held' AND task.held_by_person = 1) FROM image "
        f"WHERE {' AND '.join(conditions)} ORDER BY changed_at DESC, capture_id LIMIT @limit"
    )
    rows = spool.database.read().execute(query, values)
    return tuple(_status(row) for row in rows)


def counts(spool: Spool) -> Counts:
    """The numbers of the status strip."""
    connection = spool.database.read()
    by_state = dict(
        connection.execute(
            "SELECT state, count(*) FROM image "  # noqa: S608 - a constant of ours
            f"WHERE capture_id IN ({_UNFINISHED}) GROUP BY state"
        ).fetchall()
    )
    (drafts,) = connection.execute(
        "SELECT count(*) FROM capture WHERE file IS NOT NULL AND deleted_at = '' AND fault = '' "
        "AND NOT EXISTS "
        "(SELECT 1 FROM instance WHERE instance.capture_id = capture.capture_id "
        "AND instance.withdrawn = 0)"
    ).fetchone()
    midnight = spool.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return Counts(
        drafts=drafts,
        held=by_state.get(ImageState.HELD, 0),
        queued=by_state.get(ImageState.QUEUED, 0),
        sending=by_state.get(ImageState.SENDING, 0),
        sent=by_state.get(ImageState.SENT, 0),
        listed=by_state.get(ImageState.LISTED, 0),
        needs_you=by_state.get(ImageState.NEEDS_YOU, 0),
        confirmed_today=_confirmed_since(connection, midnight),
    )


def _confirmed_since(connection: sqlite3.Connection, since: datetime) -> int:
    (number,) = connection.execute(
        "SELECT count(DISTINCT proof.sop_instance_uid) FROM task AS proof "
        "WHERE proof.changed_at >= ? AND proof.kind = 'prove' AND proof.state = 'done' "
        "AND EXISTS (SELECT 1 FROM task AS retain WHERE retain.kind = 'retain' "
        "AND retain.sop_instance_uid = proof.sop_instance_uid)",
        (stamp(since),),
    ).fetchone()
    return int(number)


def _status(row: Sequence[str]) -> ImageStatus:
    (
        capture_id,
        sop_instance_uid,
        exam_id,
        state,
        kept_at,
        sealed_at,
        changed_at,
        destination,
        failures,
        due_at,
        last_error,
        proof,
        send_id,
        held_by_person,
    ) = row
    return ImageStatus(
        capture_id=capture_id,
        sop_instance_uid=sop_instance_uid,
        exam_id=exam_id,
        state=ImageState(state),
        kept_at=moment(kept_at),
        sealed_at=moment(sealed_at) if sealed_at else None,
        changed_at=moment(changed_at),
        destination=destination,
        failures=int(failures),
        due_at=moment(due_at) if due_at else None,
        last_error=last_error,
        # Beside any other state it would be what one of several archives has shown.
        proof=ProofKind(proof) if proof and state in _SHOWN else None,
        send_id=send_id,
        held_by_person=bool(held_by_person),
    )
