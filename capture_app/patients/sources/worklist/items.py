"""Worklist items: what is asked for (PS3.4 Table K.6-1 and EBIW), and what an answer says."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from capture_app.dicom.received_text import WorklistText, first_item
from capture_app.errors import FeedError
from capture_app.hl7.dates import date_of, moment_of
from capture_app.hl7.identifiers import identifier
from capture_app.hl7.names import MAX_GROUP, name_text
from capture_app.model.coding import Code
from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.order import Order
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.model.words import tr
from capture_app.patients.census.orders import WorklistItem
from capture_app.settings.schema import Worklist

_RETURNED: Final = (
    "TimezoneOffsetFromUTC",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "CurrentPatientLocation",
    # The five that EBIW adds (RAD-130)
    "InstitutionName",
    "InstitutionalDepartmentName",
    "InstitutionalDepartmentTypeCodeSequence",
    "AdmissionID",
    "IssuerOfAdmissionIDSequence",
    # Sequences asked for whole
    "IssuerOfAccessionNumberSequence",
    "IssuerOfPatientIDQualifiersSequence",
    "RequestedProcedureCodeSequence",
)
_RETURNED_OF_STEP: Final = (
    "ScheduledProcedureStepStartTime",
    "ScheduledPerformingPhysicianName",
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
)
_UID: Final = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_SHORT: Final = 16
_LONG: Final = 64


def identifier_for(worklist: Worklist, now: datetime) -> Dataset:
    """The question: steps from yesterday to tomorrow, by the local day, of the station's filter."""
    step = Dataset()
    step.ScheduledStationAETitle = worklist.station_ae_title
    days = (now - timedelta(days=1), now + timedelta(days=1))
    step.ScheduledProcedureStepStartDate = "-".join(f"{day:%Y%m%d}" for day in days)
    step.Modality = worklist.modality
    _ask(step, _RETURNED_OF_STEP)
    ds = Dataset()
    _ask(ds, _RETURNED)
    ds.ScheduledProcedureStepSequence = Sequence([step])
    return ds


def _ask(ds: Dataset, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        setattr(ds, keyword, Sequence() if keyword.endswith("Sequence") else "")


def read_item(ds: Dataset, charset_when_absent: str, zone: tzinfo | None) -> WorklistItem:
    """One answer. `zone` holds for its times where it names none.

    Raises FeedError for an item that names no patient or no study, or says something that an image
    could not carry: an order that is changed to fit is another order.
    """
    text = WorklistText(ds, charset_when_absent)
    patient = _patient(text, ds)
    return WorklistItem(patient, _encounter(text, ds), _order(text, ds, zone))


def _patient(text: WorklistText, ds: Dataset) -> Patient:
    number = identifier(text.of(ds, "PatientID"))
    name = person_name(text.of(ds, "PatientName"))
    if not number or not name.pn:
        raise FeedError(tr("The item names no patient."))
    qualifiers = first_item(ds, "IssuerOfPatientIDQualifiersSequence")
    sex = text.of(ds, "PatientSex")
    return Patient(
        PatientId(
            number,
            identifier(text.of(ds, "IssuerOfPatientID")),
            identifier(text.of(qualifiers, "UniversalEntityID")),
            text.of(qualifiers, "UniversalEntityIDType"),
        ),
        name,
        date_of(text.of(ds, "PatientBirthDate")),
        Sex(sex) if sex in {"M", "F", "O"} else Sex.UNKNOWN,
    )


def person_name(value: str) -> PersonName:
    """The name of a PN value. FeedError for a group longer than DICOM allows."""
    groups = []
    for group in value.split("=")[:3]:
        if len(group) > MAX_GROUP:
            raise FeedError(tr("A name is longer than the 64 characters that DICOM holds."))
        groups.append(NameGroup(*(name_text(part) for part in group.split("^")[:5])))
    return PersonName(*groups)


def _encounter(text: WorklistText, ds: Dataset) -> Encounter | None:
    number = identifier(text.of(ds, "AdmissionID"))
    place = text.of(ds, "CurrentPatientLocation")
    if not number and not place:
        return None
    issuer = first_item(ds, "IssuerOfAdmissionIDSequence")
    return Encounter(
        visit_number=number,
        issuer=identifier(
            text.of(issuer, "LocalNamespaceEntityID") or text.of(issuer, "UniversalEntityID")
        ),
        patient_class="",
        location=Location(*(part.strip() for part in place.split("^")[:4])),
        state=EncounterState.OPEN,
        department=text.of(ds, "InstitutionalDepartmentName"),
    )


def _order(text: WorklistText, ds: Dataset, zone: tzinfo | None) -> Order:
    step = first_item(ds, "ScheduledProcedureStepSequence")
    study = text.of(ds, "StudyInstanceUID")
    if len(study) > _LONG or not _UID.fullmatch(study):
        raise FeedError(tr("The item has no usable Study Instance UID."))
    referring = text.of(ds, "ReferringPhysicianName")
    accession_issuer = first_item(ds, "IssuerOfAccessionNumberSequence")
    return Order(
        study_instance_uid=study,
        accession_number=_within(text.of(ds, "AccessionNumber"), _SHORT),
        requested_procedure_id=_within(text.of(ds, "RequestedProcedureID"), _SHORT),
        requested_procedure_description=_within(
            text.of(ds, "RequestedProcedureDescription"), _LONG
        ),
        requested_procedure_code=_code(text, first_item(ds, "RequestedProcedureCodeSequence")),
        scheduled_procedure_step_id=_within(text.of(step, "ScheduledProcedureStepID"), _SHORT),
        scheduled_procedure_step_description=_within(
            text.of(step, "ScheduledProcedureStepDescription"), _LONG
        ),
        scheduled_protocol_codes=tuple(
            code
            for item in step.get("ScheduledProtocolCodeSequence") or ()
            if (code := _code(text, item)) is not None
        ),
        modality=text.of(step, "Modality"),
        scheduled_station_ae_title=text.all_of(step, "ScheduledStationAETitle")[0],
        scheduled_at=_scheduled(text, ds, step, zone),
        referring_physician=person_name(referring) if referring else None,
        accession_issuer=text.of(accession_issuer, "LocalNamespaceEntityID"),
        department=text.of(ds, "InstitutionalDepartmentName"),
    )


def _scheduled(
    text: WorklistText, ds: Dataset, step: Dataset, zone: tzinfo | None
) -> datetime | None:
    day = text.of(step, "ScheduledProcedureStepStartDate")
    time = text.of(step, "ScheduledProcedureStepStartTime").replace(":", "")
    offset = text.of(ds, "TimezoneOffsetFromUTC")
    if zone is None:
        return None
    return moment_of(day + time + offset, zone) or moment_of(day, zone)


def _code(text: WorklistText, item: Dataset) -> Code | None:
    """A coded entry; None where it is not one of the short kind that an image repeats."""
    code = Code(
        text.of(item, "CodeValue"),
        text.of(item, "CodingSchemeDesignator"),
        text.of(item, "CodeMeaning"),
    )
    fits = len(code.value) <= _SHORT and len(code.scheme) <= _SHORT and len(code.meaning) <= _LONG
    return code if code.value and code.scheme and code.meaning and fits else None


def _within(value: str, longest: int) -> str:
    if len(value) > longest:
        raise FeedError(tr("A value of the item is longer than DICOM allows."))
    return value
