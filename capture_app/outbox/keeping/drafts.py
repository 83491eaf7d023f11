"""A picture from the shutter on: keep, describe, delete and undo that, until it is sealed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from capture_app.errors import (
    DiskFullError,
    RuleError,
    SealBrokenError,
    StoreError,
)
from capture_app.model.audit_event import AuditAction
from capture_app.model.clip import ClipLength, FrameOfClip
from capture_app.model.device import DeviceInfo
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.encounter import Location
from capture_app.model.exam import Exam
from capture_app.model.operator import Act, Operator, may, require
from capture_app.model.patient import Patient
from capture_app.model.procedure import Description, Turn
from capture_app.model.reason import (
    FILE_MISSING,
    ROW_UNREADABLE,
    SEAL_BROKEN,
    Reason,
)
from capture_app.model.words import tr
from capture_app.outbox.act_on_image import record_kept, record_on_image
from capture_app.outbox.counted_time import Waiting, begin_waiting
from capture_app.outbox.keeping.clip_cell import clip_cell, read_clip_cell
from capture_app.outbox.keeping.description import (
    Seen,
    description_context,
    open_description,
    require_seen,
)
from capture_app.outbox.keeping.exams import insert_exam
from capture_app.outbox.keeping.picture import picture_content, picture_of
from capture_app.outbox.keeping.slates import note_file
from capture_app.outbox.spool import IS_DRAFT, LONG_AGO, Spool, is_moment, moment, moment_or, stamp
from capture_app.store.record import from_record, to_record
from capture_app.store.sealed import free_bytes, open_identity, open_sealed, stage_sealed
from capture_app.store.sealed_form import Kind, SealedHeader

_log = structlog.get_logger(__name__)

UNDO_DELETE_FOR: Final = timedelta(hours=24)
"""How long a deleted draft can be brought back before its file is removed."""


@dataclass(frozen=True, slots=True)
class PictureIdentity:
    """The identity chunk of a kept picture: enough to make its row again."""

    exam: Exam
    device: DeviceInfo
    taken_at: datetime
    description: Description
    """As it was at the shutter. What was chosen later is in the row."""
    place: Location | None = None
    """Where the patient was then, as the feed said; None where the station does not roam."""
    is_time_known: bool = True
    """False where nobody knows when it was exposed: `taken_at` is when it came here."""
    source: FrameOfClip | None = None
    """The frame of a kept clip that it is; None for what is none."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A picture that is kept and not sent yet."""

    capture_id: str
    exam_id: str
    patient_key: str
    user_id: str
    description: Description
    taken_at: datetime
    kept_at: datetime
    fault: Reason | None
    """Why it cannot be sent as it is; None where it can."""
    clip: ClipLength | None = None
    """How much of a film there is; None for a single picture."""


def keep(
    spool: Spool,
    exam: Exam,
    image: EncodedImage,
    *,
    device: DeviceInfo,
    taken_at: datetime,
    description: Description,
    is_time_known: bool = True,
    place: Location | None = None,
    file_digest: str = "",
    min_free_bytes: int,
) -> str:
    """Puts a picture on the disk, encrypted and durable, and returns its capture id.

    The id is the SOP Instance UID that is minted here. Raises DiskFullError where less than
    `min_free_bytes` are free or the disk says so, StoreError; then nothing was kept.
    """
    kept = PictureIdentity(exam, device, taken_at, description, place, is_time_known)
    details = {"device": device.device_id}
    return keep_picture(
        spool, kept, image, details, file_digest=file_digest, min_free_bytes=min_free_bytes
    )


