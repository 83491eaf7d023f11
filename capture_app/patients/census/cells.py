"""Sealed cells of census.db: opened one by one, and what is damaged set apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog

from capture_app.errors import SealBrokenError
from capture_app.hl7.split import Hl7Message
from capture_app.patients.census.fold import CensusPatient
from capture_app.store.cipher import Cipher

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A stored message."""

    event_id: int
    received_at: datetime
    raw: bytes
    part: int = 0
    """Which of the patients of whom it speaks the row is about."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """What was folded of one patient, and by which settings and rules."""

    event_id: int
    patient_key: bytes
    reading: str
    known: CensusPatient | None
    """None where the cell is damaged or lost: the messages say it again."""


class Cells:
    """Opens sealed messages. A damaged one stops nothing but itself: it is told in `damaged`."""

    def __init__(self, cipher: Cipher) -> None:
        self.cipher = cipher
        self._damaged: dict[tuple[str, int], None] = {}

    @property
    def damaged(self) -> tuple[tuple[str, int], ...]:
        """Table and number of every row that could not be opened, as far as was read."""
        return tuple(self._damaged)

    def messages(
        self, rows: Iterable[tuple[Any, ...]], table: str = "events", kind: str = "event"
    ) -> Iterator[StoredMessage]:
        """Rows of number, time, duplicate key, sealed message and, of events, which part of it is
        meant; damaged ones are left out.
        """
        for number, received_at, key, sealed, *part in rows:
            moment = self.moment(table, number, received_at)
            raw = self.open(table, number, sealed, context_of(kind, key))
            if moment is not None and raw is not None:
                yield StoredMessage(number, moment, raw, *part)

    def moment(self, table: str, number: int, text: str) -> datetime | None:
        """The time in a cell; None where it is damaged."""
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            self._set_apart(table, number)
            return None

    def open(self, table: str, number: int, sealed: bytes, context: bytes) -> bytes | None:
        """What is sealed in a cell; None where it is damaged."""
        try:
            return self.cipher.open_blob(sealed, context)
        except SealBrokenError:
            self._set_apart(table, number)
            return None

    def opens_something(self, connection: sqlite3.Connection, *, or_empty: bool) -> bool:
        """Whether our key opens a message; `or_empty` where there is none."""
        rows = connection.execute(
            "SELECT duplicate_key, message FROM events WHERE message != x''"
            " ORDER BY event_id DESC LIMIT 100"
        ).fetchall()
        for key, sealed in rows:
            try:
                self.cipher.open_blob(sealed, context_of("event", key))
            except SealBrokenError:
                continue
            return True
        return or_empty and not rows

    def _set_apart(self, table: str, number: int) -> None:
        if (table, number) not in self._damaged:
            self._damaged[(table, number)] = None
            _log.error("census-row-damaged", kind=table, count=number)

    def duplicate_key(self, raw: bytes, message: Hl7Message | None, part: int = 0) -> bytes:
        """Control IDs are used again: a message is a repeat only if all of it is the same."""
        msh = () if message is None else (message.msh.raw(field) for field in (3, 4, 10, 7))
        said = (*msh, sha256(raw).hexdigest(), *([str(part)] if part else []))
        return bytes.fromhex(self.cipher.keyed_hash("message", *said))


def context_of(kind: str, key: bytes) -> bytes:
    """What a cell is sealed for: it cannot be put in place of another."""
    return f"census {kind} ".encode() + key
