"""The feed on disk: messages sealed and durable before they are acknowledged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from capture_app.errors import SealBrokenError
from capture_app.hl7.split import Hl7Message
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.patient import PatientId
from capture_app.model.words import tr
from capture_app.patients.census.arrival import put_places_right
from capture_app.patients.census.cells import Cells, StoredMessage, StoredState, context_of
from capture_app.patients.census.fold import CensusPatient
from capture_app.patients.census.intake import Intake
from capture_app.patients.sources.adt.naming import Pair
from capture_app.store.database import Database
from capture_app.store.record import from_record, to_brief_record

_log = structlog.get_logger(__name__)


Notes = Mapping[int, tuple[FeedNote, ...]]
"""By the place of a message what of it could not be taken, or had no effect."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A patient's new state, with the notes on those messages that were read for it."""

    known: CensusPatient
    notes: Notes


class Journal:
    """What the feed said, in order of arrival. Safe for use by several threads and processes.

    A damaged cell is set apart (see `Cells`); all else is read.
    """

    def __init__(self, db: Database, cells: Cells, reading: str, intake: Intake) -> None:
        self._db = db
        self._cipher = cells.cipher
        self._reading = reading
        self._intake = intake
        self._rebuilt = 0
        self._counted: dict[tuple[frozenset[NoteCode], datetime | None], int] = {}
        self._counted_after = (-1, 0)
        self._cells = cells

    @property
    def damaged(self) -> tuple[tuple[str, int], ...]:
        """Table and number of every row that could not be opened, as far as was read."""
        return self._cells.damaged

    def authorities(self) -> frozenset[Pair]:
        """What was learnt of the names of authorities."""
        rows = self._db.read().execute("SELECT authority_id, pair_key, pair FROM authorities")
        opened = (
            self._cells.open("authorities", number, sealed, context_of("authority", key))
            for number, key, sealed in rows
        )
        pairs = (json.loads(pair) for pair in opened if pair is not None)
        return frozenset((namespace, oid) for namespace, oid in pairs)

    def learn(self, pairs: Iterable[Pair]) -> None:
        """Keeps what was learnt of the names of authorities, durably."""
        with self._db.transaction() as connection:
            self._write_pairs(connection, pairs)

    def _write_pairs(self, connection: sqlite3.Connection, pairs: Iterable[Pair]) -> None:
        for pair in sorted(pairs):
            key = bytes.fromhex(self._cipher.keyed_hash("authority", *pair))
            sealed = self._cipher.seal_blob(json.dumps(pair).encode(), context_of("authority", key))
            connection.execute(
                "INSERT INTO authorities (pair_key, pair) VALUES (?, ?)"
                " ON CONFLICT (pair_key) DO NOTHING",
                (key, sealed),
            )

    def begin(self, now: datetime) -> datetime:
        """When the census was begun. SealBrokenError for a key that it was not kept with."""
        put_places_right(self._db)
        check = self._cipher.keyed_hash("census", "key")
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO census (id, created_at, reading, key_check)"
                " VALUES (1, ?, ?, ?)",
                (now.isoformat(), self._reading, check),
            )
            created_at, known = connection.execute(
                "SELECT created_at, key_check FROM census"
            ).fetchone()
            # None yet, or damaged: what our key opens was sealed with it.
            if known != check and self._cells.opens_something(connection, or_empty=known is None):
                known = check
                connection.execute("UPDATE census SET key_check = ?", (check,))
            if known != check:
                raise SealBrokenError(
                    tr("census.db was kept with another key: use the key of this data folder.")
                )
            begun = self._cells.moment("census", 1, created_at)
            if begun is None:  # nothing is older than the oldest message
                begun = self._first_heard(connection) or now
                connection.execute("UPDATE census SET created_at = ?", (begun.isoformat(),))
        return begun

    def is_read_otherwise(self) -> bool:
        """Whether states were folded by other settings or rules than ours."""
        rows = self._db.read().execute(
            "SELECT 1 FROM census WHERE reading != ? UNION ALL"
            " SELECT 1 FROM events WHERE state IS NOT NULL AND reading IS NOT ? LIMIT 1",
            (self._reading, self._reading),
        )
        return rows.fetchone() is not None

    def keep(
        self,
        raw: bytes,
        duplicate_key: bytes,
        number: PatientId,
        received_at: datetime,
        fold: Callable[[int], Folded],
        *,
        prior: PatientId | None = None,
        part: int = 0,
        sender: str = "",
    ) -> int | None:
        """Stores a message, or that part of it, and what follows from it, durably: both or none.

        `fold` is called with the message's place in the order of arrival and gives the new state
        of the patient. `prior`: the number whose messages are this patient's from now on.
        `sender`: the address whose share of the disk it takes. That place; None for a repeat, which
        changes nothing.
        """
        key, patient_key = duplicate_key, self.patient_key(number)
        sealed = self._cipher.seal_blob(raw, context_of("event", key))
        with self._db.transaction() as connection:
            if connection.execute(
                "SELECT 1 FROM events WHERE duplicate_key = ?", (key,)
            ).fetchone():
                return None
            event_id = self.last_event_id() + 1
            if prior is not None:
                connection.execute(
                    "UPDATE events SET patient_key = ? WHERE patient_key = ?",
                    (patient_key, self.patient_key(prior)),
                )
            folded = fold(event_id)
            connection.execute(
                "UPDATE events SET state = NULL, reading = NULL"
                " WHERE patient_key = ? AND state IS NOT NULL",
                (patient_key,),
            )
            connection.execute(
                "INSERT INTO events"
                " (event_id, received_at, duplicate_key, patient_key, message, part, state,"
                " reading) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(event_id, received_at.isoformat(), key, patient_key, sealed, part),
                    *(self._sealed_state(patient_key, folded.known), self._reading),
                ),
            )
            _write_notes(connection, folded.notes)
            self._intake.count(connection, sender, len(raw), received_at)
        return event_id

    def duplicate_key(self, raw: bytes, message: Hl7Message, part: int) -> bytes:
        """What a repeat of that part of the message is known by."""
        return self._cells.duplicate_key(raw, message, part)

    def is_repeat(self, duplicate_key: bytes) -> bool:
        """Whether the same message is stored already."""
        rows = self._db.read().execute(
            "SELECT 1 FROM events WHERE duplicate_key = ?", (duplicate_key,)
        )
        return rows.fetchone() is not None

    def last_event_id(self) -> int:
        """The place of the newest message; 0 for none."""
        (last,) = self._db.read().execute("SELECT max(event_id) FROM events").fetchone()
        return int(last or 0)

    def states(self) -> Iterator[StoredState]:
        """The state of every patient."""
        rows = self._db.read().execute(
            "SELECT event_id, patient_key, coalesce(reading, ''), state FROM events"
            " WHERE event_id IN (SELECT max(event_id) FROM events"
            " WHERE patient_key != x'' OR message != x'' GROUP BY patient_key)"
        )
        return map(self._state, rows)

    def states_after(self, event_id: int) -> Iterator[StoredState]:
        """The states of the patients of whom a message came after that one, the newest last."""
        rows = self._db.read().execute(
            "SELECT event_id, patient_key, reading, state FROM events"
            " WHERE state IS NOT NULL AND event_id > ? ORDER BY event_id",
            (event_id,),
        )
        return map(self._state, rows)

    def put_state(self, stored: StoredState, folded: Folded) -> None:
        """Puts a state in place of one that was damaged or lost. Where it is no state of whose key
        the messages stand under, which is damaged then, all is to be made anew.
        """
        sealed = self._sealed_state(stored.patient_key, folded.known)
        is_astray = stored.patient_key != self.patient_key(folded.known.patient.patient_id)
        with self._db.transaction() as connection:
            if is_astray:
                connection.execute("UPDATE census SET reading = ''")
            connection.execute(
                "UPDATE events SET state = ?, reading = ? WHERE event_id = ? AND patient_key = ?",
                (sealed, self._reading, stored.event_id, stored.patient_key),
            )
            _write_notes(connection, folded.notes)
        _log.warning("row-put-right", kind="events")

    def all(self) -> Iterator[StoredMessage]:
        """Every message, in order of arrival."""
        rows = self._db.read().execute(
            "SELECT event_id, received_at, duplicate_key, message, part FROM events"
            " WHERE patient_key != x'' OR message != x'' ORDER BY event_id"
        )
        return self._cells.messages(rows)

    def of_patient(self, patient_key: bytes) -> Iterator[StoredMessage]:
        """All messages about a patient, in order of arrival."""
        rows = self._db.read().execute(
            "SELECT event_id, received_at, duplicate_key, message, part FROM events"
            " WHERE patient_key = ? ORDER BY event_id",
            (patient_key,),
        )
        return self._cells.messages(rows)

    def fold_again(
        self,
        fold: Callable[[Iterable[StoredMessage]], Iterable[tuple[Folded, list[int]]]],
        learnt: Callable[[], Iterable[Pair]],
        may_stay: Callable[[CensusPatient], bool],
    ) -> None:
        """Makes all states anew from the messages, after settings, rules or names were changed.

        `fold` gives each patient's state with the places of the messages about that patient;
        `learnt` what is known of the names of authorities once all was read. Where a message is
        damaged, a whole state of the same settings and rules stays if it `may_stay`.
        """
        with self._db.transaction() as connection:
            made = list(fold(self.all()))
            staying = self._staying(may_stay)
            kept = (json.dumps(sorted(staying)),)
            connection.execute(
                "UPDATE events SET state = NULL, reading = NULL WHERE state IS NOT NULL"
                " AND event_id NOT IN (SELECT value FROM json_each(?))",
                kept,
            )
            connection.execute(
                "DELETE FROM notes WHERE event_id NOT IN (SELECT value FROM json_each(?))", kept
            )
            self._rebuilt += 1
            for folded, event_ids in made:
                if not staying.isdisjoint(event_ids):
                    continue
                patient_key = self.patient_key(folded.known.patient.patient_id)
                connection.executemany(
                    "UPDATE events SET patient_key = ? WHERE event_id = ?",
                    ((patient_key, event_id) for event_id in event_ids),
                )
                connection.execute(
                    "UPDATE events SET state = ?, reading = ? WHERE event_id = ?",
                    (
                        *(self._sealed_state(patient_key, folded.known), self._reading),
                        max(event_ids),
                    ),
                )
                _write_notes(connection, folded.notes)
            connection.execute("DELETE FROM authorities")
            self._write_pairs(connection, learnt())
            connection.execute("UPDATE census SET reading = ?", (self._reading,))

    def _staying(self, may_stay: Callable[[CensusPatient], bool]) -> set[int]:
        """All messages of the patients of whom one is damaged, and the state is not."""
        rows = self._db.read().execute(
            "SELECT event_id, patient_key, reading, state FROM events"
            " WHERE state IS NOT NULL AND reading = ? AND patient_key != x'' AND patient_key IN"
            " (SELECT patient_key FROM events WHERE event_id IN (SELECT value FROM json_each(?)))",
            (self._reading, self._damaged_events()),
        )
        found: set[int] = set()
        for each in map(self._state, rows.fetchall()):
            if each.known is not None and may_stay(each.known):
                of_patient = "SELECT event_id FROM events WHERE patient_key = ?"
                found.update(n for (n,) in self._db.read().execute(of_patient, (each.patient_key,)))
        return found

    def _damaged_events(self) -> str:
        return json.dumps([number for table, number in self.damaged if table == "events"])

    def is_damaged(self, patient_key: bytes) -> bool:
        """Whether a message about a patient is damaged, as far as was read."""
        rows = self._db.read().execute(
            "SELECT 1 FROM events WHERE patient_key = ?"
            " AND event_id IN (SELECT value FROM json_each(?)) LIMIT 1",
            (patient_key, self._damaged_events()),
        )
        return rows.fetchone() is not None

    def has_messages_of(self, number: PatientId) -> bool:
        """Whether any message is stored about this number."""
        rows = self._db.read().execute(
            "SELECT 1 FROM events WHERE patient_key = ? LIMIT 1", (self.patient_key(number),)
        )
        return rows.fetchone() is not None

    def forget(self, numbers: Iterable[PatientId]) -> None:
        """Deletes everything about these patients; `give_back` follows when nobody waits."""
        keys = [(self.patient_key(number),) for number in numbers]
        with self._db.transaction() as connection:
            connection.executemany(
                "DELETE FROM notes WHERE event_id IN"
                " (SELECT event_id FROM events WHERE patient_key = ?)",
                keys,
            )
            # The place of the last message must not be given out again: its row stays, emptied.
            connection.executemany(
                "UPDATE events SET patient_key = x'', message = x'', state = NULL"
                " WHERE patient_key = ? AND event_id = (SELECT max(event_id) FROM events)",
                keys,
            )
            connection.executemany("DELETE FROM events WHERE patient_key = ?", keys)

    def give_back(self) -> None:
        """Gives the room of what was deleted back to the disk, a little at a time."""
        self._db.shrink()

    def count_notes(self, codes: Iterable[NoteCode], since: datetime | None = None) -> int:
        """How many messages have a note of one of these codes, or came since then with one.

        Counted again only after a message, and every hour for `since`.
        """
        hour = since.replace(minute=0, second=0, microsecond=0) if since else None
        asked = (frozenset(codes), hour)
        last = (self.last_event_id(), self._rebuilt)
        if self._counted_after != last:
            self._counted, self._counted_after = {}, last
        if asked not in self._counted:
            self._counted[asked] = self._count_notes(asked[0], hour)
        return self._counted[asked]

    def _count_notes(self, codes: frozenset[NoteCode], since: datetime | None) -> int:
        wanted = json.dumps(sorted(codes))
        rows = self._db.read().execute(
            "SELECT count(DISTINCT event_id) FROM notes"
            " WHERE code IN (SELECT value FROM json_each(?)) AND event_id >= ?",
            (wanted, self._first_since(since) if since else 0),
        )
        return int(rows.fetchone()[0])

    def noted(
        self, codes: Iterable[NoteCode], limit: int
    ) -> Iterator[tuple[StoredMessage, tuple[FeedNote, ...]]]:
        """Messages with a note of one of these codes, the newest first, with those notes."""
        rows = self._db.read().execute(
            "SELECT e.event_id, e.received_at, e.duplicate_key, e.message,"
            " json_group_array(json_array(n.field, n.code))"
            " FROM notes n JOIN events e USING (event_id)"
            " WHERE n.code IN (SELECT value FROM json_each(?))"
            " GROUP BY e.event_id ORDER BY e.event_id DESC LIMIT ?",
            (json.dumps(sorted(codes)), limit),
        )
        for *row, notes in rows.fetchall():
            for message in self._cells.messages([tuple(row)]):
                said = (FeedNote(field, NoteCode(code)) for field, code in json.loads(notes))
                yield message, tuple(sorted(said))

    def _first_since(self, since: datetime) -> int:
        """The place of the first message that came since then."""
        rows = self._db.read().execute(
            "SELECT event_id FROM events WHERE received_at < ? ORDER BY event_id DESC LIMIT 1",
            (since.isoformat(),),
        )
        row = rows.fetchone()
        return row[0] + 1 if row else 0

    def last_heard(self) -> datetime | None:
        """When the last message came, usable or not."""
        rows = self._db.read().execute(
            "SELECT 'events', * FROM"
            " (SELECT event_id, received_at FROM events ORDER BY event_id DESC LIMIT 10)"
            " UNION ALL SELECT 'dead_letters', * FROM"
            " (SELECT dead_letter_id, received_at FROM dead_letters"
            " ORDER BY received_at DESC LIMIT 10)"
        )
        moments = (self._cells.moment(*row) for row in rows)  # a damaged one hides no other
        return max((moment for moment in moments if moment is not None), default=None)

    def _first_heard(self, connection: sqlite3.Connection) -> datetime | None:
        rows = connection.execute(
            "SELECT event_id, received_at FROM events ORDER BY event_id LIMIT 10"
        )
        moments = (self._cells.moment("events", *row) for row in rows)
        return min((moment for moment in moments if moment is not None), default=None)

    def patient_key(self, number: PatientId) -> bytes:
        """What the rows of a patient are found by."""
        return bytes.fromhex(self._cipher.keyed_hash("patient", *number.key))

    def _sealed_state(self, patient_key: bytes, known: CensusPatient) -> bytes:
        return self._cipher.seal_blob(to_brief_record(known), context_of("state", patient_key))

    def _state(self, row: tuple[int, bytes, str, bytes | None]) -> StoredState:
        event_id, patient_key, reading, sealed = row
        if sealed is None:
            return StoredState(event_id, patient_key, reading, None)
        try:
            plain = self._cipher.open_blob(sealed, context_of("state", patient_key))
            known = from_record(CensusPatient, plain)
        except SealBrokenError:
            _log.error("census-state-damaged", kind="events", count=event_id)
            return StoredState(event_id, patient_key, reading, None)
        return StoredState(event_id, patient_key, reading, known)


def _write_notes(connection: sqlite3.Connection, notes: Notes) -> None:
    connection.executemany(
        "DELETE FROM notes WHERE event_id = ?", ((event_id,) for event_id in notes)
    )
    connection.executemany(
        "INSERT OR IGNORE INTO notes VALUES (?, ?, ?)",
        (
            (event_id, note.field, note.code.value)
            for event_id, said in notes.items()
            for note in said
        ),
    )
