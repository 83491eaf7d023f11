"""Looks at everything on disk that was promised, without changing it: for `outbox --check`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from capture_app.audit.verify import ChainReport, verify_chain
from capture_app.dicom.request import StudyValues
from capture_app.dicom.values import fits
from capture_app.errors import SealBrokenError
from capture_app.model.delivery import Instance, ProofKind, TaskKind, TaskState
from capture_app.model.exam import Exam
from capture_app.model.patient import Patient
from capture_app.model.procedure import Description
from capture_app.model.received import ReceivedObject
from capture_app.model.slate import Slate
from capture_app.outbox.counted_time import is_damaged
from capture_app.outbox.keeping.clip_cell import read_clip_cell
from capture_app.outbox.keeping.clips import length_of
from capture_app.outbox.keeping.description import description_context
from capture_app.outbox.keeping.drafts import UNDO_DELETE_FOR
from capture_app.outbox.keeping.exams import known_context
from capture_app.outbox.keeping.slates import slate_context
from capture_app.outbox.receiving.keeping import received_context
from capture_app.outbox.recovery.comparison import compare
from capture_app.outbox.recovery.received import received_differences
from capture_app.outbox.sealing.identity import instance_context
from capture_app.outbox.sealing.study import exam_context, study_context, visit_key
from capture_app.outbox.spool import (
    IS_DRAFT,
    LONG_AGO,
    LONGEST_KEEP_DAYS,
    MOST,
    Spool,
    is_moment,
    is_past,
    moment,
    stamp,
)
from capture_app.outbox.steps.forget import IS_EXAM_OVER, IS_OVER
from capture_app.security.user_table import UserTable, damaged_users
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
        return not (self.broken or self.missing or self.damaged) and not self.trail.needs_attention


def inspect(spool: Spool) -> Inspection:
    """Proves every sealed file, every cell and every row of the trail: as long as reading it all.

    Others may keep, send and purge meanwhile: what they do is not taken for damage.
    """
    whole, clips, broken = dict[Path, str](), set[Path](), []
    for path in _sealed_files(spool):
        try:
            header = verify_sealed(path, spool.cipher)
            whole[path] = header.uid
            if header.kind == "clip":
                clips.add(path)
        except FileNotFoundError:
            continue  # purged while we looked
        except (SealBrokenError, OSError):
            broken.append(path.name)
    broken += _swapped(spool, whole)
    captures, instances = compare(spool)
    received = received_differences(spool)
    strays = (*captures.strays, *instances.strays, *received.strays)
    without_row = [path.name for path in strays if path in whole]
    return Inspection(
        files=len(whole),
        broken=tuple(broken),
        missing=tuple(sorted({*captures.missing, *instances.missing, *received.missing})),
        without_row=tuple(without_row),
        damaged=(
            *_damaged_cells(spool),
            *_misread_clips(spool, whole, clips),
            *_unnamed_files(spool, "capture", [whole[p] for p in captures.strays if p in whole]),
            *_unnamed_files(spool, "instance", [whole[p] for p in instances.strays if p in whole]),
            *_missing_tasks(spool),
            *_damaged_users(spool),
            *_damaged_time(spool),
            *_damaged_pages(spool),
        ),
        trail=verify_chain(spool.database.read(), cipher=spool.cipher),
    )


def _sealed_files(spool: Spool) -> list[Path]:
    folders = (spool.captures, spool.instances, spool.received)
    return sorted(path for folder in folders for path in folder.glob(f"*{SUFFIX}"))


def _swapped(spool: Spool, whole: dict[Path, str]) -> list[str]:
    """Files that are whole and are not the one that their row names: each is another picture's."""
    tables = (
        ("capture", "capture_id", spool.captures),
        ("instance", "sop_instance_uid", spool.instances),
        ("received", "sop_instance_uid", spool.received),
    )
    found = []
    for table, key, folder in tables:
        rows = spool.database.read().execute(
            f"SELECT {key}, file FROM {table} WHERE file IS NOT NULL"  # noqa: S608 - names are ours
        )
        found += [file for uid, file in rows if whole.get(folder / file, uid) != uid]
    return found


