"""The census as a fold: what is known of one patient after all that the feed said, in its order.

What is said of a person counts in the order in which it was recorded, what happened to a visit in
the order in which it occurred; messages may arrive in any order, and twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.patient import NameGroup, Patient, PersonName, Sex
from capture_app.model.worklist import FeedSource, PatientListEntry
from capture_app.patients.sources.adt.facts import AdtEvent, PersonFacts, Stated, VisitFacts

T = TypeVar("T")
STATE_VERSION: Final = "2"
"""Raise it with every change of `CensusPatient` or of the rules here: states that were kept under
another version are folded anew from the messages, which stay the truth."""

VisitKey = tuple[str, str]
"""Visit number and its issuer."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as folded so far."""

    encounter: Encounter
    at: datetime
    """When the last thing happened to it."""


@dataclass(frozen=True, slots=True)
class CensusPatient:
    """One patient as folded so far."""

    patient: Patient
    recorded_at: datetime
    """When the last thing was said of the person."""
    occurred_at: datetime
    """When the last thing happened to one of the visits."""
    as_of: datetime
    """When the feed last spoke of this patient."""
    visits: Mapping[VisitKey, Visit]

    def follows(self, event: AdtEvent) -> bool:
        """Whether the event comes after all that is folded in here, so that it can be added."""
        return event.recorded_at >= self.recorded_at and event.occurred_at >= self.occurred_at


Rule = Callable[[Encounter | None, VisitFacts, AdtEvent], Encounter | None]


def fold(events: Iterable[AdtEvent]) -> CensusPatient | None:
    """What is known after all of one patient's events, given in any order. None for none."""
    gathered = list(events)
    if not gathered:
        return None
    known: CensusPatient | None = None
    for event in sorted(gathered, key=lambda e: (e.recorded_at, e.arrival)):
        known = _with_person(known, event)
    for event in sorted(gathered, key=lambda e: (e.occurred_at, e.arrival)):
        known = _with_visit(known, event) if known else None
    return known


def add(known: CensusPatient | None, event: AdtEvent) -> CensusPatient:
    """What is known after one more event that `follows` all before it."""
    return _with_visit(_with_person(known, event), event)


def entries(
    known: CensusPatient, now: datetime, closed_visible: timedelta
) -> Iterable[PatientListEntry]:
    """The rows of a patient: one for each visit that is open or was closed not long ago.

    A patient of whom no visit was ever told has one row without. One whose name was not told has
    rows like any other: nobody vanishes for want of a name.
    """
    if not known.visits:
        yield PatientListEntry(known.patient, None, (), FeedSource.ADT, known.as_of)
    for visit in known.visits.values():
        ends = hidden_from(visit, closed_visible)
        if ends is None or now < ends:
            yield PatientListEntry(known.patient, visit.encounter, (), FeedSource.ADT, known.as_of)


def hidden_from(visit: Visit, closed_visible: timedelta) -> datetime | None:
    """When a visit leaves the list; None for an open one."""
    match visit.encounter.state:
        case EncounterState.OPEN:
            return None
        case EncounterState.CLOSED:
            return (visit.encounter.discharged_at or visit.at) + closed_visible
        case EncounterState.CANCELLED:
            return visit.at


def _with_person(known: CensusPatient | None, event: AdtEvent) -> CensusPatient:
    facts = event.person
    if known is None:
        nobody = Patient(facts.patient_id, PersonName(NameGroup()), None, Sex.UNKNOWN)
        return CensusPatient(
            patient=_merge_person(nobody, facts),
            recorded_at=event.recorded_at,
            occurred_at=event.occurred_at,
            as_of=event.received_at,
            visits=MappingProxyType({}),
        )
    return replace(
        known,
        patient=_merge_person(known.patient, facts),
        recorded_at=event.recorded_at,
        as_of=max(known.as_of, event.received_at),
    )


def _merge_person(patient: Patient, facts: PersonFacts) -> Patient:
    said = replace(
        patient,
        patient_id=facts.patient_id,
        name=facts.name or patient.name,
        sex=_heard(facts.sex, patient.sex),
        other_ids=facts.other_ids,
    )
    return said.with_birth_date(facts.birth_date.value) if facts.birth_date else said


