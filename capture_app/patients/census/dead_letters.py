"""Messages that could not be used, kept sealed where a person will see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from capture_app.hl7.split import Hl7Message
from capture_app.patients.census.cells import Cells, StoredMessage, context_of
from capture_app.patients.census.status import DeadLetter
from capture_app.store.database import Database

MOST_DEAD_LETTERS: Final = 10_000
"""A sender with wrong settings must not fill the disk of a camera; the oldest go first. Each was
refused, so its sender knows of it."""


class DeadLetterBox:
    """Refused messages on disk, each once however often it is sent."""

    def __init__(self, db: Database, cells: Cells) -> None:
        self._db = db
        self._cells = cells

    def keep(
        self,
        raw: bytes,
        message: Hl7Message | None,
        *,
        reason: str,
        ack_code: str,
        received_at: datetime,
        is_merge: bool = False,
    ) -> None:
        """Keeps a message that cannot be used; one that is sent again and again is kept once."""
        key = self._cells.duplicate_key(raw, message)
        sealed = self._cells.cipher.seal_blob(raw, context_of("dead letter", key))
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO dead_letters"
                " (received_at, times, duplicate_key, ack_code, reason, message, is_merge)"
                " VALUES (?, 1, ?, ?, ?, ?, ?) ON CONFLICT (duplicate_key) DO UPDATE SET"
                " received_at = excluded.received_at, times = times + 1,"
                " ack_code = excluded.ack_code, reason = excluded.reason",
                (received_at.isoformat(), key, ack_code, reason, sealed, int(is_merge)),
            )
            connection.execute(
                "DELETE FROM dead_letters WHERE dead_letter_id <="
                " (SELECT max(dead_letter_id) FROM dead_letters) - ?",
                (MOST_DEAD_LETTERS,),
            )

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

    def refused_merges(self) -> Iterator[StoredMessage]:
        """Merges that were refused, the oldest first."""
        rows = self._db.read().execute(
            "SELECT dead_letter_id, received_at, duplicate_key, message FROM dead_letters"
            " WHERE is_merge = 1 ORDER BY dead_letter_id"
        )
        return self._cells.messages(rows, "dead_letters", "dead letter")

    def last_merge(self) -> int:
        """The number of the newest merge that was refused; 0 for none."""
        rows = self._db.read().execute(
            "SELECT max(dead_letter_id) FROM dead_letters WHERE is_merge = 1"
        )
        return int(rows.fetchone()[0] or 0)

    def count(self, since: datetime | None = None) -> int:
        """How many there are, or came since then."""
        rows = self._db.read().execute(
            "SELECT count(*) FROM dead_letters WHERE received_at >= ?",
            (since.isoformat() if since else "",),
        )
        return int(rows.fetchone()[0])

    def forget(self, before: datetime) -> None:
        """Deletes those that last came before then."""
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM dead_letters WHERE received_at < ?", (before.isoformat(),)
            )
