"""Rows that damage has cut loose: put right by the sealed file that they stand for.

A row that cannot be put right stays as it is, is named in the log, and stops no other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from capture_app.errors import SealBrokenError, StoreError
from capture_app.model.exam import Exam
from capture_app.model.procedure import Description
from capture_app.outbox.keeping.description import description_context
from capture_app.outbox.keeping.drafts import PictureIdentity, insert_capture
from capture_app.outbox.keeping.exams import insert_exam
from capture_app.outbox.sealing.identity import read_identity
from capture_app.outbox.sealing.study import restore_place, visit_key
from capture_app.outbox.spool import (
    IS_DRAFT,
    LONGEST_KEEP_DAYS,
    MOST,
    Spool,
    is_past,
    stamp,
)
from capture_app.store.record import from_record
from capture_app.store.sealed import open_identity

_log = structlog.get_logger(__name__)


_CAPTURES: Final = (
    "SELECT capture_id, file, deleted_at FROM capture INDEXED BY capture_with_file "
    "WHERE file IS NOT NULL AND (deleted_at <> '' "
    "OR NOT EXISTS (SELECT 1 FROM exam WHERE exam.exam_id = capture.exam_id))"
)
_DRAFTS: Final = (
    "SELECT capture_id, file, description FROM capture INDEXED BY capture_with_file "  # noqa: S608 - a constant of ours
    f"WHERE file IS NOT NULL AND {IS_DRAFT}"
)
_INSTANCES: Final = (
    "SELECT sop_instance_uid, file FROM instance INDEXED BY instance_with_file "
    "WHERE file IS NOT NULL AND (withdrawn <> 0 OR NOT keep_days BETWEEN 0 AND ? "
    "OR NOT EXISTS (SELECT 1 FROM capture WHERE capture.capture_id = instance.capture_id) "
    "OR NOT EXISTS (SELECT 1 FROM series JOIN study USING (study_instance_uid) "
    "WHERE series.series_instance_uid = instance.series_instance_uid))"
)
_WITHOUT_STEPS: Final = (
    "SELECT sop_instance_uid, file FROM instance INDEXED BY instance_with_file "
    "WHERE file IS NOT NULL AND NOT EXISTS "
    "(SELECT 1 FROM task WHERE task.sop_instance_uid = instance.sop_instance_uid)"
)


def put_rows_right(spool: Spool) -> None:
    """Makes the rows of what is here name each other again. Raises StoreError where the database
    itself refuses.
    """
    reader = spool.database.read()
    drafts = (
        (capture_id, file)
        for capture_id, file, cell in reader.execute(_DRAFTS).fetchall()
        if not _opens(spool, capture_id, cell)
    )
    misnamed = _misnamed(spool, spool.captures, drafts)
    _each(misnamed, lambda found: _put_capture_right(spool, found[1]))
    captures = [
        (capture_id, file)
        for capture_id, file, deleted_at in reader.execute(_CAPTURES)
        if not deleted_at or not is_past(deleted_at, spool.now())
    ]
    _each(captures, lambda found: _put_capture_right(spool, found[1]))
    instances = [
        *_misnamed(spool, spool.instances, reader.execute(_WITHOUT_STEPS).fetchall()),
        *reader.execute(_INSTANCES, (LONGEST_KEEP_DAYS,)),
    ]
    _each(instances, lambda found: _put_instance_right(spool, *found))
    _put_counts_right(spool)


def _each(rows: Iterable[tuple[str, str]], act: Callable[[tuple[str, str]], None]) -> None:
    for row in rows:
        try:
            act(row)
        except (SealBrokenError, OSError) as error:  # said where its file is missed or proved
            _log.error("row-not-put-right", uid=row[0], error_type=type(error).__name__)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - logged; the others must not wait for it
            _log.exception("row-not-put-right", uid=row[0])


def _opens(spool: Spool, capture_id: str, cell: bytes) -> bool:
    """Whether what was described opens: it does so in its own row alone."""
    try:
        spool.unseal(Description, cell, description_context(capture_id))
    except SealBrokenError:
        return False
    return True


def _misnamed(spool: Spool, folder: Path, rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those rows that do not go by the UID of their file."""
    found = []
    for uid, file in rows:
        with suppress(SealBrokenError, OSError):
            header, _ = open_identity(folder / file, spool.cipher)
            if header.uid != uid:
                found.append((uid, file))
    return found


