"""Who was identified last, a moment ago: the same patient is opened again without a question."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from capture_app.clock import Clock
from capture_app.exam.standing import is_somebody_else
from capture_app.model.patient import Patient
from capture_app.model.worklist import IdentifiedBy

Identified = tuple[IdentifiedBy, datetime]
"""By what a patient was identified, and when that was."""

_KNOWN_FOR_S: Final = 300.0
"""For so long after the last act in an exam its patient is opened again without a question."""


class LastIdentified:
    """One patient at most, as worded then, and since when nothing was done with them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: tuple[Patient, datetime] | None = None
        self._touched = 0.0

    def note(self, patient: Patient, at: datetime) -> None:
        """This patient was identified then, and is worked with now."""
        self._known = (patient, at)
        self.stay()

    def stay(self) -> None:
        """The patient is being worked with: the idle time begins anew."""
        self._touched = self._clock.monotonic()

    def forget(self) -> None:
        """Whoever is opened next is asked."""
        self._known = None

    def known_at(self, patient: Patient) -> datetime | None:
        """When this patient was identified, where it is the one and was not left too long ago.

        None also where so much was changed of the patient since that it may be somebody else.
        """
        if self._known is None:
            return None
        then, at = self._known
        if then.patient_id.key != patient.patient_id.key or is_somebody_else(then, patient):
            return None
        is_fresh = self._clock.monotonic() - self._touched < _KNOWN_FOR_S
        return at if is_fresh else None
