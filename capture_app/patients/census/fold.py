"""The census as a fold: what is known of one patient after all that the feed said, in its order.

What is said counts in the order in which it was recorded, where a patient is in the order in which
it became so; an event that was cancelled is as if it had never been. Messages may arrive in any
order, and twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from capture_app.model.encounter import EncounterState
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.patient import (
    NameGroup,
    PartialDate,
    Patient,
    PatientId,
    PersonName,
    Sex,
)
from capture_app.model.worklist import FeedSource, PatientListEntry
from capture_app.patients.census.moves import moved_away, renumbered
from capture_app.patients.census.sequence import (
    CANCELS,
    NumberChange,
    Placed,
    dropped,
    in_order,
    next_place,
    number_changes,
    place,
    same_visit,
    under_last_numbers,
    under_new_number,
    undone,
)
from capture_app.patients.census.visits import (
    BEGINNINGS,
    EVENTS,
    NEEDS_A_VISIT,
    Visit,
    Visits,
    after,
)
from capture_app.patients.sources.adt.facts import NO_FACTS, AdtEvent, PersonFacts
from capture_app.patients.sources.adt.moving import MOVES

STATE_VERSION: Final = "12"
"""Raise it with every change of `CensusPatient`, of a default of a value in it, or of the rules
here: states that were kept under another version are folded anew from the messages, which stay the
truth."""


@dataclass(frozen=True, slots=True)
class RetiredNumber:
    """A number that another one was put in place of (A47), and since when."""

    number: PatientId
    since: datetime


@dataclass(frozen=True, slots=True)
class CensusPatient:
    """One patient as folded so far."""

    patient: Patient
    recorded_at: datetime
    """When the last thing was said."""
    as_of: datetime
    """When the feed last spoke of this patient."""
    visits: Visits
    sender: tuple[str, str] | None
    """The only sender who spoke of this patient; None for several."""
    retired: tuple[RetiredNumber, ...] = ()
    """Numbers that this patient had."""
    changes: tuple[NumberChange, ...] = ()
    """Of the numbers and accounts of the visits, in their order."""

    def follows(self, event: AdtEvent) -> bool:
        """Whether the event comes after all that is folded in here, so that it can be added."""
        return (
            event.event not in CANCELS
            and event.prior is None
            and event.order.sender == self.sender
            and next_place(event.order.recorded, self.recorded_at) is not None
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What is known of a patient after one event, and what of that event had no effect."""

    known: CensusPatient
    arrival: int
    notes: tuple[FeedNote, ...]


def numbers_of(known: CensusPatient) -> Iterator[PatientId]:
    """All identifiers by which a patient and the visits are known, or were."""
    yield known.patient.patient_id
    yield from known.patient.other_ids
    yield from (retired.number for retired in known.retired)
    yield from (visit.encounter.number for visit in known.visits.values())


def fold(events: Iterable[AdtEvent]) -> CensusPatient | None:
    """What is known after all of one patient's events, given in any order. None for none."""
    known: CensusPatient | None = None
    for step in steps(events):
        known = step.known
    return known


def steps(events: Iterable[AdtEvent]) -> Iterator[Step]:
    """One patient's events, given in any order: what is known after each, in their own order."""
    story = in_order(events)
    known_as = under_last_numbers(story)
    targets = undone(known_as)
    gone = dropped(known_as, targets)
    known: CensusPatient | None = None
    for placed in story:
        arrival = placed.event.arrival
        notes: tuple[FeedNote, ...] = ()
        if known is None and placed.event.prior is not None:
            notes = (FeedNote("MRG-1", NoteCode.NUMBER_NOT_KNOWN),)
        notes = (*notes, *_contradictions(known, placed.event.person))
        known = _with_person(known, placed)
        if arrival not in gone:
            known, without_effect = _with_visit(known, placed, targets.get(arrival))
            notes = (*notes, *_without_cancelled(without_effect, placed, story, gone))
        yield Step(known, arrival, notes)


def add(known: CensusPatient | None, event: AdtEvent) -> Step:
    """What is known after one more event, the first or one that `follows` all before it."""
    if known is None:
        return next(iter(steps([event])))
    recorded = event.order.recorded.no_later_than(event.received_at)
    placed = place(event, next_place(recorded, known.recorded_at) or known.recorded_at)
    doubted = _contradictions(known, event.person)
    after_event, notes = _with_visit(_with_person(known, placed), placed, None)
    return Step(after_event, event.arrival, (*doubted, *notes))


def entries(
    known: CensusPatient, now: datetime, closed_visible: timedelta
) -> Iterable[PatientListEntry]:
    """The rows of a patient: one for each visit that is open or was closed not long ago.

    A patient of whom no visit was ever told has one row without. One without a name is there like
    any other: the number says who is meant.
    """
    if not known.visits:
        yield PatientListEntry(known.patient, None, (), FeedSource.ADT, known.as_of)
    for visit in known.visits.values():
        if visit.encounter.state is EncounterState.PENDING or visit.encounter.state.is_gone:
            continue
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
        case EncounterState.PENDING | EncounterState.CANCELLED | EncounterState.MOVED:
            return visit.at


