"""Where the rows of the database and the sealed files in its folders do not agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capture_app.outbox.spool import Spool
from capture_app.store.sealed import SUFFIX


@dataclass(frozen=True, slots=True)
class Differences:
    """Where rows and files of one folder do not agree."""

    strays: tuple[Path, ...]
    """Files that no row names."""
    missing: tuple[str, ...]
    """UIDs whose row names a file that is not there."""


def compare(spool: Spool) -> tuple[Differences, Differences]:
    """The captures' and the instances' differences; nobody was between file and row.

    What differs at first sight is looked at again under the write lock, under which each file gets
    its name and its row: the lock is held for a few pictures, not for all that were ever taken.
    """
    return (
        differences(spool, spool.captures, "capture", "capture_id"),
        differences(spool, spool.instances, "instance", "sop_instance_uid"),
    )


def differences(spool: Spool, folder: Path, table: str, uid: str) -> Differences:
    """Those of one folder and the table whose rows name its files; `uid` is the table's key."""
    rows = dict(
        spool.database.read().execute(f"SELECT file, {uid} FROM {table} WHERE file IS NOT NULL")  # noqa: S608 - names are ours
    )
    names = {path.name for path in folder.glob(f"*{SUFFIX}")}
    strays, missing = sorted(names - rows.keys()), sorted(rows.keys() - names)
    if not strays and not missing:
        return Differences((), ())
    with spool.database.transaction() as connection:

        def has_row(file: str) -> bool:
            row = connection.execute(f"SELECT 1 FROM {table} WHERE file = ?", (file,))  # noqa: S608 - names are ours
            return row.fetchone() is not None

        def file_of(key: str) -> str | None:
            row = connection.execute(
                f"SELECT file FROM {table} WHERE {uid} = ?",  # noqa: S608 - names are ours
                (key,),
            ).fetchone()
            return row[0] if row else None

        return Differences(
            tuple(
                folder / name for name in strays if not has_row(name) and (folder / name).is_file()
            ),
            tuple(
                rows[name]
                for name in missing
                if file_of(rows[name]) == name and not (folder / name).is_file()
            ),
        )
