"""Where pictures stand, for lists and counts. Reads only; carries no patient data."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from capture_app.errors import ChangedSinceSeenError, SealBrokenError
from capture_app.model.delivery import ImageState, ImageStatus, ProofKind
from capture_app.model.reason import ROW_UNREADABLE, Asked, Reason
from capture_app.model.words import tr
from capture_app.outbox.keeping.clip_cell import read_clip_cell
from capture_app.outbox.spool import LONG_AGO, Spool, is_moment, moment_or, stamp
from capture_app.store.database import Reader

_log = structlog.get_logger(__name__)

UNFINISHED: Final = frozenset(
    {
        ImageState.HELD,
        ImageState.QUEUED,
        ImageState.SENDING,
        ImageState.SENT,
        ImageState.LISTED,
        ImageState.NEEDS_YOU,
        ImageState.IT_ASKED,
    }
)
"""States of what was sent and is not confirmed."""
_DONE: Final = frozenset({ImageState.CONFIRMED, ImageState.PURGED})
_SHOWN: Final = frozenset({ImageState.LISTED, ImageState.CONFIRMED, ImageState.PURGED})
"""States in which an archive has shown something of the image."""
_WAY: Final = (
    ImageState.QUEUED,
    ImageState.SENDING,
    ImageState.SENT,
    ImageState.LISTED,
    ImageState.CONFIRMED,
    ImageState.PURGED,
)
"""The states through which an image goes by itself, in their order."""
_UNFINISHED: Final = (
    "SELECT counted.picture FROM task JOIN counted USING (sop_instance_uid) "
    "WHERE task.state IN ('held', 'queued', 'running', 'needs-you') AND task.kind <> 'retain' "
    "UNION SELECT capture_id FROM capture WHERE fault <> ''"
)
_DRAFTS: Final = "SELECT capture_id FROM draft"
_NEWEST_DONE: Final = (
    "SELECT capture_id FROM (SELECT instance.capture_id FROM task INDEXED BY task_kept "
    "JOIN instance USING (sop_instance_uid) WHERE task.kind = 'retain' "
    "ORDER BY task.changed_at DESC LIMIT @limit)"
)
"""Its retain step speaks for what is done with, so that the newest of these are the newest."""
_TOUCHED_SINCE: Final = (
    "SELECT counted.picture FROM task JOIN counted USING (sop_instance_uid) "
    "WHERE task.changed_at >= @since "
    "UNION SELECT capture_id FROM instance WHERE sealed_at >= @since "
    "UNION SELECT capture_id FROM capture WHERE kept_at >= @since"
)


SeenStates = Mapping[str, ImageState]
"""How each image stood on a screen, by its SOP Instance UID."""


@dataclass(frozen=True, slots=True)
class StatusFilter:
    """Which pictures to list; all conditions together. Newest change first."""

    states: frozenset[ImageState] | None = None
    exam_id: str | None = None
    patient_key: str | None = None
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
    it_asked: int = 0
    confirmed_today: int = 0

    @property
    def waiting(self) -> int:
        """On their way: sent off by a person, and not confirmed."""
        return self.held + self.queued + self.sending + self.sent + self.listed

    @property
    def stopped(self) -> int:
        """Those that do not go on by themselves."""
        return self.needs_you + self.it_asked


def statuses(spool: Spool, wanted: StatusFilter) -> tuple[ImageStatus, ...]:
    """The pictures that fit, each with the step that speaks for it."""
    conditions = ["1"]
    values: dict[str, object] = {"limit": wanted.limit}
    if wanted.states is not None:
        conditions.append("state IN (SELECT value FROM json_each(@states))")
        values["states"] = json.dumps(sorted({_in_view(state) for state in wanted.states}))
        conditions += _where_they_are(wanted.states, wanted)
    if wanted.exam_id is not None:
        conditions.append("exam_id = @exam_id")
        values["exam_id"] = wanted.exam_id
    if wanted.patient_key is not None:
        conditions.append(
            "exam_id IN (SELECT exam_id FROM exam WHERE exam.patient_key = @patient_key)"
        )
        values["patient_key"] = wanted.patient_key
    if wanted.capture_ids is not None:
        conditions.append("capture_id IN (SELECT value FROM json_each(@capture_ids))")
        values["capture_ids"] = json.dumps(wanted.capture_ids)
    if wanted.changed_since is not None:
        conditions.append(f"changed_at >= @since AND capture_id IN ({_TOUCHED_SINCE})")
        values["since"] = stamp(wanted.changed_since)
    query = (
        "SELECT capture_id, sop_instance_uid, exam_id, state, kept_at, sealed_at, changed_at, "  # noqa: S608 - conditions are ours, values are bound
        "destination, failures, due_at, error_code, last_error, proof, send_id, held_by_person, "
        "can_be_recalled, (SELECT clip FROM capture WHERE capture.capture_id = image.capture_id) "
        "FROM image "
        f"WHERE {' AND '.join(conditions)} ORDER BY changed_at DESC, capture_id LIMIT @limit"
    )
    found = map(_status, spool.database.read().execute(query, values))
    return tuple(one for one in found if wanted.states is None or one.state in wanted.states)


def require_states(
    connection: sqlite3.Connection | Reader, seen: SeenStates, *, may_go_on: bool
) -> None:
    """That images stand as they were seen.

    `may_go_on`: what was on its way may be further on it, where not all are. Raises
    ChangedSinceSeenError.
    """
    now = _states_now(connection, seen)
    moved = {uid for uid, state in seen.items() if now.get(uid) is not state}
    gone_on = {uid for uid in moved if _is_further(seen[uid], now.get(uid))}
    if moved and (not may_go_on or moved != gone_on or len(moved) == len(seen)):
        raise ChangedSinceSeenError(
            tr("The pictures stand otherwise by now: nothing was changed. Look, then do it again.")
        )


def _states_now(
    connection: sqlite3.Connection | Reader, uids: Iterable[str]
) -> Mapping[str, ImageState]:
    rows = connection.execute(
        "SELECT sop_instance_uid, state, error_code, last_error FROM image WHERE capture_id IN "
        "(SELECT coalesce((SELECT capture_id FROM instance WHERE sop_instance_uid = value), value) "
        "FROM json_each(?))",
        (json.dumps(sorted(uids)),),
    )
    return {uid: _stands(state, Reason.from_text(text, code)) for uid, state, code, text in rows}


def _is_further(seen: ImageState, now: ImageState | None) -> bool:
    return seen in _WAY and now in _WAY and _WAY.index(now) > _WAY.index(seen)


def _where_they_are(states: frozenset[ImageState], wanted: StatusFilter) -> list[str]:
    """Spares reading years of pictures: in which tables pictures of these states are found."""
    places = []
    if states & UNFINISHED:
        places.append(_UNFINISHED)
    if ImageState.DRAFT in states:
        places.append(_DRAFTS)
    if states & _DONE:
        if wanted != StatusFilter(states=states, limit=wanted.limit):
            return []  # another condition finds those that are done with
        places.append(_NEWEST_DONE)
    return [f"capture_id IN ({' UNION '.join(places)})"]


def last_answered(spool: Spool) -> datetime | None:
    """When an archive last took or proved a picture; None before the first time."""
    (newest,) = (
        spool.database.read()
        .execute(
            # The planner would rather read every finished step.
            "SELECT max(changed_at) FROM task INDEXED BY task_answered "
            "WHERE kind <> 'retain' AND state = 'done'"
        )
        .fetchone()
    )
    return moment_or(newest, None)


def counts(spool: Spool) -> Counts:
    """The numbers of the status strip."""
    reader = spool.database.read()
    by_state: Counter[ImageState] = Counter()
    for state, code, text, number in reader.execute(
        "SELECT state, error_code, last_error, count(*) FROM image "  # noqa: S608 - a constant of ours
        f"WHERE capture_id IN ({_UNFINISHED}) GROUP BY state, error_code, last_error"
    ):
        by_state[_stands(state, Reason.from_text(text, code))] += number
    (drafts,) = reader.execute(
        "SELECT count(*) FROM draft CROSS JOIN capture USING (capture_id) WHERE capture.fault = ''"
    ).fetchone()
    midnight = spool.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return Counts(
        drafts=drafts,
        held=by_state[ImageState.HELD],
        queued=by_state[ImageState.QUEUED],
        sending=by_state[ImageState.SENDING],
        sent=by_state[ImageState.SENT],
        listed=by_state[ImageState.LISTED],
        needs_you=by_state[ImageState.NEEDS_YOU],
        it_asked=by_state[ImageState.IT_ASKED],
        confirmed_today=_confirmed_since(reader, midnight),
    )


def _confirmed_since(reader: Reader, since: datetime) -> int:
    (number,) = reader.execute(
        "SELECT count(DISTINCT proof.sop_instance_uid) FROM task AS proof INDEXED BY task_answered "
        "WHERE proof.changed_at >= ? AND proof.kind <> 'retain' AND proof.kind = 'prove' "
        "AND proof.state = 'done' "
        "AND EXISTS (SELECT 1 FROM task AS retain WHERE retain.kind = 'retain' "
        "AND retain.sop_instance_uid = proof.sop_instance_uid)",
        (stamp(since),),
    ).fetchone()
    return int(number)


def _in_view(state: ImageState) -> ImageState:
    """How the view calls a state: it does not know who is asked."""
    return ImageState.NEEDS_YOU if state is ImageState.IT_ASKED else state


def _stands(state: str, reason: Reason | None) -> ImageState:
    """The state of an image: what stopped is a clinician's, or IT's where that alone can help."""
    if state != ImageState.NEEDS_YOU:
        return ImageState(state)
    asked = reason.asked if reason else Asked.IT
    return ImageState.NEEDS_YOU if asked is Asked.CLINICIAN else ImageState.IT_ASKED


def _status(row: Sequence[Any]) -> ImageStatus:
    """One row. One that cannot be read takes no other row away: it stands there with its reason."""
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
        error_code,
        last_error,
        proof,
        send_id,
        held_by_person,
        can_be_recalled,
        clip,
    ) = row
    reason = Reason.from_text(last_error, error_code)
    status = ImageStatus(
        capture_id=capture_id,
        sop_instance_uid=sop_instance_uid,
        exam_id=exam_id,
        state=_stands(state, reason),
        kept_at=moment_or(kept_at, LONG_AGO),
        sealed_at=moment_or(sealed_at, None),
        changed_at=moment_or(changed_at, LONG_AGO),
        destination=destination,
        failures=int(failures),
        due_at=moment_or(due_at, None),
        reason=reason,
        # Beside any other state it would be what one of several archives has shown.
        proof=ProofKind(proof) if proof in [*ProofKind] and state in _SHOWN else None,
        send_id=send_id,
        held_by_person=bool(held_by_person),
        can_be_recalled=bool(can_be_recalled),
    )
    if all(map(is_moment, (kept_at, sealed_at, changed_at, due_at))):
        with suppress(SealBrokenError):
            return replace(status, clip=read_clip_cell(clip))
    _log.warning("status-row-unreadable", uid=sop_instance_uid)
    unreadable = Reason.of(ROW_UNREADABLE, row=sop_instance_uid)
    return replace(status, state=ImageState.IT_ASKED, reason=unreadable)
