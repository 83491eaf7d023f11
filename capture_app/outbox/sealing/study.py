"""Which study and series an image belongs to (docs/decisions/0005-study-and-series.md).

UIDs are minted once and stored; study-level values are fixed at the first seal and never worked out
again; series and instance numbers only go up. Whatever is asked twice gets the same answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from capture_app.clock import Clock
from capture_app.dicom.request import StudyValues, first_study_values
from capture_app.dicom.values import fits
from capture_app.errors import RuleError, SealBrokenError
from capture_app.model.device import DeviceInfo
from capture_app.model.encounter import Location
from capture_app.model.exam import Exam
from capture_app.model.patient import Patient
from capture_app.model.procedure import Description, ProcedureEntry
from capture_app.model.words import tr
from capture_app.outbox.spool import MOST, Spool
from capture_app.store.cipher import Cipher
from capture_app.store.record import from_record
from capture_app.store.sealed import open_identity

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StudyPlace:
    """A study that has been fixed."""

    study_instance_uid: str
    study_key: str
    study_number: int
    values: StudyValues


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """Where one image goes."""

    study: StudyPlace
    series_instance_uid: str
    series_key: str
    series_number: int
    instance_number: int


@dataclass(frozen=True, slots=True)
class _OfAnExam:
    """What the sealed cell of an exam says of its study."""

    study_instance_uid: str


@dataclass(frozen=True, slots=True)
class _OfAnImage:
    """What the identity of a sealed instance says of its study."""

    place: SeriesPlace


def received_study_key(cipher: Cipher, patient: Patient, study_instance_uid: str) -> str:
    """The key of a study that a scanner began: it states no values of ours yet."""
    return cipher.keyed_hash("study of a scanner", *patient.patient_id.key, study_instance_uid)


def visit_key(cipher: Cipher, exam: Exam) -> str:
    """The study key less the procedure: patient, visit, order, department, day opened."""
    encounter, order = exam.visit_to_record, exam.order
    return cipher.keyed_hash(
        "visit",
        *exam.patient.patient_id.key,
        encounter.visit_number if encounter else "",
        encounter.issuer if encounter else "",
        order.study_instance_uid if order else "",
        order.accession_number if order else "",
        order.requested_procedure_id if order else "",
        exam.department,
        exam.started_at.date().isoformat(),
    )


def study_uid_for(connection: sqlite3.Connection, cipher: Cipher, clock: Clock, exam: Exam) -> str:
    """The Study Instance UID of an exam that opens: the order's own, unchanged; else that of an
    earlier exam with the same key less the procedure; else a new one.
    """
    if exam.order is not None and exam.order.study_instance_uid:
        return exam.order.study_instance_uid
    rows = connection.execute(
        "SELECT exam_id, sealed, study_instance_uid FROM exam WHERE visit_key = ? "
        "ORDER BY opened_at, exam_id",
        (visit_key(cipher, exam),),
    )
    for exam_id, cell, uid in rows:
        # Of the sealed cell rather than of the column beside it, which nothing protects.
        with suppress(SealBrokenError):
            opened = cipher.open_blob(cell, exam_context(exam_id).encode())
            return from_record(_OfAnExam, opened).study_instance_uid
        if fits("StudyInstanceUID", uid):
            return str(uid)
    return clock.new_uid()


def exam_context(exam_id: str) -> str:
    """The place of an exam's encrypted cell."""
    return f"exam {exam_id}"


def place_study(
    connection: sqlite3.Connection, spool: Spool, exam: Exam, descriptions: Sequence[Description]
) -> StudyPlace:
    """The study of images that are sealed together: all of one exam and one act's code.

    Found by its key, else fixed here and now, in the caller's transaction.
    """
    entries = [_entry(description) for description in descriptions]
    key, found = _find_study(
        connection, spool, exam, _study_key(spool.cipher, exam, entries[0], with_reason=False)
    )
    if found is not None and exam.order is None and not all(map(found.values.fits, entries)):
        # The study states a reason that is not this act's: these images may not join it.
        key, found = _find_study(
            connection, spool, exam, _study_key(spool.cipher, exam, entries[0], with_reason=True)
        )
    return found or _fix_study(connection, spool, exam, descriptions, key)


