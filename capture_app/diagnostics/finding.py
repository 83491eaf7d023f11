"""What was found when something of a station was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Facts = Mapping[str, str | int | float | bool | tuple[str, ...]]


class Grade(StrEnum):
    """How grave it is."""

    GOOD = "good"
    ADVICE = "advice"
    """It works, and should be looked at all the same."""
    FAULT = "fault"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. No patient data, no secret."""

    area: str
    name: str
    """Which of its kind, as the settings call it."""
    code: str
    """Stable over languages and versions: lower case, digits and hyphens."""
    grade: Grade
    words: str
    remedy: str = ""
    """What to do; empty for what is good."""
    facts: Facts = field(default_factory=dict)
