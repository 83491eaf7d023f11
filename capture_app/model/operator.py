"""Who does it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capture_app.model.patient import NameGroup, PersonName


class Role(StrEnum):
    """What an operator may do."""

    CAPTURE = "capture"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Operator:
    """A signed-in user, or the service account of a command."""

    user_id: str
    display_name: str
    role: Role
    name: PersonName = PersonName(NameGroup())
    """For Operators' Name (0008,1070)."""