def place_instance(
    connection: sqlite3.Connection,
    spool: Spool,
    study: StudyPlace,
    *,
    exam: Exam,
    device: DeviceInfo,
    description: Description,
    where: Location | None = None,
    is_film: bool = False,
) -> SeriesPlace:
    """The series of one image, and its number there; both counters move on for good.

    `where` it was taken is the same for all images of a series (PS3.3 C.7.5.1).
    """
    key = _series_key(spool.cipher, study, exam, device, description, where, is_film=is_film)
    while row := connection.execute(
        "UPDATE series SET last_instance_number = 1 + max("
        "iif(last_instance_number BETWEEN 0 AND ?2, last_instance_number, 0), "
        "coalesce((SELECT max(instance_number) FROM instance "
        "WHERE instance.series_instance_uid = series.series_instance_uid "
        "AND instance_number <= ?2), 0)) WHERE series_key = ?1 "
        "RETURNING series_instance_uid, series_number, last_instance_number",
        (key, MOST),
    ).fetchone():
        uid, series_number, number = row
        if fits("SeriesInstanceUID", uid) and 0 < series_number < MOST:
            return SeriesPlace(study, uid, key, series_number, number)
        _log.error("series-row-unreadable", uid=uid)
        key = spool.cipher.keyed_hash("series set apart", key)
    number = _next_series_number(connection, study.study_instance_uid)
    series_instance_uid = spool.clock.new_uid()
    connection.execute(
        "INSERT INTO series (series_instance_uid, series_key, study_instance_uid, series_number, "
        "last_instance_number) VALUES (?, ?, ?, ?, 1)",
        (series_instance_uid, key, study.study_instance_uid, number),
    )
    return SeriesPlace(study, series_instance_uid, key, number, 1)


def restore_place(connection: sqlite3.Connection, spool: Spool, place: SeriesPlace) -> SeriesPlace:
    """Puts back, from a sealed file, the rows of a study and series; counters never go down.

    Returns the place as the rows have it. Where the database was lost, or put back from a copy,
    keys and numbers of the file may have been given out again since: its rows then get others of
    their own, and the UIDs stay.
    """
    study, uid = place.study, place.series_instance_uid
    study_uid = study.study_instance_uid
    key, series_key = study.study_key, place.series_key
    series_number, number = place.series_number, place.instance_number

    for table, kept_key, kept_uid in (("study", key, study_uid), ("series", series_key, uid)):
        # What goes by the right key under something that is no UID is this row, damaged.
        connection.execute(
            f"UPDATE OR IGNORE {table} SET {table}_instance_uid = ? "  # noqa: S608 - names of ours
            f"WHERE {table}_key = ? AND {table}_instance_uid GLOB '*[^0-9.]*'",
            (kept_uid, kept_key),
        )

    def is_taken(question: str, *values: object) -> bool:
        return connection.execute(f"SELECT 1 FROM {question}", values).fetchone() is not None  # noqa: S608 - constants of ours

    if is_taken("study WHERE study_key = ? AND study_instance_uid <> ?", key, study_uid):
        key = spool.cipher.keyed_hash("study put back", key, study_uid)
    connection.execute(
        "INSERT INTO study (study_instance_uid, study_key, study_number, last_series_number, "
        "sealed) VALUES (?, ?, ?, ?, ?) ON CONFLICT (study_instance_uid) DO UPDATE "
        "SET study_key = excluded.study_key, "
        "last_series_number = max(last_series_number, excluded.last_series_number)",
        (
            study_uid,
            key,
            study.study_number,
            series_number,
            spool.seal(study.values, study_context(study_uid)),
        ),
    )
    if is_taken("series WHERE series_key = ? AND series_instance_uid <> ?", series_key, uid):
        series_key = spool.cipher.keyed_hash("series put back", series_key, uid)
    if is_taken(
        "series WHERE study_instance_uid = ? AND series_number = ? AND series_instance_uid <> ?",
        study_uid,
        series_number,
        uid,
    ):
        series_number = _next_series_number(connection, study_uid)
    if is_taken("instance WHERE series_instance_uid = ? AND instance_number = ?", uid, number):
        (number,) = connection.execute(
            "SELECT last_instance_number + 1 FROM series WHERE series_instance_uid = ?", (uid,)
        ).fetchone()
    connection.execute(
        "INSERT INTO series (series_instance_uid, series_key, study_instance_uid, series_number, "
        "last_instance_number) VALUES (?, ?, ?, ?, ?) ON CONFLICT (series_instance_uid) DO UPDATE "
        "SET series_key = excluded.series_key, study_instance_uid = excluded.study_instance_uid, "
        "last_instance_number = max(last_instance_number, excluded.last_instance_number)",
        (uid, series_key, study_uid, series_number, number),
    )
    return replace(place, series_number=series_number, instance_number=number)


