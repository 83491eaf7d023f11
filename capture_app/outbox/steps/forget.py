"""What rows say of a person goes some time after the files of the pictures: room is given back.

The rows stay, with their UIDs, times, steps and proofs: no number is given out again, and what
became of each picture can be shown. Emptied are the encrypted cells alone that say whom and what it
shows: they are most of the database, and nobody is shown them any more.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final

import structlog

from capture_app.outbox.keeping.slates import forget_slates
from capture_app.outbox.spool import Spool, stamp

_log = structlog.get_logger(__name__)

_PICTURE_AFTER: Final = timedelta(days=1)
"""After the purge: until then the outbox lists it, with name and site."""
_EXAM_AFTER: Final = timedelta(days=7)
"""After it was opened: a window may hold an exam without pictures for long."""
_AT_ONCE: Final = 100

IS_OVER: Final = (
    "capture.file IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM instance WHERE instance.capture_id = capture.capture_id "
    "AND instance.file IS NOT NULL) "
    "AND (capture.deleted_at <> '' OR EXISTS (SELECT 1 FROM counted JOIN task "
    "USING (sop_instance_uid) WHERE counted.capture_id = capture.capture_id "
    "AND task.kind = 'retain' AND task.state = 'done'))"
)
"""The condition by which a row of `capture` needs no cells: purged, or deleted and gone."""
IS_EXAM_OVER: Final = (
    "NOT EXISTS (SELECT 1 FROM capture WHERE capture.exam_id = exam.exam_id "
    "AND length(capture.description) > 0)"
)
"""The same of a row of `exam`: each of its pictures says nothing any more, or it has none."""

_PICTURES: Final = (
    "SELECT capture_id FROM capture INDEXED BY capture_over "  # noqa: S608 - a constant of ours
    f"WHERE capture.file IS NULL AND length(capture.description) > 0 AND {IS_OVER} "
    "AND deleted_at < ?1 AND NOT EXISTS (SELECT 1 FROM counted JOIN task USING (sop_instance_uid) "
    "WHERE counted.capture_id = capture.capture_id AND task.changed_at >= ?1) LIMIT ?2"
)
_EXAMS: Final = (
    "SELECT exam_id FROM exam INDEXED BY exam_in_words "  # noqa: S608 - a constant of ours
    f"WHERE opened_at < ?1 AND length(sealed) > 0 AND {IS_EXAM_OVER} LIMIT ?2"
)
_NAMED: Final = "IN (SELECT value FROM json_each(?))"


def forget_over(spool: Spool) -> int:
    """Empties the cells of what is over; returns how many pictures, exams and slates. Raises
    StoreError.

    A few at a time, each few in one transaction.
    """
    pictures = _emptied(
        spool,
        _PICTURES,
        _PICTURE_AFTER,
        (
            f"UPDATE capture SET description = x'' WHERE capture_id {_NAMED} AND {IS_OVER}",  # noqa: S608 - constants of ours
            f"UPDATE instance SET sealed = x'' WHERE capture_id {_NAMED} AND file IS NULL",  # noqa: S608 - a constant of ours
        ),
    )
    exams = _emptied(
        spool,
        _EXAMS,
        _EXAM_AFTER,
        (f"UPDATE exam SET sealed = x'', known = x'' WHERE exam_id {_NAMED} AND {IS_EXAM_OVER}",),  # noqa: S608 - constants of ours
    )
    emptied = pictures + exams + forget_slates(spool)
    if emptied:
        _log.info("cells-emptied", count=emptied)
    return emptied


def _emptied(spool: Spool, question: str, after: timedelta, updates: tuple[str, ...]) -> int:
    number, before = 0, stamp(spool.clock.now() - after)
    while True:
        rows = spool.database.read().execute(question, (before, _AT_ONCE)).fetchall()
        if not rows:
            return number
        keys = json.dumps([key for (key,) in rows])
        with spool.database.transaction() as connection:
            emptied, *_ = [connection.execute(update, (keys,)).rowcount for update in updates]
        if not emptied:  # another process was faster, or something came between
            return number
        number += emptied