def keep_picture(
    spool: Spool,
    kept: PictureIdentity,
    image: EncodedImage,
    details: Mapping[str, str],
    *,
    by: str = "",
    file_digest: str = "",
    min_free_bytes: int,
) -> str:
    """As `keep`; `details` are the trail's, and `by` is who did it where the exam's operator did
    not (a user id).
    """
    require_room(spool.captures, min_free_bytes + len(image.data))
    uid = spool.clock.new_uid()
    staged = stage_sealed(
        spool.captures,
        uid=uid,
        identity=to_record(kept),
        content=picture_content(image),
        cipher=spool.cipher,
        kind="capture",
    )
    details = {**details, "coding": image.coding, "handling": image.handling}
    with spool.publishing((staged,)) as connection:
        insert_capture(connection, spool, uid, kept, file=staged.path.name, kept_at=spool.now())
        if file_digest:
            note_file(connection, file_digest, uid)
        record_kept(connection, spool, uid, kept.exam, details, by=by)
    return uid


def insert_capture(
    connection: sqlite3.Connection,
    spool: Spool,
    capture_id: str,
    kept: PictureIdentity,
    *,
    file: str | None,
    kept_at: str,
    clip: ClipLength | None = None,
) -> None:
    """The rows of a kept picture or clip and, where needed, of its exam."""
    insert_exam(connection, spool, kept.exam)
    connection.execute(
        "INSERT INTO capture (capture_id, exam_id, user_id, file, taken_at, kept_at, description, "
        "clip) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            capture_id,
            kept.exam.exam_id,
            kept.exam.operator.user_id,
            file,
            stamp(kept.taken_at),
            kept_at,
            spool.seal(kept.description, description_context(capture_id)),
            clip_cell(clip),
        ),
    )


def describe(
    spool: Spool,
    capture_ids: Sequence[str],
    description: Description,
    operator: Operator,
    seen: Seen | None = None,
) -> None:
    """Says what drafts show and are for; `seen` is what they said before.

    Raises RuleError where one is no draft any more or the operator takes no pictures,
    ChangedSinceSeenError where one says something else by now: then none is changed.
    """
    require(operator, Act.TAKE_PICTURES)
    with spool.database.transaction() as connection:
        for capture_id in capture_ids:
            _require_draft(connection, capture_id)
            require_seen(connection, spool, capture_id, seen)
            connection.execute(
                "UPDATE capture SET description = ? WHERE capture_id = ?",
                (spool.seal(description, description_context(capture_id)), capture_id),
            )
            _record(connection, spool, AuditAction.DESCRIBED, capture_id, operator, description)


def delete(
    spool: Spool, capture_ids: Sequence[str], operator: Operator, seen: Seen | None = None
) -> None:
    """Takes drafts out of sight. The file stays for a day, so that `restore` can undo it.

    Raises as `describe`, and RuleError where somebody else took one and the operator's roles do not
    allow that.
    """
    with spool.database.transaction() as connection:
        for capture_id in capture_ids:
            _require_draft(connection, capture_id)
            _require_right(connection, capture_id, operator)
            require_seen(connection, spool, capture_id, seen)
            connection.execute(
                "UPDATE capture SET deleted_at = ? WHERE capture_id = ?", (spool.now(), capture_id)
            )
            begin_waiting(connection, spool, Waiting.CLEAN, capture_id)
            _record(connection, spool, AuditAction.DELETED, capture_id, operator)


def restore(
    spool: Spool, capture_ids: Sequence[str], operator: Operator, seen: Seen | None = None
) -> None:
    """Brings deleted drafts back.

    Raises RuleError where the file has been removed since or the picture is back already,
    ChangedSinceSeenError where it says something else than when it was deleted. Who may delete it
    may bring it back.
    """
    with spool.database.transaction() as connection:
        for capture_id in capture_ids:
            _require_deleted(connection, capture_id)
            _require_right(connection, capture_id, operator)
            require_seen(connection, spool, capture_id, seen)
            changed = connection.execute(
                "UPDATE capture SET deleted_at = '' "
                "WHERE capture_id = ? AND deleted_at <> '' AND file IS NOT NULL",
                (capture_id,),
            )
            if changed.rowcount != 1:
                raise RuleError(tr("The picture was deleted too long ago to be brought back."))
            _record(connection, spool, AuditAction.RESTORED, capture_id, operator)


