"""The trail of acts: recorded in the caller's transaction, chained by keyed hashes.

Before a row is written the end of the chain is proved. Where it does not hold, no act is stopped:
a row of the trail's own says what was found, and the chain goes on behind it, so that what was
done to the trail stays in it. Against a whole database that is put back only a note elsewhere
helps: see `anchor`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

import structlog

from capture_app.audit.chain import (
    End,
    Head,
    TrailFault,
    event_of,
    event_text,
    find_end,
    row_hash,
    write_head,
)
from capture_app.clock import Clock
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.store.cipher import Cipher
from capture_app.store.database import Reader

_log = structlog.get_logger(__name__)

TRAIL_USER: Final = "trail"
"""Whose act it is that the trail says something of itself."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One recorded act."""

    seq: int
    at: datetime
    event: AuditEvent


def begin(
    connection: sqlite3.Connection, clock: Clock, *, cipher: Cipher, is_first: bool
) -> TrailFault | None:
    """Gives a trail that has neither head nor rows its head, in the transaction under way.

    `is_first` is False where anything says that there was a trail: then that is written down as a
    fault, which is returned. Nothing is done where there is a head or a row.
    """
    end = find_end(connection, cipher)
    if end.fault is not TrailFault.HEAD_MISSING or end.last_row:
        return None
    if is_first:
        write_head(connection, cipher, end.head)
        return None
    mark_broken(connection, clock, TrailFault.TRAIL_MISSING, cipher=cipher)
    return TrailFault.TRAIL_MISSING


def record(
    connection: sqlite3.Connection, clock: Clock, event: AuditEvent, *, cipher: Cipher
) -> None:
    """Appends the act, in the transaction under way: it stands there if and only if the act does.

    Raises RuntimeError outside a transaction.
    """
    _require_transaction(connection)
    end = find_end(connection, cipher)
    if end.fault is not None:
        end = _marked(connection, clock, end, end.fault, cipher)
    _append(connection, clock, event, end.head, cipher)


def mark_broken(
    connection: sqlite3.Connection,
    clock: Clock,
    fault: TrailFault,
    details: Mapping[str, str] = MappingProxyType({}),
    *,
    cipher: Cipher,
) -> None:
    """Writes a fault of the trail into the trail; the chain goes on behind that row.

    In the transaction under way. Raises RuntimeError outside one.
    """
    _require_transaction(connection)
    end = find_end(connection, cipher)
    _marked(connection, clock, end, fault, cipher, details)


def _marked(
    connection: sqlite3.Connection,
    clock: Clock,
    end: End,
    fault: TrailFault,
    cipher: Cipher,
    details: Mapping[str, str] = MappingProxyType({}),
) -> End:
    _log.error("trail-broken", reason=fault.value, count=end.last_row)
    told = {"reason": fault.value, "last_row": str(end.last_row), **details}
    event = AuditEvent(
        AuditAction.TRAIL_BROKEN, TRAIL_USER, EventOutcome.SERIOUS_FAILURE, details=told
    )
    head = _append(connection, clock, event, end.head, cipher)
    return replace(end, head=head, fault=None, last_row=head.seq)


def _append(
    connection: sqlite3.Connection, clock: Clock, event: AuditEvent, end: Head, cipher: Cipher
) -> Head:
    seq = end.seq + 1
    at = clock.now().isoformat(timespec="microseconds")
    text = event_text(event)
    hashed = row_hash(cipher, seq, at, text, end.last_hash)
    connection.execute(
        "INSERT INTO audit (seq, at, event, previous_hash, hash) VALUES (?, ?, ?, ?, ?)",
        (seq, at, text, end.last_hash, hashed),
    )
    head = Head(seq, hashed, end.is_anchored)
    write_head(connection, cipher, head)
    return head


def _require_transaction(connection: sqlite3.Connection) -> None:
    if not connection.in_transaction:
        message = "an act is recorded in the transaction of the act"
        raise RuntimeError(message)


def read_trail(reader: Reader, *, after: int = 0) -> Iterator[AuditRow]:
    """The recorded acts with a number above `after`, oldest first.

    A row that cannot be read is named in the log and left out; `verify_chain` tells of it too.
    """
    rows = reader.execute("SELECT seq, at, event FROM audit WHERE seq > ? ORDER BY seq", (after,))
    for seq, at, text in rows:
        try:
            row = AuditRow(seq, datetime.fromisoformat(at), event_of(text))
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
    for seq, at, text, previous_hash, hashed in rows:
        if hashed != row_hash(cipher, seq, at, text, previous_hash):
            continue
        event = event_of(text)
        if event.action is action:
            yield AuditRow(seq, datetime.fromisoformat(at), event)