def _with_person(known: CensusPatient | None, placed: Placed) -> CensusPatient:
    event = placed.event
    if known is None:
        nobody = Patient(event.person.patient_id, PersonName(NameGroup()), None, Sex.UNKNOWN)
        known = CensusPatient(
            patient=nobody,
            recorded_at=placed.at,
            as_of=event.received_at,
            visits=MappingProxyType({}),
            sender=event.order.sender,
        )
    retired = known.retired
    if event.prior is not None:
        back = {event.person.patient_id.key, event.prior.key}
        retired = tuple(each for each in retired if each.number.key not in back)
        retired = (*retired, RetiredNumber(event.prior, placed.at))
    # Of who loses a visit the message says no more than that.
    patient = known.patient
    if not event.leaves:
        patient = _merge_person(patient, event.person, retired)
    return replace(
        known,
        patient=patient,
        recorded_at=placed.at,
        as_of=max(known.as_of, event.received_at),
        sender=known.sender if known.sender == event.order.sender else None,
        retired=retired,
    )


def _merge_person(
    patient: Patient, facts: PersonFacts, retired: tuple[RetiredNumber, ...]
) -> Patient:
    is_retired = facts.patient_id.key in {each.number.key for each in retired}
    number, known = facts.patient_id, patient.patient_id
    others = tuple(_completed(other, patient.other_ids) for other in facts.other_ids)
    says_less = number != _completed(number, [known])
    said = replace(
        patient,
        patient_id=known if is_retired else _completed(number, [known]),
        name=facts.name or patient.name,
        sex=facts.sex.value if facts.sex else patient.sex,
        identity_unknown=facts.identity_unknown.value
        if facts.identity_unknown
        else patient.identity_unknown,
        # Who names the one number alone, and that with less than is known, says nothing of others.
        other_ids=patient.other_ids if says_less and not others else others,
    )
    return said.with_birth_date(facts.birth_date.value) if facts.birth_date else said


def _contradictions(known: CensusPatient | None, facts: PersonFacts) -> tuple[FeedNote, ...]:
    """What a message says of the person that contradicts what is known."""
    if known is None:
        return ()
    notes = []
    number, other = known.patient.patient_id, facts.patient_id
    oids = {number.universal_id, other.universal_id} - {""}
    if number.key == other.key and len(oids) > 1:
        notes.append(FeedNote("PID-3", NoteCode.AUTHORITY_DOUBTED))
    born = known.patient.birth_date
    said = facts.birth_date.value if facts.birth_date else None
    if born is not None and isinstance(said, PartialDate) and not said.agrees_with(born):
        notes.append(FeedNote("PID-7", NoteCode.CONTRADICTED))
    return tuple(notes)


def _completed(number: PatientId, known: Iterable[PatientId]) -> PatientId:
    same = [each for each in known if each.value == number.value]
    exact = [each for each in same if each.key == number.key]
    # An issuer that is not told could be any of several.
    return number.completed_by((exact or same)[0]) if exact or len(same) == 1 else number


def _with_visit(
    known: CensusPatient, placed: Placed, target: Placed | None
) -> tuple[CensusPatient, tuple[FeedNote, ...]]:
    kind, prior = placed.event.event, placed.event.prior_visit
    rule, facts = EVENTS[kind], placed.event.visit
    said: tuple[FeedNote, ...] = ()
    if prior is not None and placed.event.leaves:
        visits, said = moved_away(known.visits, prior, placed)
        return replace(known, visits=visits), said
    if prior is not None and facts is not None and kind not in MOVES:
        visits, said = renumbered(known.visits, prior, facts, placed)
        changes = (*known.changes, *number_changes(placed.event))
        known = replace(known, visits=visits, changes=changes)
    if facts is None and kind in NEEDS_A_VISIT and not _names_unreadable(placed.event):
        facts = NO_FACTS
    if facts is None or rule is None:
        return known, said
    if kind not in BEGINNINGS:  # one that begins under an old number uses it again
        facts = under_new_number(facts, known.changes)
    visits, notes = after(known.visits, facts, placed, rule, target)
    return replace(known, visits=visits), (*said, *notes)


def _without_cancelled(
    notes: tuple[FeedNote, ...], placed: Placed, story: Iterable[Placed], gone: frozenset[int]
) -> tuple[FeedNote, ...]:
    """The notes less those that a visit was never told of which was, and was cancelled."""
    prior = placed.event.prior_visit
    was_told = prior is not None and any(
        same_visit(each.event.visit, prior) for each in story if each.event.arrival in gone
    )
    untold = {FeedNote(field, NoteCode.NUMBER_NOT_KNOWN) for field in ("MRG-3", "MRG-5")}
    return tuple(note for note in notes if not was_told or note not in untold)


def _names_unreadable(event: AdtEvent) -> bool:
    """Whether it names a visit by a number that could not be taken: no other is meant by it."""
    return any(note.field in {"PV1-19", "PID-18"} for note in event.notes)