def drafts(
    spool: Spool, *, exam_id: str | None = None, patient_key: str | None = None
) -> tuple[Draft, ...]:
    """The drafts of an exam, of a patient, or of all, in the order in which they were taken."""
    rows = spool.database.read().execute(
        "SELECT capture.capture_id, capture.exam_id, coalesce(exam.patient_key, ''), "
        "capture.user_id, capture.description, capture.taken_at, capture.kept_at, capture.fault, "
        "capture.clip FROM draft CROSS JOIN capture ON capture.capture_id = draft.capture_id "
        "LEFT JOIN exam ON exam.exam_id = capture.exam_id "
        "WHERE (?1 IS NULL OR capture.exam_id = ?1) AND (?2 IS NULL OR exam.patient_key = ?2) "
        "ORDER BY capture.kept_at, capture.capture_id",
        (exam_id, patient_key),
    )
    return tuple(_draft(spool, row) for row in rows)


def _draft(spool: Spool, row: Sequence[Any]) -> Draft:
    """A draft. A cell that cannot be read takes no other draft away, and says what to do."""
    capture_id, exam_id, patient_key, user_id, cell, taken_at, kept_at, text, clip = row
    fault = Reason.from_text(text)
    if not (is_moment(taken_at) and is_moment(kept_at)):
        _log.warning("draft-row-unreadable", capture_id=capture_id, kind="time")
        fault = fault or Reason.of(ROW_UNREADABLE, row=capture_id)
    description, unreadable = open_description(spool, capture_id, cell)
    fault = fault or unreadable
    length = None
    try:
        length = read_clip_cell(clip)
    except SealBrokenError:
        _log.warning("draft-row-unreadable", capture_id=capture_id, kind="clip")
        fault = fault or Reason.of(ROW_UNREADABLE, row=capture_id)
    kept = moment_or(kept_at, moment_or(taken_at, LONG_AGO))
    return Draft(
        capture_id=capture_id,
        exam_id=exam_id,
        patient_key=patient_key,
        user_id=user_id,
        description=description,
        taken_at=moment_or(taken_at, kept),
        kept_at=kept,
        fault=fault,
        clip=length,
    )


def last_taken(spool: Spool, patients: Iterable[Patient]) -> Mapping[tuple[str, str], datetime]:
    """When the last picture of each patient was taken here; no entry where there is none."""
    people = {spool.patient_key(patient): patient.patient_id.key for patient in patients}
    rows = spool.database.read().execute(
        "SELECT exam.patient_key, max(capture.taken_at) FROM exam "
        "JOIN capture ON capture.exam_id = exam.exam_id WHERE capture.deleted_at = '' "
        "AND exam.patient_key IN (SELECT value FROM json_each(?)) GROUP BY exam.patient_key",
        (json.dumps([*people]),),
    )
    return {people[key]: moment(at) for key, at in rows if at and is_moment(at)}


def open_kept(spool: Spool, capture_id: str) -> PictureIdentity:
    """What was frozen with a picture at the shutter. Raises as `open_capture`."""
    return from_record(PictureIdentity, _opened(spool, capture_id)[1])


def open_capture(spool: Spool, capture_id: str) -> EncodedImage:
    """A kept picture, proven to be what was kept.

    Raises SealBrokenError where the file is missing or fails its check; that is written down, so
    that the picture is shown as needing a person. Raises StoreError after the purge, RuleError for
    a clip.
    """
    if kind_of_capture(spool, capture_id) == "clip":  # its first frame must not pass for it
        raise RuleError(tr("This is a clip and not a picture."))
    with faults_noted(spool, capture_id) as path:
        return picture_of(open_sealed(path, spool.cipher, uid=capture_id).content)


def kind_of_capture(spool: Spool, capture_id: str) -> Kind:
    """Whether it is a picture or a clip: its file says it. Raises as `open_capture`."""
    return _opened(spool, capture_id)[0].kind


def _opened(spool: Spool, capture_id: str) -> tuple[SealedHeader, bytes]:
    with faults_noted(spool, capture_id) as path:
        return open_identity(path, spool.cipher, uid=capture_id)


