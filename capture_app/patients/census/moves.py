"""Visits that become another patient's, or get another number or account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType

from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.patients.census.sequence import NumberChange, Placed, fits, under_new_number
from capture_app.patients.census.visits import SeveralError, Visit, VisitKey, Visits, which
from capture_app.patients.sources.adt.facts import NO_FACTS, VisitFacts


def moved_away(
    visits: Visits, prior: VisitFacts, placed: Placed
) -> tuple[Visits, tuple[FeedNote, ...]]:
    """The visits of a patient who loses one of them, or all of an account.

    They are kept, so that a late message does not bring them back.
    """
    if not prior.visit_number:
        keys = _of_account(visits, prior)
        notes = () if keys else (FeedNote("MRG-3", NoteCode.NUMBER_NOT_KNOWN),)
        return _put(visits, {key: _away(visits[key], prior, placed) for key in keys}), notes
    try:
        key = which(visits, prior, placed.event.event)
    except SeveralError:
        return visits, (FeedNote("MRG-5", NoteCode.SEVERAL_VISITS),)
    known = visits.get(key) if key is not None else None
    if key is None or known is None:
        gone = _away(_never_told(placed), prior, placed)
        return _put(visits, {gone.key: gone}), (FeedNote("MRG-5", NoteCode.NUMBER_NOT_KNOWN),)
    return _put(visits, {key: _away(known, prior, placed)}), ()


def renumbered(
    visits: Visits, prior: VisitFacts, facts: VisitFacts, placed: Placed
) -> tuple[Visits, tuple[FeedNote, ...]]:
    """The visits of a patient after one of them, or all of an account, got another number.

    `facts` says what that is.
    """
    if not prior.visit_number:
        keys = _of_account(visits, prior)
        notes = () if keys else (FeedNote("MRG-3", NoteCode.NUMBER_NOT_KNOWN),)
        return _put(visits, {key: _under_account(visits[key], facts) for key in keys}), notes
    try:
        key = which(visits, prior, placed.event.event)
    except SeveralError:
        return visits, (FeedNote("MRG-5", NoteCode.SEVERAL_VISITS),)
    known = visits.get(key) if key is not None else None
    if key is None or known is None:
        return visits, (FeedNote("MRG-5", NoteCode.NUMBER_NOT_KNOWN),)
    anew = _under_number(known, facts)
    there = visits.get(anew.key)
    if there is not None and there is not known and not there.encounter.state.is_gone:
        anew = there  # told of by its new number before: that is what is known of it now
    return _put(visits, {key: anew}), ()


def _put(visits: Visits, changed: dict[VisitKey, Visit]) -> Visits:
    rest = {key: visit for key, visit in visits.items() if key not in changed}
    return MappingProxyType({**rest, **{visit.key: visit for visit in changed.values()}})


def _of_account(visits: Visits, prior: VisitFacts) -> list[VisitKey]:
    return [
        key
        for key, visit in visits.items()
        if visit.account_number
        and fits(visit.account_number, visit.account_issuer, *prior.account.key)
    ]


def _never_told(placed: Placed) -> Visit:
    nothing = Encounter("", "", "", Location(), EncounterState.MOVED)
    return Visit(nothing, placed.at, placed.at)


def _away(visit: Visit, prior: VisitFacts, placed: Placed) -> Visit:
    encounter = visit.encounter
    if not encounter.visit_number:
        encounter = _under_number(visit, prior).encounter
    is_told = encounter.state is not EncounterState.MOVED and not visit.is_as_it_was
    was = encounter.state if is_told else visit.was
    encounter = replace(encounter, state=EncounterState.MOVED)
    return replace(visit, encounter=encounter, at=placed.at, is_admitted=False, was=was)


def _under_number(visit: Visit, facts: VisitFacts) -> Visit:
    encounter = visit.encounter.numbered(facts.number)
    return replace(visit, encounter=encounter, is_account=False)


def _under_account(visit: Visit, facts: VisitFacts) -> Visit:
    """A visit that is known by its account alone has the new one as its number."""
    renamed = replace(_under_number(visit, facts), is_account=True) if visit.is_account else visit
    return replace(
        renamed, account_number=facts.account_number, account_issuer=facts.account_issuer
    )


def former_numbers(
    visits: Visits, changes: Iterable[NumberChange]
) -> Iterator[tuple[str, str, Encounter]]:
    """Numbers by which a visit may have been known, each with its issuer and the visit: those that
    it had, and its accounts (PID-18).
    """
    for visit in visits.values():
        if visit.account_number:
            yield visit.account_number, visit.account_issuer, visit.encounter
    for change in (told := tuple(changes)):
        had = NO_FACTS.numbered(change.before, is_account=change.is_account)
        if change.is_account:
            had = replace(
                had, account_number=change.before.value, account_issuer=change.before.issuer
            )
        now = under_new_number(had, told)
        for visit in visits.values():
            account = (visit.account_number, visit.account_issuer)
            if fits(*visit.key, *now.number.key) or (
                change.is_account and fits(*account, *now.account.key)
            ):
                yield *change.before.key, visit.encounter


def gone_numbers(visits: Visits, changes: Iterable[NumberChange]) -> frozenset[tuple[str, str]]:
    """Numbers, each with its issuer, by which visits were known that were cancelled or became
    another patient's, and that no visit has which is here.
    """
    numbers = [(*visit.key, visit.encounter) for visit in visits.values()]
    numbers += former_numbers(visits, changes)
    here = {(number, issuer) for number, issuer, visit in numbers if not visit.state.is_gone}
    return frozenset((number, issuer) for number, issuer, _ in numbers) - here
