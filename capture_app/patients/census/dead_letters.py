"""Messages that could not be used, kept sealed where a person will see them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from operator import itemgetter
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
_OLDEST_OF: Final = "SELECT min(dead_letter_id) FROM dead_letters WHERE sender = ?1"
_OLDEST_BUT_MERGES_OF: Final = (
    "SELECT dead_letter_id FROM dead_letters WHERE sender = ?1 AND is_merge = 0"
    " ORDER BY dead_letter_id LIMIT 1"
)
_DELETE_OLDEST_OF: Final = (
    "DELETE FROM dead_letters WHERE dead_letter_id ="  # noqa: S608 - constants of ours
    f" coalesce(({_OLDEST_BUT_MERGES_OF}), ({_OLDEST_OF}))"
)
"""A merge waits for a person, and rows say so as long as it is here: all else goes before it."""


class DeadLetterBox:
    """Refused messages on disk, each once however often it is sent."""

    def __init__(self, db: Database, cells: Cells, intake: Intake) -> None:
        self._db = db
        self._intake = intake
        self._cells = cells
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
                _make_room(connection)
                self._intake.count(connection, sender, len(raw), received_at)

    def _has(self, raw: bytes, message: Hl7Message | None) -> bool:
        rows = self._db.read().execute(
            "SELECT 1 FROM dead_letters WHERE duplicate_key = ?",
            (self._cells.duplicate_key(raw, message),),
        )
        return rows.fetchone() is not None

    def newest(self, limit: int) -> tuple[DeadLetter, ...]:
        """Messages that could not be used, the newest first."""
        rows = self._db.read().execute(
            "SELECT dead_letter_id, received_at, times, ack_code, reason, duplicate_key, message"
            " FROM dead_letters ORDER BY received_at DESC, dead_letter_id DESC LIMIT ?",
            (limit,),
        )
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
        self.named_by_merges(persons_of)
        wanted = [number for number, persons in self._named.items() if any(map(is_known, persons))]
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM dead_letters WHERE received_at < ? AND dead_letter_id NOT IN"
                " (SELECT value FROM json_each(?))",
                (before.isoformat(), json.dumps(wanted)),
            )


def _make_room(connection: sqlite3.Connection) -> None:
    """Deletes the oldest of the sender who has most, until the box is within its limits."""
    while True:
        by_sender = connection.execute(_BY_SENDER).fetchall()
        count, size = (sum(row[column] for row in by_sender) for column in (1, 2))
        if count <= 1 or (count <= MOST_DEAD_LETTERS and size <= MOST_DEAD_BYTES):
            return
        most_of = itemgetter(1 if count > MOST_DEAD_LETTERS else 2)
        connection.execute(_DELETE_OLDEST_OF, (max(by_sender, key=most_of)[0],))
