"""Looks at everything on disk that was promised, without changing it: for `outbox --check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from capture_app.audit.trail import ChainReport, verify_chain
from capture_app.dicom.request import StudyValues
from capture_app.errors import SealBrokenError
from capture_app.model.delivery import Instance, TaskKind, TaskState
from capture_app.model.exam import Exam
from capture_app.model.procedure import Description
from capture_app.outbox.keeping.description import description_context
from capture_app.outbox.keeping.exams import exam_context
from capture_app.outbox.recovery.comparison import compare
from capture_app.outbox.sealing.seal import instance_context
from capture_app.outbox.sealing.study import study_context
from capture_app.outbox.spool import Spool, is_moment
from capture_app.security.users import damaged_users
from capture_app.store.sealed import SUFFIX, verify_sealed


@dataclass(frozen=True, slots=True)
class DamagedCell:
    """A cell of the database that cannot be read. The row's key is a UID or id of ours."""

    table: str
    row: str
    cell: str


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
    damaged: tuple[DamagedCell, ...]
    """Cells that cannot be read, of every table."""
    trail: ChainReport

    @property
    def whole(self) -> bool:
        """True where nothing is broken, missing or damaged."""
        return not (self.broken or self.missing or self.damaged) and self.trail.whole


def inspect(spool: Spool) -> Inspection:
    """Proves every sealed file, every cell and every row of the trail: as long as reading it all.

    Others may keep, send and purge meanwhile: what they do is not taken for damage.
    """
    whole, broken = set(), []
    for path in _sealed_files(spool):
        try:
            verify_sealed(path, spool.cipher)
        except FileNotFoundError:
            continue  # purged while we looked
        except (SealBrokenError, OSError):
            broken.append(path.name)
            continue
        whole.add(path)
    captures, instances = compare(spool)
    without_row = [path.name for path in (*captures.strays, *instances.strays) if path in whole]
    return Inspection(
        files=len(whole),
        broken=tuple(broken),
        missing=tuple(sorted({*captures.missing, *instances.missing})),
        without_row=tuple(without_row),
        damaged=(
            *_damaged_cells(spool),
            *_missing_tasks(spool),
            *_damaged_users(spool),
            *_damaged_pages(spool),
        ),
        trail=verify_chain(spool.database.read(), cipher=spool.cipher),
    )


def _sealed_files(spool: Spool) -> list[Path]:
    return sorted(
        path for folder in (spool.captures, spool.instances) for path in folder.glob(f"*{SUFFIX}")
    )


# ------------------------------------------------------------------------------------------- cells

Check = Callable[[Spool, str, Any], object]
"""Raises where a cell of the row with that key cannot be read."""


def _time(_spool: Spool, _key: str, cell: str) -> None:
    if not is_moment(cell):
        raise ValueError


def _sealed(kind: type, context: Callable[[str], str]) -> Check:
    return lambda spool, key, cell: spool.unseal(kind, cell, context(key))


def _json(_spool: Spool, _key: str, cell: str) -> None:
    if cell:
        json.loads(cell)


_CELLS: Final[dict[str, tuple[str, dict[str, Check]]]] = {
    "exam": ("exam_id", {"opened_at": _time, "sealed": _sealed(Exam, exam_context)}),
    "study": ("study_instance_uid", {"sealed": _sealed(StudyValues, study_context)}),
    "capture": (
        "capture_id",
        {
            "taken_at": _time,
            "kept_at": _time,
            "deleted_at": _time,
            "description": _sealed(Description, description_context),
        },
    ),
    "instance": (
        "sop_instance_uid",
        {"sealed_at": _time, "sealed": _sealed(Instance, instance_context)},
    ),
    "task": (
        "task_id",
        {
            "kind": lambda _spool, _key, cell: TaskKind(cell),
            "state": lambda _spool, _key, cell: TaskState(cell),
            "due_at": _time,
            "changed_at": _time,
            "receipt": _json,
        },
    ),
}


def _damaged_cells(spool: Spool) -> Iterator[DamagedCell]:
    for table, (key, cells) in _CELLS.items():
        query = f"SELECT {key}, {', '.join(cells)} FROM {table} ORDER BY {key}"  # noqa: S608 - names are ours
        for row_key, *values in spool.database.read().execute(query):
            for (name, check), value in zip(cells.items(), values, strict=True):
                try:
                    check(spool, str(row_key), value)
                except (SealBrokenError, ValueError):
                    yield DamagedCell(table, str(row_key), name)


_NOTHING_GOES_ON: Final = (
    "SELECT sop_instance_uid FROM instance WHERE withdrawn = 0 AND NOT EXISTS "
    "(SELECT 1 FROM task WHERE task.sop_instance_uid = instance.sop_instance_uid "
    "AND (task.kind = 'retain' OR task.state IN ('held', 'queued', 'running', 'needs-you')))"
)


def _missing_tasks(spool: Spool) -> Iterator[DamagedCell]:
    """Instances that were sent, are not proved, and have no step left that could go on."""
    for (uid,) in spool.database.read().execute(_NOTHING_GOES_ON):
        yield DamagedCell("task", uid, "missing")


def _damaged_users(spool: Spool) -> Iterator[DamagedCell]:
    for user_id, cell in damaged_users(spool.database.read()):
        yield DamagedCell("users", user_id, cell)


def _damaged_pages(spool: Spool) -> Iterator[DamagedCell]:
    """What SQLite itself finds: pages, indexes and constraints. Its words may quote values."""
    answers = [answer for (answer,) in spool.database.read().execute("PRAGMA integrity_check(1)")]
    if answers != ["ok"]:
        yield DamagedCell(spool.database.path.name, "", "integrity_check")
