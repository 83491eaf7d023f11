"""The head of the trail, noted where the data folder is not: shows a folder that was put back.

Rows and head of yesterday fit each other, and the key signs what comes after. Only a place that is
not copied and put back with the folder remembers that the trail had gone further, or otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from capture_app.audit.chain import (
    Head,
    TrailFault,
    event_of,
    find_end,
    row_hash,
    write_head,
)
from capture_app.audit.trail import mark_broken
from capture_app.clock import Clock
from capture_app.errors import CaptureAppError
from capture_app.model.audit_event import AuditAction
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database, Reader

_log = structlog.get_logger(__name__)

_SHOWN: Final = 16
"""Characters of a hash in the log: enough to tell one from another."""


@dataclass(frozen=True, slots=True)
class AnchorPlace:
    """Where one text is kept outside the data folder. Both raise CaptureAppError."""

    read: Callable[[], str | None]
    """None where nothing was ever written."""
    write: Callable[[str], None]


def hold_to_anchor(
    database: Database, clock: Clock, cipher: Cipher, place: AnchorPlace
) -> TrailFault | None:
    """Compares the trail with what is noted of it, and notes how far it goes now.

    A difference is written into the trail once, told in the log, and returned. A place that cannot
    be reached is said in the log and stops nothing. Raises StoreError where the database refuses.
    """
    try:
        noted = place.read()
    except CaptureAppError as error:
        _log.warning("trail-anchor-not-had", reason=str(error))
        return None
    # First the note, then the trail: meanwhile that can only have grown.
    reader = database.read()
    with reader.at_one_moment():
        fault, details = _compared(reader, cipher, noted)
        is_told = fault is not None and _is_told(reader, cipher, fault, details)
    if fault is not None and not is_told:
        with database.transaction() as connection:
            mark_broken(connection, clock, fault, details, cipher=cipher)
    with reader.at_one_moment():
        end = find_end(reader, cipher)
    if end.fault is not None:
        return fault  # the next act marks it; a trail that does not hold is not noted
    text = _text(end.head, cipher)
    if noted is None or noted.strip() != text:
        try:
            place.write(text)
        except CaptureAppError as error:
            _log.warning("trail-anchor-not-had", reason=str(error))
            return fault
    if not end.head.is_anchored:
        # Only now: whoever is killed before has noted what nobody misses yet.
        with database.transaction() as connection:
            end = find_end(connection, cipher)
            if end.fault is None:
                write_head(connection, cipher, replace(end.head, is_anchored=True))
    return fault


def log_head(database: Database, cipher: Cipher) -> None:
    """Writes into the log how far the trail goes: logs are collected elsewhere."""
    end = find_end(database.read(), cipher)
    _log.info("trail-head", count=end.head.seq, code=end.head.last_hash[:_SHOWN])


def _compared(
    reader: Reader, cipher: Cipher, noted: str | None
) -> tuple[TrailFault | None, dict[str, str]]:
    head = find_end(reader, cipher).head
    if noted is None:
        return (TrailFault.ANCHOR_MISSING if head.is_anchored else None), {}
    anchor = _anchor(noted, cipher)
    if anchor is None:
        return TrailFault.ANCHOR_CHANGED, {}
    if anchor.seq == 0:
        return None, {}
    row = reader.execute("SELECT hash FROM audit WHERE seq = ?", (anchor.seq,)).fetchone()
    if row is not None and row[0] == anchor.last_hash:
        return None, {}
    fault = TrailFault.PUT_BACK if head.seq < anchor.seq else TrailFault.OTHER_HISTORY
    return fault, {"noted_row": str(anchor.seq)}


def _is_told(reader: Reader, cipher: Cipher, fault: TrailFault, details: Mapping[str, str]) -> bool:
    """Whether this is what the trail told of itself last: its place takes no note, so that it is
    found each time.
    """
    row = reader.execute(
        "SELECT seq, at, event, previous_hash, hash FROM audit "
        "WHERE instr(event, ?) ORDER BY seq DESC LIMIT 1",
        (f'"{AuditAction.TRAIL_BROKEN.value}"',),
    ).fetchone()
    if row is None or row[4] != row_hash(cipher, *row[:4]):
        return False
    told = {**event_of(row[2]).details}
    told.pop("last_row", None)
    return told == {"reason": fault.value, **details}


def _text(head: Head, cipher: Cipher) -> str:
    fields = {"row": head.seq, "hash": head.last_hash, "mac": _mac(cipher, head)}
    return json.dumps(fields, sort_keys=True)


def _anchor(text: str, cipher: Cipher) -> Head | None:
    try:
        fields: dict[str, Any] = json.loads(text)
        head = Head(int(fields["row"]), str(fields["hash"]))
    except (ValueError, TypeError, LookupError):
        return None
    return head if fields.get("mac") == _mac(cipher, head) else None


def _mac(cipher: Cipher, head: Head) -> str:
    return cipher.keyed_hash("audit anchor", str(head.seq), head.last_hash)
