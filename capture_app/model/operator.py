"""Who does it, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from capture_app.errors import RuleError
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr


class Role(StrEnum):
    """What a person is trusted with. One person may hold several."""

    CAPTURE = "capture"
    """Takes pictures, and finishes and sends those of the ward."""
    CORRECT = "correct"
    """Puts right what others took."""
    ADMINISTER = "administer"
    """Keeps the users and the set-up of the station."""
    AUDIT = "audit"
    """Reads the trail."""


class Act(StrEnum):
    """What window and commands ask for before they do it or offer it."""

    READ_PATIENTS = "read-patients"
    """See the list of patients, and where their pictures stand."""
    TAKE_PICTURES = "take-pictures"
    """Open a patient, take pictures, describe and send drafts: one's own and the ward's."""
    DELETE_OF_OTHERS = "delete-of-others"
    """Delete a draft that somebody else took, or bring it back."""
    STEER_DELIVERY = "steer-delivery"
    """Try now, hold, release, take back to draft."""
    DISCARD_RECEIVED = "discard-received"
    """Discard an image that a scanner sent and that is nobody's, or bring it back."""
    RETIRE_ARCHIVE = "retire-archive"
    """Say that an archive is no more, and which one takes its images."""
    SETTLE_MERGE = "settle-merge"
    """Say that a merge that the feed sent and that is not carried out here was dealt with."""
    KEEP_USERS = "keep-users"
    """Add and remove users, give them roles and new PINs."""
    SET_UP_SCANNER = "set-up-scanner"
    SET_UP_CAMERAS = "set-up-cameras"
    READ_TRAIL = "read-trail"


_ROLES_FOR: Final[Mapping[Act, frozenset[Role]]] = MappingProxyType(
    {
        Act.READ_PATIENTS: frozenset({Role.CAPTURE, Role.CORRECT, Role.ADMINISTER}),
        Act.TAKE_PICTURES: frozenset({Role.CAPTURE}),
        Act.DELETE_OF_OTHERS: frozenset({Role.CORRECT, Role.ADMINISTER}),
        Act.STEER_DELIVERY: frozenset({Role.CAPTURE, Role.CORRECT, Role.ADMINISTER}),
        Act.DISCARD_RECEIVED: frozenset({Role.CORRECT, Role.ADMINISTER}),
        Act.RETIRE_ARCHIVE: frozenset({Role.ADMINISTER}),
        Act.SETTLE_MERGE: frozenset({Role.CORRECT, Role.ADMINISTER}),
        Act.KEEP_USERS: frozenset({Role.ADMINISTER}),
        Act.SET_UP_SCANNER: frozenset({Role.ADMINISTER}),
        Act.SET_UP_CAMERAS: frozenset({Role.ADMINISTER}),
        Act.READ_TRAIL: frozenset({Role.AUDIT}),
    }
)


def in_order(roles: Iterable[Role]) -> tuple[Role, ...]:
    """Each role once, always in the same order: so that equal rights are equal values."""
    held = frozenset(roles)
    return tuple(role for role in Role if role in held)


@dataclass(frozen=True, slots=True)
class Operator:
    """A signed-in user, or the service account of a command."""

    user_id: str
    display_name: str
    roles: tuple[Role, ...] = ()
    """As of the sign-in, in the order of `in_order`. An exam of before roles were several has none:
    what a person may do is asked of who acts now, never of who once opened an exam.
    """
    name: PersonName = PersonName(NameGroup())
    """For Operators' Name (0008,1070)."""
    is_service: bool = False
    """The account of a command: nobody whom Operators' Name could name."""


def may(operator: Operator, act: Act) -> bool:
    """Whether the roles of an operator allow an act: the one place where roles are looked at."""
    return not _ROLES_FOR[act].isdisjoint(operator.roles)


def require(operator: Operator, act: Act) -> None:
    """Raises RuleError in words where the roles of an operator do not allow an act."""
    if not may(operator, act):
        raise RuleError(
            tr(
                "Your roles do not allow this (needed: {roles}). An administrator gives roles.",
                roles=", ".join(in_order(_ROLES_FOR[act])),
            )
        )
