"""Messages that could not be used, kept sealed where a person will see them."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Final

import structlog

from capture_app.errors import MessageError
from capture_app.hl7.split import Hl7Message
from capture_app.model.patient import PatientId
from capture_app.patients.census.cells import Cells, context_of
from capture_app.patients.census.intake import Intake
from capture_app.patients.census.status import DeadLetter
from capture_app.store.database import Database

_log = structlog.get_logger(__name__)

PersonsOf = Callable[[bytes], tuple[PatientId, ...]]
"""Whom a merge names; raises MessageError where it cannot be read."""

MOST_DEAD_LETTERS: Final = 10_000
MOST_DEAD_BYTES: Final = 50_000_000
"""A sender with wrong settings must not fill the disk of a camera; the oldest of the sender who has
most of them go first, so that a stranger's push out nobody else's. Each was refused: its sender
knows of it."""

_BY_SENDER: Final = (
    "SELECT sender, count(*), sum(length(message)) FROM dead_letters GROUP BY sender"
)
_COUNT: Final = "SELECT count(*) FROM dead_letters"
"""Goes through the pages of an index alone."""
_OLDEST_OF: Final = (
    "SELECT dead_letter_id, length(message) FROM dead_letters WHERE sender = ?"
    " ORDER BY is_merge, dead_letter_id LIMIT 1"
)
_LETTERS: Final = (
    "SELECT dead_letter_id, received_at, times, ack_code, reason, duplicate_key, message"
    " FROM dead_letters"
)
_NEWEST: Final = f"{_LETTERS} ORDER BY received_at DESC, dead_letter_id DESC LIMIT ?"
_NEWEST_MERGES: Final = (
    f"{_LETTERS} WHERE is_merge = 1 ORDER BY received_at DESC, dead_letter_id DESC LIMIT ?"
)
_DELETE: Final = "DELETE FROM dead_letters WHERE dead_letter_id = ?"
"""A merge waits for a person, and rows say so as long as it is here: all else goes before it."""


class _Held:
    """How many letters of how many bytes there are of each sender."""

    def __init__(self) -> None:
        self.letters = Counter[str]()
        self.bytes = Counter[str]()

    def take(self, connection: sqlite3.Connection, sender: str, size: int) -> None:
        """One more is in the box. All are counted anew where something else has changed it: another
        process, which led meanwhile.
        """
        self.letters[sender] += 1
        self.bytes[sender] += size
        (count,) = connection.execute(_COUNT).fetchone()
        if count != self.letters.total():
            self.count_anew(connection)

    def count_anew(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute(_BY_SENDER).fetchall()
        self.letters = Counter({sender: count for sender, count, _ in rows})
        self.bytes = Counter({sender: size for sender, _, size in rows})

    def less(self, sender: str, size: int) -> None:
        """One was taken out."""
        self.letters[sender] -= 1
        self.bytes[sender] -= size
        if not self.letters[sender]:
            del self.letters[sender], self.bytes[sender]


class DeadLetterBox:
    """Refused messages on disk, each once however often it is sent."""

    def __init__(self, db: Database, cells: Cells, intake: Intake) -> None:
        self._db = db
        self._intake = intake
        self._cells = cells
        self._held: _Held | None = None
        """What is in the box: read once, for a full one is asked at each new letter. None after
        anything else changed it.
        """
        self._named: dict[int, tuple[PatientId, ...]] = {}
        """Whom each refused merge names: read once, for each new one asks for all."""

    def keep(
        self,
        raw: bytes,
        message: Hl7Message | None,
        *,
        reason: str,
        ack_code: str,
        received_at: datetime,
        is_merge: bool = False,
        sender: str = "",
    ) -> None:
        """Keeps a message that cannot be used; one that is sent again and again is kept once.

        `sender`: the address that it came from. StoreError where that has sent too much.
        """
        if not self._has(raw, message):
            self._intake.require_room(sender, len(raw), received_at)
        key = self._cells.duplicate_key(raw, message)
        sealed = self._cells.cipher.seal_blob(raw, context_of("dead letter", key))
        held, self._held = self._held, None
        with self._db.transaction() as connection:
            (times,) = connection.execute(
                "INSERT INTO dead_letters"
                " (received_at, times, duplicate_key, ack_code, reason, message, is_merge, sender)"
                " VALUES (?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT (duplicate_key) DO UPDATE SET"
                " received_at = excluded.received_at, times = times + 1,"
                " ack_code = excluded.ack_code, reason = excluded.reason RETURNING times",
                (received_at.isoformat(), key, ack_code, reason, sealed, int(is_merge), sender),
            ).fetchone()
            if times == 1:
                held = held or _Held()
                held.take(connection, sender, len(sealed))
                _make_room(connection, held)
                self._intake.count(connection, sender, len(raw), received_at)
        self._held = held

    def _has(self, raw: bytes, message: Hl7Message | None) -> bool:
        rows = self._db.read().execute(
            "SELECT 1 FROM dead_letters WHERE duplicate_key = ?",
            (self._cells.duplicate_key(raw, message),),
        )
        return rows.fetchone() is not None

    def newest(self, limit: int, *, merges: bool = False) -> tuple[DeadLetter, ...]:
        """Messages that could not be used, the newest first. `merges`: those alone that wait."""
        rows = self._db.read().execute(_NEWEST_MERGES if merges else _NEWEST, (limit,))
        return tuple(
            DeadLetter(number, moment, times, ack_code, reason, raw)
            for number, received_at, times, ack_code, reason, key, sealed in rows
            if (moment := self._cells.moment("dead_letters", number, received_at)) is not None
            and (
                raw := self._cells.open(
                    "dead_letters", number, sealed, context_of("dead letter", key)
                )
            )
            is not None
        )

    def named_by_merges(self, persons_of: PersonsOf) -> Iterator[PatientId]:
        """All whom refused merges name; `persons_of` reads one, MessageError where it cannot. It is
        asked once for each.
        """
        kept = set(self.merges())
        read = {number: persons for number, persons in self._named.items() if number in kept}
        for number in sorted(kept - set(read)):
            read[number] = self._persons_of(number, persons_of)
        self._named = read
        return chain.from_iterable(read.values())

    def _persons_of(self, number: int, persons_of: PersonsOf) -> tuple[PatientId, ...]:
        rows = self._db.read().execute(
            "SELECT dead_letter_id, received_at, duplicate_key, message FROM dead_letters"
            " WHERE dead_letter_id = ?",
            (number,),
        )
        for message in self._cells.messages(rows, "dead_letters", "dead letter"):
            try:
                return persons_of(message.raw)
            except MessageError as error:
                _log.info("refused-merge-unreadable", feed="adt", reason=str(error))
        return ()

    def merges(self) -> tuple[int, ...]:
        """The numbers of the refused merges that wait, the oldest first."""
        rows = self._db.read().execute(
            "SELECT dead_letter_id FROM dead_letters WHERE is_merge = 1 ORDER BY dead_letter_id"
        )
        return tuple(number for (number,) in rows)

    def settle(self, number: int) -> None:
        """A person dealt with a refused merge: it marks nobody any more, and is kept as others."""
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE dead_letters SET is_merge = 0 WHERE dead_letter_id = ?", (number,)
            )

    def count(self, since: datetime | None = None) -> int:
        """How many there are, or came since then."""
        rows = self._db.read().execute(
            "SELECT count(*) FROM dead_letters WHERE received_at >= ?",
            (since.isoformat() if since else "",),
        )
        return int(rows.fetchone()[0])

    def forget(
        self, before: datetime, persons_of: PersonsOf, is_known: Callable[[PatientId], object]
    ) -> None:
        """Deletes those that last came before then, but for merges that wait and name somebody who
        is known: their rows have to say so.
        """
        self._held = None
        self.named_by_merges(persons_of)
        wanted = [number for number, persons in self._named.items() if any(map(is_known, persons))]
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM dead_letters WHERE received_at < ? AND dead_letter_id NOT IN"
                " (SELECT value FROM json_each(?))",
                (before.isoformat(), json.dumps(wanted)),
            )


def _make_room(connection: sqlite3.Connection, held: _Held) -> None:
    """Deletes the oldest of the sender who has most, until the box is within its limits."""
    while held.letters.total() > 1:
        if held.letters.total() > MOST_DEAD_LETTERS:
            by_sender = held.letters
        elif held.bytes.total() > MOST_DEAD_BYTES:
            by_sender = held.bytes
        else:
            return
        sender = max(by_sender, key=by_sender.__getitem__)
        number, size = connection.execute(_OLDEST_OF, (sender,)).fetchone()
        connection.execute(_DELETE, (number,))
        held.less(sender, size)
