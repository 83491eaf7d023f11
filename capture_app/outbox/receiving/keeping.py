"""Received objects as files and rows: durable before the scanner is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Final

import structlog

from capture_app.errors import DiskFullError, RuleError, SealBrokenError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.received import ReceivedObject, WaitingObject
from capture_app.model.words import tr
from capture_app.outbox.spool import Spool, stamp
from capture_app.outbox.steps.tasks import ENGINE_USER
from capture_app.store.database import Reader
from capture_app.store.record import from_record, to_record
from capture_app.store.sealed import free_bytes, open_identity, open_sealed, stage_sealed

_log = structlog.get_logger(__name__)

_A_DAY: Final = timedelta(hours=24)
_WAITING: Final = (
    "SELECT sop_instance_uid, file, size, sealed FROM received INDEXED BY received_waiting "
    "WHERE settled_at = '' ORDER BY received_at, sop_instance_uid"
)


class Kept(Enum):
    """What became of an object that was received."""

    NEW = auto()
    AGAIN = auto()
    """It is here already, the same."""
    ANOTHER = auto()
    """Something else of this SOP Instance UID is here: this one was not kept."""


def keep_received(
    spool: Spool, received: ReceivedObject, part10: bytes, *, min_free_bytes: int, most_a_day: int
) -> Kept:
    """Puts an object on the disk, encrypted and durable, with its row and the trail.

    Raises DiskFullError where the disk, or what is taken in 24 hours, has no room for it;
    StoreError: then nothing was kept.
    """
    if (known := _known(spool.database.read(), received)) is not None:
        return known
    _require_room(spool, len(part10), min_free_bytes, most_a_day)
    staged = stage_sealed(
        spool.received,
        uid=received.sop_instance_uid,
        identity=to_record(received),
        content=part10,
        cipher=spool.cipher,
        kind="received",
    )
    with spool.publishing((staged,)) as connection:
        known = _known(connection, received)
        if known is None:
            insert_received(connection, spool, received, file=staged.path.name, size=len(part10))
            _record(connection, spool, received)
    if known is not None:  # by another association, meanwhile
        staged.path.unlink(missing_ok=True)
        return known
    return Kept.NEW


def insert_received(
    connection: sqlite3.Connection, spool: Spool, received: ReceivedObject, *, file: str, size: int
) -> None:
    """The row of a received object."""
    uid = received.sop_instance_uid
    connection.execute(
        "INSERT INTO received (sop_instance_uid, sender, file, size, content_hash, received_at, "
        "sealed) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            uid,
            received.sender,
            file,
            size,
            received.content_hash,
            stamp(received.received_at),
            spool.seal(received, received_context(uid)),
        ),
    )


def received_context(sop_instance_uid: str) -> str:
    """The place of a received object's encrypted cell."""
    return f"received {sop_instance_uid}"


def waiting_objects(spool: Spool) -> tuple[WaitingObject, ...]:
    """What was received and is nobody's yet, the oldest first.

    A row that cannot be read is read from its file; one without either is named in the log.
    """
    found = []
    for uid, file, size, cell in spool.database.read().execute(_WAITING).fetchall():
        try:
            found.append(WaitingObject(_of_row(spool, uid, file, cell), size))
        except (SealBrokenError, OSError):
            _log.error("received-row-unreadable", uid=uid)
    return tuple(found)


def count_waiting(spool: Spool) -> int:
    """How many received objects are nobody's yet."""
    row = spool.database.read().execute("SELECT count(*) FROM received WHERE settled_at = ''")
    return int(row.fetchone()[0])


def open_received(spool: Spool, sop_instance_uid: str) -> tuple[ReceivedObject, bytes]:
    """A waiting object and its Part 10 file. Raises RuleError where it does not wait any more, and
    SealBrokenError, OSError.
    """
    row = (
        spool.database.read()
        .execute(
            "SELECT file, sealed FROM received WHERE sop_instance_uid = ? AND settled_at = ''",
            (sop_instance_uid,),
        )
        .fetchone()
    )
    if row is None or row[0] is None:
        raise RuleError(tr("This image waits no more: somebody has dealt with it."))
    received = _of_row(spool, sop_instance_uid, *row)
    content = open_sealed(spool.received / row[0], spool.cipher, uid=sop_instance_uid).content
    return received, content


def settle(connection: sqlite3.Connection, spool: Spool, sop_instance_uid: str) -> Path:
    """Marks a waiting object as dealt with, in the transaction of the act; its file, to be removed
    after that. Raises RuleError where it does not wait any more.
    """
    row = connection.execute(
        "SELECT file FROM received WHERE sop_instance_uid = ? AND settled_at = ''",
        (sop_instance_uid,),
    ).fetchone()
    if row is None or row[0] is None:
        raise RuleError(tr("This image waits no more: somebody has dealt with it."))
    connection.execute(
        "UPDATE received SET file = NULL, settled_at = ?, sealed = x'' WHERE sop_instance_uid = ?",
        (spool.now(), sop_instance_uid),
    )
    return spool.received / str(row[0])


def _of_row(spool: Spool, uid: str, file: str | None, cell: bytes) -> ReceivedObject:
    try:
        return spool.unseal(ReceivedObject, cell, received_context(uid))
    except SealBrokenError:
        if file is None:
            raise
        _, record = open_identity(spool.received / file, spool.cipher, uid=uid)
        return from_record(ReceivedObject, record)


def _known(connection: sqlite3.Connection | Reader, received: ReceivedObject) -> Kept | None:
    uid = received.sop_instance_uid
    row: Sequence[str] | None = connection.execute(
        "SELECT content_hash FROM received WHERE sop_instance_uid = ?", (uid,)
    ).fetchone()
    if row is not None:
        return Kept.AGAIN if row[0] == received.content_hash else Kept.ANOTHER
    ours = connection.execute(
        "SELECT 1 FROM instance WHERE sop_instance_uid = ?1 "
        "UNION SELECT 1 FROM capture WHERE capture_id = ?1",
        (uid,),
    )
    return None if ours.fetchone() is None else Kept.ANOTHER


def _require_room(spool: Spool, size: int, min_free_bytes: int, most_a_day: int) -> None:
    if free_bytes(spool.received) < min_free_bytes + size:
        raise DiskFullError(tr("There is no room for another image of a scanner."))
    (taken,) = (
        spool.database.read()
        .execute(
            "SELECT coalesce(sum(size), 0) FROM received WHERE received_at > ?",
            (stamp(spool.clock.now() - _A_DAY),),
        )
        .fetchone()
    )
    if taken + size > most_a_day:
        raise DiskFullError(
            tr("Scanners have sent as much in 24 hours as the settings allow (max_mb_per_day).")
        )


def _record(connection: sqlite3.Connection, spool: Spool, received: ReceivedObject) -> None:
    spool.record(
        connection,
        AuditEvent(
            AuditAction.OBJECT_RECEIVED,
            ENGINE_USER,
            sop_instance_uid=received.sop_instance_uid,
            study_instance_uid=received.study_instance_uid,
            patient_key=stated_key(spool, received),
            details={"sender": received.sender},
        ),
    )


def stated_key(spool: Spool, received: ReceivedObject) -> str:
    """Keyed hash of the patient whom an object names, as of patients: equal where it is one."""
    stated = received.stated
    return spool.cipher.keyed_hash("patient", stated.patient_id, stated.issuer)
