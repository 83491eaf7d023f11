"""Pictures that are not sent, by patient: nothing to finish later is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.words import tr, trn
from capture_app.outbox.capture import Draft
from capture_app.outbox.outbox import Outbox
from capture_app.ui import wording

_SHOWN_TO_ALL: Final = timedelta(hours=1)
"""After so long a draft is shown to its owner and to the ward list."""

PatientKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DraftCard:
    """A patient with pictures that are not sent."""

    patient: PatientKey
    name: str
    note: str
    exam_id: str
    """The exam of the oldest of them."""


@dataclass(frozen=True, slots=True)
class DraftsSeen:
    """All drafts of this computer, as the list shows them."""

    cards: tuple[DraftCard, ...] = ()
    counts: Mapping[PatientKey, int] = field(default_factory=dict)


def read_drafts(
    outbox: Outbox, operator: Operator, names: Mapping[str, str], now: datetime
) -> DraftsSeen:
    """Reads all drafts, own ones first, oldest first. `names`: who has which user id."""
    grouped: dict[PatientKey, list[tuple[Draft, Exam]]] = {}
    exams: dict[str, Exam] = {}
    for draft in outbox.drafts():
        if draft.exam_id not in exams:
            exams[draft.exam_id] = outbox.exam(draft.exam_id)
        exam = exams[draft.exam_id]
        grouped.setdefault(exam.patient.patient_id.key, []).append((draft, exam))
    cards = []
    for patient, drafts in grouped.items():
        owners = {draft.user_id for draft, _exam in drafts}
        oldest, exam = drafts[0]
        age = now - oldest.kept_at
        mine = operator.user_id in owners
        if not mine and age < _SHOWN_TO_ALL:
            continue
        n = trn("{n} picture", "{n} pictures", len(drafts))
        note = tr("{pictures}, {age} old", pictures=n, age=wording.span(age))
        if not mine:
            owner = names.get(oldest.user_id, oldest.user_id)
            note = tr("{note}, by {owner}", note=note, owner=owner)
        card = DraftCard(patient, exam.patient.name.shown, note, exam.exam_id)
        cards.append((not mine, oldest.kept_at, card))
    cards.sort(key=lambda entry: entry[:2])
    return DraftsSeen(
        cards=tuple(card for _mine, _at, card in cards),
        counts={patient: len(drafts) for patient, drafts in grouped.items()},
    )
