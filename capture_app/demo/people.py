"""The invented patients of the simulated hospital. None of them exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex

ISSUER: Final = "ST ANNE"
WARD: Final = "4B"


@dataclass(frozen=True, slots=True)
class Admission:
    """A patient and the visit that the simulated admissions system announces."""

    patient: Patient
    encounter: Encounter


def _admission(
    mrn: str,
    born: date,
    sex: Sex,
    visit: str,
    bed: str,
    name: NameGroup,
    native: NameGroup | None = None,
) -> Admission:
    patient = Patient(
        patient_id=PatientId(mrn, ISSUER, type_code="MR"),
        name=PersonName(name, native or NameGroup()),
        birth_date=born,
        sex=sex,
        other_ids=(),
    )
    encounter = Encounter(
        visit_number=visit,
        issuer=ISSUER,
        patient_class="I",
        location=Location(ward=WARD, bed=bed, facility=ISSUER),
        state=EncounterState.OPEN,
        referring_physician=PersonName(NameGroup("Haddad", "Rania", prefix="Dr")),
    )
    return Admission(patient, encounter)


ADMISSIONS: Final[tuple[Admission, ...]] = (
    _admission(
        "0012345678",
        date(1956, 7, 14),
        Sex.FEMALE,
        "V9921",
        "12",
        NameGroup("Nguyễn", "Thị Mai"),
        NameGroup("阮", "氏梅"),
    ),
    _admission(
        "0012354687", date(1958, 7, 14), Sex.FEMALE, "V9934", "14", NameGroup("Nguyễn", "Thị Minh")
    ),
    _admission(
        "0011902114",
        date(1989, 3, 2),
        Sex.FEMALE,
        "V9877",
        "3",
        NameGroup("Al-Hashimi", "Layla"),
        NameGroup("الهاشمي", "ليلى"),
    ),
    _admission(
        "0009812204", date(1961, 2, 3), Sex.MALE, "V9902", "7", NameGroup("Hansen", "Ole", "Martin")
    ),
    _admission(
        "0010440921",
        date(1947, 12, 21),
        Sex.MALE,
        "V9889",
        "9",
        NameGroup("Sato", "Kenichi"),
        NameGroup("佐藤", "健一"),
    ),
    _admission(
        "0012001735", date(1972, 9, 30), Sex.FEMALE, "V9915", "1", NameGroup("O’Connell", "Siobhán")
    ),
    _admission(
        "0008664310", date(1950, 5, 11), Sex.MALE, "V9908", "5", NameGroup("Pérez García", "José")
    ),
    _admission(
        "0013020118", date(2021, 8, 8), Sex.FEMALE, "V9940", "16", NameGroup("Şahin", "Elif")
    ),
    _admission(
        "0004118902", date(1938, 1, 17), Sex.MALE, "V9870", "2", NameGroup("van der Berg", "Pieter")
    ),
)
"""The ward of the simulated hospital: look-alikes, second scripts, a child."""
