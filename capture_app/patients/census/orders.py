"""Orders from worklists, joined to the patients of the admissions feed by identifier and issuer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Final

from capture_app.model.encounter import Encounter, EncounterState
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.order import Order
from capture_app.model.patient import Patient, PatientId
from capture_app.model.worklist import Doubt, FeedSource, PatientListEntry
from capture_app.patients.census.sequence import fits
from capture_app.patients.finding.same_person import may_be_one_name
from capture_app.patients.sources.adt.naming import LearntNames
from capture_app.patients.sources.authorities import NONE_ARE_THE_SAME, SameAuthorities

_OURS: Final = ("", "")
"""In place of each number of the patient who is asked about."""
_TWO: Final = 2


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """One scheduled step: for whom, in which visit if it says so, and the order.

    Without an order where it names no study that an image could join: the patient is here all the
    same.
    """

    patient: Patient
    """Its issuer is empty where the worklist names none."""
    encounter: Encounter | None
    order: Order | None
    notes: tuple[FeedNote, ...] = ()
    """What could not be taken as it stood, each once, sorted."""


@dataclass(frozen=True, slots=True)
class WorklistAnswer:
    """What a worklist answered, and when. After a failed question the items of the last answer
    stay, with their age.
    """

    name: str
    items: tuple[WorklistItem, ...] = ()
    as_of: datetime | None = None
    skipped: int = 0
    """Items that could not be used."""
    is_truncated: bool = False
    problem: str = ""


def contradicts(item: WorklistItem, patient: Patient) -> bool:
    """Whether the item cannot be about this patient, though the identifier is the same: name,
    birth date or sex differ where both know them.
    """
    theirs, ours = item.patient, patient
    if _differ(theirs.birth_date, ours.birth_date) or _differ(theirs.sex, ours.sex):
        return True
    for partial, whole in ((theirs, ours), (ours, theirs)):
        said, day = partial.partial_birth_date, whole.birth_date
        if said is not None and day is not None and not said.agrees_with(day):
            return True
    known = (theirs.birth_date, theirs.sex, ours.birth_date, ours.sex)
    return not may_be_one_name(theirs.name, ours.name, all_else_agrees=all(known))


def compared(item: WorklistItem, holder: Patient) -> WorklistItem:
    """The item, noted where its number, whose issuer is stated, is that of somebody else, `holder`:
    it stands in a row of its own then, which opens nobody.
    """
    if not item.patient.patient_id.issuer or not contradicts(item, holder):
        return item
    note = FeedNote("PatientID", NoteCode.NUMBER_OF_ANOTHER)
    return replace(item, notes=tuple(sorted({*item.notes, note})))


class OrderBook:
    """The items of all worklists, by patient. Not for two threads at once: the census locks."""

    def __init__(self, issuer_when_absent: str, same: SameAuthorities = NONE_ARE_THE_SAME) -> None:
        self._same = same
        self._names = LearntNames()
        self._told: dict[str, WorklistAnswer] = {}
        self.issuer_when_absent = issuer_when_absent
        """Whose number an item is that names no issuer: a choice of the settings."""
        self._answers: dict[str, WorklistAnswer] = {}
        self._bare: set[str] = set()
        self._items: dict[tuple[str, str], tuple[tuple[WorklistItem, datetime], ...]] = {}

    def put(self, answer: WorklistAnswer) -> set[tuple[str, str]]:
        """Puts an answer in place of the worklist's last one. Whose orders changed with it."""
        self._told[answer.name] = answer
        named = replace(answer, items=tuple(map(self._with_issuer, answer.items)))
        before = self._answers.get(answer.name)
        self._answers[answer.name] = named
        if any(not self._named(i.patient.patient_id).issuer for i in answer.items):
            self._bare.add(answer.name)
        else:
            self._bare.discard(answer.name)
        if before is not None and before.items == named.items and before.as_of and named.as_of:
            return set()
        had = self._items
        gathered: dict[tuple[str, str], list[tuple[WorklistItem, datetime]]] = {}
        for known in self._answers.values():
            if known.as_of is not None:
                for item in known.items:
                    key = item.patient.patient_id.key
                    gathered.setdefault(key, []).append((item, known.as_of))
        self._items = {key: tuple(items) for key, items in gathered.items()}
        return {
            key
            for key in had.keys() | self._items.keys()
            if [item for item, _ in had.get(key, ())]
            != [item for item, _ in self._items.get(key, ())]
        }

    def use(self, names: LearntNames) -> set[tuple[str, str]]:
        """Takes the names that the feed gives to authorities. Whose orders changed with it."""
        self._names = names
        return {key for answer in tuple(self._told.values()) for key in self.put(answer)}

    def assumed(self, answer: WorklistAnswer) -> str:
        """The issuer that was assumed for some items of a worklist; empty where none was."""
        return self.issuer_when_absent if answer.name in self._bare else ""

    def keys(self) -> frozenset[tuple[str, str]]:
        """All numbers that worklists name, each with its issuer."""
        return frozenset(self._items)

    def answers(self) -> tuple[WorklistAnswer, ...]:
        """The last answer of each worklist."""
        return tuple(self._answers.values())

    def entries_of(
        self,
        key: tuple[str, str],
        numbers: Collection[tuple[str, str]] = (),
        *,
        beside: Patient | None = None,
        gone: Collection[tuple[str, str]] = (),
    ) -> tuple[PatientListEntry, ...]:
        """Rows for a patient who is not here by the admissions feed: one for each visit named.

        `numbers`: all by which that feed knows the patient.

        `beside`: what that feed knows of the patient; an item that contradicts it, or does not say
        whose number it has, has no row. `gone`: visits that were cancelled, which have none either.

        Where items alone name somebody and contradict each other, each person has rows, with the
        doubt that the number is that of two.
        """
        people: list[Patient] = [] if beside is None else [beside]
        rows: dict[tuple[int, str], PatientListEntry] = {}
        found = [each for number in (numbers or [key]) for each in self._items.get(number, ())]
        for item, as_of in found:
            who = next((n for n, p in enumerate(people) if not contradicts(item, p)), len(people))
            if beside is not None and (who > 0 or not key[1]):
                continue
            if item.encounter and is_among(item.encounter, gone):
                continue
            if who == len(people):
                people.append(item.patient)
            place = (who, item.encounter.visit_number if item.encounter else "")
            row = rows.get(place) or PatientListEntry(
                people[who], item.encounter, (), FeedSource.WORKLIST, as_of
            )
            rows[place] = replace(row, orders=_with_order(row.orders, item))
        doubts = frozenset([Doubt.NUMBER_OF_TWO] if len(people) > 1 else [])
        return tuple(replace(row, doubts=doubts) for row in rows.values())

    def orders_beside(self, keys: Collection[tuple[str, str]]) -> frozenset[str]:
        """The keys of all orders for other numbers; without an issuer it may be one of these.

        An order that was moved under a new study is known by its Accession Number. One of which no
        authority is told says nothing between worklists, and one that many have is a filler.
        """
        values = {value for value, _ in keys}
        beside: set[str] = set()
        holders: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        for key, items in self._items.items():
            is_other = key not in keys and (key[1] or key[0] not in values)
            for order in (item.order for item, _ in items if item.order is not None):
                if is_other:
                    beside.add(order.key)
                if len(self._answers) == 1 or order.is_accession_authority_told:
                    holders[order.accession_key].add(key if is_other else _OURS)
        moved = {number for number, who in holders.items() if len(who) <= _TWO and who != {_OURS}}
        return frozenset(beside | moved) - {""}

    def of_others(self, key: tuple[str, str], patient: Patient) -> tuple[PatientListEntry, ...]:
        """Rows for those to whom worklists give a number, whose issuer is stated, and who cannot be
        the patient who has it by the admissions feed: they are seen, and open nobody.
        """
        rows: dict[tuple[Patient, str], PatientListEntry] = {}
        for item, as_of in self._items.get(key, ()) if key[1] else ():
            if contradicts(item, patient):
                visit = item.encounter
                place = (item.patient, visit.visit_number if visit else "")
                doubts = frozenset([Doubt.NUMBER_OF_ANOTHER])
                row = rows.get(place) or PatientListEntry(
                    item.patient, visit, (), FeedSource.WORKLIST, as_of, doubts
                )
                rows[place] = replace(row, orders=_with_order(row.orders, item))
        return tuple(rows.values())

    def gives_to_another(self, key: tuple[str, str], patient: Patient) -> bool:
        """Whether a worklist says of a number, whose issuer is stated, that it is somebody else's
        than this patient's.
        """
        return bool(key[1]) and any(
            contradicts(item, patient) for item, _ in self._items.get(key, ())
        )

    def attached(
        self,
        rows: Sequence[PatientListEntry],
        keys: Iterable[tuple[str, str]],
        gone: Collection[tuple[str, str]] = (),
    ) -> tuple[PatientListEntry, ...]:
        """The rows of a patient with the orders for any of the identifiers.

        An order that names one of the visits stands with that one, any other with all of them.
        """
        items = [item for key in keys if key[1] for item, _ in self._items.get(key, ())]
        fitting = [
            item
            for item in items
            if not contradicts(item, rows[0].patient)
            and not (item.encounter and is_among(item.encounter, gone))
        ]
        if not fitting:
            return tuple(rows)
        visits = {row.encounter.visit_number for row in rows if row.encounter}
        return tuple(
            replace(
                row,
                orders=reduce(_with_order, (i for i in fitting if _belongs(i, row, visits)), ()),
            )
            for row in rows
        )

    def _with_issuer(self, item: WorklistItem) -> WorklistItem:
        said = item.patient.patient_id
        named = self._named(said)
        if not named.issuer and self.issuer_when_absent:
            named = self._named(replace(named, issuer=self.issuer_when_absent))
        visit = item.encounter
        if visit is not None:
            visit = visit.numbered(self._named(visit.number))
        if named == said and visit == item.encounter:
            return item
        patient = replace(item.patient, patient_id=named)
        return replace(item, patient=patient, encounter=visit)

    def _named(self, number: PatientId) -> PatientId:
        return self._names.named(self._same.named(number))


