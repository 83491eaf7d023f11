"""Send: drafts become sealed SOP instances on their way, and for a few seconds that can be undone.

Built, verified, encrypted and fsynced first; then one transaction names the files and writes the
instances (Held), their STORE tasks and the trail. What was withdrawn since is sealed anew under a
new SOP Instance UID; a retry never mints one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from capture_app.dicom.request import SealRequest, SourceFrame
from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.delivery import Instance, TaskState
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.encounter import Encounter
from capture_app.model.exam import Exam
from capture_app.model.operator import Act, Operator, require
from capture_app.model.patient import Patient
from capture_app.model.procedure import Description
from capture_app.model.shown import ShownAtSend
from capture_app.model.words import tr
from capture_app.outbox.keeping.description import (
    Seen,
    changed_since_seen,
    description_context,
    require_seen,
)
from capture_app.outbox.keeping.drafts import (
    PictureIdentity,
    open_kept,
)
from capture_app.outbox.keeping.exams import read_exam_of
from capture_app.outbox.sealing.content import clip_instance, is_film, picture_instance
from capture_app.outbox.sealing.identity import SealedIdentity, instance_context
from capture_app.outbox.sealing.source import source_frame
from capture_app.outbox.sealing.study import SeriesPlace, place_instance, place_study
from capture_app.outbox.spool import IS_DRAFT, Spool, stamp
from capture_app.settings.schema import Institution, Station
from capture_app.store.record import to_record
from capture_app.store.sealed import Staged, discard_staged, stage_sealed

if TYPE_CHECKING:  # its libraries are read by the first picture
    from capture_app.imaging.decoder import Decoder


@dataclass(frozen=True, slots=True)
class Sending:
    """What one Send set on its way."""

    send_id: str
    capture_ids: tuple[str, ...]
    hold_until: datetime
    """Until then `undo` is possible. The present where nothing is held."""


@dataclass(frozen=True, slots=True)
class SealingRules:
    """What the settings say of sealing, and what it needs."""

    destinations: tuple[str, ...]
    institution: Institution
    station: Station
    hold_seconds: float
    retention_days: int
    decoder: Decoder
    """What looks into the coded data of a picture that was turned."""


@dataclass(frozen=True, slots=True)
class _Draft:
    capture_id: str
    kept: PictureIdentity
    """With the description that is in the row now."""
    cell: bytes
    """That description's cell: it must still be there when the instance is written."""
    patient: Patient
    """In the wording to be sealed."""
    shown: ShownAtSend | None
    visit: Encounter | None
    """With the number that it has now."""
    is_visit_shared: bool
    """The number of the visit is left out."""
    is_film: bool
    """Frames in a row, of a class of their own."""


@dataclass(frozen=True, slots=True)
class _Sealed:
    draft: _Draft
    identity: SealedIdentity
    staged: Staged


def seal(
    spool: Spool,
    rules: SealingRules,
    capture_ids: Sequence[str],
    operator: Operator,
    *,
    seen: Seen | None,
    patient: Patient | None,
    shown: Mapping[str, ShownAtSend],
    visits: Mapping[str, Encounter],
    visits_shared: Collection[str],
    answered: Collection[str],
    release_now: bool,
) -> Sending:
    """Seals drafts and queues them, all or none. See the module for what is promised when.

    `seen`: what the person who sends saw of each; whatever says something else stops all.
    `patient`: the wording of the patient that Send showed, else that of each picture's exam.
    `shown`: what the screen said of each, where a screen did.
    `visits`: the visits of exams, by their ids, as they are numbered now.
    `visits_shared`: the ids of exams whose visit's number no picture may carry by now. `answered`:
    codes of what speaks against sending, and was known. Raises
    RuleError where one is no draft or not described, or the operator may send none,
    ChangedSinceSeenError, ConformanceError where a dataset would break the standard,
    SealBrokenError where a picture fails its check, ImageError where one cannot be turned,
    DiskFullError, StoreError.
    """
    require(operator, Act.TAKE_PICTURES)
    if not capture_ids:
        raise RuleError(tr("There is nothing to send."))
    if not rules.destinations:
        raise RuleError(tr("No archive is set up. Add one to the settings."))
    send_id = spool.clock.new_uid()
    drafts = [
        _draft(spool, capture_id, patient, shown.get(capture_id), visits, visits_shared)
        for capture_id in capture_ids
    ]
    for draft in drafts:  # before numbers are given out; once more in the transaction
        require_seen(spool.database.read(), spool, draft.capture_id, seen)
    places = _places(spool, drafts)
    sealed: list[_Sealed] = []
    try:
        # One at a time: a raw 12 MP picture is 36 MB. Clips first: stills of them name them.
        films: dict[str, Instance] = {}
        for draft in sorted(drafts, key=lambda one: not one.is_film):
            source = source_frame(spool, draft.kept.source, films)
            one = _seal_one(
                spool, rules, draft, places[draft.capture_id], operator, send_id, source
            )
            films[draft.capture_id] = one.identity.instance
            sealed.append(one)
        sealed.sort(key=lambda one: capture_ids.index(one.draft.capture_id))
    except BaseException:
        discard_staged([one.staged for one in sealed])
        raise
    with spool.publishing([one.staged for one in sealed]) as connection:
        for one in sealed:
            _require_unchanged(connection, one.draft)
            require_seen(connection, spool, one.draft.capture_id, seen)
            insert_instance(connection, spool, one.identity, file=one.staged.path.name)
            state = TaskState.QUEUED if release_now else TaskState.HELD
            insert_store_tasks(connection, spool, one.identity, state, answered)
            _record(connection, spool, one.identity, operator)
    hold = 0.0 if release_now else rules.hold_seconds
    return Sending(send_id, tuple(capture_ids), spool.clock.now() + timedelta(seconds=hold))


