"""What a person read before sending."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownAtSend:
    """What Send showed of one picture, letter for letter, in the language of the screen.

    Never read to act on: codes and identity do that. It is what an archive's copy, or a complaint,
    can be held against years later.
    """

    name: str
    native_name: str
    """In its own script, where that is a second one."""
    birth_date: str
    sex: str
    record_number: str
    place: str
    """Where the patient is; empty where no place was shown."""
    procedure: str
    site: str
    """Region and side together, as a person says them."""
    side: str
    """The mark on the picture; empty where there is no side."""
