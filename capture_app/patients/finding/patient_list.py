"""The patient list in memory: who is shown in which tab, and found by what.

Not for two threads at once: the census locks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final

from capture_app.clock import Clock
from capture_app.model.encounter import EncounterState, Location
from capture_app.model.patient import Patient, PatientId
from capture_app.model.worklist import Doubt, PatientListEntry, PersonNow
from capture_app.patients.census.fold import CensusPatient, entries, hidden_from, numbers_of
from capture_app.patients.census.moves import former_numbers, gone_numbers
from capture_app.patients.census.orders import (
    OrderBook,
    WorklistAnswer,
    WorklistItem,
    compared,
    contradicts,
    if_ended,
    is_among,
)
from capture_app.patients.finding.crosschecks import (
    CrossChecks,
    PatientKey,
    of_orders,
    of_patient,
    of_visit,
)
from capture_app.patients.finding.leaving import Leaving
from capture_app.patients.finding.look_alikes import LookAlike, LookAlikes
from capture_app.patients.finding.moved_visits import MovedVisits
from capture_app.patients.finding.roster import Roster, Row, SortKey, row_of
from capture_app.patients.finding.scan import ScannedNumber
from capture_app.patients.finding.tabs import Tab, tabs_of
from capture_app.patients.sources.adt.naming import LearntNames

_RECENT: Final = 50
_MOST_HOLDERS: Final = 100
"""Of a number that so many patients have nobody is chosen by it, nor by anything beside it."""


class PatientList:
    """Every patient of the admissions feed with the orders of the worklists, and their rows."""

    def __init__(
        self, clock: Clock, *, wards: frozenset[str], closed_visible: timedelta, orders: OrderBook
    ) -> None:
        self._clock = clock
        self._wards = wards
        self._closed_visible = closed_visible
        self._orders = orders
        self._patients: dict[PatientKey, CensusPatient] = {}
        self._holders: defaultdict[str, set[PatientKey]] = defaultdict(set)
        self._shown: dict[PatientKey, tuple[PatientListEntry, ...]] = {}
        self._places: dict[PatientKey, tuple[SortKey, ...]] = {}
        self._rosters = {tab: Roster() for tab in (Tab.WARD, Tab.WORKLIST, Tab.ALL)}
        self._alike = {tab: LookAlikes() for tab in self._rosters}
        self._recent: list[PatientKey] = []
        self._leaving = Leaving()
        self._retired: dict[PatientKey, PatientKey] = {}
        self._checks = CrossChecks()
        self._moved = MovedVisits()
        self._merges: frozenset[PatientKey] = frozenset()
        self._of_two: set[PatientKey] = set()
        self._given_away: set[PatientKey] = set()

    def __len__(self) -> int:
        return len(self._patients)

    def known(self, key: PatientKey) -> CensusPatient | None:
        """What the admissions feed told of a patient, and of that one alone."""
        return self._moved.told(key)

    def holder_of_retired(self, key: PatientKey) -> tuple[PatientId, CensusPatient] | None:
        """Who had this number before another one was put in its place (A47), and has that now."""
        known = self._patients.get(self._retired.get(key, ("", "")))
        return (known.patient.patient_id, known) if known is not None else None

    def put(self, key: PatientKey, known: CensusPatient) -> None:
        """Adds or changes a patient of the admissions feed."""
        for touched in {key, *self._remember(key, known)}:
            self._show(touched)

    def fill(self, patients: Mapping[PatientKey, CensusPatient]) -> None:
        """Puts these patients in place of all others: faster than one by one."""
        for key in self._patients.keys() - patients.keys():
            self.remove(key)
        for key, known in patients.items():
            self._remember(key, known)
        self._places.clear()
        rows = []
        for key in {*self._patients, *self._shown, *self._orders.keys()}:
            if mine := self._rows_of(key, self._prepared(key)):
                self._places[key] = tuple(row.key for row in mine)
                rows.extend(mine)
        for tab, roster in self._rosters.items():
            shown = [row for row in rows if tab in tabs_of(row.entry, self._wards)]
            roster.fill(shown)
            self._alike[tab] = LookAlikes()
            for row in shown:
                if not row.entry.is_of_another:
                    self._alike[tab].put(row.entry.patient)

    def mark_merges(self, keys: frozenset[PatientKey]) -> None:
        """Says whom merges name that were refused, in place of what was said before. A number of
        which no issuer is told marks everybody whose record number it is.
        """
        changed, self._merges = self._merges ^ keys, keys
        bearers = (self._holders.get(value, ()) for value, issuer in changed if not issuer)
        for key in changed.union(*bearers):
            self._show(key)

    def _is_merged(self, key: PatientKey) -> bool:
        return key in self._merges or (key[0], "") in self._merges

    def count_doubts(self) -> tuple[tuple[Doubt, int], ...]:
        """How many patients of the lists each doubt is about."""
        counts = self._checks.count()
        counts[Doubt.MERGE_REFUSED] = len(self._merges)
        counts[Doubt.NUMBER_OF_TWO] = len(self._of_two)
        counts[Doubt.NUMBER_ON_WORKLIST] = len(self._given_away)
        counts[Doubt.NUMBER_RETIRED] = sum(key in self._patients for key in self._retired)
        return tuple((doubt, counts[doubt]) for doubt in Doubt if counts.get(doubt))

    def numbers(self) -> Iterator[PatientId]:
        """All identifiers by which the admissions feed knows its patients, or knew them."""
        return chain.from_iterable(map(numbers_of, self._patients.values()))

    def silent_since(self, before: datetime) -> list[PatientId]:
        """Patients without an open visit of whom nothing was said since."""
        return [
            known.patient.patient_id
            for known in self._patients.values()
            if known.as_of < before
            and not any(v.encounter.state is EncounterState.OPEN for v in known.visits.values())
        ]

    def remove(self, key: PatientKey) -> None:
        """Takes a patient of the admissions feed away."""
        known = self._patients.pop(key, None)
        if known is None:
            return
        others = {number.key for number in known.patient.other_ids}
        for retired in known.retired:
            if self._retired.get(retired.number.key) == key:
                del self._retired[retired.number.key]
        for value, _ in {key, *others}:
            self._holders[value].discard(key)
        touched = self._checks.put(key, ()) | self._put_visits(key, None)
        for changed in {key, *others, *touched}:
            self._show(changed)

    def put_worklist(self, answer: WorklistAnswer) -> None:
        """Puts the answer of one worklist in place of its last one. Only those of whom it says
        something else are shown anew.
        """
        self._show_orders_of(self._orders.put(answer))

    def use_names(self, names: LearntNames) -> None:
        """Takes the names that the feed gives to authorities, for the worklists."""
        self._show_orders_of(self._orders.use(names))

    def _show_orders_of(self, keys: set[PatientKey]) -> None:
        for key in keys | {holder for key in keys if (holder := self._claimant(key)) is not None}:
            self._show(key)

    def compared(self, answer: WorklistAnswer) -> WorklistAnswer:
        """The answer beside what the admissions feed says: items that contradict it, name a visit
        that it cancelled, or do not say whose the number is count as skipped; one that stands in a
        row of its own, for the number is another's, has a note.
        """
        pairs = [(item, self._claimant(item.patient.patient_id.key)) for item in answer.items]
        skipped = sum(key is not None and not self._joins(item, key) for item, key in pairs)
        items = (compared(i, self._patients[key].patient) if key else i for i, key in pairs)
        return replace(answer, items=tuple(items), skipped=answer.skipped + skipped)

    def _joins(self, item: WorklistItem, key: PatientKey) -> bool:
        visit = item.encounter
        return (
            bool(item.patient.patient_id.issuer)
            and not contradicts(item, self._patients[key].patient)
            and not (visit is not None and is_among(visit, self._gone(key)))
        )

    def _gone(self, key: PatientKey) -> frozenset[tuple[str, str]]:
        known = self._patients[key]
        return gone_numbers(known.visits, known.changes)

    def find(self, text: str, tab: Tab, limit: int) -> tuple[PatientListEntry, ...]:
        """See `Census.find`."""
        self._let_go()
        if tab is Tab.RECENT:
            return self._find_recent(text, limit)
        return self._rosters[tab].find(text, limit)

    def count(self, tab: Tab) -> int:
        """How many entries a tab has."""
        self._let_go()
        if tab is Tab.RECENT:
            return sum(len(self._shown.get(key, ())) for key in self._recent)
        return len(self._rosters[tab])

    def lookup(self, number: str, issuer: str | None) -> tuple[PatientListEntry, ...]:
        """See `Census.lookup`."""
        self._let_go()
        keys = (
            key
            for key in self._holders.get(number, ())
            if issuer is None or (number, issuer) in self._keys_of(key)
        )
        found = [self._shown.get(key, ()) for key in sorted(islice(keys, _MOST_HOLDERS))]
        return tuple(chain.from_iterable(found))

    def by_record_number(self, number: ScannedNumber) -> tuple[PatientListEntry, ...]:
        """See `Census.by_record_number`."""
        self._let_go()
        holders = sorted(self._holders.get(number.value, ()))
        # A number that was retired may still be on the band of whoever had it: it opens nobody.
        shown = chain.from_iterable(
            self._shown.get(key, ()) for key in holders if key not in self._retired
        )
        return tuple(entry for entry in shown if number.is_of(entry.patient.patient_id))

    def alike(self, entries: Iterable[PatientListEntry], tab: Tab) -> dict[PatientKey, LookAlike]:
        """See `Census.alike`."""
        within = self._alike.get(tab)
        if within is None:  # the recent ones are few, and no list of their own
            within = LookAlikes()
            for entry in chain.from_iterable(self._shown.get(key, ()) for key in self._recent):
                within.put(entry.patient)
        own = (one.patient for one in entries if not one.is_of_another)
        kinds = ((one.patient_id.key, within.kind_of(one)) for one in own)
        return {key: kind for key, kind in kinds if kind is not None}

    def look_alikes(self, patient: Patient) -> tuple[Patient, ...]:
        """See `Census.look_alikes`."""
        return self._alike[Tab.ALL].others(patient)

    def person(self, key: PatientKey) -> PersonNow | None:
        """See `Census.person`."""
        self._let_go()
        shown = self._shown.get(key, ())
        known = self._patients.get(key) or self._patients.get(self._retired.get(key, key))
        if known is None and not shown:
            return None
        doubts = set(chain.from_iterable(entry.doubts for entry in shown))
        if key in self._retired:
            doubts.add(Doubt.NUMBER_RETIRED)
        if self._is_merged(key):
            doubts.add(Doubt.MERGE_REFUSED)
        visits = tuple(visit.encounter for visit in known.visits.values()) if known else ()
        return PersonNow(
            patient=known.patient if known else shown[0].patient,
            visits=visits or tuple(entry.encounter for entry in shown if entry.encounter),
            entries=shown,
            doubts=frozenset(doubts),
            shared_visits=self._checks.shared_visits(key, visits),
            by_former_number=tuple(former_numbers(known.visits, known.changes)) if known else (),
        )

    def orders_of_others(self, key: PatientKey) -> frozenset[str]:
        """See `Census.orders_of_others`."""
        holder = self._claimant(key) or key
        return self._orders.orders_beside([key, holder, *self._own_numbers(holder)])

    def places(self) -> frozenset[Location]:
        """See `Census.places`."""
        self._let_go()
        visits = (row.encounter for rows in self._shown.values() for row in rows if row.encounter)
        return frozenset(
            Location(visit.location.ward, visit.location.room)
            for visit in visits
            if visit.state is EncounterState.OPEN and visit.location.ward
        )

    def note_opened(self, key: PatientKey) -> None:
        """Puts a patient at the head of the recent ones."""
        self._recent = [key, *(known for known in self._recent if known != key)][:_RECENT]

    def _remember(self, key: PatientKey, known: CensusPatient) -> set[PatientKey]:
        """Keeps a patient, findable by each identifier. The identifiers it has or had."""
        before = self._patients.get(key)
        had = {n.key for n in before.patient.other_ids} if before else set()
        has = {n.key for n in known.patient.other_ids}
        for value, _ in had - has:
            self._holders[value].discard(key)
        for value, _ in {key, *has}:
            self._holders[value].add(key)
        moved = self._put_visits(key, known)
        for retired in known.retired:
            self._retired[retired.number.key] = key
        numbers = {retired.number.key for retired in known.retired}
        return had | has | numbers | moved | self._check(key, self._shown.get(key, ()))

    def _put_visits(self, key: PatientKey, known: CensusPatient | None) -> set[PatientKey]:
        """Takes in what is told of a patient's visits. Others whose rows or doubts may change."""
        seen = self._moved.put(key, known)
        self._patients |= seen
        others = seen.keys() - {key}
        return others.union(*(self._check(each, self._shown.get(each, ())) for each in others))

    def _check(self, key: PatientKey, shown: Iterable[PatientListEntry]) -> set[PatientKey]:
        """Notes what a patient claims. Others whose doubts may have changed."""
        known = self._patients.get(key)
        visits = [visit.encounter for visit in known.visits.values()] if known else []
        return self._checks.put(key, of_patient(visits, tuple(shown)))

    def _keys_of(self, key: PatientKey) -> set[PatientKey]:
        known = self._patients.get(key)
        if known is None:
            return {key}
        retired = {r.number.key for r in known.retired if r.number.key not in self._patients}
        return {key, *(n.key for n in known.patient.other_ids), *retired}

    def _own_numbers(self, key: PatientKey) -> list[PatientKey]:
        """All other numbers that are this patient's alone."""
        return [k for k in sorted(self._keys_of(key)) if k != key and self._claimant(k) == key]

    def _claimant(self, key: PatientKey) -> PatientKey | None:
        """The patient of the admissions feed who has this identifier; None for none or several.

        A number that was retired is that of the patient who had it.
        """
        if key in self._patients:
            return key
        if key in self._retired:
            return self._retired[key]
        claimants = (
            holder
            for holder in self._holders.get(key[0], ())
            if holder in self._patients and key in self._keys_of(holder)
        )
        first_two = tuple(islice(claimants, 2))  # 999999999 is a number of half the hospital
        return first_two[0] if len(first_two) == 1 else None

    def _entries_of(self, key: PatientKey) -> tuple[PatientListEntry, ...]:
        claimant = self._claimant(key)
        if claimant is not None and claimant != key:
            return ()  # the orders stand with the patient whose other number this is
        if claimant is None:
            return self._orders.entries_of(key)
        known = self._patients[key]
        numbers = [key, *self._own_numbers(key)]
        seen = tuple(entries(known, self._clock.now(), self._closed_visible))
        if not seen:  # here no longer, but expected
            visits = [visit.encounter for visit in known.visits.values()]
            expected = self._orders.entries_of(
                key, numbers, beside=known.patient, gone=self._gone(key)
            )
            return tuple(if_ended(row, visits) for row in expected)
        return self._orders.attached(seen, numbers, self._gone(key))

    def _show(self, key: PatientKey) -> None:
        """Brings the rows of a patient up to date, and of those whose doubts change with them."""
        waiting = {key}
        while waiting:  # ends: whoever claims what they claimed before touches nobody
            waiting |= self._show_one(waiting.pop())

    def _show_one(self, key: PatientKey) -> set[PatientKey]:
        for place in self._places.pop(key, ()):
            for roster in self._rosters.values():
                roster.remove(place)
        for alike in self._alike.values():
            alike.remove(key)
        entries_now = self._entries_of(key)
        touched = self._check(key, entries_now)
        rows = self._rows_of(key, self._prepared(key, entries_now))
        if rows:
            self._places[key] = tuple(row.key for row in rows)
        for row in rows:
            for tab in tabs_of(row.entry, self._wards):
                self._rosters[tab].put(row)
                if not row.entry.is_of_another:
                    self._alike[tab].put(row.entry.patient)
        return touched

    def _rows_of(self, key: PatientKey, own: tuple[PatientListEntry, ...]) -> list[Row]:
        """The rows of a patient, and of those to whom worklists give the number all the same."""
        known = self._patients.get(self._claimant(key) or ("", ""))
        others = self._orders.of_others(key, known.patient) if known is not None else ()
        return [row_of(entry) for entry in (*own, *others)]

    def _prepared(
        self, key: PatientKey, found: tuple[PatientListEntry, ...] | None = None
    ) -> tuple[PatientListEntry, ...]:
        """The entries of a patient as of now, noted with the time at which they change."""
        found = self._entries_of(key) if found is None else found
        known = self._patients.get(key)
        given_away = known is not None and self._orders.gives_to_another(key, known.patient)
        (self._given_away.add if given_away else self._given_away.discard)(key)
        shown = tuple(
            replace(
                entry,
                doubts=self._doubts_of(key, entry),
                shared_studies=self._shared_studies(key, entry),
            )
            for entry in found
        )
        is_of_two = any(Doubt.NUMBER_OF_TWO in entry.doubts for entry in shown)
        (self._of_two.add if is_of_two else self._of_two.discard)(key)
        if shown:
            self._shown[key] = shown
            self._holders[key[0]].add(key)
        else:
            self._shown.pop(key, None)
            if key not in self._patients:
                self._holders[key[0]].discard(key)
        self._note_leaving(key)
        return shown

    def _doubts_of(self, key: PatientKey, entry: PatientListEntry) -> frozenset[Doubt]:
        claims = [*(of_visit(entry.encounter) if entry.encounter else ()), *of_orders([entry])]
        doubts = {claim.doubt for claim in claims if self._checks.is_shared(key, claim)}
        doubts |= entry.doubts
        if key in self._given_away:
            doubts.add(Doubt.NUMBER_ON_WORKLIST)
        if self._is_merged(key):
            doubts.add(Doubt.MERGE_REFUSED)
        if key in self._retired:
            doubts.add(Doubt.NUMBER_RETIRED)
        return frozenset(doubts)

    def _shared_studies(self, key: PatientKey, entry: PatientListEntry) -> frozenset[str]:
        return frozenset(c.what[0] for c in of_orders([entry]) if self._checks.is_shared(key, c))

    def _note_leaving(self, key: PatientKey) -> None:
        known, now = self._patients.get(key), self._clock.now()
        visits = known.visits.values() if known else ()
        self._leaving.put(key, {hidden_from(v, self._closed_visible) for v in visits}, now)

    def _let_go(self) -> None:
        """Takes away visits that were closed long enough ago."""
        for key in self._leaving.due(self._clock.now()):
            self._show(key)

    def _find_recent(self, text: str, limit: int) -> tuple[PatientListEntry, ...]:
        roster = Roster()
        recent = [entry for key in self._recent for entry in self._shown.get(key, ())]
        roster.fill([row_of(entry) for entry in recent])
        matching = set(map(id, roster.find(text, len(recent))))
        return tuple(entry for entry in recent if id(entry) in matching)[:limit]
