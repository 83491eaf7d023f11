"""What the list hides while a second identifier is asked: whatever would answer it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from capture_app.exam.second_identifier import Question, gives_answers_away
from capture_app.model.patient import Patient
from capture_app.model.words import tr
from capture_app.ui.patients.drafts import DraftCard
from capture_app.ui.patients.rows import PatientRow, masked


def masked_rows(
    rows: Iterable[PatientRow], people: Iterable[Patient], asked: Patient, question: Question
) -> tuple[PatientRow, ...]:
    """The rows, with that of the asked patient masked, and those of others whose answers are alike.

    `people`: who stands in the rows.
    """
    hidden = {
        person.patient_id.key: person
        for person in (asked, *people)
        if person.patient_id.key == asked.patient_id.key or gives_answers_away(asked, person)
    }
    return tuple(
        masked(row, hidden[row.key.patient], question) if row.key.patient in hidden else row
        for row in rows
    )


def masked_cards(cards: Iterable[DraftCard], asked: Patient) -> tuple[DraftCard, ...]:
    """The same for the cards of drafts: they show names."""
    return tuple(
        replace(card, name=tr("Asked now"))
        if card.patient.patient_id.key == asked.patient_id.key
        or gives_answers_away(asked, card.patient)
        else card
        for card in cards
    )
