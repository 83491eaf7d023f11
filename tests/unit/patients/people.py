"""Invented patients for the tests of this room."""

from datetime import UTC, date, datetime

from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.order import Order
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.model.worklist import FeedSource, PatientListEntry

AS_OF = datetime(2024, 7, 2, 7, 30, tzinfo=UTC)


def a_patient(
    family: str = "Doe",
    given: str = "Jane",
    *,
    number: str = "7",
    issuer: str = "HOSP",
    born: date | None = date(1956, 7, 14),
    native: NameGroup | None = None,
    other_ids: tuple[PatientId, ...] = (),
) -> Patient:
    return Patient(
        PatientId(number, issuer, type_code="MR"),
        PersonName(NameGroup(family, given), native or NameGroup()),
        born,
        Sex.FEMALE,
        other_ids,
    )


def a_visit(
    number: str = "V1",
    ward: str = "4B",
    bed: str = "12",
    *,
    state: EncounterState = EncounterState.OPEN,
) -> Encounter:
    return Encounter(number, "HOSP", "I", Location(ward, "", bed), state)


def an_entry(
    patient: Patient | None = None,
    visit: Encounter | None = None,
    *,
    source: FeedSource = FeedSource.ADT,
) -> PatientListEntry:
    return PatientListEntry(patient or a_patient(), visit or a_visit(), (), source, AS_OF)


def an_order(accession: str = "ACC1", *, step: str = "SPS1") -> Order:
    return Order(
        study_instance_uid="1.2.3",
        accession_number=accession,
        requested_procedure_id="RP1",
        requested_procedure_description="Wound photography",
        requested_procedure_code=None,
        scheduled_procedure_step_id=step,
        scheduled_procedure_step_description="Wound photography",
        scheduled_protocol_codes=(),
        modality="XC",
        scheduled_station_ae_title="CAPTURE",
        scheduled_at=AS_OF,
    )
