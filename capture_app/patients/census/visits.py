"""One visit as folded so far, which visit a message means, and what each event does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.patients.census.sequence import CANCELS, Placed, fits
from capture_app.patients.sources.adt.facts import Stated, VisitFacts

T = TypeVar("T")
VisitKey = tuple[str, str]
"""Visit number and its issuer."""

_DAY: Final = timedelta(days=1)
_PRE_ADMITTED: Final = "P"
"""PV1-2 of a visit that is still to come (HL7 table 0004)."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as folded so far."""

    encounter: Encounter
    at: datetime
    """When the last thing was recorded of it."""
    placed_at: datetime
    """Since when the patient is where the visit says."""
    account_number: str = ""
    account_issuer: str = ""
    """PID-18: by it a visit is known until it has a number of its own."""
    is_account: bool = False
    """Its number is still the account's."""
    is_admitted: bool = False
    """An admission or registration was told, and not cancelled."""
    was: EncounterState | None = None
    """What it was when it became another patient's; None where that was not told to this one."""
    had: VisitKey = ("", "")
    """The number that it had where it was another patient's before."""
    is_as_it_was: bool = False
    """Since it is this patient's nobody said whether it is open: it may have been another's."""

    @property
    def key(self) -> VisitKey:
        """What tells it from the patient's other visits."""
        return (self.encounter.visit_number, self.encounter.issuer)


@dataclass(frozen=True, slots=True)
class Change:
    """What one event made of a visit, and what of it had no effect."""

    visit: Visit | None
    notes: tuple[FeedNote, ...] = ()


Rule = Callable[[Visit | None, VisitFacts, Placed], Change]
Visits = Mapping[VisitKey, Visit]


class SeveralError(Exception):
    """Several visits could be meant."""


def after(
    visits: Visits, facts: VisitFacts, placed: Placed, rule: Rule, target: Placed | None
) -> tuple[Visits, tuple[FeedNote, ...]]:
    """The visits after one event, and notes on what of it had no effect.

    `target` is the event that a cancel undoes.
    """
    event = placed.event.event
    try:
        key = which(visits, facts, event, target.event.visit if target else None)
    except SeveralError:
        return visits, (FeedNote("PV1-19", NoteCode.SEVERAL_VISITS),)
    if key is None:
        code = NoteCode.NOTHING_TO_CANCEL if event in CANCELS else NoteCode.NO_VISIT
        return visits, (FeedNote("PV1-19", code),)
    before = visits.get(key)
    names_movement = bool(placed.event.order.movements and CANCELS.get(event))
    if target is None and before is not None and names_movement:
        # The movement that it names was never told, and which other one is meant nobody knows.
        return visits, (FeedNote("ZBE-1", NoteCode.NOTHING_TO_CANCEL),)
    if event == "A12" and target is not None and _place_of(facts) == _place_of(target.event.visit):
        facts = replace(facts, location=None)  # it repeats what is cancelled
    change = rule(before, facts, placed)
    notes = change.notes
    if before is None and event in _WITHDRAWALS and target is None:
        notes = (*notes, FeedNote("PV1-19", NoteCode.NOTHING_TO_CANCEL))
    if event in CANCELS and target is None and before is not None and change.visit is not None:
        same = replace(change.visit, at=before.at, placed_at=before.placed_at)
        is_same = same.encounter.state is before.encounter.state and _where(same) == _where(before)
        if is_same and same.is_as_it_was == before.is_as_it_was:
            notes = (*notes, FeedNote("EVN-1", NoteCode.NOTHING_TO_CANCEL))
    rest = {k: v for k, v in visits.items() if k != key}
    if change.visit is not None:
        rest[change.visit.key] = change.visit
    return MappingProxyType(rest), notes


def which(
    visits: Visits, facts: VisitFacts, event: str, cancelled: VisitFacts | None = None
) -> VisitKey | None:
    """The visit that an event is about, or the key of a new one; None where there is none.

    Raises SeveralError where the message names none and several could be meant. A message
    without a number is about the only open visit; one that neither begins nor ends a visit may
    also be about the only one; an admission (A01) is that of the only one that is to come, where
    none is open; the first number that is told names a visit that had none.
    """
    if facts.visit_number:
        return _named(visits, facts, is_beginning=event in BEGINNINGS)
    if cancelled is not None and cancelled.visit_number:
        return _named(visits, cancelled, is_beginning=False)
    open_ones = _in_state(visits, EncounterState.OPEN)
    if event in BEGINNINGS:
        expected = _in_state(visits, EncounterState.PENDING) if event == "A01" else []
        return _only(open_ones) or (expected[0] if len(expected) == 1 else ("", ""))
    if event == "A03":
        return _only(open_ones)
    if event == "A13" and cancelled is None:
        return _only(_in_state(visits, EncounterState.CLOSED))
    if event in {"A27", "A38"}:
        return _only(_in_state(visits, EncounterState.PENDING))
    if open_ones or event in CANCELS:
        return _only(open_ones)
    listed = [k for k, v in visits.items() if not v.encounter.state.is_gone]
    return _only(listed) or (None if visits else ("", ""))