# ------------------------------------------------------------------------------------------- cells

_HASH: Final = re.compile(r"[0-9a-f]{64}")
Check = Callable[[Spool, str, Any], object]
"""Raises where a cell of the row with that key cannot be read."""


def _time_or_none(spool: Spool, key: str, cell: str) -> None:
    if cell:
        _time(spool, key, cell)


def _time(spool: Spool, _key: str, cell: str) -> None:
    if not is_past(cell, spool.now()):
        raise ValueError


def _due(spool: Spool, _key: str, cell: str) -> None:
    longest = timedelta(days=LONGEST_KEEP_DAYS)
    if cell and not (is_moment(cell) and LONG_AGO < moment(cell) < spool.clock.now() + longest):
        raise ValueError


def _hash(_spool: Spool, _key: str, cell: str) -> None:
    if not _HASH.fullmatch(cell):
        raise ValueError


def _sealed(kind: type, context: Callable[[str], str], is_over: str) -> Check:
    """The cell opens, or was emptied rightly: where `is_over` finds the row."""

    def check(spool: Spool, key: str, cell: bytes) -> None:
        if cell == b"" and spool.database.read().execute(is_over, (key,)).fetchone() is not None:
            return
        spool.unseal(kind, cell, context(key))

    return check


_CAPTURE_OVER: Final = f"SELECT 1 FROM capture WHERE capture_id = ? AND {IS_OVER}"  # noqa: S608 - a constant of ours
_INSTANCE_OVER: Final = (
    "SELECT 1 FROM capture WHERE capture_id = "  # noqa: S608 - a constant of ours
    f"(SELECT capture_id FROM instance WHERE sop_instance_uid = ?) AND {IS_OVER}"
)
_EXAM_OVER: Final = f"SELECT 1 FROM exam WHERE exam_id = ? AND {IS_EXAM_OVER}"  # noqa: S608 - a constant of ours
_RECEIVED_OVER: Final = (
    "SELECT 1 FROM received WHERE letter = ? AND file IS NULL "
    "AND (filed_at <> '' OR discarded_at <> '')"
)
_NEVER: Final = "SELECT 1 WHERE ? IS NULL"


def _json(_spool: Spool, _key: str, cell: str) -> None:
    if cell:
        json.loads(cell)


def _names(table: str, column: str) -> Check:
    """The cell names a row that is there."""
    question = f"SELECT 1 FROM {table} WHERE {column} = ?"  # noqa: S608 - names are ours

    def check(spool: Spool, _key: str, cell: object) -> None:
        if spool.database.read().execute(question, (cell,)).fetchone() is None:
            raise ValueError

    return check


def _uid(_spool: Spool, _key: str, cell: str) -> None:
    if not cell or not fits("SOPInstanceUID", cell):
        raise ValueError


def _one_of(*values: object) -> Check:
    def check(_spool: Spool, _key: str, cell: object) -> None:
        if cell not in values:
            raise ValueError

    return check


def _count(most: int = MOST) -> Check:
    def check(_spool: Spool, _key: str, cell: int) -> None:
        if not 0 <= cell <= most:
            raise ValueError

    return check


def _deleted(spool: Spool, _key: str, cell: str) -> None:
    if cell and not is_past(cell, spool.now()):
        raise ValueError


def _of_the_exam(value: Callable[[Spool, Exam], str]) -> Check:
    """The cell says what the sealed cell of its exam says, should that open."""

    def check(spool: Spool, key: str, cell: str) -> None:
        row = (
            spool.database.read()
            .execute("SELECT sealed FROM exam WHERE exam_id = ?", (key,))
            .fetchone()
        )
        if row is None:  # a key that is no text any more: its sealed cell does not open either
            return
        with suppress(SealBrokenError):
            if value(spool, spool.unseal(Exam, row[0], exam_context(key))) != cell:
                raise ValueError

    return check


def _known(spool: Spool, key: str, cell: bytes) -> None:
    if cell != b"":
        spool.unseal(Patient, cell, known_context(key))


