"""One patient's events in the order in which they count, and which of them were cancelled.

What is said goes by the time at which it was recorded, then by arrival; a coarse time neither beats
nor loses to a finer one inside it, so arrival decides there. Where several senders speak of one
patient, their clocks are laid side by side first.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from capture_app.model.patient import PatientId
from capture_app.patients.sources.adt.facts import AdtEvent, VisitFacts
from capture_app.patients.sources.adt.moving import MOVES
from capture_app.patients.sources.adt.order import Span

_CLOCKS_AGREE: Final = timedelta(minutes=10)
"""Less than this is the way that a message takes, not a clock that is wrong."""

CANCELS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "A11": frozenset({"A01", "A04"}),
        "A12": frozenset({"A02"}),
        "A13": frozenset({"A03"}),
        "A23": frozenset(),  # the whole visit, whatever was told of it
        "A27": frozenset({"A14"}),
        "A38": frozenset({"A05"}),
    }
)
"""Events that cancel, each with those that it can undo (HL7 v2.5.1 3.3)."""


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A visit's number (A50), or an account with all its visits (A49), that is another one now."""

    before: PatientId
    now: PatientId
    is_account: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """An event in its place."""

    event: AdtEvent
    at: datetime
    """Its place among all that was recorded of the patient."""
    occurred: Span
    """When it happened, on the same clock; of a cancel, when it was recorded."""


def next_place(recorded: Span, last: datetime) -> datetime | None:
    """Where a message stands that comes after all else, the last of it at `last`; None where it is
    late.
    """
    if last >= recorded.end:
        return None
    return max(recorded.start, last)


def in_order(events: Iterable[AdtEvent]) -> tuple[Placed, ...]:
    """The events of one patient in the order in which they count."""
    arrived = sorted(events, key=lambda event: event.arrival)
    shifts = _clock_shifts(arrived)
    places: list[datetime] = []
    placed = []
    for event in arrived:
        shift = shifts.get(event.order.sender, timedelta())
        recorded = event.order.recorded.later_by(shift).no_later_than(event.received_at)
        before = bisect_left(places, recorded.end)
        at = max(recorded.start, places[before - 1]) if before else recorded.start
        insort(places, at)
        placed.append(place(event, at, shift))
    return tuple(sorted(placed, key=lambda each: (each.at, each.event.arrival)))


def place(event: AdtEvent, at: datetime, shift: timedelta = timedelta()) -> Placed:
    """An event at a place in the order. `shift` lays the clock of its sender beside the others."""
    happened = event.order.occurred
    if happened is None or event.event in CANCELS:
        # Of a cancel EVN-6 is the time of what is cancelled.
        return Placed(event, at, Span(at, at + timedelta(seconds=1)))
    return Placed(event, at, happened.later_by(shift).no_later_than(at))


def undone(story: Sequence[Placed]) -> Mapping[int, Placed | None]:
    """The arrival of each cancel with the event that it undoes; None where there is none.

    Found by ZBE-1 where the cancel has one, else by type and visit: the last one recorded before
    the cancel, else the last of another sender, whose clock may be fast, that came before it.
    """
    targets: dict[int, Placed | None] = {}
    gone: set[int] = set()
    for cancel in story:
        if cancel.event.event not in CANCELS:
            continue
        target = _target(story, cancel, gone)
        targets[cancel.event.arrival] = target
        if target is not None:
            gone.add(target.event.arrival)
    return targets


def dropped(story: Sequence[Placed], targets: Mapping[int, Placed | None]) -> frozenset[int]:
    """The arrivals of all events that are as if they had never been.

    An admission that was told twice is cancelled by one A11, and a movement that was told twice
    under one ZBE-1 by one cancel.
    """
    gone = {target.event.arrival for target in targets.values() if target is not None}
    for cancel in story:
        target = targets.get(cancel.event.arrival)
        if target is None:
            continue
        gone |= {
            other.event.arrival
            for other in story
            if other.event.event == target.event.event
            and (other.at, other.event.arrival) <= (target.at, target.event.arrival)
            and same_visit(other.event.visit, target.event.visit)
            and (cancel.event.event == "A11" or is_same_movement(other.event, target.event))
        }
    return frozenset(gone)


