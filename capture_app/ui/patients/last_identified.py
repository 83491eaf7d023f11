"""Who was identified last, a moment ago: the same patient is opened again without a question."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from capture_app.clock import Clock
from capture_app.model.worklist import IdentifiedBy
from capture_app.ui.patients.drafts import PatientKey

Identified = tuple[IdentifiedBy, datetime]
"""By what a patient was identified, and when that was."""

_KNOWN_FOR_S: Final = 300.0
"""For so long after the last act in an exam its patient is opened again without a question."""


class LastIdentified:
    """One patient at most, and since when nothing was done with them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: tuple[PatientKey, datetime] | None = None
        self._touched = 0.0

    def note(self, patient: PatientKey, at: datetime) -> None:
        """This patient was identified then, and is worked with now."""
        self._known = (patient, at)
        self.stay()

    def stay(self) -> None:
        """The patient is being worked with: the idle time begins anew."""
        self._touched = self._clock.monotonic()

    def forget(self) -> None:
        """Whoever is opened next is asked."""
        self._known = None

    def known_at(self, patient: PatientKey) -> datetime | None:
        """When this patient was identified, where it is the one and was not left too long ago."""
        if self._known is None or self._known[0] != patient:
            return None
        is_fresh = self._clock.monotonic() - self._touched < _KNOWN_FOR_S
        return self._known[1] if is_fresh else None
