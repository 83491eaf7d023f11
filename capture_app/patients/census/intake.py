"""How much the senders of the feed may put on the disk in a day, each and all together.

Who reaches the port could else fill the disk until the shutter stops. Counted in the transaction
that stores, so that neither a restart nor a second process begins anew.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from capture_app.errors import DiskFullError, StoreError
from capture_app.model.words import tr
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.database import Database

_log = structlog.get_logger(__name__)

OVERHEAD_BYTES: Final = 2_048
"""What a stored message takes beside its own bytes: seal, state of the patient, indexes, notes."""

_MEGABYTE: Final = 1_000_000
_KEPT_FOR_PICTURES_MB: Final = 200
"""The feed stops so far above `min_free_mb`: it must not be what stops the shutter."""
_MOST: Final = 2**53
"""Bytes that nobody counts up to: a number beyond it is damage, and stops no feed for a day."""
_ALL: Final = ""
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Allowance:
    """What senders may take of the disk."""

    of_all_bytes: int
    """In a day (UTC)."""
    of_one_bytes: int
    """In a day, for one address or one IPv6 network of 64 bits."""
    floor_bytes: int
    """Nothing is stored for a sender below this much free space."""

    @classmethod
    def of(cls, settings: Settings) -> Allowance:
        """What the settings say."""
        adt = settings.adt or AdtFeed()
        return cls(
            adt.max_mb_per_day * _MEGABYTE,
            adt.max_mb_per_day_of_a_sender * _MEGABYTE,
            (settings.capture.min_free_mb + _KEPT_FOR_PICTURES_MB) * _MEGABYTE,
        )


class Intake:
    """Counts what is stored against the allowance. Safe for use by several processes."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._allowance = Allowance.of(settings)
        self._folder = settings.data_dir

    def require_room(self, sender: str, size: int, at: datetime) -> None:
        """StoreError where a message of that size may not be stored for this sender today."""
        allowed = self._allowance
        if shutil.disk_usage(self._folder).free < allowed.floor_bytes + size:
            raise DiskFullError(
                tr(
                    "The disk is nearly full: what is left is kept for pictures. Make room, "
                    "and have the sender repeat the message."
                )
            )
        used = self._used(at, sender, _ALL)
        for whose, most in ((sender, allowed.of_one_bytes), (_ALL, allowed.of_all_bytes)):
            if used.get(whose, 0) + size + OVERHEAD_BYTES > most:
                self._note_refusal(whose, sender, at)
                raise StoreError(
                    tr(
                        "More was sent today than the settings allow "
                        "(max_mb_per_day, max_mb_per_day_of_a_sender); send it again later."
                    )
                )

    def count(self, connection: sqlite3.Connection, sender: str, size: int, at: datetime) -> None:
        """Counts a message that is stored in this transaction."""
        connection.executemany(
            "INSERT INTO intake (day, sender, bytes) VALUES (?, ?, ?)"
            " ON CONFLICT (day, sender) DO UPDATE SET bytes = excluded.bytes +"
            " CASE WHEN bytes BETWEEN 0 AND ? THEN bytes ELSE 0 END",
            [(_day(at), whose, size + OVERHEAD_BYTES, _MOST) for whose in {sender, _ALL}],
        )

    def trouble(self, now: datetime) -> str:
        """Who was refused today for having sent too much, in words; empty for nobody."""
        rows = self._db.read().execute(
            "SELECT sender FROM intake WHERE day = ? AND was_refused ORDER BY bytes DESC",
            (_day(now),),
        )
        over = [sender for (sender,) in rows]
        if not over:
            return ""
        if named := [sender for sender in over if sender != _ALL]:
            return tr(
                "{senders} sent more than is taken in a day: the rest is refused. "
                "Look what sends there (senders, max_mb_per_day_of_a_sender).",
                senders=", ".join(named[:_NAMED]) + (", ..." if len(named) > _NAMED else ""),
            )
        return tr(
            "More was sent than is taken in a day: the rest is refused. "
            "Look what sends there (senders, max_mb_per_day)."
        )

    def forget(self, now: datetime) -> None:
        """Deletes the counts of earlier days."""
        with self._db.transaction() as connection:
            connection.execute("DELETE FROM intake WHERE day < ?", (_day(now - timedelta(days=1)),))

    def _used(self, at: datetime, *senders: str) -> dict[str, int]:
        rows = self._db.read().execute(
            "SELECT sender, bytes FROM intake WHERE day = ? AND sender IN (?, ?)",
            (_day(at), *senders),
        )
        return {whose: int(used) for whose, used in rows if 0 <= used <= _MOST}

    def _note_refusal(self, whose: str, sender: str, at: datetime) -> None:
        """Once a day: refusals themselves must not fill disk and log."""
        with self._db.transaction() as connection:
            changed = connection.execute(
                "INSERT INTO intake (day, sender, bytes, was_refused) VALUES (?, ?, 0, 1)"
                " ON CONFLICT (day, sender) DO UPDATE SET was_refused = 1 WHERE NOT was_refused",
                (_day(at), whose),
            ).rowcount
        if changed:
            _log.warning("feed-sender-sent-too-much", peer=sender)


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
