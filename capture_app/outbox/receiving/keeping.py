"""Received objects as files and rows: durable before the scanner is answered."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

import structlog

from capture_app.errors import DiskFullError, RuleError, SealBrokenError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Act, Operator, require
from capture_app.model.reason import SEAL_BROKEN, Reason
from capture_app.model.received import ReceivedObject, WaitingObject
from capture_app.model.words import tr
from capture_app.outbox.counted_time import Waiting, begin_waiting, end_waiting, has_waited
from capture_app.outbox.keeping.drafts import UNDO_DELETE_FOR, require_room
from capture_app.outbox.sealing.seal import remove_file
from capture_app.outbox.spool import Spool, is_past, moment_or, stamp
from capture_app.outbox.steps.tasks import ENGINE_USER
from capture_app.store.database import Reader
from capture_app.store.record import from_record, to_record
from capture_app.store.sealed import open_identity, open_sealed, stage_sealed

_log = structlog.get_logger(__name__)

_A_DAY: Final = timedelta(hours=24)
IS_WAITING: Final = "filed_at = '' AND discarded_at = ''"
"""Of a row of received: it is nobody's yet."""
_WAITING: Final = (
    "SELECT letter, sop_instance_uid, file, size, sealed FROM received INDEXED BY received_waiting "  # noqa: S608 - a constant of ours
    f"WHERE {IS_WAITING} ORDER BY received_at, letter"
)


class Kept(Enum):
    """What became of an object that was received."""

    NEW = auto()
    """Also one whose UID waits already with other content: a letter of its own."""
    AGAIN = auto()
    """It is here already, the same."""
    UID_SENT = auto()
    """Something else of this SOP Instance UID is a patient's image here: this one was not kept."""


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
            _record(connection, spool, AuditAction.OBJECT_RECEIVED, received, ENGINE_USER)
    if known is not None:  # by another association, meanwhile
        staged.path.unlink(missing_ok=True)
        return known
    return Kept.NEW


def insert_received(
    connection: sqlite3.Connection, spool: Spool, received: ReceivedObject, *, file: str, size: int
) -> None:
    """The row of a received object. One that was discarded and comes again waits again."""
    end_waiting(connection, Waiting.CLEAN, received.letter)
    connection.execute(
        "INSERT OR REPLACE INTO received (letter, sop_instance_uid, file, size, received_at, "
        "sealed) VALUES (?, ?, ?, ?, ?, ?)",
        (
            received.letter,
            received.sop_instance_uid,
            file,
            size,
            stamp(received.received_at),
            spool.seal(received, received_context(received.letter)),
        ),
    )


def received_context(letter: str) -> str:
    """The place of a received object's encrypted cell."""
    return f"received {letter}"


def waiting_objects(spool: Spool) -> tuple[WaitingObject, ...]:
    """What was received and is nobody's yet, the oldest first.

    A row that cannot be read is read from its file; one without either is named in the log.
    """
    found = []
    rows = spool.database.read().execute(_WAITING).fetchall()
    for letter, uid, file, size, cell in rows:
        try:
            found.append((_of_row(spool, letter, file, cell), size))
        except (SealBrokenError, OSError):
            _log.error("received-row-unreadable", uid=uid)
    times = Counter(received.sop_instance_uid for received, _ in found)
    return tuple(
        WaitingObject(
            received,
            size,
            letters=times[received.sop_instance_uid],
            is_uid_sent=is_uid_sent(spool.database.read(), received.sop_instance_uid),
        )
        for received, size in found
    )


def count_waiting(spool: Spool) -> int:
    """How many received objects are nobody's yet."""
    row = spool.database.read().execute(f"SELECT count(*) FROM received WHERE {IS_WAITING}")  # noqa: S608 - a constant of ours
    return int(row.fetchone()[0])


def oldest_waiting(spool: Spool) -> datetime | None:
    """When the oldest of those came; None where none waits or the time cannot be read."""
    (text,) = (
        spool.database.read()
        .execute(f"SELECT min(received_at) FROM received WHERE {IS_WAITING}")  # noqa: S608 - a constant of ours
        .fetchone()
    )
    return moment_or(text, None)


def open_received(spool: Spool, letter: str) -> tuple[ReceivedObject, bytes]:
    """A waiting object and its Part 10 file. Raises RuleError where it does not wait any more, and
    SealBrokenError, OSError.
    """
    file, cell = _waiting_row(spool.database.read(), letter, "file, sealed")
    received = _of_row(spool, letter, file, cell)
    opened = open_sealed(spool.received / file, spool.cipher, uid=received.sop_instance_uid)
    # Two letters may be of one UID: the file says which one it is.
    if from_record(ReceivedObject, opened.identity).letter != letter:
        raise SealBrokenError(str(Reason(SEAL_BROKEN)))
    return received, opened.content


def settle(connection: sqlite3.Connection, spool: Spool, letter: str) -> Path:
    """Marks a waiting object as filed, in the transaction of the act; its file, to be removed
    after that. Raises RuleError where it does not wait any more.
    """
    (file,) = _waiting_row(connection, letter, "file")
    connection.execute(
        "UPDATE received SET file = NULL, filed_at = ?, sealed = x'' WHERE letter = ?",
        (spool.now(), letter),
    )
    return spool.received / str(file)