_CELLS: Final[dict[str, tuple[str, dict[str, Check]]]] = {
    "exam": (
        "exam_id",
        {
            "opened_at": _time,
            "sealed": _sealed(Exam, exam_context, _EXAM_OVER),
            "known": _known,
            "order_doubted": _time_or_none,
            "patient_key": _of_the_exam(lambda spool, exam: spool.patient_key(exam.patient)),
            "visit_key": _of_the_exam(lambda spool, exam: visit_key(spool.cipher, exam)),
            "study_instance_uid": _of_the_exam(lambda _spool, exam: exam.study_instance_uid),
        },
    ),
    "study": (
        "study_instance_uid",
        {
            "study_key": _hash,
            "sealed": _sealed(StudyValues, study_context, _NEVER),
            "study_number": _count(),
            "last_series_number": _count(),
        },
    ),
    "series": (
        "series_instance_uid",
        {
            "series_instance_uid": _uid,
            "series_key": _hash,
            "study_instance_uid": _names("study", "study_instance_uid"),
            "series_number": _count(),
            "last_instance_number": _count(),
        },
    ),
    "capture": (
        "capture_id",
        {
            "capture_id": _uid,
            "exam_id": _names("exam", "exam_id"),
            "taken_at": _time,
            "kept_at": _time,
            "deleted_at": _deleted,
            "description": _sealed(Description, description_context, _CAPTURE_OVER),
            "clip": lambda _spool, _key, cell: read_clip_cell(cell),
        },
    ),
    "instance": (
        "sop_instance_uid",
        {
            "capture_id": _names("capture", "capture_id"),
            "series_instance_uid": _names("series", "series_instance_uid"),
            "instance_number": _count(),
            "sealed_at": _time,
            "keep_days": _count(LONGEST_KEEP_DAYS),
            "sealed": _sealed(Instance, instance_context, _INSTANCE_OVER),
        },
    ),
    "task": (
        "task_id",
        {
            "task_id": _count(),
            "sop_instance_uid": _names("instance", "sop_instance_uid"),
            "kind": lambda _spool, _key, cell: TaskKind(cell),
            "state": lambda _spool, _key, cell: TaskState(cell),
            "held_by_person": _one_of(0, 1),
            "is_suspect": _one_of(0, 1),
            "attempts": _count(),
            "failures": _count(),
            "resends": _count(),
            "nudges": _count(),
            "due_at": _due,
            "proof": _one_of("", *ProofKind),
            "changed_at": _time,
            "receipt": _json,
        },
    ),
    "received": (
        "letter",
        {
            "letter": _hash,
            "sop_instance_uid": _uid,
            "size": _count(),
            "received_at": _time,
            "filed_at": _deleted,
            "discarded_at": _deleted,
            "sealed": _sealed(ReceivedObject, received_context, _RECEIVED_OVER),
        },
    ),
    "slate": ("token", {"made_at": _time, "sealed": _sealed(Slate, slate_context, _NEVER)}),
    "card_file": ("digest", {"digest": _hash, "capture_id": _names("capture", "capture_id")}),
}
_MISLED: Final[dict[tuple[str, str], str]] = {
    ("instance", "withdrawn"): "SELECT sop_instance_uid FROM instance "
    "WHERE withdrawn NOT IN (0, 1) OR (withdrawn = 1 AND file IS NOT NULL)",
    ("task", "due_at"): "SELECT task_id FROM task "
    "WHERE kind = 'retain' AND state = 'queued' AND due_at < changed_at",
    ("task", "proof"): "SELECT task_id FROM task "
    "WHERE kind = 'prove' AND state = 'done' AND proof IN ('', 'listed')",
    ("task", "receipt"): "SELECT task_id FROM task "
    "WHERE kind = 'prove' AND state = 'done' AND receipt = ''",
    ("received", "file"): "SELECT letter FROM received "
    "WHERE (file IS NULL) <> (filed_at <> '') AND discarded_at = ''",
    ("draft", "capture_id"): "SELECT capture_id FROM draft WHERE capture_id NOT IN "  # noqa: S608 - a constant of ours
    f"(SELECT capture_id FROM capture WHERE file IS NOT NULL AND {IS_DRAFT}) "
    "UNION SELECT capture_id FROM capture WHERE file IS NOT NULL "
    f"AND {IS_DRAFT} AND capture_id NOT IN (SELECT capture_id FROM draft)",
}
"""Cells that say something that can be read and cannot be, by table and cell."""


