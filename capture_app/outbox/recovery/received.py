"""Received objects at start-up: a file without a row is taken in again, one that is over goes."""

from __future__ import annotations

from pathlib import Path

import structlog

from capture_app.errors import SealBrokenError
from capture_app.model.received import ReceivedObject
from capture_app.outbox.receiving.keeping import insert_received, received_context
from capture_app.outbox.recovery.comparison import Differences, differences
from capture_app.outbox.sealing.seal import remove_file
from capture_app.outbox.spool import Spool, is_past
from capture_app.store.record import from_record
from capture_app.store.sealed import open_identity

_log = structlog.get_logger(__name__)


def adopt_received(spool: Spool, path: Path) -> None:
    """Takes in a file of a received object that no row names. Raises SealBrokenError, OSError."""
    _, record = open_identity(path, spool.cipher)
    received = from_record(ReceivedObject, record)
    size = path.stat().st_size
    with spool.database.transaction() as connection:
        row = connection.execute(
            "SELECT file, filed_at, discarded_at FROM received WHERE letter = ?", (received.letter,)
        ).fetchone()
        is_over = row is not None and row[0] is None and any(_is_past(spool, at) for at in row[1:])
        if row is None:
            insert_received(connection, spool, received, file=path.name, size=size)
            _log.info("received-adopted", uid=received.sop_instance_uid)
        elif not is_over and (row[0] is None or not (spool.received / row[0]).is_file()):
            connection.execute(
                "UPDATE received SET file = ? WHERE letter = ?", (path.name, received.letter)
            )
        else:
            is_over = True
    if is_over:
        remove_file(path)


def received_differences(spool: Spool) -> Differences:
    """Files without a row, and the SOP Instance UIDs whose file is gone."""
    found = differences(spool, spool.received, "received", "letter")
    uids = dict(spool.database.read().execute("SELECT letter, sop_instance_uid FROM received"))
    return Differences(found.strays, tuple(uids.get(letter, letter) for letter in found.missing))


def put_received_right(spool: Spool) -> None:
    """What is filed has no file any more, and what a person discarded says when: a row that says
    otherwise is damaged, and waits. One whose cell does not open makes room for what its file says.
    """
    rows = spool.database.read().execute(
        "SELECT letter, filed_at, discarded_at, sealed FROM received WHERE file IS NOT NULL"
    )
    unreadable, damaged = list[str](), list[str]()
    for letter, filed_at, discarded_at, cell in rows.fetchall():
        if not _opens(spool, letter, cell):
            unreadable.append(letter)
        elif filed_at or (discarded_at and not _is_past(spool, discarded_at)):
            damaged.append(letter)
    if not unreadable and not damaged:
        return
    with spool.database.transaction() as connection:
        for letter in unreadable:
            connection.execute("DELETE FROM received WHERE letter = ?", (letter,))
        for letter in damaged:
            connection.execute(
                "UPDATE received SET filed_at = '', discarded_at = '' WHERE letter = ?", (letter,)
            )
    _log.warning("received-rows-put-right", count=len(unreadable) + len(damaged))


def _opens(spool: Spool, letter: str, cell: bytes) -> bool:
    try:
        spool.unseal(ReceivedObject, cell, received_context(letter))
    except SealBrokenError:
        return False
    return True


def _is_past(spool: Spool, moment: str) -> bool:
    return is_past(moment, spool.now())
