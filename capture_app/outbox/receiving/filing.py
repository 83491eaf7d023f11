"""A received object becomes an image of an exam: on its way to the archives, by the same steps.

Pixels and UIDs stay as they came. Name, number, issuer, birth date and sex are those of the exam's
patient; what stood there is kept in Original Attributes Sequence. Nothing else is added: procedure
and site are the scanner's to say.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from capture_app.archive.dimse import dataset_of
from capture_app.dicom import part10
from capture_app.dicom.request import StudyValues
from capture_app.dicom.texts import person_name_that_fits
from capture_app.errors import (
    ChangedSinceSeenError,
    ConformanceError,
    RuleError,
    SealBrokenError,
)
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.coding import Code
from capture_app.model.delivery import Instance, TaskState
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.exam import Exam
from capture_app.model.operator import Act, Operator, require
from capture_app.model.patient import Patient, Sex
from capture_app.model.procedure import Description, ImageKind
from capture_app.model.received import Contradiction, ReceivedObject
from capture_app.model.words import tr
from capture_app.outbox.keeping.drafts import PictureIdentity, insert_capture
from capture_app.outbox.receiving.agreement import contradictions
from capture_app.outbox.receiving.keeping import is_uid_sent, open_received, settle
from capture_app.outbox.receiving.reading import Read, ReceivedReader
from capture_app.outbox.sealing.identity import SealedIdentity
from capture_app.outbox.sealing.seal import insert_instance, insert_store_tasks
from capture_app.outbox.sealing.study import (
    SeriesPlace,
    StudyPlace,
    received_study_key,
    restore_place,
    study_context,
)
from capture_app.outbox.spool import Spool, stamp
from capture_app.store.database import Reader
from capture_app.store.record import to_record
from capture_app.store.sealed import stage_sealed

OTHERS: Final = (
    *("OtherPatientIDs", "OtherPatientIDsSequence", "OtherPatientNames", "PatientBirthName"),
    *("PatientMotherBirthName", "PatientBirthTime", "PatientAge", "PatientSize", "PatientWeight"),
    *("PatientAddress", "PatientTelephoneNumbers", "PatientComments", "AdditionalPatientHistory"),
    *("MedicalRecordLocator", "MedicalAlerts", "Allergies", "EthnicGroup", "PregnancyStatus"),
    *("AdmissionID", "IssuerOfAdmissionIDSequence"),
)
"""What else an object may say of its patient: of another one it may not stay."""


@dataclass(frozen=True, slots=True)
class FilingRules:
    """What the settings say of filing, and what reads."""

    destinations: tuple[str, ...]
    retention_days: int
    system: str
    """Modifying System (0400,0563): this station."""
    reader: ReceivedReader


def file_received(
    spool: Spool,
    rules: FilingRules,
    letter: str,
    exam: Exam,
    operator: Operator,
    *,
    patient: Patient,
    seen: tuple[Contradiction, ...] | None,
) -> None:
    """Files a waiting object to the patient of an exam and queues it, all or nothing.

    `patient` is the exam's in the newest wording. `seen`: what contradicts, as a person saw who
    says that it is theirs all the same; None: nobody looked, and nothing may. Raises RuleError,
    SandboxError, ConformanceError where the result is not what it must be, SealBrokenError,
    DiskFullError, StoreError.
    """
    require(operator, Act.TAKE_PICTURES)
    if not rules.destinations:
        raise RuleError(tr("No archive is set up: nothing was sent. Add one to the settings."))
    if patient.patient_id.key != exam.patient.patient_id.key or not patient.patient_id.value:
        raise RuleError(tr("A picture is of another patient: nothing was sent."))
    received, content = open_received(spool, letter)
    uid = received.sop_instance_uid
    against = contradictions(received.stated, patient)
    if against and seen is None:
        raise RuleError(tr("The image names another patient: a person has to look at it."))
    if seen is not None and set(seen) != set(against):
        raise ChangedSinceSeenError(
            tr("What the patient list says has changed meanwhile: nothing was filed. Look again.")
        )
    _require_free(spool.database.read(), uid)
    _require_own_study(spool, received, patient)
    dataset, read, changed = _coerced(spool, rules, received, content, patient, against)
    filed = part10.wrap(
        dataset,
        sop_class_uid=received.sop_class_uid,
        sop_instance_uid=received.sop_instance_uid,
        transfer_syntax_uid=received.transfer_syntax_uid,
    )
    with spool.database.transaction() as connection:
        place = _place(connection, spool, received, patient)
    identity = SealedIdentity(
        kept=PictureIdentity(
            exam, _device(received), received.received_at, Description(), is_time_known=False
        ),
        capture_id=uid,
        send_id=spool.clock.new_uid(),
        user_id=operator.user_id,
        place=place,
        instance=_instance(received, read, len(filed)),
        keep_days=rules.retention_days,
        sealed_at=spool.clock.now(),
        patient=patient,
        destinations=rules.destinations,
        sender=operator,
        shown=None,
    )
    staged = stage_sealed(
        spool.instances,
        uid=uid,
        identity=to_record(identity),
        content=filed,
        cipher=spool.cipher,
        kind="instance",
    )
    with spool.publishing((staged,)) as connection:
        original = settle(connection, spool, letter)
        _require_free(connection, uid)
        insert_capture(
            connection,
            spool,
            uid,
            identity.kept,
            file=None,
            kept_at=stamp(received.received_at),
        )
        insert_instance(connection, spool, identity, file=staged.path.name)
        insert_store_tasks(connection, spool, identity, TaskState.QUEUED)
        spool.record(
            connection,
            AuditEvent(
                AuditAction.OBJECT_FILED,
                operator.user_id,
                exam_id=exam.exam_id,
                sop_instance_uid=uid,
                study_instance_uid=received.study_instance_uid,
                patient_key=spool.patient_key(patient),
                details={
                    "sender": received.sender,
                    "by": "agreement" if seen is None else "person",
                    "against": " ".join(against),
                    "coerced": " ".join(changed),
                },
            ),
        )
    with suppress(OSError):  # one that stays is swept at the next start
        original.unlink()


def _require_free(connection: sqlite3.Connection | Reader, sop_instance_uid: str) -> None:
    """An archive keeps one of two images of one UID, and nobody could say which."""
    if is_uid_sent(connection, sop_instance_uid):
        raise RuleError(
            tr(
                "An image of the same number (SOP Instance UID) was filed before. Nothing was "
                "filed: have the scanner send it as a new image, or discard it."
            )
        )


def _require_own_study(spool: Spool, received: ReceivedObject, patient: Patient) -> None:
    """A study is one patient's: an archive that got two would show the one the other's images."""
    row = (
        spool.database.read()
        .execute(
            "SELECT 1 FROM series JOIN instance USING (series_instance_uid) "
            "JOIN capture USING (capture_id) JOIN exam USING (exam_id) "
            "WHERE series.study_instance_uid = ? AND exam.patient_key <> ? LIMIT 1",
            (received.study_instance_uid, spool.patient_key(patient)),
        )
        .fetchone()
    )
    if row is not None:
        raise RuleError(
            tr(
                "Images of the same study were filed to another patient. Nothing was filed: "
                "have the scanner send it anew, as a study of its own, or ask IT."
            )
        )


def _wanted(patient: Patient) -> dict[str, str]:
    """The patient by keyword. What the feed does not know stays as the scanner says it."""
    number, born = patient.patient_id, patient.birth_date
    said = {
        "PatientName": person_name_that_fits(patient.name),
        "PatientID": number.value,
        "IssuerOfPatientID": number.issuer,
        "PatientBirthDate": born.strftime("%Y%m%d") if born is not None else "",
        "PatientSex": "" if patient.sex is Sex.UNKNOWN else patient.sex.value,
    }
    return {keyword: value for keyword, value in said.items() if value}


def _coerced(
    spool: Spool,
    rules: FilingRules,
    received: ReceivedObject,
    content: bytes,
    patient: Patient,
    against: tuple[Contradiction, ...],
) -> tuple[bytes, Read, tuple[str, ...]]:
    """The dataset with the patient in it, what it says, proved, and what of it changed."""
    original = bytes(dataset_of(content))
    syntax, charset = received.transfer_syntax_uid, received.charset_when_absent
    wanted = _wanted(patient)
    is_another = Contradiction.NUMBER in against or Contradiction.ISSUER in against
    cleared = (
        *(keyword for keyword in ("PatientBirthDate", "PatientSex") if keyword not in wanted),
        *OTHERS,
    )
    coerced = rules.reader.coerce(
        original,
        syntax,
        charset,
        wanted,
        removed=(*cleared, "IssuerOfPatientIDQualifiersSequence") if is_another else (),
        at=f"{spool.clock.now():%Y%m%d%H%M%S.%f%z}",
        system=rules.system,
    )
    # Where nothing changes not a byte does.
    head = coerced.head if coerced.changed else original[: received.pixels_at]
    dataset = head + original[received.pixels_at :]
    read = rules.reader.read(dataset, syntax, charset)
    says = {
        "PatientName": read.texts["name"],
        "PatientID": read.texts["patient_id"],
        "IssuerOfPatientID": read.texts["issuer"],
        "PatientBirthDate": read.texts["birth_date"],
        "PatientSex": read.texts["sex"],
    }
    is_whole = (
        not read.is_unreadable
        and all(says[keyword] == value for keyword, value in wanted.items())
        and all(
            read.texts[name] == getattr(received, name)
            for name in (
                *("sop_instance_uid", "sop_class_uid", "study_instance_uid"),
                *("series_instance_uid", "pixel_sha256"),
            )
        )
        and read.pixel_layout == received.pixel_layout
        and read.pixels_at == len(head)
    )
    if not is_whole:
        raise ConformanceError(tr("The image could not be given its patient: it stays as it is."))
    return dataset, read, coerced.changed


def _instance(received: ReceivedObject, read: Read, size: int) -> Instance:
    return Instance(
        sop_instance_uid=received.sop_instance_uid,
        sop_class_uid=received.sop_class_uid,
        transfer_syntax_uid=received.transfer_syntax_uid,
        study_instance_uid=received.study_instance_uid,
        series_instance_uid=received.series_instance_uid,
        patient_id=read.texts["patient_id"],
        issuer_of_patient_id=read.texts["issuer"],
        pixel_sha256=received.pixel_sha256,
        size=size,
        pixel_layout=received.pixel_layout,
    )


def _device(received: ReceivedObject) -> DeviceInfo:
    is_ultrasound = received.modality == ImageKind.ULTRASOUND
    return DeviceInfo(
        device_id=received.sender,
        name=received.sender,
        kind=DeviceKind.STREAM,
        image_kind=ImageKind.ULTRASOUND if is_ultrasound else ImageKind.PHOTO,
        manufacturer=received.manufacturer,
        model_name=received.model_name,
        serial_number=received.serial_number,
        software_versions=received.software_versions,
    )


def _place(
    connection: sqlite3.Connection, spool: Spool, received: ReceivedObject, patient: Patient
) -> SeriesPlace:
    """The scanner's study and series, as rows. A study that pictures of ours are in stays as it is;
    a new one holds its values free for them.
    """
    uid = received.study_instance_uid
    row = connection.execute(
        "SELECT study_key, study_number, sealed FROM study WHERE study_instance_uid = ?", (uid,)
    ).fetchone()
    nothing = StudyValues(received.received_at, "", Code("", "", ""), "")
    study = StudyPlace(uid, received_study_key(spool.cipher, patient, uid), 0, nothing)
    if row is not None:
        with suppress(SealBrokenError):
            values = spool.unseal(StudyValues, row[2], study_context(uid))
            study = replace(study, study_key=row[0], study_number=row[1], values=values)
    place = SeriesPlace(
        study,
        received.series_instance_uid,
        spool.cipher.keyed_hash("series of a scanner", uid, received.series_instance_uid),
        1,
        1,
    )
    return restore_place(connection, spool, place)