def is_among(visit: Encounter, keys: Collection[tuple[str, str]]) -> bool:
    """Whether a visit is one of these, by number; an issuer that either does not tell contradicts
    none: worklists seldom name one.
    """
    return bool(visit.visit_number) and any(
        fits(visit.visit_number, visit.issuer, *key) for key in keys
    )


def if_ended(row: PatientListEntry, visits: Iterable[Encounter]) -> PatientListEntry:
    """A row of a worklist, whose visit has ended where one of these, told by the admissions feed,
    is the same one and has: worklists do not know of that.
    """
    named = row.encounter
    if named is None or not named.visit_number:
        return row
    same = (v for v in visits if fits(v.visit_number, v.issuer, named.visit_number, named.issuer))
    ended = next((v for v in same if v.state is EncounterState.CLOSED), None)
    if ended is None:
        return row
    seen = replace(named, state=ended.state, discharged_at=ended.discharged_at)
    return replace(row, encounter=seen)


def _with_order(orders: tuple[Order, ...], item: WorklistItem) -> tuple[Order, ...]:
    """The orders, and that of an item: once, whichever of several worklists told it again."""
    return orders if item.order is None or item.order in orders else (*orders, item.order)


def _differ(one: object, other: object) -> bool:
    return bool(one) and bool(other) and one != other


def _belongs(item: WorklistItem, row: PatientListEntry, visits: set[str]) -> bool:
    named = item.encounter.visit_number if item.encounter else ""
    if named not in visits:
        return True
    return row.encounter is not None and row.encounter.visit_number == named
