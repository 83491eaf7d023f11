"""The links of the trail: what a row and its head are hashed over, and whether the end holds.

Each row's hash is HMAC-SHA256 over its number, its time, its event and the hash before it, so a
changed, removed, inserted or moved row breaks the chain. The head (the last number, the last hash)
stands beside the rows under a MAC of its own and moves in the same transaction: a tail that was cut
off shows there.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.store.cipher import Cipher
from capture_app.store.database import Reader

BEGINNING: Final = "0" * 64
"""What stands for the hash before the first row."""
_LAST: Final = 2**53
"""A row of a number beyond it was not counted up to: it is damage, and none could follow it."""

Asked = sqlite3.Connection | Reader


class TrailFault(StrEnum):
    """In what way a trail was found to be no longer what was written."""

    TRAIL_MISSING = "trail-missing"
    """There is no trail, beside pictures or users."""
    HEAD_MISSING = "head-missing"
    HEAD_CHANGED = "head-changed"
    ROWS_MISSING = "rows-missing"
    """The head counts further than the rows go."""
    ROWS_CHANGED = "rows-changed"
    """A row is not what was written, or was put in or taken out."""
    PUT_BACK = "put-back"
    """The whole database is older than what is noted elsewhere: a copy was put back."""
    OTHER_HISTORY = "other-history"
    """The database has another row where one is noted elsewhere."""
    ANCHOR_MISSING = "anchor-missing"
    """What was noted elsewhere is gone."""
    ANCHOR_CHANGED = "anchor-changed"


@dataclass(frozen=True, slots=True)
class Head:
    """Up to where the trail goes. It moves with each row."""

    seq: int
    last_hash: str
    is_anchored: bool = False
    """Whether it was ever noted outside the data folder."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of the trail as it was found."""

    head: Head
    """What the next row goes on from. Where the end does not hold: a number that none has had."""
    fault: TrailFault | None
    last_row: int
    """The number of the last row that is there; 0 where there is none."""


def find_end(asked: Asked, cipher: Cipher) -> End:
    """Proves head and last row, so that nothing is ever signed that was not looked at."""
    cells = asked.execute(
        "SELECT rows_count, last_hash, mac, anchored FROM audit_head WHERE only = 1"
    ).fetchone()
    last = asked.execute(
        "SELECT seq, at, event, previous_hash, hash FROM audit WHERE seq < ? "
        "ORDER BY seq DESC LIMIT 1",
        (_LAST,),
    ).fetchone()
    last_row, last_hash = (last[0], last[4]) if last else (0, BEGINNING)
    head = _genuine_head(cells, cipher)
    if head is None:
        fault = TrailFault.HEAD_MISSING if cells is None else TrailFault.HEAD_CHANGED
        return End(Head(last_row, last_hash), fault, last_row)
    if (head.seq, head.last_hash) == (last_row, last_hash) and (
        last is None or last[4] == row_hash(cipher, *last[:4])
    ):
        return End(head, None, last_row)
    fault = TrailFault.ROWS_MISSING if last_row < head.seq else TrailFault.ROWS_CHANGED
    return End(Head(max(head.seq, last_row), last_hash, head.is_anchored), fault, last_row)


def write_head(connection: sqlite3.Connection, cipher: Cipher, head: Head) -> None:
    """Moves the head, in the transaction under way."""
    connection.execute(
        "INSERT INTO audit_head (only, rows_count, last_hash, mac, anchored) "
        "VALUES (1, ?, ?, ?, ?) ON CONFLICT (only) DO UPDATE SET "
        "rows_count = excluded.rows_count, last_hash = excluded.last_hash, mac = excluded.mac, "
        "anchored = excluded.anchored",
        (head.seq, head.last_hash, head_mac(cipher, head), int(head.is_anchored)),
    )


def row_hash(cipher: Cipher, seq: int, at: str, text: str, previous: str) -> str:
    """The hash that a row of the trail must have."""
    return cipher.keyed_hash("audit row", str(previous), str(seq), str(at), str(text))


def head_mac(cipher: Cipher, head: Head) -> str:
    """The MAC that the head must have. Not anchored: as earlier versions wrote it."""
    anchored = ("anchored",) if head.is_anchored else ()
    return cipher.keyed_hash("audit head", str(head.seq), head.last_hash, *anchored)


def _genuine_head(cells: tuple[Any, ...] | None, cipher: Cipher) -> Head | None:
    if cells is None:
        return None
    seq, last_hash, mac, anchored = cells
    head = Head(seq, str(last_hash), anchored == 1)
    is_ours = isinstance(seq, int) and anchored in {0, 1}
    return head if is_ours and mac == head_mac(cipher, head) else None


def event_text(event: AuditEvent) -> str:
    """An act as its row holds it: JSON in one form, for it is hashed."""
    fields: dict[str, Any] = {
        "action": event.action,
        "user_id": event.user_id,
        "outcome": event.outcome,
        "exam_id": event.exam_id,
        "sop_instance_uid": event.sop_instance_uid,
        "study_instance_uid": event.study_instance_uid,
        "patient_key": event.patient_key,
        "details": dict(event.details),
    }
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def event_of(text: str) -> AuditEvent:
    """The act of a row. Raises ValueError, TypeError or LookupError where it cannot be read."""
    fields = json.loads(text)
    return AuditEvent(
        action=AuditAction(fields["action"]),
        user_id=fields["user_id"],
        outcome=EventOutcome(fields["outcome"]),
        exam_id=fields["exam_id"],
        sop_instance_uid=fields["sop_instance_uid"],
        study_instance_uid=fields["study_instance_uid"],
        patient_key=fields["patient_key"],
        details=fields["details"],
    )