def _next_series_number(connection: sqlite3.Connection, study_instance_uid: str) -> int:
    (number,) = connection.execute(
        "UPDATE study SET last_series_number = 1 + max("
        "iif(last_series_number BETWEEN 0 AND ?2, last_series_number, 0), "
        "coalesce((SELECT max(series_number) FROM series "
        "WHERE series.study_instance_uid = study.study_instance_uid AND series_number <= ?2), 0)) "
        "WHERE study_instance_uid = ?1 RETURNING last_series_number",
        (study_instance_uid, MOST),
    ).fetchone()
    return int(number)


def _entry(description: Description) -> ProcedureEntry:
    if description.procedure is None or description.region is None:
        raise RuleError(tr("Choose the procedure and the region first."))
    return description.procedure


def _study_key(cipher: Cipher, exam: Exam, entry: ProcedureEntry, *, with_reason: bool) -> str:
    visit, order = visit_key(cipher, exam), exam.order
    if order is not None and order.study_instance_uid:
        # The worklist's UID is used unchanged, whatever the day and the act.
        identifier = exam.patient.patient_id
        return cipher.keyed_hash("study of an order", *identifier.key, order.study_instance_uid)
    if order is not None:
        return cipher.keyed_hash("study of an order", visit)
    # Sensitive images stand alone: access is granted per study.
    parts = [visit, *entry.code.key, "sensitive" if entry.sensitive else ""]
    if with_reason:
        parts += entry.reason.key if entry.reason else ("", "")
    return cipher.keyed_hash("study", *parts)


def _series_key(
    cipher: Cipher,
    study: StudyPlace,
    exam: Exam,
    device: DeviceInfo,
    description: Description,
    where: Location | None,
    *,
    is_film: bool,
) -> str:
    entry, region, purpose = _entry(description), description.region, description.purpose
    return cipher.keyed_hash(
        "series",
        study.study_instance_uid,
        exam.exam_id,
        # These two decide the SOP class; the dicom room knows how.
        device.image_kind,
        entry.image_kind,
        device.device_id,
        *(region.code.key if region else ("", "")),
        description.side or "",
        purpose.choice_id if purpose else "",
        entry.entry_id,
        *((where.ward, where.room) if where is not None else ()),
        *(("film",) if is_film else ()),  # of a class of its own
    )


def _find_study(
    connection: sqlite3.Connection, spool: Spool, exam: Exam, key: str
) -> tuple[str, StudyPlace | None]:
    """The study of a key, and the key by which it goes.

    A study whose row is damaged is put right by the sealed file of one of its images. Where none
    is left it takes no more images: what would have joined it goes by another key.
    """
    while True:
        row = connection.execute(
            "SELECT study_instance_uid, study_number, sealed FROM study WHERE study_key = ?",
            (key,),
        ).fetchone()
        if row is None:
            if _put_key_right(connection, spool, exam.study_instance_uid, key):
                continue
            return key, None
        uid, number, cell = row
        values: StudyValues | None
        try:
            values = spool.unseal(StudyValues, cell, study_context(uid))
        except SealBrokenError:
            values = _values_of_a_file(connection, spool, uid)
        if values is not None and 0 <= number <= MOST:
            return key, StudyPlace(uid, key, number, values)
        _log.error("study-row-unreadable", uid=uid)
        key = spool.cipher.keyed_hash("study set apart", key)