def _damaged_cells(spool: Spool) -> Iterator[DamagedCell]:
    for table, (key, cells) in _CELLS.items():
        query = f"SELECT {key}, {', '.join(cells)} FROM {table} ORDER BY {key}"  # noqa: S608 - names are ours
        for row_key, *values in spool.database.read().execute(query):
            for (name, check), value in zip(cells.items(), values, strict=True):
                try:
                    check(spool, str(row_key), value)
                except (SealBrokenError, ValueError, TypeError):
                    yield DamagedCell(table, str(row_key), name)
    for (table, name), question in _MISLED.items():
        for (row_key,) in spool.database.read().execute(question):
            yield DamagedCell(table, str(row_key), name)


def _misread_clips(
    spool: Spool, whole: Container[Path], clips: Container[Path]
) -> Iterator[DamagedCell]:
    """Rows that can be read and do not say how much of a film is in the file that they name."""
    rows = spool.database.read().execute("SELECT capture_id, file, clip FROM capture")
    for capture_id, file, cell in rows.fetchall():
        path = spool.captures / (file or "")
        if path in whole:
            with suppress(SealBrokenError, OSError):  # named as damaged already, or purged by now
                if read_clip_cell(cell) != (length_of(spool, path) if path in clips else None):
                    yield DamagedCell("capture", capture_id, "clip")


def _unnamed_files(spool: Spool, table: str, uids: Sequence[str]) -> Iterator[DamagedCell]:
    """Rows that name no file, though theirs is here and neither deleted, withdrawn nor purged."""
    key, here = _NAMED_BY[table]
    cleaned = stamp(spool.clock.now() - UNDO_DELETE_FOR)
    for uid in uids:
        question = (
            f"SELECT 1 FROM {table} WHERE {key} = ?1 AND file IS NULL AND {here} AND NOT EXISTS "  # noqa: S608 - names are ours
            f"(SELECT 1 FROM counted JOIN task USING (sop_instance_uid) WHERE counted.{key} = ?1 "
            "AND task.kind = 'retain' AND task.state = 'done')"
        )
        if spool.database.read().execute(question, (uid, cleaned)).fetchone():
            yield DamagedCell(table, uid, "file")


_NAMED_BY: Final = {
    "capture": ("capture_id", "(deleted_at = '' OR deleted_at >= ?2)"),
    "instance": ("sop_instance_uid", "withdrawn = 0 AND ?2 <> ''"),
}
_NOTHING_GOES_ON: Final = (
    "SELECT sop_instance_uid FROM counted WHERE NOT EXISTS "
    "(SELECT 1 FROM task WHERE task.sop_instance_uid = counted.sop_instance_uid "
    "AND (task.kind = 'retain' OR task.state IN ('held', 'queued', 'running', 'needs-you')))"
)


def _missing_tasks(spool: Spool) -> Iterator[DamagedCell]:
    """Instances that were sent, are not proved, and have no step left that could go on."""
    for (uid,) in spool.database.read().execute(_NOTHING_GOES_ON):
        yield DamagedCell("task", uid, "missing")


def _damaged_users(spool: Spool) -> Iterator[DamagedCell]:
    for user_id, cell in damaged_users(UserTable(spool.database, spool.cipher, spool.clock)):
        yield DamagedCell("users", user_id, cell)


def _damaged_time(spool: Spool) -> Iterator[DamagedCell]:
    if is_damaged(spool.database.read(), spool):
        yield DamagedCell("counted_time", "1", "mac")


def _damaged_pages(spool: Spool) -> Iterator[DamagedCell]:
    """What SQLite itself finds: pages, indexes and constraints. Its words may quote values."""
    answers = [answer for (answer,) in spool.database.read().execute("PRAGMA integrity_check(1)")]
    if answers != ["ok"]:
        yield DamagedCell(spool.database.path.name, "", "integrity_check")