def _with_visit(known: CensusPatient, event: AdtEvent) -> CensusPatient:
    facts, rule = event.visit, EVENTS[event.event]
    if facts is None or rule is None:
        return replace(known, occurred_at=event.occurred_at)
    key = _which(known.visits, facts, may_be_new=rule is _opened)
    if key is None:
        return replace(known, occurred_at=event.occurred_at)
    before = known.visits.get(key)
    named = (facts.visit_number, facts.issuer) if facts.visit_number else key
    after = rule(before.encounter if before else None, facts, event)
    visits = {k: v for k, v in known.visits.items() if k != key}
    if after is not None:
        visits[named] = Visit(after, event.occurred_at)
    return replace(known, visits=MappingProxyType(visits), occurred_at=event.occurred_at)


def _which(
    visits: Mapping[VisitKey, Visit], facts: VisitFacts, *, may_be_new: bool
) -> VisitKey | None:
    """The visit that a message is about; None where it names none and several could be meant.

    A message without a number is about the only open visit, else (unless it opens one) about the
    only one; the first number that is told names a visit that had none.
    """
    unnamed = ("", "")
    if facts.visit_number:
        named = (facts.visit_number, facts.issuer)
        return unnamed if named not in visits and unnamed in visits else named
    candidates = [k for k, v in visits.items() if v.encounter.state is EncounterState.OPEN]
    if not candidates and not may_be_new:
        candidates = list(visits)
    if not candidates:
        return unnamed
    return candidates[0] if len(candidates) == 1 else None


def _opened(before: Encounter | None, facts: VisitFacts, event: AdtEvent) -> Encounter:
    """A01, A04: the patient is here."""
    told = _stated(before, facts)
    return replace(
        told,
        state=EncounterState.OPEN,
        admitted_at=told.admitted_at or event.occurred_at,
        discharged_at=None,
    )


def _changed(before: Encounter | None, facts: VisitFacts, _event: AdtEvent) -> Encounter:
    """A08, A02: what is known changes, the state does not. A visit never heard of is open, unless
    the message itself says when it ended: on the first day nobody here was seen to arrive.
    """
    told = _stated(before, facts)
    if before is None and told.discharged_at is not None:
        return replace(told, state=EncounterState.CLOSED)
    return told


def _closed(before: Encounter | None, facts: VisitFacts, event: AdtEvent) -> Encounter:
    """A03: the patient has left; the row stays for a while."""
    told = _stated(before, facts)
    return replace(
        told,
        state=EncounterState.CLOSED,
        discharged_at=(facts.discharged_at and facts.discharged_at.value) or event.occurred_at,
    )


def _cancelled(before: Encounter | None, facts: VisitFacts, _event: AdtEvent) -> Encounter:
    """A11: the visit never was. It is kept as cancelled, so that a late A01 of an earlier time
    does not bring it back.
    """
    return replace(_stated(before, facts), state=EncounterState.CANCELLED)


def _reopened(before: Encounter | None, facts: VisitFacts, _event: AdtEvent) -> Encounter:
    """A13: the discharge was a mistake."""
    return replace(_stated(before, facts), state=EncounterState.OPEN, discharged_at=None)


EVENTS: Final[Mapping[str, Rule | None]] = MappingProxyType(
    {
        "A01": _opened,
        "A02": _changed,
        "A03": _closed,
        "A04": _opened,
        "A08": _changed,
        "A11": _cancelled,
        "A13": _reopened,
        "A28": None,  # of the person alone
        "A31": None,
    }
)
"""What each trigger event does to the visit. An event that is not here is refused, and kept."""


def _stated(before: Encounter | None, facts: VisitFacts) -> Encounter:
    """The visit with what the message states; what it leaves out stays."""
    base = before or Encounter("", "", "", Location(), EncounterState.OPEN)
    return Encounter(
        state=base.state,
        visit_number=facts.visit_number or base.visit_number,
        issuer=facts.issuer if facts.visit_number else base.issuer,
        universal_id=facts.universal_id if facts.visit_number else base.universal_id,
        universal_id_type=facts.universal_id_type if facts.visit_number else base.universal_id_type,
        patient_class=_heard(facts.patient_class, base.patient_class),
        location=_heard(facts.location, base.location),
        admitted_at=_heard(facts.admitted_at, base.admitted_at),
        discharged_at=_heard(facts.discharged_at, base.discharged_at),
        referring_physician=_heard(facts.referring_physician, base.referring_physician),
        department=_heard(facts.department, base.department),
        reason=_heard(facts.reason, base.reason),
    )


def _heard(said: Stated[T] | None, kept: T) -> T:
    return said.value if said is not None else kept
