"""The feed on disk: messages sealed and durable before they are acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from capture_app.hl7.split import Hl7Message
from capture_app.model.patient import PatientId
from capture_app.patients.census.fold import CensusPatient
from capture_app.patients.census.status import DeadLetter
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from capture_app.store.record import from_record, to_record

MOST_DEAD_LETTERS: Final = 10_000
"""A sender with wrong settings must not fill the disk of a camera; the oldest go first. Each was
refused, so its sender knows of it."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A stored message."""

    event_id: int
    received_at: datetime
    raw: bytes


class Journal:
    """What the feed said, in order of arrival. Safe for use by several threads and processes."""

    def __init__(self, db: Database, cipher: Cipher) -> None:
        self._db = db
        self._cipher = cipher

    def begin(self, now: datetime, reading: str) -> datetime:
        """When the census was begun. `reading` is noted as what the states are folded with."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO census VALUES (1, ?, ?)", (now.isoformat(), reading)
            )
            (created_at,) = connection.execute("SELECT created_at FROM census").fetchone()
        return datetime.fromisoformat(created_at)

    def reading(self) -> str:
        """What the states were folded with."""
        (reading,) = self._db.read().execute("SELECT reading FROM census").fetchone()
        return str(reading)

    def keep(
        self,
        raw: bytes,
        message: Hl7Message,
        number: PatientId,
        received_at: datetime,
        fold: Callable[[int], CensusPatient],
    ) -> int | None:
        """Stores a message and what follows from it, durably: both or none.

        `fold` is called with the message's place in the order of arrival and gives the new state
        of the patient. That place; None for a repeat, which changes nothing.
        """
        key, patient_key = self._duplicate_key(raw, message), self._patient_key(number)
        sealed = self._cipher.seal_blob(raw, _context("event", key))
        with self._db.transaction() as connection:
            if connection.execute(
                "SELECT 1 FROM events WHERE duplicate_key = ?", (key,)
            ).fetchone():
                return None
            event_id = self.last_event_id() + 1
            state = self._sealed_state(patient_key, fold(event_id))
            connection.execute(
                "UPDATE events SET state = NULL WHERE event_id ="
                " (SELECT max(event_id) FROM events WHERE patient_key = ?)",
                (patient_key,),
            )
            connection.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                (event_id, received_at.isoformat(), key, patient_key, sealed, state),
            )
        return event_id

    def last_event_id(self) -> int:
        """The place of the newest message; 0 for none."""
        (last,) = self._db.read().execute("SELECT max(event_id) FROM events").fetchone()
        return int(last or 0)

    def states(self) -> Iterator[CensusPatient]:
        """The state of every patient."""
        rows = self._db.read().execute(
            "SELECT patient_key, state FROM events WHERE state IS NOT NULL AND event_id IN"
            " (SELECT max(event_id) FROM events GROUP BY patient_key)"
        )
        return map(self._state, rows)

    def states_after(self, event_id: int) -> Iterator[CensusPatient]:
        """The states of the patients of whom a message came after that one, the newest last."""
        rows = self._db.read().execute(
            "SELECT patient_key, state FROM events WHERE state IS NOT NULL AND event_id > ?"
            " ORDER BY event_id",
            (event_id,),
        )
        return map(self._state, rows)

    def all(self) -> Iterator[StoredMessage]:
        """Every message, in order of arrival."""
        rows = self._db.read().execute(
            "SELECT event_id, received_at, duplicate_key, message FROM events"
            " WHERE patient_key != x'' ORDER BY event_id"
        )
        return map(self._opened, rows)

    def of_patient(self, number: PatientId) -> Iterator[StoredMessage]:
        """All messages about a patient, in order of arrival."""
        rows = self._db.read().execute(
            "SELECT event_id, received_at, duplicate_key, message FROM events"
            " WHERE patient_key = ? ORDER BY event_id",
            (self._patient_key(number),),
        )
        return map(self._opened, rows)

    def fold_again(
        self,
        fold: Callable[[Iterable[StoredMessage]], Iterable[tuple[CensusPatient, list[int]]]],
        reading: str,
    ) -> None:
        """Makes all states anew from the messages, after settings or rules were changed.

        `fold` gives each patient's state with the places of the messages about that patient.
        """
        with self._db.transaction() as connection:
            connection.execute("UPDATE events SET state = NULL")
            for known, event_ids in fold(self.all()):
                patient_key = self._patient_key(known.patient.patient_id)
                connection.executemany(
                    "UPDATE events SET patient_key = ? WHERE event_id = ?",
                    ((patient_key, event_id) for event_id in event_ids),
                )
                connection.execute(
                    "UPDATE events SET state = ? WHERE event_id = ?",
                    (self._sealed_state(patient_key, known), max(event_ids)),
                )
            connection.execute("UPDATE census SET reading = ?", (reading,))

    def forget(self, numbers: Iterable[PatientId], dead_letters_before: datetime) -> None:
        """Deletes everything about these patients, and old messages that could not be used."""
        keys = [(self._patient_key(number),) for number in numbers]
        with self._db.transaction() as connection:
            # The place of the last message must not be given out again: its row stays, emptied.
            connection.executemany(
                "UPDATE events SET patient_key = x'', message = x'', state = NULL"
                " WHERE patient_key = ? AND event_id = (SELECT max(event_id) FROM events)",
                keys,
            )
            connection.executemany("DELETE FROM events WHERE patient_key = ?", keys)
            connection.execute(
                "DELETE FROM dead_letters WHERE received_at < ?",
                (dead_letters_before.isoformat(),),
            )

    def keep_dead_letter(
        self,
        raw: bytes,
        message: Hl7Message | None,
        *,
        reason: str,
        ack_code: str,
        received_at: datetime,
    ) -> None:
        """Keeps a message that cannot be used; one that is sent again and again is kept once."""
        key = self._duplicate_key(raw, message)
        sealed = self._cipher.seal_blob(raw, _context("dead letter", key))
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO dead_letters"
                " (received_at, times, duplicate_key, ack_code, reason, message)"
                " VALUES (?, 1, ?, ?, ?, ?) ON CONFLICT (duplicate_key) DO UPDATE SET"
                " received_at = excluded.received_at, times = times + 1,"
                " ack_code = excluded.ack_code, reason = excluded.reason",
                (received_at.isoformat(), key, ack_code, reason, sealed),
            )
            connection.execute(
                "DELETE FROM dead_letters WHERE dead_letter_id <="
                " (SELECT max(dead_letter_id) FROM dead_letters) - ?",
                (MOST_DEAD_LETTERS,),
            )

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Messages that could not be used, the newest first."""
        rows = self._db.read().execute(
            "SELECT dead_letter_id, received_at, times, ack_code, reason, duplicate_key, message"
            " FROM dead_letters ORDER BY received_at DESC, dead_letter_id DESC LIMIT ?",
            (limit,),
        )
        return tuple(
            DeadLetter(
                number,
                datetime.fromisoformat(received_at),
                times,
                ack_code,
                reason,
                self._cipher.open_blob(sealed, _context("dead letter", key)),
            )
            for number, received_at, times, ack_code, reason, key, sealed in rows
        )

    def count_dead_letters(self) -> int:
        """How many there are."""
        (count,) = self._db.read().execute("SELECT count(*) FROM dead_letters").fetchone()
        return int(count)

    def last_heard(self) -> datetime | None:
        """When the last message came, usable or not."""
        rows = self._db.read().execute(
            "SELECT received_at FROM"
            " (SELECT received_at FROM events ORDER BY event_id DESC LIMIT 1)"
            " UNION ALL SELECT max(received_at) FROM dead_letters"
        )
        return max((datetime.fromisoformat(text) for (text,) in rows if text), default=None)

    def _opened(self, row: tuple[int, str, bytes, bytes]) -> StoredMessage:
        event_id, received_at, key, sealed = row
        raw = self._cipher.open_blob(sealed, _context("event", key))
        return StoredMessage(event_id, datetime.fromisoformat(received_at), raw)

    def _sealed_state(self, patient_key: bytes, known: CensusPatient) -> bytes:
        return self._cipher.seal_blob(to_record(known), _context("state", patient_key))

    def _state(self, row: tuple[bytes, bytes]) -> CensusPatient:
        patient_key, sealed = row
        return from_record(
            CensusPatient, self._cipher.open_blob(sealed, _context("state", patient_key))
        )

    def _patient_key(self, number: PatientId) -> bytes:
        return bytes.fromhex(self._cipher.keyed_hash("patient", *number.key))

    def _duplicate_key(self, raw: bytes, message: Hl7Message | None) -> bytes:
        """Control IDs are used again: a message is a repeat only if all of it is the same."""
        msh = () if message is None else (message.msh.raw(field) for field in (3, 4, 10, 7))
        return bytes.fromhex(self._cipher.keyed_hash("message", *msh, sha256(raw).hexdigest()))


def _context(kind: str, key: bytes) -> bytes:
    return f"census {kind} ".encode() + key
