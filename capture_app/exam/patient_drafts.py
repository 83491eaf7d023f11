"""What a patient has that was taken and not sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from capture_app.model.exam import Exam
from capture_app.model.patient import Patient
from capture_app.outbox.keeping.drafts import Draft

DRAFTS_ARE_OVERDUE_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PatientDrafts:
    """What is unsent of one patient, over all exams."""

    exam: Exam
    """The latest of them."""
    patient: Patient
    """As the feed words the patient now."""
    drafts: tuple[Draft, ...]
    """Oldest first."""
    age: timedelta
    """Of the oldest."""

    @property
    def is_overdue(self) -> bool:
        """Left so long that whoever took them is reminded."""
        return self.age >= DRAFTS_ARE_OVERDUE_AFTER