def under_last_numbers(story: tuple[Placed, ...]) -> tuple[Placed, ...]:
    """The events, each with the number and account that its visit has in the end (A49, A50): by
    them it is seen which events are about one visit.
    """
    changes = [change for each in story for change in number_changes(each.event)]
    if not changes:
        return story

    def renamed(each: Placed) -> Placed:
        visit = each.event.visit
        visit = under_new_number(visit, changes) if visit is not None else None
        return replace(each, event=replace(each.event, visit=visit))

    return tuple(map(renamed, story))


def number_changes(event: AdtEvent) -> tuple[NumberChange, ...]:
    """What number or account is another one from this message on."""
    prior, now = event.prior_visit, event.visit
    if prior is None or now is None or event.event in MOVES:
        return ()
    if prior.visit_number:
        return (NumberChange(prior.number, now.number, is_account=False),)
    return (NumberChange(prior.account, now.account, is_account=True),)


def under_new_number(visit: VisitFacts, changes: Iterable[NumberChange]) -> VisitFacts:
    """What a message says of a visit, with the number that it has after these changes."""
    for change in changes:
        visit = _renumbered(visit, change)
    return visit


def _renumbered(visit: VisitFacts, change: NumberChange) -> VisitFacts:
    if not change.is_account:
        is_it = fits(*visit.number.key, *change.before.key)
        return visit.numbered(change.now, is_account=False) if is_it else visit
    if not fits(*visit.account.key, *change.before.key):
        return visit
    account = replace(visit, account_number=change.now.value, account_issuer=change.now.issuer)
    return account.numbered(change.now, is_account=True) if visit.is_account else account


def is_same_movement(one: AdtEvent, other: AdtEvent) -> bool:
    """Whether two messages name one movement (ZBE-1)."""
    return any(fits(*a, *b) for a in one.order.movements for b in other.order.movements)


def same_visit(one: VisitFacts | None, other: VisitFacts | None) -> bool:
    """Whether two messages of a patient may be about one visit."""
    if one is None or other is None or not one.visit_number or not other.visit_number:
        return True
    if fits(one.visit_number, one.issuer, other.visit_number, other.issuer):
        return True
    return (
        (one.is_account or other.is_account)
        and bool(one.account_number)
        and fits(one.account_number, one.account_issuer, other.account_number, other.account_issuer)
    )


def fits(number: str, issuer: str, other: str, other_issuer: str) -> bool:
    """Whether two numbers are the same: an issuer that is not told contradicts none."""
    return number == other and (issuer == other_issuer or not issuer or not other_issuer)


def _target(story: Sequence[Placed], cancel: Placed, gone: set[int]) -> Placed | None:
    kinds = CANCELS[cancel.event.event]
    possible = [
        other
        for other in story
        if other.event.event in kinds
        and other.event.arrival not in gone
        and same_visit(other.event.visit, cancel.event.visit)
    ]
    if cancel.event.order.movements:  # it says which: no other is meant
        named = [other for other in possible if is_same_movement(other.event, cancel.event)]
        return named[-1] if named else None
    earlier = [other for other in possible if _is_before(other, cancel)]
    earlier = earlier or [other for other in possible if _came_before(other, cancel)]
    if not earlier:
        return None
    last = earlier[-1]
    if not all(same_visit(other.event.visit, last.event.visit) for other in earlier):
        return None  # no visit is named, and several could be meant
    return last


def _is_before(one: Placed, other: Placed) -> bool:
    return (one.at, one.event.arrival) < (other.at, other.event.arrival)


def _came_before(one: Placed, other: Placed) -> bool:
    """Whether one event came before another by its sender's clock, which cannot be held against
    the other's. Of one sender the clock alone counts: what it sends may overtake itself.
    """
    first, second = one.event, other.event
    return first.order.sender != second.order.sender and first.arrival < second.arrival


def _clock_shifts(arrived: Sequence[AdtEvent]) -> dict[tuple[str, str], timedelta]:
    """What to add to each sender's times so that all are on one clock.

    A message takes no less than no time: the least that a sender's ever took to come is how far
    its clock is behind. The clock that is nearest to ours stays.
    """
    lags: dict[tuple[str, str], timedelta] = {}
    for event in arrived:
        if event.order.sent_at is not None:
            lag = event.received_at - event.order.sent_at
            sender = event.order.sender
            lags[sender] = min(lag, lags.get(sender, lag))
    if len(lags) < 2:
        return {}
    nearest = min(lags.values(), key=abs)
    shifts = {sender: lag - nearest for sender, lag in lags.items()}
    return {sender: shift for sender, shift in shifts.items() if abs(shift) >= _CLOCKS_AGREE}
