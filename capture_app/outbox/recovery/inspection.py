"""Looks at everything on disk that was promised, without changing it: for `outbox --check`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from capture_app.audit.trail import ChainReport, verify_chain
from capture_app.errors import SealBrokenError
from capture_app.outbox.spool import Spool
from capture_app.store.sealed import SUFFIX, verify_sealed


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an inspection found. File names are our own random ones: they name nobody."""

    files: int
    """Sealed files that are what was written."""
    broken: tuple[str, ...]
    """Files that fail their own check."""
    missing: tuple[str, ...]
    """SOP Instance UIDs whose file is not there though it should be."""
    without_row: tuple[str, ...]
    """Whole files that the database does not know; the next start adopts them."""
    trail: ChainReport

    @property
    def whole(self) -> bool:
        """True where nothing is broken or missing."""
        return not (self.broken or self.missing) and self.trail.whole


def inspect(spool: Spool) -> Inspection:
    """Proves every sealed file and every row of the trail. Takes as long as reading all of it.

    Others may keep, send and purge meanwhile: what they do is not taken for damage.
    """
    whole, broken = [], []
    for path in _sealed_files(spool):
        try:
            verify_sealed(path, spool.cipher)
        except FileNotFoundError:
            continue  # purged while we looked
        except SealBrokenError:
            broken.append(path.name)
            continue
        whole.append(path)
    # A file gets its name, and a row, under the write lock: here each has both or neither.
    with spool.database.transaction() as connection:
        known = _rows(connection, spool)
        missing = sorted(uid for path, uid in known.items() if not path.exists())
        without_row = [path.name for path in whole if path not in known and path.exists()]
    trail = verify_chain(spool.database.read(), cipher=spool.cipher)
    return Inspection(len(whole), tuple(broken), tuple(missing), tuple(without_row), trail)


def _rows(connection: sqlite3.Connection, spool: Spool) -> dict[Path, str]:
    """The UID of each sealed file that there must be."""
    found: dict[Path, str] = {}
    for folder, table, uid in (
        (spool.captures, "capture", "capture_id"),
        (spool.instances, "instance", "sop_instance_uid"),
    ):
        rows = connection.execute(f"SELECT file, {uid} FROM {table} WHERE file IS NOT NULL")  # noqa: S608 - names are ours
        found |= {folder / file: name for file, name in rows}
    return found


def _sealed_files(spool: Spool) -> list[Path]:
    return sorted(
        path for folder in (spool.captures, spool.instances) for path in folder.glob(f"*{SUFFIX}")
    )
