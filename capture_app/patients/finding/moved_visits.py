"""Visits that became another patient's (A45): each is there what it was before, until something is
said of it.

The message itself seldom says whether the visit has ended, and each patient is folded alone: what
the visit was stands with the one who lost it. Not for two threads at once: the census locks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from capture_app.model.encounter import EncounterState
from capture_app.patients.census.fold import CensusPatient
from capture_app.patients.census.sequence import fits
from capture_app.patients.census.visits import Visit, VisitKey
from capture_app.patients.finding.crosschecks import PatientKey


class MovedVisits:
    """All that is told of patients, and who lost visits and who has them now."""

    def __init__(self) -> None:
        self._told: dict[PatientKey, CensusPatient] = {}
        self._lost: defaultdict[str, dict[PatientKey, Visit]] = defaultdict(dict)
        """By number those that became another patient's."""
        self._got: defaultdict[str, set[PatientKey]] = defaultdict(set)
        self._numbers: dict[PatientKey, frozenset[str]] = {}

    def told(self, key: PatientKey) -> CensusPatient | None:
        """What is told of a patient, and of that one alone."""
        return self._told.get(key)

    def put(self, key: PatientKey, known: CensusPatient | None) -> dict[PatientKey, CensusPatient]:
        """Takes in what is told of a patient, None for nothing any more. That patient, and others
        whose visits may be something else with it, each with the visits as they were before.
        """
        if known is None:
            self._told.pop(key, None)
        else:
            self._told[key] = known
        touched = {key, *self._note(key, known)} & self._told.keys()
        return {each: self._as_they_were(self._told[each]) for each in touched}

    def _note(self, key: PatientKey, known: CensusPatient | None) -> set[PatientKey]:
        before = self._numbers.pop(key, frozenset())
        lost, got = (dict(_lost(known)), set(_got(known))) if known is not None else ({}, set())
        if not (before or lost or got):
            return set()
        changed = {n for n in before | lost.keys() if self._lost.get(n, {}).get(key) != lost.get(n)}
        for number in before:
            self._lost[number].pop(key, None)
            self._got[number].discard(key)
        for number, visit in lost.items():
            self._lost[number][key] = visit
        for number in got:
            self._got[number].add(key)
        if lost or got:
            self._numbers[key] = frozenset(lost.keys() | got)
        return {other for number in self._since(changed) for other in self._got[number]} - {key}

    def _since(self, numbers: set[str]) -> set[str]:
        """These numbers, and those that their visits had from one patient to the next."""
        found = set(numbers)
        while (
            more := {
                number
                for number, losers in self._lost.items()
                for visit in (losers.values() if found else ())
                if visit.had[0] in found
            }
            - found
        ):
            found |= more
        return found

    def _as_they_were(self, known: CensusPatient) -> CensusPatient:
        if not any(map(_is_as_it_was, known.visits.values())):
            return known
        visits = {key: self._as_it_was(visit) for key, visit in known.visits.items()}
        return replace(known, visits=MappingProxyType(visits))

    def _as_it_was(self, visit: Visit) -> Visit:
        if not _is_as_it_was(visit):
            return visit
        here, lost = visit.encounter, self._last_told(visit)
        if lost is not None and lost.was is not None:
            ended = lost.encounter.discharged_at
            return replace(visit, encounter=replace(here, state=lost.was, discharged_at=ended))
        return replace(visit, encounter=replace(here, state=visit.was or here.state))

    def _last_told(self, visit: Visit) -> Visit | None:
        """The visit as it was where it was last told whether it is open, of those who lost it."""
        numbers, seen, told = {visit.key, visit.had}, set[VisitKey](), list[Visit]()
        while numbers:
            number = numbers.pop()
            seen.add(number)
            for lost in self._lost.get(number[0], {}).values():
                if fits(*lost.key, *number):
                    if lost.was is not None:
                        told.append(lost)
                    numbers |= {lost.had} - seen
        return max(told, key=lambda lost: lost.at, default=None)


def _lost(known: CensusPatient) -> Iterator[tuple[str, Visit]]:
    for visit in known.visits.values():
        if visit.encounter.state is EncounterState.MOVED and visit.encounter.visit_number:
            yield visit.encounter.visit_number, visit


def _got(known: CensusPatient) -> Iterator[str]:
    for visit in filter(_is_as_it_was, known.visits.values()):
        yield from filter(None, (visit.encounter.visit_number, visit.had[0]))


def _is_as_it_was(visit: Visit) -> bool:
    return visit.is_as_it_was and visit.encounter.state is EncounterState.OPEN
