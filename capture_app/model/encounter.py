"""Why and where the patient is here: the visit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from capture_app.model.patient import PatientId, PersonName


class EncounterState(StrEnum):
    """What the feed last said of the visit."""

    PENDING = "pending"
    """Expected: not here yet, and in no list by the admissions feed alone."""
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MOVED = "moved"
    """Another patient's by now."""

    @property
    def is_gone(self) -> bool:
        """Whether it is no visit of this patient, or none any more."""
        return self in {EncounterState.CANCELLED, EncounterState.MOVED}


@dataclass(frozen=True, slots=True)
class Location:
    """Where the patient is: PV1-3 (PL-1 point of care, PL-2 room, PL-3 bed, PL-4 facility)."""

    ward: str = ""
    room: str = ""
    bed: str = ""
    facility: str = ""


@dataclass(frozen=True, slots=True)
class Encounter:
    """One visit. `visit_number` becomes Admission ID (0038,0010)."""

    visit_number: str
    """PV1-19; PID-18 until that is told. May be empty where the feed gives none."""
    issuer: str
    """Who issued it: the local namespace (0040,0031) in Issuer of Admission ID Sequence
    (0038,0014), CX-4 HD.1. May be empty."""
    patient_class: str
    """PV1-2: I, O, E, ..."""
    location: Location
    state: EncounterState
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    referring_physician: PersonName | None = None
    department: str = ""
    """PV1-10 hospital service, as the feed sent it."""
    reason: str = ""
    """PV2-3."""
    universal_id: str = ""
    """Who issued the number, known everywhere: Universal Entity ID (0040,0032), CX-4 HD.2."""
    universal_id_type: str = ""
    """Universal Entity ID Type (0040,0033), CX-4 HD.3: ISO, DNS, ..."""

    @property
    def number(self) -> PatientId:
        """The visit's number with who issued it."""
        return PatientId(self.visit_number, self.issuer, self.universal_id, self.universal_id_type)

    def numbered(self, number: PatientId) -> Encounter:
        """The same visit under another number, or with another name of who issued it."""
        return replace(
            self,
            visit_number=number.value,
            issuer=number.issuer,
            universal_id=number.universal_id,
            universal_id_type=number.universal_id_type,
        )
