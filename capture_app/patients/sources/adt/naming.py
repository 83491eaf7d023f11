"""Numbers under the one name of their authority, by what the feed itself said of its names.

A message that states both names of an authority (`HOSP&1.2.3&ISO`) teaches that a number with the
OID alone is the namespace's. Which numbers are taken here at all is not changed by that, so that
the order of messages makes no difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from capture_app.hl7.identifiers import is_universal
from capture_app.model.patient import PatientId
from capture_app.patients.sources.adt.facts import AdtEvent, VisitFacts
from capture_app.patients.sources.authorities import NONE_ARE_THE_SAME, SameAuthorities

Pair = tuple[str, str]
"""Namespace (CX-4.1) and universal ID (CX-4.2)."""

MOST_PAIRS: Final = 1_000
"""So many authorities has no hospital: more are a sender's fault, and are not learnt."""


@dataclass(frozen=True, slots=True)
class LearntNames:
    """What was stated so far. What contradicts is not used, whichever was said first."""

    stated: frozenset[Pair] = frozenset()
    contradicting: tuple[Pair, ...] = ()
    """A namespace of two universal IDs, or the reverse; and what the settings say otherwise."""
    namespaces: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By universal ID, where both names have each other alone."""

    @classmethod
    def of(
        cls, stated: Iterable[Pair], settings: SameAuthorities = NONE_ARE_THE_SAME
    ) -> LearntNames:
        """What follows from these pairs. `settings` are right where they say something."""
        known = frozenset(stated)
        by_namespace, by_oid = defaultdict(set), defaultdict(set)
        for namespace, oid in (*known, *settings.pairs):
            by_namespace[namespace].add(oid)
            by_oid[oid].add(namespace)
        wrong = {
            pair for pair in known if len(by_namespace[pair[0]]) > 1 or len(by_oid[pair[1]]) > 1
        } - set(settings.pairs)
        return cls(
            known,
            tuple(sorted(wrong)),
            MappingProxyType({oid: namespace for namespace, oid in known - wrong}),
        )

    def named(self, number: PatientId) -> PatientId:
        """The number with its authority's namespace, where only the universal ID was told."""
        oid = number.universal_id or number.issuer
        namespace = self.namespaces.get(oid)
        if namespace is None or number.issuer not in {"", oid}:
            return number
        kind = number.universal_id_type or "ISO"
        return replace(number, issuer=namespace, universal_id=oid, universal_id_type=kind)

    def in_event(self, event: AdtEvent) -> AdtEvent:
        """The message with all its numbers so named. One that puts a number in its own place by
        another name of the authority changes none.
        """
        person, prior = event.person, event.prior
        told = (person.patient_id, *person.other_ids)
        number, *others = named = tuple(map(self.named, told))
        if named != told:
            distinct = {other.key: other for other in others if other.key != number.key}
            person = replace(person, patient_id=number, other_ids=tuple(distinct.values()))
        if prior is not None:
            prior = self.named(prior)
            prior = prior if prior.key != number.key else None
        visit, had = self._of_visit(event.visit), self._of_visit(event.prior_visit)
        if (person, prior, visit, had) == (
            *(event.person, event.prior),
            *(event.visit, event.prior_visit),
        ):
            return event
        return replace(event, person=person, prior=prior, visit=visit, prior_visit=had)

    def _of_visit(self, visit: VisitFacts | None) -> VisitFacts | None:
        if visit is None or (named := self.named(visit.number)) == visit.number:
            return visit
        return visit.numbered(named, is_account=visit.is_account)

    def changes(self, later: LearntNames, number: PatientId) -> bool:
        """Whether a number that was named by this may have another name by what is learnt later."""
        if later.named(number) != number:
            return True
        oid = number.universal_id
        return self.namespaces.get(oid, "") == number.issuer != later.namespaces.get(oid, "")


def pairs_of(event: AdtEvent) -> frozenset[Pair]:
    """The authorities that a message names in both ways."""
    numbers = [event.person.patient_id, *event.person.other_ids]
    if event.prior is not None:
        numbers.append(event.prior)
    numbers += [visit.number for visit in (event.visit, event.prior_visit) if visit is not None]
    return pairs_in(numbers)


def pairs_in(numbers: Iterable[PatientId]) -> frozenset[Pair]:
    """The authorities that these numbers name in both ways."""
    return frozenset(
        (number.issuer, number.universal_id)
        for number in numbers
        if number.issuer
        and number.issuer != number.universal_id
        and is_universal(number.universal_id, number.universal_id_type)
    )
