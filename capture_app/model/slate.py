"""Slates: a code before the camera that says whose pictures follow, and names nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from capture_app.model.encounter import Encounter
from capture_app.model.order import Order
from capture_app.model.patient import Patient

KNOWN_FOR: Final = timedelta(days=7)
"""After it was made: then nobody is named by it any more."""
PRINTED_FOR: Final = timedelta(hours=16)
"""After it was printed: the next day somebody else may lie in that bed."""
_CODE: Final = re.compile(r"CAPSLATE1:([A-Z2-7]{26})(?::(\d{1,12}))?(:END)?")


@dataclass(frozen=True, slots=True)
class SlateCode:
    """What is in the code of a slate: a random token, and nothing of anybody.

    `shown_at` is when it was on the screen, to the second; None where it was printed. `closes`: the
    pictures before it are of its patient, and none after it.
    """

    token: str
    shown_at: datetime | None = None
    closes: bool = False

    @property
    def text(self) -> str:
        """As it stands in the code."""
        at = "" if self.shown_at is None else f":{int(self.shown_at.timestamp())}"
        return f"CAPSLATE1:{self.token}{at}{':END' if self.closes else ''}"


def slate_code(text: str) -> SlateCode | None:
    """What a code in a picture says, where it is that of a slate."""
    found = _CODE.fullmatch(text)
    if found is None:
        return None
    token, seconds, closes = found.groups()
    try:
        at = None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return SlateCode(token, at, bool(closes))


@dataclass(frozen=True, slots=True)
class Slate:
    """Whom a token stands for: as the exam was frozen in which it was shown, or as the list stood
    when it was printed.
    """

    token: str
    patient: Patient
    encounter: Encounter | None
    order: Order | None
    made_at: datetime
    made_by: str
    """The user id."""
    is_printed: bool = False
    is_visit_shared: bool = False
    """As `Exam.is_visit_shared`."""

    @property
    def ends_at(self) -> datetime:
        """From when on it may not stand before a camera any more."""
        return self.made_at + (PRINTED_FOR if self.is_printed else KNOWN_FOR)