def _named(visits: Visits, facts: VisitFacts, *, is_beginning: bool) -> VisitKey:
    number, issuer = facts.visit_number, facts.issuer
    if (number, issuer) in visits:
        return (number, issuer)
    same = [key for key in visits if fits(*key, number, issuer)]
    if same:
        return _best(visits, same)
    if facts.account_number:
        same = [
            key
            for key, visit in visits.items()
            if (facts.is_account or visit.is_account)
            and fits(
                visit.account_number,
                visit.account_issuer,
                facts.account_number,
                facts.account_issuer,
            )
        ]
        if same:
            return _best(visits, same)
    if ("", "") in visits:
        return ("", "")
    if not is_beginning and not facts.account_number:
        unnumbered = [k for k in _in_state(visits, EncounterState.OPEN) if visits[k].is_account]
        if len(unnumbered) == 1:
            return unnumbered[0]
    return (number, issuer)


def _best(visits: Visits, keys: list[VisitKey]) -> VisitKey:
    """The only one, else the only open one."""
    found = _only(keys if len(keys) == 1 else _in_state({k: visits[k] for k in keys}))
    if found is None:
        raise SeveralError
    return found


def _only(keys: Iterable[VisitKey]) -> VisitKey | None:
    found = list(keys)
    if len(found) > 1:
        raise SeveralError
    return found[0] if found else None


def _in_state(visits: Visits, state: EncounterState = EncounterState.OPEN) -> list[VisitKey]:
    return [key for key, visit in visits.items() if visit.encounter.state is state]


# ---------------------------------------------------------------------------- what an event does