def discard(spool: Spool, letter: str, operator: Operator) -> None:
    """Takes a waiting object out of sight. Its file stays for a day, so that `bring_back` can undo
    it. Raises RuleError where it does not wait any more or the operator's roles do not allow it.
    """
    require(operator, Act.DISCARD_RECEIVED)
    with spool.database.transaction() as connection:
        file, cell = _waiting_row(connection, letter, "file, sealed")
        received = _of_row(spool, letter, file, cell)
        connection.execute(
            "UPDATE received SET discarded_at = ? WHERE letter = ?", (spool.now(), letter)
        )
        begin_waiting(connection, spool, Waiting.CLEAN, letter)
        _record(connection, spool, AuditAction.OBJECT_DISCARDED, received, operator.user_id)


def bring_back(spool: Spool, letter: str, operator: Operator) -> None:
    """Undoes `discard`. Raises RuleError where it waits already or its file is gone, or the
    operator's roles do not allow it.
    """
    require(operator, Act.DISCARD_RECEIVED)
    with spool.database.transaction() as connection:
        row = connection.execute(
            "SELECT file, sealed FROM received "
            "WHERE letter = ? AND discarded_at <> '' AND file IS NOT NULL",
            (letter,),
        ).fetchone()
        if row is None:
            raise RuleError(tr("The image waits again already, or was discarded too long ago."))
        received = _of_row(spool, letter, *row)
        connection.execute("UPDATE received SET discarded_at = '' WHERE letter = ?", (letter,))
        end_waiting(connection, Waiting.CLEAN, letter)
        _record(connection, spool, AuditAction.OBJECT_BROUGHT_BACK, received, operator.user_id)


def clean_discarded(spool: Spool) -> int:
    """Removes the files of objects that were discarded more than a day ago; returns how many."""
    now, oldest = spool.now(), stamp(spool.clock.now() - UNDO_DELETE_FOR)
    discarded = (
        "SELECT letter, file, sop_instance_uid, discarded_at FROM received "
        "WHERE discarded_at <> '' AND discarded_at < ? AND file IS NOT NULL"
    )
    if not spool.database.read().execute(discarded, (oldest,)).fetchall():
        return 0
    with spool.database.transaction() as connection:
        rows = [
            row
            for *row, discarded_at in connection.execute(discarded, (oldest,)).fetchall()
            if is_past(discarded_at, now)
            and has_waited(connection, spool, Waiting.CLEAN, row[0], UNDO_DELETE_FOR)
        ]
        for letter, _, uid in rows:
            end_waiting(connection, Waiting.CLEAN, letter)
            connection.execute(
                "UPDATE received SET file = NULL, sealed = x'' WHERE letter = ?", (letter,)
            )
            spool.record(
                connection,
                AuditEvent(
                    AuditAction.PURGED,
                    ENGINE_USER,
                    sop_instance_uid=uid,
                    details={"what": "discarded-object"},
                ),
            )
    for _, file, _ in rows:
        remove_file(spool.received / file)
    return len(rows)


def _waiting_row(
    connection: sqlite3.Connection | Reader, letter: str, columns: str
) -> Sequence[Any]:
    row: Sequence[Any] | None = connection.execute(
        f"SELECT {columns} FROM received WHERE letter = ? AND file IS NOT NULL AND {IS_WAITING}",  # noqa: S608 - constants of ours
        (letter,),
    ).fetchone()
    if row is None:
        raise RuleError(tr("This image waits no more: somebody has dealt with it."))
    return row


def _of_row(spool: Spool, letter: str, file: str | None, cell: bytes) -> ReceivedObject:
    try:
        return spool.unseal(ReceivedObject, cell, received_context(letter))
    except SealBrokenError:
        if file is None:
            raise
        _, record = open_identity(spool.received / file, spool.cipher)
        received = from_record(ReceivedObject, record)
        if received.letter != letter:
            raise
        return received


def _known(connection: sqlite3.Connection | Reader, received: ReceivedObject) -> Kept | None:
    """None for what is to be kept. What was discarded is not here: it may not be lost twice."""
    row = connection.execute(
        "SELECT 1 FROM received WHERE letter = ? AND discarded_at = ''", (received.letter,)
    ).fetchone()
    if row is not None:
        return Kept.AGAIN
    return Kept.UID_SENT if is_uid_sent(connection, received.sop_instance_uid) else None


def is_uid_sent(connection: sqlite3.Connection | Reader, sop_instance_uid: str) -> bool:
    """Whether an image of that UID is a patient's here: sent, or a picture of our own."""
    ours = connection.execute(
        "SELECT 1 FROM instance WHERE sop_instance_uid = ?1 "
        "UNION SELECT 1 FROM capture WHERE capture_id = ?1",
        (sop_instance_uid,),
    )
    return ours.fetchone() is not None


def _require_room(spool: Spool, size: int, min_free_bytes: int, most_a_day: int) -> None:
    require_room(spool.received, min_free_bytes + size)
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


def _record(
    connection: sqlite3.Connection,
    spool: Spool,
    action: AuditAction,
    received: ReceivedObject,
    user_id: str,
) -> None:
    spool.record(
        connection,
        AuditEvent(
            action,
            user_id,
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
