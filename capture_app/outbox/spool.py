"""The data folder as the outbox uses it: one database, three folders of sealed files, one key.

The database's write lock is the one mutex between processes: a sealed file gets its name only while
its writer holds that lock, and recovery looks at the folders while it holds it. So a file without a
row is never the work of a living process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self, TypeVar

from capture_app.audit import trail
from capture_app.clock import Clock
from capture_app.errors import DiskFullError, SealBrokenError, StoreError
from capture_app.model.audit_event import AuditEvent
from capture_app.model.patient import Patient
from capture_app.model.words import tr
from capture_app.settings.write_once import is_open_to_others, make_folder
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from capture_app.store.record import from_record, to_record
from capture_app.store.sealed import SUFFIX, Staged, discard_staged, publish_sealed

T = TypeVar("T")

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""What stands for a time that was written and cannot be read."""
IS_DRAFT: Final = (
    "capture.deleted_at = '' "
    "AND NOT EXISTS (SELECT 1 FROM counted WHERE counted.capture_id = capture.capture_id) "
    "AND NOT EXISTS (SELECT 1 FROM counted WHERE counted.sop_instance_uid = capture.capture_id)"
)
"""The condition by which a row of `capture` is a draft: neither deleted nor sent. The second
question is of an instance whose row does not name its picture any more.
"""
_ANYTHING_KEPT: Final = (
    "SELECT EXISTS (SELECT 1 FROM exam) OR EXISTS (SELECT 1 FROM capture) "
    "OR EXISTS (SELECT 1 FROM users)"
)
_FOR_A_CLOCK_SET_BACK: Final = timedelta(days=366)
LONGEST_KEEP_DAYS: Final = 36_500
MOST: Final = 1_000_000_000
"""A count beyond this, or below zero, was not written by us."""


@dataclass(frozen=True, slots=True)
class Spool:
    """What every act of the outbox needs."""

    database: Database
    captures: Path
    """Folder of sealed files of kind capture: the pictures, from the shutter on."""
    instances: Path
    """Folder of sealed files of kind instance: the Part 10 files, from Send on."""
    received: Path
    """Folder of sealed files of kind received: what scanners sent and is nobody's yet."""
    cipher: Cipher
    clock: Clock

    @classmethod
    def open(cls, database: Database, folder: Path, cipher: Cipher, clock: Clock) -> Self:
        """Makes the folders where they are missing, durably, and begins the trail.

        A trail that is not there beside pictures or users is no first start: it says so itself.
        Raises StoreError where somebody else could change what is in the folders.
        """
        captures, instances, received = (
            folder / name for name in ("captures", "instances", "received")
        )
        for path in (captures, instances, received):
            make_folder(path)
            if is_open_to_others(path):
                raise StoreError(
                    tr(
                        "Others could change the pictures in {folder}: it must be this user's own, "
                        "with mode 0700.",
                        folder=path,
                    )
                )
        if database.read().execute("SELECT 1 FROM audit_head").fetchone() is None:
            folders = (captures, instances, received)
            files = any(next(path.glob(f"*{SUFFIX}"), None) for path in folders)
            with database.transaction() as connection:
                (rows,) = connection.execute(_ANYTHING_KEPT).fetchone()
                trail.begin(connection, clock, cipher=cipher, is_first=not (files or rows))
        return cls(database, captures, instances, received, cipher, clock)

    def now(self) -> str:
        """The present as the database writes it."""
        return stamp(self.clock.now())

    def record(self, connection: sqlite3.Connection, event: AuditEvent) -> None:
        """Writes an act into the trail, in the transaction of the act."""
        trail.record(connection, self.clock, event, cipher=self.cipher)

    def seal(self, value: object, context: str) -> bytes:
        """A value of the model as an encrypted cell that opens only in its own place."""
        return self.cipher.seal_blob(to_record(value), context.encode())

    def unseal(self, kind: type[T], cell: bytes, context: str) -> T:
        """The value of an encrypted cell. Raises SealBrokenError."""
        if not isinstance(cell, bytes):  # NULL, where a damaged page says so
            raise SealBrokenError(tr("A cell of the database is empty."))
        return from_record(kind, self.cipher.open_blob(cell, context.encode()))

    def patient_key(self, patient: Patient) -> str:
        """Keyed hash of the patient's identifier and its issuer: tells people apart, names none."""
        return self.cipher.keyed_hash("patient", *patient.patient_id.key)

    @contextmanager
    def publishing(self, staged: Sequence[Staged]) -> Iterator[sqlite3.Connection]:
        """Names staged files and writes their rows, all or nothing, under the write lock.

        On return both are durable. When COMMIT itself fails for another reason than a full disk,
        nobody can say whether the rows are there: the files stay, and recovery adopts them.
        """
        committing = False
        try:
            with self.database.transaction() as connection:
                try:
                    publish_sealed(staged)
                    yield connection
                except BaseException:
                    discard_staged(staged)  # before the lock goes, lest recovery adopt them
                    raise
                committing = True
        except DiskFullError:
            discard_staged(staged)
            raise
        except BaseException:
            if not committing:
                discard_staged(staged)
            raise


def stamp(at: datetime) -> str:
    """A moment as the database writes it: UTC, of fixed length, so that text sorts as time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The moment that was written, in the zone of this computer. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone()


Default = TypeVar("Default", datetime, None)


def moment_or(text: str | None, default: Default) -> datetime | Default:
    """The moment that was written; `default` where there is none or it cannot be read."""
    return moment(text) if text and is_moment(text) else default


def is_moment(text: str | None) -> bool:
    """Whether a time can be read, or none was written."""
    try:
        return not text or bool(moment(text))
    except (ValueError, OverflowError, OSError):
        return False


def is_past(text: str, now: str) -> bool:
    """Whether a moment was written that has been, as far as clocks can be trusted. A time of
    deletion that is none cannot be read, and what cannot be read is no act of a person.
    """
    if not text or not is_moment(text):
        return False
    return LONG_AGO < moment(text) < moment(now) + _FOR_A_CLOCK_SET_BACK
