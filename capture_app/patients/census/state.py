"""What is folded of one patient, as bytes: so that a start reads states, not the whole past.

The messages stay the truth: a state of another version is folded from them again.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.patients.census.fold import CensusPatient, Visit

VERSION: Final = "1"
"""Raise it with every change of the layout or of the rules in fold.py."""

_EMPTY: Final = NameGroup()


def encode(known: CensusPatient) -> bytes:
    """The state as bytes."""
    patient = known.patient
    parts = [
        _moment(known.recorded_at),
        _moment(known.occurred_at),
        _moment(known.as_of),
        _number(patient.patient_id),
        [_number(number) for number in patient.other_ids],
        _name(patient.name),
        patient.birth_date.isoformat() if patient.birth_date else None,
        patient.sex.value,
        [_visit(visit) for visit in known.visits.values()],
    ]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()


def decode(data: bytes) -> CensusPatient:
    """The state that `encode` wrote."""
    recorded, occurred, as_of, number, others, name, born, sex, visits = json.loads(data)
    read = [_read_visit(visit) for visit in visits]
    return CensusPatient(
        patient=Patient(
            patient_id=PatientId(*number),
            name=_read_name(name),
            birth_date=date.fromisoformat(born) if born else None,
            sex=Sex(sex),
            other_ids=tuple(PatientId(*other) for other in others),
        ),
        recorded_at=datetime.fromisoformat(recorded),
        occurred_at=datetime.fromisoformat(occurred),
        as_of=datetime.fromisoformat(as_of),
        visits=MappingProxyType({(v.encounter.visit_number, v.encounter.issuer): v for v in read}),
    )


def _number(number: PatientId) -> list[str]:
    return [
        number.value,
        number.issuer,
        number.universal_id,
        number.universal_id_type,
        number.type_code,
    ]


def _name(name: PersonName) -> list[list[str]]:
    groups = [
        [group.family, group.given, group.middle, group.prefix, group.suffix]
        for group in (name.alphabetic, name.ideographic, name.phonetic)
    ]
    while groups and not any(groups[-1]):
        groups.pop()
    return groups


def _read_name(groups: list[list[str]]) -> PersonName:
    read = [NameGroup(*group) if any(group) else _EMPTY for group in groups]
    return PersonName(*read) if read else PersonName(_EMPTY)


def _visit(visit: Visit) -> list[Any]:
    encounter, place = visit.encounter, visit.encounter.location
    doctor = encounter.referring_physician
    return [
        _moment(visit.at),
        encounter.visit_number,
        encounter.issuer,
        encounter.patient_class,
        [place.ward, place.room, place.bed, place.facility],
        encounter.state.value,
        _moment(encounter.admitted_at),
        _moment(encounter.discharged_at),
        _name(doctor) if doctor else None,
        encounter.department,
        encounter.reason,
    ]


def _read_visit(parts: list[Any]) -> Visit:
    at, number, issuer, kind, place, state, admitted, discharged, doctor, department, reason = parts
    encounter = Encounter(
        visit_number=number,
        issuer=issuer,
        patient_class=kind,
        location=Location(*place),
        state=EncounterState(state),
        admitted_at=_read_moment(admitted),
        discharged_at=_read_moment(discharged),
        referring_physician=_read_name(doctor) if doctor is not None else None,
        department=department,
        reason=reason,
    )
    return Visit(encounter, datetime.fromisoformat(at))


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
