"""The head of the trail, noted where the data folder is not: shows a folder that was put back.

Rows and head of yesterday fit each other, and the key signs what comes after. Only a place that is
not copied and put back with the folder remembers that the trail had gone further, or otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from capture_app.audit.chain import Head, TrailFault, find_end, write_head
from capture_app.audit.trail import mark_broken
from capture_app.clock import Clock
from capture_app.errors import CaptureAppError
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

    A difference is written into the trail, told in the log, and returned. A place that cannot be
    reached is said in the log and stops nothing. Raises StoreError where the database refuses.
    """
    try:
        noted = place.read()
    except CaptureAppError as error:
        _log.warning("trail-anchor-not-had", reason=str(error))
        return None
    # First the note, then the trail: meanwhile that can only have grown.
    fault, details = _compared(database.read(), cipher, noted)
    head = find_end(database.read(), cipher).head
    if fault is None and noted is not None and noted.strip() == _text(head, cipher):
        return None
    if fault is not None or not head.is_anchored:
        with database.transaction() as connection:
            if fault is not None:
                mark_broken(connection, clock, fault, details, cipher=cipher)
            end = find_end(connection, cipher)
            head = replace(end.head, is_anchored=True)
            if end.fault is None:
                write_head(connection, cipher, head)
    end = find_end(database.read(), cipher)
    if end.fault is not None:
        return fault  # the next act marks it; a trail that does not hold is not noted
    try:
        place.write(_text(end.head, cipher))
    except CaptureAppError as error:
        _log.warning("trail-anchor-not-had", reason=str(error))
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
