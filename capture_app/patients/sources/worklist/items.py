"""Worklist items: what is asked for (PS3.4 Table K.6-1 and EBIW), and what an answer says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from capture_app.dicom.received_text import WorklistText, first_item
from capture_app.dicom.texts import person_name as person_name_value
from capture_app.dicom.values import fits, fits_identifier
from capture_app.errors import FeedError
from capture_app.hl7.dates import moment_of
from capture_app.hl7.entities import holds_entity, without_entities
from capture_app.hl7.names import MAX_SHOWN, name_text
from capture_app.model.coding import Code
from capture_app.model.encounter import Encounter, EncounterState
from capture_app.model.feed_note import NoteCode
from capture_app.model.order import Order
from capture_app.model.patient import NameGroup, PartialDate, Patient, PatientId, PersonName, Sex
from capture_app.model.strict_text import is_doubtful
from capture_app.model.words import tr
from capture_app.patients.census.orders import WorklistItem
from capture_app.patients.sources.conventions import Conventions
from capture_app.patients.sources.door import Door, can_be_identifier
from capture_app.settings.feeds import HtmlEntities, Worklist

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
_DIVIDERS: Final = {"^": " ", "=": " ", "\\": " "}
"""What divides a value of DICOM, and what stands for it where it was meant as a character."""


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


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Reads the answers of one worklist as its settings say."""

    charset_when_absent: str
    charsets: tuple[tuple[str, str], ...]
    repairs_entities: bool
    conventions: Conventions

    @classmethod
    def of(cls, worklist: Worklist) -> ItemReader:
        """The reader for these settings."""
        named = (entry.partition("=") for entry in worklist.charsets)
        return cls(
            worklist.charset_when_absent,
            tuple((name.strip(), written) for name, _, written in named),
            worklist.html_entities is HtmlEntities.REPAIR,
            Conventions.of(worklist),
        )

    def read(self, ds: Dataset, now: datetime) -> WorklistItem:
        """One answer, heard at `now`, whose zone holds for times where the item names none.

        Raises FeedError for an item that names no patient, and for a name that cannot be read. What
        else cannot be read, or could not stand in an image, is left out and noted: without a study
        the whole order.
        """
        text = WorklistText(ds, self.charset_when_absent, dict(self.charsets))
        item = _Item(text, ds, self.repairs_entities, self.conventions, Door())
        return item.read(now)


