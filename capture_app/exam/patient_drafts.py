"""What a patient has that was taken and not sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.patient import Patient
from capture_app.outbox.keeping.drafts import Draft
from capture_app.outbox.outbox import Outbox

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


def newest_exams(
    outbox: Outbox, owner: Operator | None
) -> Iterator[tuple[Exam, tuple[Draft, ...]]]:
    """The drafts of each patient, with the last exam of them that can be read; only what `owner`
    took if given.
    """
    by_patient: dict[str, list[Draft]] = {}
    for draft in outbox.drafts():
        if owner is None or draft.user_id == owner.user_id:
            by_patient.setdefault(draft.patient_key, []).append(draft)
    for drafts in by_patient.values():
        exams = outbox.readable_exams({draft.exam_id for draft in drafts})
        if exams:  # else named in the log, and by `outbox --check`
            yield max(exams.values(), key=lambda one: one.started_at), tuple(drafts)
