"""Pictures that are not sent, by patient: nothing to finish later is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from capture_app.exam.session import ExamService
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.patient import Patient
from capture_app.model.words import tr, trn
from capture_app.ui.words import wording

PatientKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DraftCard:
    """A patient with pictures that are not sent."""

    patient: Patient
    name: str
    note: str
    exam: Exam
    """The latest exam of the patient that has some."""


@dataclass(frozen=True, slots=True)
class DraftsSeen:
    """All drafts of this computer, as the list shows them."""

    cards: tuple[DraftCard, ...] = ()
    counts: Mapping[PatientKey, int] = field(default_factory=dict)


def read_drafts(exams: ExamService, operator: Operator, names: Mapping[str, str]) -> DraftsSeen:
    """Reads all drafts: own ones first, then those of others that were left for an hour.

    `names`: the displayed name of each user id.
    """
    mine: list[DraftCard] = []
    others: list[DraftCard] = []
    counts: dict[PatientKey, int] = {}
    for waiting in exams.drafts_by_patient():
        patient = waiting.patient
        n = len(waiting.drafts)
        counts[patient.patient_id.key] = n
        pictures = trn("{n} picture", "{n} pictures", n)
        note = tr("{pictures}, {age} old", pictures=pictures, age=wording.span(waiting.age))
        owners = {draft.user_id for draft in waiting.drafts}
        if operator.user_id not in owners:
            if not waiting.is_overdue:
                continue
            owner = waiting.drafts[0].user_id
            note = tr("{note}, by {owner}", note=note, owner=names.get(owner, owner))
        card = DraftCard(patient, wording.shown_name(patient.name), note, waiting.exam)
        (mine if operator.user_id in owners else others).append(card)
    return DraftsSeen((*mine, *others), counts)


def worded_now(seen: DraftsSeen, exams: ExamService) -> DraftsSeen:
    """The same drafts, and their patients as the feed words them now. Opens no sealed cell."""
    return replace(seen, cards=tuple(_worded_now(card, exams) for card in seen.cards))


def _worded_now(card: DraftCard, exams: ExamService) -> DraftCard:
    patient = exams.standing(card.exam).patient
    return replace(card, patient=patient, name=wording.shown_name(patient.name))
