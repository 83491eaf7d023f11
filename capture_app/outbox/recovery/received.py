"""Received objects at start-up: a file without a row is taken in again, one that is over goes."""

from __future__ import annotations

from pathlib import Path

import structlog

from capture_app.model.received import ReceivedObject
from capture_app.outbox.receiving.keeping import insert_received
from capture_app.outbox.recovery.comparison import differences
from capture_app.outbox.sealing.seal import remove_file
from capture_app.outbox.spool import Spool
from capture_app.store.record import from_record
from capture_app.store.sealed import open_identity

_log = structlog.get_logger(__name__)


def adopt_received(spool: Spool, path: Path) -> None:
    """Takes in a file of a received object that no row names. Raises SealBrokenError, OSError."""
    header, record = open_identity(path, spool.cipher)
    received = from_record(ReceivedObject, record)
    size = path.stat().st_size
    with spool.database.transaction() as connection:
        row = connection.execute(
            "SELECT file, settled_at FROM received WHERE sop_instance_uid = ?", (header.uid,)
        ).fetchone()
        is_filed = connection.execute(
            "SELECT 1 FROM instance WHERE sop_instance_uid = ?", (header.uid,)
        ).fetchone()
        is_over = is_filed is not None or (row is not None and row[1] != "")
        if row is None and not is_over:
            insert_received(connection, spool, received, file=path.name, size=size)
            _log.info("received-adopted", uid=header.uid)
        elif not is_over and not (spool.received / str(row[0])).is_file():
            connection.execute(
                "UPDATE received SET file = ? WHERE sop_instance_uid = ?", (path.name, header.uid)
            )
        else:
            is_over = True
    if is_over:
        remove_file(path)


def received_differences(spool: Spool) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Files without a row, and UIDs whose file is gone."""
    found = differences(spool, spool.received, "received", "sop_instance_uid")
    return found.strays, found.missing
