"""What two patients cannot both have: a bed, a visit number, a study. Who has it is noted here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from capture_app.model.encounter import Encounter, EncounterState
from capture_app.model.worklist import Doubt, PatientListEntry

PatientKey = tuple[str, str]
"""Identifier and issuer."""


class Claim(NamedTuple):
    """Something that one patient alone should have."""

    doubt: Doubt
    what: tuple[str, ...]
    authority: str = ""
    """Who gave it; one that is not told contradicts none."""


class CrossChecks:
    """Who claims what. Not for two threads at once: the census locks."""

    def __init__(self) -> None:
        self._holders: defaultdict[
            tuple[Doubt, tuple[str, ...]], defaultdict[str, set[PatientKey]]
        ] = defaultdict(lambda: defaultdict(set))
        self._claims: dict[PatientKey, frozenset[Claim]] = {}
        self._crowded: set[tuple[Doubt, tuple[str, ...]]] = set()

    def put(self, key: PatientKey, claims: Iterable[Claim]) -> set[PatientKey]:
        """Puts the claims of a patient in place of those before. Others whose doubts may change.

        Where many share a thing already, one more changes nothing for them.
        """
        had, has = self._claims.get(key, frozenset()), frozenset(claims)
        if had == has:
            return set()
        if has:
            self._claims[key] = has
        else:
            self._claims.pop(key, None)
        for claim in had - has:
            what = (claim.doubt, claim.what)
            group = self._holders[what]
            group[claim.authority].discard(key)
            if not group[claim.authority]:
                del group[claim.authority]
            if not group:
                del self._holders[what]
        for claim in has - had:
            self._holders[claim.doubt, claim.what][claim.authority].add(key)
        for claim in had ^ has:
            what = (claim.doubt, claim.what)
            if sum(map(len, self._holders.get(what, {}).values())) > 1:
                self._crowded.add(what)
            else:
                self._crowded.discard(what)
        touched: set[PatientKey] = set()
        for claim in had ^ has:
            for others in self._beside(claim):
                if len(others) - (key in others) == 1:
                    touched |= others
        return touched - {key}

    def is_shared(self, key: PatientKey, claim: Claim) -> bool:
        """Whether another patient claims the same."""
        return any(len(others) > (key in others) for others in self._beside(claim))

    def shared_visits(self, key: PatientKey, visits: Iterable[Encounter]) -> frozenset[str]:
        """Numbers of a patient's visits of which another patient has a visit, too."""
        return frozenset(
            visit.visit_number
            for visit in visits
            for claim in of_visit(visit)
            if claim.doubt is Doubt.SHARED_VISIT_NUMBER and self.is_shared(key, claim)
        )

    def count(self) -> dict[Doubt, int]:
        """How many patients share something."""
        found: defaultdict[Doubt, set[PatientKey]] = defaultdict(set)
        for doubt, what in self._crowded:
            for authority, keys in self._holders[doubt, what].items():
                claim = Claim(doubt, what, authority)
                found[doubt] |= {key for key in keys if self.is_shared(key, claim)}
        return {doubt: len(keys) for doubt, keys in found.items() if keys}

    def _beside(self, claim: Claim) -> list[set[PatientKey]]:
        """Those who claim it, apart by the authority that they name."""
        if (claim.doubt, claim.what) not in self._holders:
            return []
        return [
            keys
            for authority, keys in self._holders[claim.doubt, claim.what].items()
            if authority == claim.authority or not authority or not claim.authority
        ]


def of_patient(visits: Iterable[Encounter], shown: Collection[PatientListEntry]) -> set[Claim]:
    """What a patient claims, by the visits that the admissions feed tells and by rows, which may
    name others that a worklist alone tells of.
    """
    known = {(visit.visit_number, visit.issuer): visit for visit in visits}
    rows = {(v.visit_number, v.issuer): v for entry in shown if (v := entry.encounter) is not None}
    claims = {claim for visit in {**rows, **known}.values() for claim in of_visit(visit)}
    return claims.union(of_orders(shown))


def of_visit(visit: Encounter) -> Iterable[Claim]:
    """What a visit claims for its patient: its number, and while it lasts a bed."""
    if visit.state.is_gone:
        return
    if visit.visit_number:
        authority = visit.issuer or visit.universal_id
        yield Claim(Doubt.SHARED_VISIT_NUMBER, (visit.visit_number,), authority)
    place = visit.location
    if visit.state is EncounterState.OPEN and place.ward and place.bed:
        yield Claim(Doubt.SHARED_BED, (place.facility, place.ward, place.room, place.bed))


def of_orders(entries: Iterable[PatientListEntry]) -> Iterable[Claim]:
    """What the orders of a patient claim: their studies."""
    for entry in entries:
        for order in entry.orders:
            if order.study_instance_uid:
                yield Claim(Doubt.SHARED_STUDY_UID, (order.study_instance_uid,))
