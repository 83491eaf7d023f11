"""Messages about more than one patient or number: beds that are swapped (A17), visits that become
another patient's (A44, A45) or get another number (A49, A50; MRG with A06 and A07).

Each patient of whom such a message speaks has an event of their own, read out of a portion of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.split import Hl7Message, Segment
from capture_app.model.patient import PatientId
from capture_app.model.words import tr
from capture_app.patients.sources.adt.facts import NO_FACTS, PersonFacts, VisitFacts
from capture_app.patients.sources.adt.numbers import (
    NO_NUMBER,
    Authority,
    is_of_others,
    number_in,
    numbers_in,
    possible_numbers_in,
)
from capture_app.patients.sources.door import Door

MOVES: Final = frozenset({"A44", "A45"})
"""Events that take visits from the patient of MRG-1 and give them to the one of PID-3."""
_SWAP: Final = "A17"
_NEW_ACCOUNT: Final = "A49"
_NEW_NUMBER: Final = "A50"
_MAY_RENUMBER: Final = frozenset({"A06", "A07"})
_OF_ACCOUNTS: Final = frozenset({"A44", _NEW_ACCOUNT})
_OF_A_VISIT: Final = frozenset({"A17", "A45"})
"""Events of a visit under the number of PV1-19: one that cannot be read may be of any other."""
_OF_ONE_PATIENT: Final = frozenset({"A06", "A07", "A46", "A48", "A49", "A50", "A51"})
"""Events with an MRG segment in which both numbers have to be the same patient's."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What a message says of one patient."""

    message: Hl7Message
    leaves: bool = False
    """That patient is the one of MRG-1, who loses what is moved."""


def portions(message: Hl7Message) -> tuple[Portion, ...]:
    """The message for each patient of whom it speaks. Most speak of one.

    Raises MessageError for a swap of other than two patients and for a move from nobody.
    """
    if message.event == _SWAP:
        swapped = list(_groups(message, "PID"))
        if len(swapped) != 2 or any(one.one("PV1") is None for one in swapped):
            raise MessageError(tr("Two patients swap beds, each with a PV1 segment: they are not."))
        return tuple(map(Portion, swapped))
    if message.event in MOVES:
        moved = list(_groups(message, "MRG" if message.event == "A45" else "PID"))
        if not moved:
            raise _says_not_what()
        return tuple(Portion(one, leaves) for one in moved for leaves in (True, False))
    return (Portion(message),)


def _groups(message: Hl7Message, first: str) -> Iterator[Hl7Message]:
    """Each group of segments that begins with one of this name, with all that stands before."""
    starts = [n for n, segment in enumerate(message.segments) if segment.name == first]
    for start, end in pairwise([*starts, len(message.segments)]):
        segments = (*message.segments[: starts[0]], *message.segments[start:end])
        yield replace(message, segments=segments)


def prior_visit(
    event: str,
    mrg: Segment | None,
    pv1: Segment | None,
    visit: VisitFacts | None,
    person: PersonFacts,
    authority: Authority,
    door: Door,
) -> VisitFacts | None:
    """The visit by the number that it had (MRG-5), or all by the account that they had (MRG-3);
    None where the event changes none. `visit`: what `pv1` says.

    Raises MessageError where it is not said or cannot be read, and where another patient is named
    that should not be.
    """
    if event in _OF_ONE_PATIENT and mrg is not None:
        _require_same(mrg, person, authority, door)
    is_unreadable = visit is None and pv1 is not None and bool(pv1.raw(19))
    if event in _OF_A_VISIT and is_unreadable:
        raise _says_not_what()
    if event not in MOVES | _MAY_RENUMBER | {_NEW_ACCOUNT, _NEW_NUMBER}:
        return None
    is_new_told = visit is not None and bool(visit.visit_number) and not visit.is_account
    had = account = NO_NUMBER
    if mrg is not None:
        account = _told(mrg, 3, authority, door)
        if event not in _OF_ACCOUNTS:
            had = _told(mrg, 5, authority, door)
    if event == "A45" and not had.value and visit is not None and is_new_told:
        had = visit.number
    if event in _MAY_RENUMBER and not (had.value and is_new_told):
        if had.value and is_unreadable:  # under another number from now on, and nobody knows which
            raise _says_not_what()
        return None
    if not (account if event in _OF_ACCOUNTS else had).value:
        raise _says_not_what()
    had_account = replace(NO_FACTS, account_number=account.value, account_issuer=account.issuer)
    return had_account.numbered(had, is_account=False)


def visit_here(
    event: str,
    pid: Segment,
    visit: VisitFacts | None,
    before: VisitFacts,
    authority: Authority,
    door: Door,
) -> VisitFacts | None:
    """What a message says of a visit under the number, or of the patient, that it has from now on.

    Raises MessageError where the number is not said.
    """
    if event == "A45":
        if visit is None or visit.is_account or not visit.visit_number:
            return (visit or NO_FACTS).numbered(before.number, is_account=False)
    elif event == _NEW_NUMBER:
        if visit is None or visit.is_account or not visit.visit_number:
            raise _says_not_what()
    elif event == _NEW_ACCOUNT:
        account = _told(pid, 18, authority, door)
        if not account.value:
            raise _says_not_what()
        now = NO_FACTS.numbered(account, is_account=True)
        return replace(now, account_number=account.value, account_issuer=account.issuer)
    return visit


def person_who_loses(mrg: Segment | None, authority: Authority, door: Door) -> PersonFacts:
    """The patient of MRG-1, of whom the message says nothing else. MessageError where none is."""
    if mrg is None:
        raise _says_not_what()
    return PersonFacts(numbers_in(mrg, 1, authority, door)[0], (), None, None, None)


def persons_named(message: Hl7Message, authority: Authority) -> tuple[PatientId, ...]:
    """All patients whom PID-3 and MRG-1 name and who can be read, each once: one that cannot be
    hides no other. A number of which no authority is told has no issuer.
    """
    door = Door()
    found: dict[tuple[str, str], PatientId] = {}
    for segment in message.segments:
        if field := {"PID": 3, "MRG": 1}.get(segment.name):
            named = door.read(segment.name, partial(_all_of, segment, field, authority, door))
            found |= {number.key: number for number in named or ()}
    return tuple(found.values())


def _all_of(
    segment: Segment, field: int, authority: Authority, door: Door
) -> tuple[PatientId, ...]:
    """The number of the configured authority; else all that may be it: several of that authority,
    and those of which none is told.
    """
    try:
        return numbers_in(segment, field, authority, door)[:1]
    except MessageError:
        return possible_numbers_in(segment, field, authority, door)


def _require_same(mrg: Segment, person: PersonFacts, authority: Authority, door: Door) -> None:
    if not mrg.is_valued(1):
        return
    said = {each.value for each in _all_of(mrg, 1, authority, door)}
    if not said and is_of_others(mrg, 1, authority, person.other_ids):
        return
    if said != {person.patient_id.value}:
        raise MessageError(
            tr("The message names another patient in MRG-1 than in PID-3: that is a merge.")
        )


def _told(segment: Segment, field: int, authority: Authority, door: Door) -> PatientId:
    """The number of a visit. MessageError where it cannot be read: no other is meant by it."""
    number = number_in(segment, field, door, authority.same)
    if number is None:
        raise _says_not_what()
    return number


def _says_not_what() -> MessageError:
    return MessageError(
        tr("The message does not say which visit or account is meant, before and now (MRG, PV1).")
    )