def insert_instance(
    connection: sqlite3.Connection, spool: Spool, identity: SealedIdentity, *, file: str
) -> None:
    """The row of a sealed instance."""
    uid = identity.instance.sop_instance_uid
    connection.execute(
        "INSERT INTO instance (sop_instance_uid, capture_id, series_instance_uid, send_id, "
        "user_id, file, instance_number, keep_days, sealed_at, sealed) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            uid,
            identity.capture_id,
            identity.place.series_instance_uid,
            identity.send_id,
            identity.user_id,
            file,
            identity.place.instance_number,
            identity.keep_days,
            stamp(identity.sealed_at),
            spool.seal(replace(identity.instance, patient=identity.patient), instance_context(uid)),
        ),
    )


def remove_file(path: Path) -> None:
    """Removes a sealed file that no row names any more. What stays is swept at the next start."""
    with suppress(OSError):
        path.unlink()


def insert_store_tasks(
    connection: sqlite3.Connection,
    spool: Spool,
    identity: SealedIdentity,
    state: TaskState,
    answered: Collection[str] = (),
) -> None:
    """The first step of the delivery of an instance, one for each destination."""
    uid = identity.instance.sop_instance_uid
    connection.executemany(
        "INSERT INTO task (kind, sop_instance_uid, destination, state, answered, changed_at) "
        "VALUES ('store', ?, ?, ?, ?, ?) "
        "ON CONFLICT (kind, sop_instance_uid, destination) DO NOTHING",
        [
            (uid, destination, state, " ".join(answered), spool.now())
            for destination in identity.destinations
        ],
    )


_DRAFT = f"SELECT description FROM capture WHERE capture_id = ?1 AND {IS_DRAFT}"  # noqa: S608 - a constant of ours


def _draft(
    spool: Spool,
    capture_id: str,
    patient: Patient | None,
    shown: ShownAtSend | None,
    visits: Mapping[str, Encounter],
    visits_shared: Collection[str],
) -> _Draft:
    row = spool.database.read().execute(_DRAFT, (capture_id,)).fetchone()
    if row is None:
        raise _no_draft_any_more()
    description = spool.unseal(Description, row[0], description_context(capture_id))
    if description.procedure is None or description.region is None:
        raise RuleError(tr("Choose the procedure and the region first."))
    kept = open_kept(spool, capture_id)
    kept = replace(kept, exam=_exam_of(spool, capture_id, kept.exam))
    if patient is not None and patient.patient_id.key != kept.exam.patient.patient_id.key:
        raise RuleError(tr("A picture is of another patient."))
    return _Draft(
        capture_id,
        replace(kept, description=description),
        row[0],
        patient or kept.exam.patient,
        shown,
        _numbered_now(kept.exam, visits),
        kept.exam.is_visit_shared or kept.exam.exam_id in visits_shared,
        is_film(spool, capture_id),
    )


def _exam_of(spool: Spool, capture_id: str, frozen: Exam) -> Exam:
    """The exam of a picture: that of its file, unless its order was left since."""
    now = read_exam_of(spool, capture_id)
    return now if now.is_without_order_of(frozen) else frozen


def _numbered_now(exam: Exam, visits: Mapping[str, Encounter]) -> Encounter | None:
    """The visit of an exam as it was frozen, under the number that it has now, if it has one."""
    now = visits.get(exam.exam_id)
    if exam.encounter is None or now is None or not now.visit_number:
        return exam.encounter
    return exam.encounter.numbered(now.number)