@dataclass(frozen=True, slots=True)
class _Item:
    """One answer being read."""

    text: WorklistText
    ds: Dataset
    repairs_entities: bool
    conventions: Conventions
    door: Door

    def read(self, now: datetime) -> WorklistItem:
        patient = self._patient(now.date())
        encounter = self._encounter()
        order = self._order(now.tzinfo)
        return WorklistItem(patient, encounter, order, self.door.notes)

    def _patient(self, today: date) -> Patient:
        number = self._number()
        name = person_name(self._plain(self.ds, "PatientName"))
        if not fits("PatientName", person_name_value(name)):
            self.door.note("PatientName", NoteCode.LEFT_OUT)
        if is_doubtful(name.pn, is_latin_1=self.text.is_latin_1):
            self.door.note("PatientName", NoteCode.DOUBTED)
        nobody = Patient(number, name, None, self._sex())
        return nobody.with_birth_date(self._birth_date(today))

    def _number(self) -> PatientId:
        qualifiers = first_item(self.ds, "IssuerOfPatientIDQualifiersSequence")
        number = PatientId(
            self._plain(self.ds, "PatientID"),
            self._plain(self.ds, "IssuerOfPatientID"),
            self._read(qualifiers, "UniversalEntityID"),
            self._read(qualifiers, "UniversalEntityIDType"),
            self._read(qualifiers, "IdentifierTypeCode"),
        )
        if not number.value:
            raise FeedError(tr("The item names no patient."))
        if not can_be_identifier(number):
            raise FeedError(tr("An identifier has more characters or others than DICOM can hold."))
        return self.door.typed("PatientID", number)

    def _sex(self) -> Sex:
        code = self._read(self.ds, "PatientSex")
        sex = self.conventions.sex_of(code) if code else Sex.UNKNOWN
        if sex is None:
            self.door.note("PatientSex", NoteCode.UNREADABLE)
        return sex or Sex.UNKNOWN

    def _birth_date(self, today: date) -> date | PartialDate | None:
        # ACR-NEMA wrote 1956.07.14, which PS3.5 6.2 still lets a reader take.
        text = self._read(self.ds, "PatientBirthDate").replace(".", "")
        if not text:
            return None
        born, remark = self.conventions.birth_date_of(text, today)
        if remark is not None:
            self.door.note("PatientBirthDate", remark)
        return born

    def _encounter(self) -> Encounter | None:
        number = self._identifier(self.ds, "AdmissionID")
        place = self._read(self.ds, "CurrentPatientLocation")
        if not number and not place:
            return None
        issuer = self._authority("IssuerOfAdmissionIDSequence")
        parts = place.split("^")

        def component(number: int) -> str:
            part = parts[number - 1] if number <= len(parts) else ""
            return self.door.text(
                "CurrentPatientLocation", "CurrentPatientLocation", name_text(part)
            )

        return Encounter(
            visit_number=number,
            issuer=issuer.issuer,
            patient_class="",
            location=self.conventions.place_of(component),
            state=EncounterState.OPEN,
            department=self._text(self.ds, "InstitutionalDepartmentName"),
            universal_id=issuer.universal_id,
            universal_id_type=issuer.universal_id_type,
        )

    def _authority(self, keyword: str) -> PatientId:
        """Who issued a number (PS3.3 Table 10-17), as the issuer of a number without a value."""
        issuer = first_item(self.ds, keyword)
        namespace = self._identifier(issuer, "LocalNamespaceEntityID")
        universal = self._read(issuer, "UniversalEntityID")
        kind = self._read(issuer, "UniversalEntityIDType")
        return self.door.typed(keyword, PatientId("", namespace, universal, kind))

    def _order(self, zone: tzinfo | None) -> Order | None:
        step = first_item(self.ds, "ScheduledProcedureStepSequence")
        study = self._identifier(self.ds, "StudyInstanceUID")
        if not study:
            self.door.note("StudyInstanceUID", NoteCode.LEFT_OUT)
            return None
        issuer = self._authority("IssuerOfAccessionNumberSequence")
        return Order(
            study_instance_uid=study,
            accession_number=self._identifier(self.ds, "AccessionNumber"),
            requested_procedure_id=self._identifier(self.ds, "RequestedProcedureID"),
            requested_procedure_description=self._text(self.ds, "RequestedProcedureDescription"),
            requested_procedure_code=self._code(
                "RequestedProcedureCodeSequence",
                first_item(self.ds, "RequestedProcedureCodeSequence"),
            ),
            scheduled_procedure_step_id=self._identifier(step, "ScheduledProcedureStepID"),
            scheduled_procedure_step_description=self._text(
                step, "ScheduledProcedureStepDescription"
            ),
            scheduled_protocol_codes=tuple(
                code
                for item in step.get("ScheduledProtocolCodeSequence") or ()
                if (code := self._code("ScheduledProtocolCodeSequence", item)) is not None
            ),
            modality=self._text(step, "Modality"),
            scheduled_station_ae_title=self._first(step, "ScheduledStationAETitle"),
            scheduled_at=self._scheduled(step, zone),
            referring_physician=self._referring(),
            accession_issuer=issuer.issuer,
            accession_universal_id=issuer.universal_id,
            accession_universal_id_type=issuer.universal_id_type,
            department=self._text(self.ds, "InstitutionalDepartmentName"),
        )

    def _referring(self) -> PersonName | None:
        keyword = "ReferringPhysicianName"
        name = self.door.read(keyword, lambda: person_name(self._plain(self.ds, keyword)))
        return self.door.name(keyword, name) if name is not None and name.pn else None

    def _scheduled(self, step: Dataset, zone: tzinfo | None) -> datetime | None:
        day = self._read(step, "ScheduledProcedureStepStartDate").replace(".", "")
        time = self._read(step, "ScheduledProcedureStepStartTime").replace(":", "")
        if time.strip("0123456789."):  # a range, for instance: its second half is no offset
            self.door.note("ScheduledProcedureStepStartTime", NoteCode.UNREADABLE)
            time = ""
        offset = self._read(self.ds, "TimezoneOffsetFromUTC")
        if zone is None or not day:
            return None
        found = moment_of(day + time + offset, zone)
        if found is None:
            self.door.note("ScheduledProcedureStepStartDate", NoteCode.UNREADABLE)
        return found or moment_of(day, zone)

    def _code(self, field: str, item: Dataset) -> Code | None:
        """A coded entry; None where it is not one of the short kind that an image repeats."""
        code = Code(
            self._read(item, "CodeValue"),
            self._read(item, "CodingSchemeDesignator"),
            self._read(item, "CodeMeaning"),
        )
        fitting = (
            fits_identifier("CodeValue", code.value)
            and fits_identifier("CodingSchemeDesignator", code.scheme)
            and fits("CodeMeaning", code.meaning)
        )
        if code.value and code.scheme and code.meaning and fitting:
            return code
        if code.value or code.meaning:
            self.door.note(field, NoteCode.LEFT_OUT)
        return None

    def _first(self, ds: Dataset, keyword: str) -> str:
        values = self.door.read(keyword, lambda: self.text.all_of(ds, keyword)) or [""]
        return self.door.text(keyword, keyword, values[0])

    def _identifier(self, ds: Dataset, keyword: str) -> str:
        """A number or code; empty, with a note, where it is none that an image can hold."""
        return self.door.identifier(keyword, keyword, self._read(ds, keyword))

    def _text(self, ds: Dataset, keyword: str) -> str:
        """A text; empty, with a note, where it is none that an image can hold."""
        return self.door.text(keyword, keyword, self._read(ds, keyword))

    def _read(self, ds: Dataset, keyword: str) -> str:
        """A value as it stands; empty, with a note, where it cannot be read."""
        return self.door.read(keyword, lambda: self._plain(ds, keyword)) or ""

    def _plain(self, ds: Dataset, keyword: str) -> str:
        """A value. FeedError for what cannot be read, and for character references of HTML where
        the settings do not say that they are taken as characters.
        """
        value = self.text.of(ds, keyword)
        if not holds_entity(value):
            return value
        if not self.repairs_entities:
            raise FeedError(
                tr("The item holds character references of HTML (setting html_entities).")
            )
        self.door.note(keyword, NoteCode.REPAIRED)
        return without_entities(value, _DIVIDERS)


def person_name(value: str) -> PersonName:
    """The name of a PN value. FeedError for a group that is too long to be a name."""
    groups = []
    for group in value.split("=")[:3]:
        if len(group) > MAX_SHOWN:
            raise FeedError(tr("A name is too long to be one."))
        groups.append(NameGroup(*(name_text(part) for part in group.split("^")[:5])))
    return PersonName(*groups)