def _opened(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A01, A04, A06, A07: the patient is here."""
    told, notes = _stated(before, facts, placed)
    encounter = replace(
        told.encounter,
        state=EncounterState.OPEN,
        admitted_at=told.encounter.admitted_at or placed.occurred.start,
        discharged_at=None,
    )
    return Change(replace(told, encounter=encounter, is_admitted=True, is_as_it_was=False), notes)


def _expected(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A05, A14: the patient will come. Who is here already stays."""
    told, notes = _stated(before, facts, placed)
    if before is not None and before.encounter.state is EncounterState.OPEN:
        return Change(told, notes)
    return Change(_in(told, EncounterState.PENDING), notes)


def _moved_here(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A45: another patient's visit is this one's. Unless the message says so, only what is told of
    who lost it says whether it has ended.
    """
    if before is not None and not before.encounter.state.is_gone:
        return _changed(before, facts, placed)
    if before is not None:
        before = replace(_in(before, EncounterState.OPEN), is_as_it_was=True)
    change = _changed(before, facts, placed)
    prior = placed.event.prior_visit
    if prior is None or change.visit is None:
        return change
    return replace(change, visit=replace(change.visit, had=prior.number.key))


def _changed(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A08, A02, A17, A50: what is known changes. An end that is past closes the visit, one to come
    does not.

    A visit never heard of is open: on the first day nobody here was seen to arrive.
    """
    told, notes = _stated(before, facts, placed)
    ended = facts.discharged_at.value if facts.discharged_at else None
    told = replace(told, is_as_it_was=facts.discharged_at is None and _is_untold(before))
    if before is None and facts.patient_class == Stated(_PRE_ADMITTED):
        return Change(_in(told, EncounterState.PENDING), notes)
    if ended is not None and told.encounter.discharged_at is not None and _is_here(before):
        return Change(_in(told, EncounterState.CLOSED), notes)
    return Change(told, notes)


def _closed(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A03: the patient has left; the row stays for a while."""
    told, notes = _stated(before, facts, placed)
    said = facts.discharged_at is not None and facts.discharged_at.value is not None
    ended = told.encounter.discharged_at if said else None
    encounter = replace(
        told.encounter,
        state=EncounterState.CLOSED,
        discharged_at=ended or placed.occurred.start,
    )
    return Change(replace(told, encounter=encounter), notes)


def _withdrawn(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A11, A27, A38: the visit never was, but for an admission that still stands. It is kept as
    cancelled, so that a late message does not bring it back.
    """
    told, notes = _stated(before, facts, placed)
    if before is not None and before.is_admitted:
        return Change(told, notes)
    return Change(_in(told, EncounterState.CANCELLED), notes)


def _deleted(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A23: the visit is deleted, whatever was told of it."""
    told, notes = _stated(before, facts, placed)
    cancelled = _in(told, EncounterState.CANCELLED)
    return Change(replace(cancelled, is_admitted=False), notes)


def _reopened(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A13: the discharge was a mistake."""
    told, notes = _stated(before, replace(facts, discharged_at=None), placed)
    told = replace(told, is_as_it_was=False)
    if before is not None and before.encounter.state is not EncounterState.CLOSED:
        return Change(told, notes)
    encounter = replace(told.encounter, state=EncounterState.OPEN, discharged_at=None)
    return Change(replace(told, encounter=encounter), notes)


def _moved_back(before: Visit | None, facts: VisitFacts, placed: Placed) -> Change:
    """A12: the transfer was a mistake; the patient is where the visit was before it."""
    return Change(*_stated(before, facts, placed))


EVENTS: Final[Mapping[str, Rule | None]] = MappingProxyType(
    {
        "A01": _opened,
        "A02": _changed,
        "A03": _closed,
        "A04": _opened,
        "A05": _expected,
        "A06": _opened,
        "A07": _opened,
        "A08": _changed,
        "A11": _withdrawn,
        "A12": _moved_back,
        "A13": _reopened,
        "A14": _expected,
        "A17": _changed,  # of each of the two
        "A23": _deleted,
        "A27": _withdrawn,
        "A28": None,  # of the person alone
        "A31": None,
        "A38": _withdrawn,
        "A44": None,  # what is moved is in `prior_visit`
        "A45": _moved_here,
        "A46": None,  # of numbers that are not kept
        "A47": None,  # another number for the same person
        "A48": None,
        "A49": None,  # another account for the same visits, in `prior_visit`
        "A50": _changed,  # under the number that it has now
        "A51": None,
    }
)
"""What each trigger event does to the visit. An event that is not here is refused, and kept."""

BEGINNINGS: Final = frozenset({"A01", "A04", "A05", "A06", "A07", "A14"})
_WITHDRAWALS: Final = frozenset({"A11", "A23", "A27", "A38"})
"""Events after which a visit never was."""
NEEDS_A_VISIT: Final = frozenset({"A03", *CANCELS})
"""Events that mean a visit even where the message has no PV1."""


def _stated(
    before: Visit | None, facts: VisitFacts, placed: Placed
) -> tuple[Visit, tuple[FeedNote, ...]]:
    """The visit with what the message states; what it leaves out stays.

    Where the patient is goes by the time at which it became so, all else by the time at which it
    was recorded. An end that was still to come when the message came is no end, nor is one on a day
    before the admission.
    """
    notes = []
    base = before.encounter if before else _unknown()
    placed_at = before.placed_at if before else placed.occurred.start
    location = base.location
    if facts.location is not None:
        since = max(placed.occurred.start, placed_at)
        if before is None or since < placed.occurred.end:
            location, placed_at = facts.location.value, since
        elif facts.location.value != base.location:
            notes.append(FeedNote("EVN-6", NoteCode.OLDER_PLACE))
    discharged_at = _heard(facts.discharged_at, base.discharged_at)
    if facts.discharged_at and discharged_at and discharged_at > placed.event.received_at:
        notes.append(FeedNote("PV1-45", NoteCode.IN_THE_FUTURE))
        discharged_at = base.discharged_at
    admitted_at = _heard(facts.admitted_at, base.admitted_at)
    if _is_before(discharged_at if facts.discharged_at else None, admitted_at):
        notes.append(FeedNote("PV1-45", NoteCode.BEFORE_ADMISSION))
        discharged_at = base.discharged_at
    named = facts.visit_number and not (facts.is_account and before and not before.is_account)
    has_authority = bool(named and (facts.issuer or facts.universal_id))
    same = facts.visit_number == base.visit_number
    encounter = Encounter(
        state=base.state,
        visit_number=facts.visit_number if named else base.visit_number,
        issuer=facts.issuer if has_authority or (named and not same) else base.issuer,
        universal_id=facts.universal_id if has_authority else base.universal_id,
        universal_id_type=facts.universal_id_type if has_authority else base.universal_id_type,
        patient_class=_heard(facts.patient_class, base.patient_class),
        location=location,
        admitted_at=admitted_at,
        discharged_at=discharged_at,
        referring_physician=_heard(facts.referring_physician, base.referring_physician),
        department=_heard(facts.department, base.department),
        reason=_heard(facts.reason, base.reason),
    )
    visit = Visit(
        encounter,
        placed.at,
        placed_at,
        facts.account_number or (before.account_number if before else ""),
        facts.account_issuer if facts.account_number else (before.account_issuer if before else ""),
        facts.is_account if named else bool(before and before.is_account),
        bool(before and before.is_admitted),
        was=before.was if before else None,
        had=before.had if before else ("", ""),
        is_as_it_was=bool(before and before.is_as_it_was and facts.discharged_at is None),
    )
    return visit, tuple(notes)


def _is_before(ended: datetime | None, admitted: datetime | None) -> bool:
    """Whether an end is a day or more before the beginning: it may be told by the day alone."""
    return ended is not None and admitted is not None and ended + _DAY <= admitted


def _unknown() -> Encounter:
    return Encounter("", "", "", Location(), EncounterState.OPEN)


def _in(visit: Visit, state: EncounterState) -> Visit:
    return replace(visit, encounter=replace(visit.encounter, state=state))


def _is_untold(before: Visit | None) -> bool:
    return before is None or before.is_as_it_was


def _is_here(before: Visit | None) -> bool:
    return before is None or before.encounter.state is EncounterState.OPEN


def _place_of(facts: VisitFacts | None) -> Stated[Location] | None:
    return facts.location if facts is not None else None


def _where(visit: Visit) -> Location:
    return visit.encounter.location


def _heard(said: Stated[T] | None, kept: T) -> T:
    return said.value if said is not None else kept
