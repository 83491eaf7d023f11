"""The trail of acts: recorded in the caller's transaction, chained by keyed hashes.

Each row's hash is HMAC-SHA256 over its number, its time, its event and the hash before it, so a
changed, removed, inserted or moved row breaks the chain. The head (how many rows, the last hash)
is kept beside it under a MAC of its own and moves in the same transaction: a tail that was cut off
shows there. Whoever has the key and the file can rewrite both; against that only a copy elsewhere
helps.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from capture_app.clock import Clock
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.store.cipher import Cipher
from capture_app.store.database import Reader

_log = structlog.get_logger(__name__)

_BEGINNING: Final = "0" * 64
_LAST: Final = 2**53
"""A row of a number beyond it was not counted up to: it is damage, and none could follow it."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One recorded act."""

    seq: int
    at: datetime
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What the chain shows. `first_broken` is the number of the row where it stops to hold."""

    rows: int
    first_broken: int | None
    head_holds: bool
    """False where rows are missing at the end, or the head itself was changed or removed."""

    @property
    def whole(self) -> bool:
        """True where every row and the head hold."""
        return self.first_broken is None and self.head_holds


def record(
    connection: sqlite3.Connection, clock: Clock, event: AuditEvent, *, cipher: Cipher
) -> None:
    """Appends the act, in the transaction under way: it stands there if and only if the act does.

    Raises RuntimeError outside a transaction.
    """
    if not connection.in_transaction:
        message = "an act is recorded in the transaction of the act"
        raise RuntimeError(message)
    seq, previous = _head(connection, cipher)
    seq += 1
    at = clock.now().isoformat(timespec="microseconds")
    text = _canonical(event)
    row_hash = _row_hash(cipher, seq, at, text, previous)
    connection.execute(
        "INSERT INTO audit (seq, at, event, previous_hash, hash) VALUES (?, ?, ?, ?, ?)",
        (seq, at, text, previous, row_hash),
    )
    connection.execute(
        "INSERT INTO audit_head (only, rows_count, last_hash, mac) VALUES (1, ?, ?, ?) "
        "ON CONFLICT (only) DO UPDATE SET rows_count = excluded.rows_count, "
        "last_hash = excluded.last_hash, mac = excluded.mac",
        (seq, row_hash, _head_mac(cipher, seq, row_hash)),
    )


def read_trail(reader: Reader, *, after: int = 0) -> Iterator[AuditRow]:
    """The recorded acts with a number above `after`, oldest first.

    A row that cannot be read is named in the log and left out; `verify_chain` tells of it too.
    """
    rows = reader.execute("SELECT seq, at, event FROM audit WHERE seq > ? ORDER BY seq", (after,))
    for seq, at, text in rows:
        try:
            row = AuditRow(seq, datetime.fromisoformat(at), _event(text))
        except (ValueError, TypeError, LookupError) as error:
            _log.error("trail-row-unreadable", count=seq, error_type=type(error).__name__)
            continue
        yield row


def genuine_rows(reader: Reader, action: AuditAction, *, cipher: Cipher) -> Iterator[AuditRow]:
    """The recorded acts of one kind whose own hash holds, oldest first: nobody made them without
    the key. Whether rows are missing is for `verify_chain`.
    """
    rows = reader.execute(
        "SELECT seq, at, event, previous_hash, hash FROM audit WHERE event LIKE ? ORDER BY seq",
        (f'%"{action.value}"%',),
    )
    for seq, at, text, previous_hash, row_hash in rows:
        if row_hash != _row_hash(cipher, seq, at, text, previous_hash):
            continue
        event = _event(text)
        if event.action is action:
            yield AuditRow(seq, datetime.fromisoformat(at), event)


def verify_chain(reader: Reader, *, cipher: Cipher) -> ChainReport:
    """Walks the whole chain. Reads only; a broken chain is an answer, not an error."""
    with reader.at_one_moment():  # rows and head belong together, whoever appends meanwhile
        return _verified(reader, cipher)


def _verified(reader: Reader, cipher: Cipher) -> ChainReport:
    count, previous, first_broken = 0, _BEGINNING, None
    rows = reader.execute("SELECT seq, at, event, previous_hash, hash FROM audit ORDER BY seq")
    for seq, at, text, previous_hash, row_hash in rows:
        count += 1
        # The number is in the hash: rows that close up after a removal do not hold.
        holds = previous_hash == previous and row_hash == _row_hash(cipher, seq, at, text, previous)
        if not holds and first_broken is None:
            first_broken = count
        previous = row_hash
    head = reader.execute("SELECT rows_count, last_hash, mac FROM audit_head").fetchone()
    if head is None:
        return ChainReport(count, first_broken, head_holds=count == 0)
    head_count, head_hash, mac = head
    head_holds = (head_count, head_hash) == (count, previous) and mac == _head_mac(
        cipher, head_count, head_hash
    )
    return ChainReport(count, first_broken, head_holds)


def _head(connection: sqlite3.Connection, cipher: Cipher) -> tuple[int, str]:
    """The number and hash that the next row goes on from.

    The head's and not the last row's: a trail that was cut off goes on with a gap that shows,
    instead of being healed by the next act. A head that is gone or damaged stops no act: a number
    is left out, so that head and count never agree again.
    """
    head = connection.execute("SELECT rows_count, last_hash, mac FROM audit_head").fetchone()
    last = connection.execute(
        "SELECT seq, hash FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT 1", (_LAST,)
    ).fetchone()
    holds = head is not None and head[2] == _head_mac(cipher, head[0], head[1])
    if holds and (last is None or last[0] <= head[0]):
        return int(head[0]), str(head[1])
    if head is None and last is None:
        return 0, _BEGINNING
    _log.error("trail-head-damaged")
    seq, row_hash = last or (0, _BEGINNING)
    return int(seq) + 1, str(row_hash)


def _row_hash(cipher: Cipher, seq: int, at: str, text: str, previous: str) -> str:
    return cipher.keyed_hash("audit row", previous, str(seq), at, text)


def _head_mac(cipher: Cipher, count: int, last_hash: str) -> str:
    return cipher.keyed_hash("audit head", str(count), last_hash)


def _canonical(event: AuditEvent) -> str:
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


def _event(text: str) -> AuditEvent:
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