def _put_capture_right(spool: Spool, file: str) -> None:
    header, record = open_identity(spool.captures / file, spool.cipher)
    kept = from_record(PictureIdentity, record)
    with spool.database.transaction() as connection:
        _name_exam(connection, spool, kept.exam)
        insert_exam(connection, spool, kept.exam)
        (deleted_at,) = connection.execute(
            "SELECT deleted_at FROM capture WHERE file = ?", (file,)
        ).fetchone()
        connection.execute(
            "UPDATE OR IGNORE capture SET capture_id = ?2, exam_id = ?3, deleted_at = ?4, "
            "fault = '' WHERE file = ?1",
            (
                file,
                header.uid,
                kept.exam.exam_id,
                deleted_at if is_past(deleted_at, spool.now()) else "",
            ),
        )
    _log.warning("row-put-right", uid=header.uid, kind="capture")


def _put_instance_right(spool: Spool, sop_instance_uid: str, file: str) -> None:
    # By its file: a key that is no text any more is found by no value.
    header, record = open_identity(spool.instances / file, spool.cipher)
    identity = read_identity(header, record)
    with spool.database.transaction() as connection:
        _name_instance(connection, sop_instance_uid, header.uid, file)
        row = connection.execute(
            "SELECT 1 FROM capture WHERE capture_id = ?", (identity.capture_id,)
        ).fetchone()
        if row is None:
            kept_at = stamp(identity.kept.taken_at)
            insert_capture(
                connection, spool, identity.capture_id, identity.kept, file=None, kept_at=kept_at
            )
        place = identity.place
        row = connection.execute(
            "SELECT 1 FROM instance JOIN series USING (series_instance_uid) "
            "JOIN study USING (study_instance_uid) "
            "WHERE sop_instance_uid = ? AND series_instance_uid = ?",
            (header.uid, place.series_instance_uid),
        ).fetchone()
        if row is None:
            restore_place(connection, spool, place)
        connection.execute(
            "UPDATE OR IGNORE instance SET capture_id = ?2, series_instance_uid = ?3, "
            "keep_days = ?4, withdrawn = 0 WHERE sop_instance_uid = ?1",
            (
                header.uid,
                identity.capture_id,
                place.series_instance_uid,
                min(max(identity.keep_days, 0), LONGEST_KEEP_DAYS),
            ),
        )
    _log.warning("row-put-right", uid=header.uid, kind="instance")


def _name_exam(connection: sqlite3.Connection, spool: Spool, exam: Exam) -> None:
    """A row that says all that the exam says but its id is the exam's, if no picture has it."""
    connection.execute(
        "UPDATE OR IGNORE exam SET exam_id = ? WHERE patient_key = ? AND visit_key = ? "
        "AND opened_at = ? AND study_instance_uid = ? AND NOT EXISTS "
        "(SELECT 1 FROM capture WHERE capture.exam_id = exam.exam_id)",
        (
            exam.exam_id,
            spool.patient_key(exam.patient),
            visit_key(spool.cipher, exam),
            stamp(exam.started_at),
            exam.study_instance_uid,
        ),
    )


def _name_instance(connection: sqlite3.Connection, now: str, uid: str, file: str) -> None:
    if now == uid:
        return
    connection.execute("PRAGMA defer_foreign_keys = ON")
    connection.execute("UPDATE instance SET sop_instance_uid = ?2 WHERE file = ?1", (file, uid))
    connection.execute(
        "UPDATE task SET sop_instance_uid = ?2 WHERE sop_instance_uid = ?1", (now, uid)
    )


def _put_counts_right(spool: Spool) -> None:
    """Counts that nobody can have counted begin again: what is added to them would not fit."""
    columns = ("attempts", "failures", "resends", "nudges")
    changes = ", ".join(f"{name} = iif({name} BETWEEN 0 AND ?1, {name}, 0)" for name in columns)
    # What may have been kept back by a person is: it can be released, but not taken back.
    changes += ", held_by_person = iif(held_by_person IN (0, 1), held_by_person, state = 'held')"
    wrong = " OR ".join(f"NOT {name} BETWEEN 0 AND ?1" for name in columns)
    # What may have stopped a batch goes alone.
    changes += ", is_suspect = iif(is_suspect = 0, 0, 1)"
    wrong += " OR held_by_person NOT IN (0, 1) OR is_suspect NOT IN (0, 1)"
    with spool.database.transaction() as connection:
        changed = connection.execute(
            f"UPDATE task SET {changes} WHERE state IN ('held', 'queued', 'running', 'needs-you') "  # noqa: S608 - names of ours
            f"AND ({wrong})",
            (MOST,),
        )
        named = connection.execute(
            "UPDATE OR IGNORE task SET task_id = (SELECT coalesce(max(task_id), 0) + 1 FROM task "
            "WHERE task_id BETWEEN 1 AND ?1) WHERE task_id < 1 OR task_id > ?1",
            (MOST,),
        )
    if changed.rowcount or named.rowcount:
        _log.warning("row-put-right", kind="task", count=changed.rowcount + named.rowcount)