def _values_of_a_file(
    connection: sqlite3.Connection, spool: Spool, study_instance_uid: str
) -> StudyValues | None:
    study = _study_of_a_file(connection, spool, study_instance_uid)
    if study is None:
        return None
    connection.execute(
        "UPDATE study SET sealed = ? WHERE study_instance_uid = ?",
        (spool.seal(study.values, study_context(study_instance_uid)), study_instance_uid),
    )
    _log.warning("study-row-put-right", uid=study_instance_uid)
    return study.values


def _put_key_right(
    connection: sqlite3.Connection, spool: Spool, study_instance_uid: str, key: str
) -> bool:
    """Whether the study of that UID goes by the key, as an image of it says, and does so now."""
    study = _study_of_a_file(connection, spool, study_instance_uid)
    if study is None or study.study_key != key:
        return False
    connection.execute(
        "UPDATE study SET study_key = ? WHERE study_instance_uid = ?", (key, study_instance_uid)
    )
    _log.warning("study-row-put-right", uid=study_instance_uid)
    return True


def _study_of_a_file(
    connection: sqlite3.Connection, spool: Spool, study_instance_uid: str
) -> StudyPlace | None:
    """What the sealed file of one of its images says of a study; None where there is none."""
    rows = connection.execute(
        "SELECT instance.sop_instance_uid, instance.file FROM series "
        "JOIN instance USING (series_instance_uid) "
        "WHERE series.study_instance_uid = ? AND instance.file IS NOT NULL",
        (study_instance_uid,),
    )
    for uid, file in rows:
        with suppress(SealBrokenError, OSError):
            _, record = open_identity(spool.instances / file, spool.cipher, uid=uid)
            study = from_record(_OfAnImage, record).place.study
            if study.study_instance_uid == study_instance_uid:
                return study
    return None


def _fix_study(
    connection: sqlite3.Connection,
    spool: Spool,
    exam: Exam,
    descriptions: Sequence[Description],
    key: str,
) -> StudyPlace:
    uid = exam.study_instance_uid
    row = connection.execute(
        "SELECT study_key FROM study WHERE study_instance_uid = ?", (uid,)
    ).fetchone()
    is_begun_by_scanner = row == (received_study_key(spool.cipher, exam.patient, uid),)
    if row is not None and not is_begun_by_scanner:
        # Images of another act of this visit have it, and may not share study-level values with
        # these. With an order it is a worklist that gave one UID to two patients: never join them.
        if exam.order is not None:
            _log.warning("order-study-uid-taken", exam_id=exam.exam_id)
        uid = spool.clock.new_uid()
    (number,) = connection.execute(
        "SELECT coalesce(max(study_number), 0) + 1 FROM study WHERE study_number BETWEEN 0 AND ?",
        (MOST,),
    ).fetchone()
    values = first_study_values(
        exam, descriptions, started_at=exam.started_at, study_id=str(number)
    )
    if exam.order is not None:
        values = replace(values, reason=None)  # other acts of the order will join this study
    connection.execute(
        "INSERT INTO study (study_instance_uid, study_key, study_number, sealed) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (study_instance_uid) DO UPDATE SET "
        "study_key = excluded.study_key, study_number = excluded.study_number, "
        "sealed = excluded.sealed",
        (uid, key, number, spool.seal(values, study_context(uid))),
    )
    return StudyPlace(uid, key, number, values)


def study_context(study_instance_uid: str) -> str:
    """The place of a study's encrypted cell."""
    return f"study {study_instance_uid}"
