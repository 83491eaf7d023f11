"""Sealed files that no row names and that could not be taken in: kept, and shown until they go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from capture_app.outbox.spool import LONG_AGO, Spool, moment_or


@dataclass(frozen=True, slots=True)
class FileSetApart:
    """One such file. Nobody knows whose picture it is."""

    path: Path
    found_at: datetime
    """When it was first found so, by whichever process."""


def files_set_apart(spool: Spool) -> tuple[FileSetApart, ...]:
    """Those that are still there, as found by the last start of who delivers."""
    folders = {path.name: path for path in (spool.captures, spool.instances, spool.received)}
    rows = spool.database.read().execute(
        "SELECT folder, file, found_at FROM set_apart ORDER BY found_at, folder, file"
    )
    found = (
        FileSetApart(folders[folder] / file, moment_or(found_at, LONG_AGO))
        for folder, file, found_at in rows
        if folder in folders
    )
    return tuple(one for one in found if one.path.is_file())


def write_set_apart(spool: Spool, paths: Iterable[Path]) -> None:
    """Writes down which they are now; one that was known keeps its time."""
    now = [(path.parent.name, path.name) for path in paths]
    known = spool.database.read().execute("SELECT folder, file FROM set_apart").fetchall()
    if sorted(known) == sorted(now):
        return
    with spool.database.transaction() as connection:
        connection.executemany(
            "DELETE FROM set_apart WHERE folder = ? AND file = ?", [*({*known} - {*now})]
        )
        connection.executemany(
            "INSERT OR IGNORE INTO set_apart (folder, file, found_at) VALUES (?, ?, ?)",
            [(*one, spool.now()) for one in now],
        )
