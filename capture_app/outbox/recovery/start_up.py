"""What the holder of the engine role does first: make rows and files agree, and let all go on.

The sealed files are the truth. A file without a row is adopted; a row without its file is shown to
a person; a file that cannot be read is kept and told. Nothing here stops the start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from capture_app.errors import SealBrokenError, StoreError
from capture_app.model.delivery import TaskState
from capture_app.model.procedure import Description
from capture_app.model.reason import FILE_MISSING, SEAL_BROKEN, UNKNOWN_DESTINATION, Reason
from capture_app.model.words import tr
from capture_app.outbox.act_on_image import record_kept
from capture_app.outbox.counted_time import note_missing
from capture_app.outbox.keeping.clips import length_of
from capture_app.outbox.keeping.description import description_context
from capture_app.outbox.keeping.drafts import (
    UNDO_DELETE_FOR,
    PictureIdentity,
    insert_capture,
    set_fault,
)
from capture_app.outbox.recovery.comparison import compare
from capture_app.outbox.recovery.received import (
    adopt_received,
    put_received_right,
    received_differences,
)
from capture_app.outbox.recovery.recordings import growing_files, take_in
from capture_app.outbox.recovery.rows import put_rows_right
from capture_app.outbox.recovery.set_apart import write_set_apart
from capture_app.outbox.recovery.steps import give_lost_steps_again
from capture_app.outbox.sealing.identity import SealedIdentity, read_identity
from capture_app.outbox.sealing.seal import (
    insert_instance,
    insert_store_tasks,
    remove_file,
)
from capture_app.outbox.sealing.study import restore_place
from capture_app.outbox.spool import IS_DRAFT, Spool, is_past, stamp
from capture_app.store.record import from_record
from capture_app.store.sealed import open_identity, remove_unfinished, verify_sealed

_log = structlog.get_logger(__name__)

_DRAFTS: Final = f"SELECT capture_id FROM capture WHERE file IS NOT NULL AND {IS_DRAFT}"  # noqa: S608 - a constant of ours
"""What the list of drafts is to hold: pictures that are here, and neither deleted nor sent."""
_UNFINISHED_AFTER: Final = timedelta(minutes=10)
"""A temporary file that nobody wrote to for so long belongs to no living process."""


@dataclass(slots=True)
class RecoveryReport:
    """What was found, in numbers, and what a person must know, in words."""

    adopted_captures: int = 0
    adopted_instances: int = 0
    missing_files: int = 0
    requeued: int = 0
    alarms: list[str] = field(default_factory=list)
    set_apart: list[Path] = field(default_factory=list)
    """Files without a row that could not be adopted: they stay where they are."""


def recover(
    spool: Spool,
    destinations: Sequence[str],
    *,
    live_sends: Collection[str] = (),
    others_may_undo: bool = False,
) -> RecoveryReport:
    """Puts the data folder in order. `live_sends` are held by this process, for undo, right now.

    `others_may_undo`: another process that sent something lives. Whose a held Send is, is not
    known then: all keep their hold, which the schedule ends. Raises StoreError where the database
    itself refuses.
    """
    report = RecoveryReport()
    before = spool.clock.now() - _UNFINISHED_AFTER
    for folder in (spool.captures, spool.instances, spool.received):
        remove_unfinished(folder, before=before)
    put_rows_right(spool)
    captures, instances = compare(spool)
    _each(report, growing_files(spool), lambda path: _take_in_recording(spool, path, report))
    _each(report, captures.strays, lambda path: _adopt_capture(spool, path, report))
    _each(report, instances.strays, lambda path: _adopt_instance(spool, path, destinations, report))
    put_received_right(spool)
    received = received_differences(spool)
    _each(report, received.strays, lambda path: adopt_received(spool, path))
    if received.strays:
        received = received_differences(spool)  # some rows have got their file back
    for uid in received.missing:
        _tell_missing(report, uid)
    write_set_apart(spool, report.set_apart)
    if captures.strays or instances.strays:
        captures, instances = compare(spool)  # some rows have got their file back
    for capture_id in captures.missing:
        set_fault(spool, capture_id, Reason(FILE_MISSING))
        _tell_missing(report, capture_id)
    for uid in instances.missing:
        _needs_its_file(spool, uid)
        _tell_missing(report, uid)
    _look_again_at_marked(spool)
    _list_drafts_anew(spool)
    note_missing(spool)
    give_lost_steps_again(spool, destinations)
    report.requeued = _requeue(spool, destinations, live_sends, others_may_undo=others_may_undo)
    return report


def _each(report: RecoveryReport, paths: Iterable[Path], act: Callable[[Path], None]) -> None:
    """One bad file must not keep the others from being adopted."""
    for path in paths:
        try:
            act(path)
        except (SealBrokenError, OSError) as error:
            report.set_apart.append(path)
            said = tr("A sealed file cannot be read; it was kept: {name}", name=path.name)
            report.alarms.append(said)
            # Without its name: whoever put the file there may have named it after a patient.
            _log.error("stray-file-unreadable", error_type=type(error).__name__)
        except StoreError:
            raise  # the disk or the database: all of it is tried again
        except Exception:  # noqa: BLE001 - logged and told; the others must not wait for it
            report.set_apart.append(path)
            _log.exception("stray-file-not-adopted")
            report.alarms.append(
                tr("A sealed file could not be taken in; it was kept: {name}", name=path.name)
            )


def _take_in_recording(spool: Spool, path: Path, report: RecoveryReport) -> None:
    if take_in(spool, path):
        report.adopted_captures += 1


def _adopt_capture(spool: Spool, path: Path, report: RecoveryReport) -> None:
    header, identity = open_identity(path, spool.cipher)
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    kept_at = stamp(min(written_at, spool.clock.now()))  # the clock may have been set back since
    with spool.database.transaction() as connection:
        row = connection.execute(
            "SELECT file, deleted_at FROM capture WHERE capture_id = ?", (header.uid,)
        ).fetchone()
        is_left_over = row is not None and (
            _was_cleaned(spool, row[1]) or _was_purged(connection, "capture_id", header.uid)
        )
        if row is None:
            kept = from_record(PictureIdentity, identity)
            insert_capture(
                connection,
                spool,
                header.uid,
                kept,
                file=path.name,
                kept_at=kept_at,
                clip=length_of(spool, path) if header.kind == "clip" else None,
            )
            record_kept(connection, spool, header.uid, kept.exam, {"adopted": "yes"})
        elif not is_left_over and (row[0] is None or not (spool.captures / row[0]).is_file()):
            # The same picture under another name, or under none: the row gets its file back.
            connection.execute(
                "UPDATE capture SET file = ?, fault = '' WHERE capture_id = ?",
                (path.name, header.uid),
            )
    if row is None:
        report.adopted_captures += 1
        _log.info("capture-adopted", capture_id=header.uid)
    elif is_left_over and row[0] is None:
        remove_file(path)  # a purge was cut short


def _adopt_instance(
    spool: Spool, path: Path, destinations: Sequence[str], report: RecoveryReport
) -> None:
    header, record = open_identity(path, spool.cipher)
    # Where it was to go stands in the file. The settings of today say it of old files alone.
    identity = read_identity(header, record, unnamed=tuple(destinations))
    with spool.database.transaction() as connection:
        row = connection.execute(
            "SELECT file, withdrawn FROM instance WHERE sop_instance_uid = ?", (header.uid,)
        ).fetchone()
        if row is not None and (
            row[1] == 0 and not _was_purged(connection, "sop_instance_uid", header.uid)
            if row[0] is None
            else not (spool.instances / row[0]).is_file()
        ):
            connection.execute(
                "UPDATE instance SET file = ? WHERE sop_instance_uid = ?", (path.name, header.uid)
            )
            return
        is_wanted = row is None and _is_wanted(connection, spool, identity)
        if is_wanted:
            _put_capture_right(connection, spool, identity)
            identity = replace(identity, place=restore_place(connection, spool, identity.place))
            insert_instance(connection, spool, identity, file=path.name)
            insert_store_tasks(connection, spool, identity, TaskState.QUEUED)
            record_kept(connection, spool, header.uid, identity.kept.exam, {"adopted": "yes"})
    if is_wanted:
        report.adopted_instances += 1
        _log.info("instance-adopted", uid=header.uid)
    else:
        # Withdrawn, purged or superseded: what counts has a row, and a draft keeps its picture.
        remove_file(path)


def _was_cleaned(spool: Spool, deleted_at: str) -> bool:
    """Whether a picture was deleted too long ago to be brought back."""
    if not is_past(deleted_at, spool.now()):
        return False
    return deleted_at < stamp(spool.clock.now() - UNDO_DELETE_FOR)


def _was_purged(connection: sqlite3.Connection, name: str, uid: str) -> bool:
    """Whether the days of a picture are over, so that its row rightly names no file."""
    row = connection.execute(
        "SELECT 1 FROM counted JOIN task USING (sop_instance_uid) "  # noqa: S608 - names of ours
        f"WHERE counted.{name} = ? AND task.kind = 'retain' AND task.state = 'done'",
        (uid,),
    ).fetchone()
    return row is not None


def _is_wanted(connection: sqlite3.Connection, spool: Spool, identity: SealedIdentity) -> bool:
    """False for what a person deleted, described anew or sent again since it was sealed."""
    row = connection.execute(
        "SELECT 1 FROM counted WHERE capture_id = ?", (identity.capture_id,)
    ).fetchone()
    if row is not None:
        return False
    row = connection.execute(
        "SELECT description, deleted_at, file FROM capture WHERE capture_id = ?",
        (identity.capture_id,),
    ).fetchone()
    if row is None:
        return True
    cell, deleted_at, file = row
    if is_past(deleted_at, spool.now()):
        return False
    now = spool.unseal(Description, cell, description_context(identity.capture_id))
    return now == identity.kept.description or now == _described_at_the_shutter(spool, file)


def _described_at_the_shutter(spool: Spool, file: str | None) -> Description | None:
    """A row that says no more than this is itself made from the file: its database was lost, and
    with it what a person chose between the shutter and Send.
    """
    if file is None:
        return None
    try:
        _, identity = open_identity(spool.captures / file, spool.cipher)
        return from_record(PictureIdentity, identity).description
    except (SealBrokenError, OSError):
        return None


def _put_capture_right(
    connection: sqlite3.Connection, spool: Spool, identity: SealedIdentity
) -> None:
    """The row of the picture that was sealed, described as it was sealed."""
    described = spool.seal(identity.kept.description, description_context(identity.capture_id))
    changed = connection.execute(
        "UPDATE capture SET description = ? WHERE capture_id = ?",
        (described, identity.capture_id),
    )
    if not changed.rowcount:
        insert_capture(
            connection,
            spool,
            identity.capture_id,
            identity.kept,
            file=None,
            kept_at=stamp(identity.kept.taken_at),
        )


def _tell_missing(report: RecoveryReport, uid: str) -> None:
    report.missing_files += 1
    report.alarms.append(tr("The file of a picture is missing; see the outbox."))
    _log.error("file-missing", uid=uid)


def _needs_its_file(spool: Spool, uid: str) -> None:
    """What must still be sent cannot be. A proof can go on: the archive may have the image."""
    with spool.database.transaction() as connection:
        connection.execute(
            "UPDATE task SET state = 'needs-you', error_code = ?, last_error = ?, due_at = '', "
            "changed_at = ? WHERE sop_instance_uid = ? AND kind = 'store' AND state <> 'done' "
            "AND state <> 'withdrawn'",
            (FILE_MISSING, Reason(FILE_MISSING).to_text(), spool.now(), uid),
        )


def _look_again_at_marked(spool: Spool) -> None:
    """What was stopped because of its file goes on where that was put back, whole."""
    rows = spool.database.read().execute(
        "SELECT capture_id, file FROM capture WHERE fault <> '' AND file IS NOT NULL"
    )
    for capture_id, file in rows.fetchall():
        try:
            verify_sealed(spool.captures / file, spool.cipher, uid=capture_id)
        except (SealBrokenError, OSError):
            continue
        set_fault(spool, capture_id, None)

    rows = spool.database.read().execute(
        "SELECT task.task_id, instance.sop_instance_uid, instance.file FROM task "
        "JOIN instance USING (sop_instance_uid) WHERE task.state = 'needs-you' "
        "AND task.error_code IN (?, ?) AND instance.file IS NOT NULL",
        (FILE_MISSING, SEAL_BROKEN),
    )
    for task_id, uid, file in rows.fetchall():
        try:
            verify_sealed(spool.instances / file, spool.cipher, uid=uid)
        except (SealBrokenError, OSError):
            continue
        with spool.database.transaction() as connection:
            connection.execute(
                "UPDATE task SET state = 'queued', failures = 0, error_code = '', last_error = '', "
                "changed_at = ? WHERE task_id = ? AND state = 'needs-you'",
                (spool.now(), task_id),
            )
        _log.info("file-is-back", uid=uid)


def _list_drafts_anew(spool: Spool) -> None:
    """The list of drafts follows from the pictures: one that left it by damage is in it again."""
    with spool.database.transaction() as connection:
        gone = connection.execute(f"DELETE FROM draft WHERE capture_id NOT IN ({_DRAFTS})")  # noqa: S608 - a constant of ours
        back = connection.execute(f"INSERT OR IGNORE INTO draft (capture_id) {_DRAFTS}")
    if gone.rowcount or back.rowcount:
        _log.info("drafts-listed-anew", count=back.rowcount)


def _requeue(
    spool: Spool, destinations: Sequence[str], live_sends: Collection[str], *, others_may_undo: bool
) -> int:
    """Nobody is at work yet: all that waits is queued, but for what somebody may still undo.

    What was under way as the process ended may be why it ended: it takes no other with it again.
    """
    sends, known, now = json.dumps(list(live_sends)), json.dumps(list(destinations)), spool.now()
    with spool.database.transaction() as connection:
        requeued = connection.execute(
            "UPDATE task SET state = 'queued', due_at = '', changed_at = ?2, "
            "is_suspect = iif(state = 'running', 1, is_suspect) "
            "WHERE state = 'running' OR (state = 'held' AND held_by_person = 0 AND NOT ?3 "
            "AND sop_instance_uid NOT IN (SELECT sop_instance_uid FROM instance "
            "WHERE send_id IN (SELECT value FROM json_each(?1))))",
            (sends, now, others_may_undo),
        ).rowcount
        connection.execute(
            "UPDATE task SET state = 'needs-you', error_code = ?2, last_error = ?3, due_at = '', "
            "changed_at = ?4 WHERE kind <> 'retain' AND state IN ('queued', 'held') "
            "AND destination NOT IN (SELECT value FROM json_each(?1))",
            (
                known,
                UNKNOWN_DESTINATION,
                Reason(UNKNOWN_DESTINATION).to_text(),
                now,
            ),
        )
        connection.execute(
            "UPDATE task SET state = 'queued', error_code = '', last_error = '', changed_at = ?3 "
            "WHERE state = 'needs-you' AND error_code = ?2 "
            "AND destination IN (SELECT value FROM json_each(?1))",
            (known, UNKNOWN_DESTINATION, now),
        )
    return requeued