@contextmanager
def faults_noted(spool: Spool, capture_id: str) -> Iterator[Path]:
    """The file of a picture or clip. What the block finds wrong with it is written down."""
    file = _file(spool, capture_id)
    if file is None:
        raise StoreError(tr("The picture is no longer on this computer."))
    try:
        yield spool.captures / file
    except FileNotFoundError:
        reason = Reason(FILE_MISSING)
        set_fault(spool, capture_id, reason)
        raise SealBrokenError(str(reason)) from None
    except SealBrokenError:
        set_fault(spool, capture_id, Reason(SEAL_BROKEN))
        raise


def set_fault(spool: Spool, capture_id: str, fault: Reason | None) -> None:
    """Marks a picture as stopped (None: not any more). Quiet where nothing changes, and where it
    does not matter: an archive has proved the picture, so that its file here is needed no more.
    """
    with spool.database.transaction() as connection:
        connection.execute(
            "UPDATE capture SET fault = ?1 WHERE capture_id = ?2 AND fault <> ?1 AND (?1 = '' "
            "OR NOT EXISTS (SELECT 1 FROM counted JOIN task USING (sop_instance_uid) "
            "WHERE counted.capture_id = ?2 "
            "AND task.kind = 'retain'))",
            (fault.to_text() if fault else "", capture_id),
        )


def _file(spool: Spool, capture_id: str) -> str | None:
    row = (
        spool.database.read()
        .execute("SELECT file FROM capture WHERE capture_id = ?", (capture_id,))
        .fetchone()
    )
    if row is None:
        raise RuleError(tr("There is no such picture."))
    return None if row[0] is None else str(row[0])


def _require_draft(connection: sqlite3.Connection, capture_id: str) -> None:
    row = connection.execute(
        f"SELECT 1 FROM capture WHERE capture_id = ?1 AND {IS_DRAFT}",  # noqa: S608 - a constant of ours
        (capture_id,),
    ).fetchone()
    if row is None:
        raise RuleError(tr("The picture is not a draft any more: nothing was changed."))


def may_delete(operator: Operator, user_id: str) -> bool:
    """Whether an operator may delete what this user took: the own pictures, else by role."""
    return operator.user_id == user_id or may(operator, Act.DELETE_OF_OTHERS)


def not_yours() -> RuleError:
    """Why a draft was not deleted."""
    return RuleError(
        tr(
            "Somebody else took this picture. Who took it deletes it, or who has the role correct "
            "or administer: nothing was deleted. You may finish and send it."
        )
    )


def _require_right(connection: sqlite3.Connection, capture_id: str, operator: Operator) -> None:
    (user_id,) = connection.execute(
        "SELECT user_id FROM capture WHERE capture_id = ?", (capture_id,)
    ).fetchone() or ("",)
    if not may_delete(operator, user_id):
        raise not_yours()


def _require_deleted(connection: sqlite3.Connection, capture_id: str) -> None:
    row = connection.execute(
        "SELECT 1 FROM capture WHERE capture_id = ? AND deleted_at = ''", (capture_id,)
    ).fetchone()
    if row is not None:
        raise RuleError(tr("The picture was brought back already: nothing was changed."))


def require_room(folder: Path, needed: int) -> None:
    """Raises DiskFullError where less is free."""
    if free_bytes(folder) < needed:
        raise DiskFullError(
            tr("There is too little room on the disk: the picture was not kept. Ask for help.")
        )


def _record(
    connection: sqlite3.Connection,
    spool: Spool,
    action: AuditAction,
    capture_id: str,
    operator: Operator,
    description: Description | None = None,
) -> None:
    details = {}
    if description is not None:
        region, entry = description.region, description.procedure
        details = {
            "procedure": entry.entry_id if entry else "",
            "region": ":".join(region.code.key) if region else "",
            "side": description.side or "",
            "turn": "" if description.turn is Turn.NONE else description.turn,
            **{
                name: choice.choice_id if choice else ""
                for name, choice in (
                    ("purpose", description.purpose),
                    ("keep", description.keep),
                    ("consent", description.consent),
                )
            },
        }
    record_on_image(connection, spool, action, operator.user_id, capture_id, details)