def _require_unchanged(connection: sqlite3.Connection, draft: _Draft) -> None:
    row = connection.execute(_DRAFT, (draft.capture_id,)).fetchone()
    if row is None:
        raise _no_draft_any_more()
    if row[0] != draft.cell:  # between what was read of it and the disk: nobody has seen that
        raise changed_since_seen()


def _no_draft_any_more() -> RuleError:
    return RuleError(tr("A picture is no draft any more."))


def _places(spool: Spool, drafts: Sequence[_Draft]) -> dict[str, SeriesPlace]:
    """Fixes studies and series. Kept even where sealing fails then: no number is used twice."""

    def together(draft: _Draft) -> tuple[str, str, str]:
        procedure = draft.kept.description.procedure
        return (draft.kept.exam.exam_id, *(procedure.code.key if procedure else ("", "")))

    places = {}
    with spool.database.transaction() as connection:
        for _, group in groupby(sorted(drafts, key=together), key=together):
            members = list(group)
            study = place_study(
                connection,
                spool,
                members[0].kept.exam,
                [draft.kept.description for draft in members],
            )
            for draft in members:
                places[draft.capture_id] = place_instance(
                    connection,
                    spool,
                    study,
                    exam=draft.kept.exam,
                    device=draft.kept.device,
                    description=draft.kept.description,
                    where=draft.kept.place,
                    is_film=draft.is_film,
                )
    return places


def _seal_one(
    spool: Spool,
    rules: SealingRules,
    draft: _Draft,
    place: SeriesPlace,
    operator: Operator,
    send_id: str,
    source: SourceFrame | None,
) -> _Sealed:
    """Builds, verifies, encrypts and fsyncs one instance, under a temporary name."""
    kept, sealed_at = draft.kept, spool.clock.now()

    def request(image: EncodedImage) -> SealRequest:
        return SealRequest(
            exam=replace(
                kept.exam,
                patient=draft.patient,
                encounter=draft.visit,
                is_visit_shared=draft.is_visit_shared,
            ),
            description=kept.description,
            image=image,
            device=kept.device,
            sop_instance_uid=_sop_instance_uid(spool, draft.capture_id),
            series_instance_uid=place.series_instance_uid,
            study_instance_uid=place.study.study_instance_uid,
            series_number=place.series_number,
            instance_number=place.instance_number,
            taken_at=kept.taken_at,
            is_time_known=kept.is_time_known,
            sealed_at=sealed_at,
            study=place.study.values,
            institution=rules.institution,
            station=rules.station,
            place=kept.place,
            source=source,
        )

    content: bytes | Iterator[bytes]
    turn = kept.description.turn
    if draft.is_film:
        instance, content = clip_instance(spool, draft.capture_id, turn, request)
    else:
        instance, content = picture_instance(spool, draft.capture_id, turn, rules.decoder, request)
    keep = kept.description.keep
    days = rules.retention_days if keep is None or keep.days is None else keep.days
    identity = SealedIdentity(
        kept=kept,
        capture_id=draft.capture_id,
        send_id=send_id,
        user_id=operator.user_id,
        sender=operator,
        destinations=rules.destinations,
        shown=draft.shown,
        place=place,
        instance=instance,
        keep_days=days,
        sealed_at=sealed_at,
        patient=draft.patient,
    )
    staged = stage_sealed(
        spool.instances,
        uid=instance.sop_instance_uid,
        identity=to_record(identity),
        content=content,
        cipher=spool.cipher,
        kind="instance",
    )
    return _Sealed(draft, identity, staged)


def _sop_instance_uid(spool: Spool, capture_id: str) -> str:
    """The UID of the shutter, or a new one where that one was sealed before and withdrawn."""
    connection = spool.database.read()
    row = connection.execute(
        "SELECT 1 FROM instance WHERE sop_instance_uid = ?", (capture_id,)
    ).fetchone()
    return spool.clock.new_uid() if row else capture_id


def shown_hash(spool: Spool, shown: ShownAtSend | None) -> str:
    """Keyed hash of what Send showed, as the trail has it; empty where no screen showed it."""
    return "" if shown is None else spool.cipher.keyed_hash("shown at send", *astuple(shown))


def _record(
    connection: sqlite3.Connection, spool: Spool, identity: SealedIdentity, operator: Operator
) -> None:
    exam, instance = identity.kept.exam, identity.instance
    spool.record(
        connection,
        AuditEvent(
            AuditAction.SEND_ASKED,
            operator.user_id,
            exam_id=exam.exam_id,
            sop_instance_uid=instance.sop_instance_uid,
            study_instance_uid=instance.study_instance_uid,
            patient_key=spool.patient_key(exam.patient),
            details={
                "capture": identity.capture_id,
                "send": identity.send_id,
                "photographer": exam.operator.user_id,
                "shown": shown_hash(spool, identity.shown),
            },
        ),
    )
