"""The patient list in memory: who is shown in which tab, and found by what.

Not for two threads at once: the census locks.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, islice
from typing import Final

from capture_app.clock import Clock
from capture_app.model.encounter import EncounterState
from capture_app.model.patient import PatientId
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.fold import CensusPatient, entries, hidden_from
from capture_app.patients.census.orders import OrderBook, WorklistAnswer, contradicts
from capture_app.patients.finding.roster import Roster, SortKey, row_of
from capture_app.patients.finding.scan import ScannedNumber

_RECENT: Final = 50
_MOST_HOLDERS: Final = 100
"""Of a number that so many patients have nobody is chosen by it, nor by anything beside it."""

PatientKey = tuple[str, str]
"""Identifier and issuer."""


class Tab(StrEnum):
    """Which part of the list."""

    WARD = "ward"
    """Patients of the wards of the settings; of all wards where none is set."""
    WORKLIST = "worklist"
    """Patients with an order."""
    RECENT = "recent"
    """Patients opened here not long ago, the last one first."""
    ALL = "all"


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
        self._recent: list[PatientKey] = []
        self._leaving: list[tuple[datetime, PatientKey]] = []

    def __len__(self) -> int:
        return len(self._patients)

    def known(self, key: PatientKey) -> CensusPatient | None:
        """What the admissions feed told of a patient."""
        return self._patients.get(key)

    def put(self, key: PatientKey, known: CensusPatient) -> None:
        """Adds or changes a patient of the admissions feed."""
        others = self._remember(key, known)
        for touched in {key, *others}:
            self._show(touched)

    def fill(self, patients: Mapping[PatientKey, CensusPatient]) -> None:
        """Puts these patients in place of all others: faster than one by one."""
        for key, known in patients.items():
            self._remember(key, known)
        rows = [row_of(entry) for key in self._patients for entry in self._prepared(key)]
        for row in rows:
            key = row.entry.patient.patient_id.key
            self._places[key] = (*self._places.get(key, ()), row.key)
        for tab, roster in self._rosters.items():
            roster.fill([row for row in rows if tab in self._tabs_of(row.entry)])

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
        for value, _ in {key, *others}:
            self._holders[value].discard(key)
        for touched in {key, *others}:
            self._show(touched)

    def put_worklist(self, answer: WorklistAnswer) -> None:
        """Puts the answer of one worklist in place of its last one."""
        for key in self._orders.put(answer):
            self._show(key)

    def count_contradicting(self, answer: WorklistAnswer) -> int:
        """How many items of a worklist contradict what the admissions feed says."""
        holders = ((item, self._claimant(item.patient.patient_id.key)) for item in answer.items)
        return sum(
            key is not None and contradicts(item, self._patients[key].patient)
            for item, key in holders
        )

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
        shown = chain.from_iterable(self._shown.get(key, ()) for key in holders)
        return tuple(entry for entry in shown if number.is_of(entry.patient.patient_id))

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
        self._patients[key] = known
        return had | has

    def _keys_of(self, key: PatientKey) -> set[PatientKey]:
        known = self._patients.get(key)
        return {key, *(n.key for n in known.patient.other_ids)} if known else {key}

    def _claimant(self, key: PatientKey) -> PatientKey | None:
        """The patient of the admissions feed who has this identifier; None for none or several."""
        if key in self._patients:
            return key
        claimants = (
            holder
            for holder in self._holders.get(key[0], ())
            if holder in self._patients and key in self._keys_of(holder)
        )
        # Two are enough: a filler such as 999999999 is a number of half the hospital.
        first_two = tuple(islice(claimants, 2))
        return first_two[0] if len(first_two) == 1 else None

    def _entries_of(self, key: PatientKey) -> tuple[PatientListEntry, ...]:
        claimant = self._claimant(key)
        if claimant is not None and claimant != key:
            return ()  # the orders stand with the patient whose other number this is
        if claimant is None:
            return self._orders.entries_of(key)
        known = self._patients[key]
        numbers = [k for k in self._keys_of(key) if self._claimant(k) == key]
        seen = tuple(entries(known, self._clock.now(), self._closed_visible))
        if not seen:  # here no longer, but expected
            return self._orders.entries_of(key, beside=known.patient)
        return self._orders.attached(seen, numbers)

    def _show(self, key: PatientKey) -> None:
        """Brings the rows of a patient up to date."""
        for place in self._places.pop(key, ()):
            for roster in self._rosters.values():
                roster.remove(place)
        shown = self._prepared(key)
        rows = [row_of(entry) for entry in shown]
        if rows:
            self._places[key] = tuple(row.key for row in rows)
        for row in rows:
            for tab in self._tabs_of(row.entry):
                self._rosters[tab].put(row)

    def _prepared(self, key: PatientKey) -> tuple[PatientListEntry, ...]:
        """The entries of a patient as of now, noted with the time at which they change."""
        shown = self._entries_of(key)
        if shown:
            self._shown[key] = shown
            self._holders[key[0]].add(key)
        else:
            self._shown.pop(key, None)
            if key not in self._patients:
                self._holders[key[0]].discard(key)
        for visit in self._patients[key].visits.values() if key in self._patients else ():
            ends = hidden_from(visit, self._closed_visible)
            if ends is not None and ends > self._clock.now():
                heapq.heappush(self._leaving, (ends, key))
        return shown

    def _let_go(self) -> None:
        """Takes away visits that were closed long enough ago."""
        now = self._clock.now()
        while self._leaving and self._leaving[0][0] <= now:
            _, key = heapq.heappop(self._leaving)
            self._show(key)

    def _tabs_of(self, entry: PatientListEntry) -> Iterable[Tab]:
        ward = entry.encounter.location.ward if entry.encounter else ""
        is_ours = ward in self._wards if self._wards else True
        if is_ours and entry.encounter is not None:
            yield Tab.WARD
        if entry.orders:
            yield Tab.WORKLIST
        if is_ours or entry.orders:
            yield Tab.ALL

    def _find_recent(self, text: str, limit: int) -> tuple[PatientListEntry, ...]:
        roster = Roster()
        recent = [entry for key in self._recent for entry in self._shown.get(key, ())]
        roster.fill([row_of(entry) for entry in recent])
        matching = set(map(id, roster.find(text, len(recent))))
        return tuple(entry for entry in recent if id(entry) in matching)[:limit]
