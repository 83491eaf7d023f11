"""Who was identified last, a moment ago: the same patient is opened again without a question."""

from __future__ import annotations

from typing import Final

from capture_app.clock import Clock
from capture_app.ui.patients.drafts import PatientKey

_KNOWN_FOR_S: Final = 300.0
"""For so long after the last act in an exam its patient is opened again without a question."""


class LastIdentified:
    """One patient at most, and since when nothing was done with them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: tuple[PatientKey, float] | None = None

    def note(self, patient: PatientKey) -> None:
        """This patient was identified now."""
        self._known = (patient, self._clock.monotonic())

    def stay(self) -> None:
        """The patient is being worked with: the idle time begins anew."""
        if self._known is not None:
            self.note(self._known[0])

    def forget(self) -> None:
        """Whoever is opened next is asked."""
        self._known = None

    def is_known(self, patient: PatientKey) -> bool:
        """Whether this patient is the one, and not too long ago."""
        if self._known is None or self._known[0] != patient:
            return False
        return self._clock.monotonic() - self._known[1] < _KNOWN_FOR_S
