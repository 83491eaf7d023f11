"""Looks at everything on disk that was promised, without changing it: for `outbox --check`."""

from __future__ import annotations

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
    """Proves every sealed file and every row of the trail. Takes as long as reading all of it."""
    connection = spool.database.read()
    known: dict[str, str] = {}
    for table, uid in (("capture", "capture_id"), ("instance", "sop_instance_uid")):
        rows = connection.execute(f"SELECT file, {uid} FROM {table} WHERE file IS NOT NULL")  # noqa: S608 - names are ours
        known |= dict(rows.fetchall())
    whole, broken, without_row = 0, [], []
    found: set[str] = set()
    for path in _sealed_files(spool):
        found.add(path.name)
        try:
            verify_sealed(path, spool.cipher)
        except FileNotFoundError:
            continue  # purged while we looked
        except SealBrokenError:
            broken.append(path.name)
            continue
        whole += 1
        if path.name not in known:
            without_row.append(path.name)
    missing = sorted(uid for name, uid in known.items() if name not in found)
    trail = verify_chain(connection, cipher=spool.cipher)
    return Inspection(whole, tuple(broken), tuple(missing), tuple(without_row), trail)


def _sealed_files(spool: Spool) -> list[Path]:
    return sorted(
        path for folder in (spool.captures, spool.instances) for path in folder.glob(f"*{SUFFIX}")
    )
