"""Orders from worklists, joined to the patients of the admissions feed by identifier and issuer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from capture_app.model.encounter import Encounter
from capture_app.model.feed_note import FeedNote
from capture_app.model.order import Order
from capture_app.model.patient import Patient
from capture_app.model.worklist import FeedSource, PatientListEntry


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """One scheduled step: for whom, in which visit if it says so, and the order."""

    patient: Patient
    """Its issuer is empty where the worklist names none."""
    encounter: Encounter | None
    order: Order
    notes: tuple[FeedNote, ...] = ()
    """What could not be taken as it stood, each once, sorted."""


@dataclass(frozen=True, slots=True)
class WorklistAnswer:
    """What a worklist answered, and when. After a failed question the items of the last answer
    stay, with their age.
    """

    name: str
    items: tuple[WorklistItem, ...] = ()
    as_of: datetime | None = None
    skipped: int = 0
    """Items that could not be used."""
    is_truncated: bool = False
    problem: str = ""


def contradicts(item: WorklistItem, patient: Patient) -> bool:
    """Whether the item cannot be about this patient, though the identifier is the same."""
    theirs, ours = item.patient, patient
    return (
        theirs.birth_date is not None
        and ours.birth_date is not None
        and theirs.birth_date != ours.birth_date
    )


class OrderBook:
    """The items of all worklists, by patient. Not for two threads at once: the census locks."""

    def __init__(self, issuer_when_absent: str) -> None:
        self._issuer_when_absent = issuer_when_absent
        self._answers: dict[str, WorklistAnswer] = {}
        self._items: dict[tuple[str, str], list[tuple[WorklistItem, datetime]]] = {}

    def put(self, answer: WorklistAnswer) -> set[tuple[str, str]]:
        """Puts an answer in place of the worklist's last one. Whose orders may have changed."""
        touched = set(self._items)
        named = replace(answer, items=tuple(map(self._with_issuer, answer.items)))
        self._answers[answer.name] = named
        self._items = {}
        for known in self._answers.values():
            if known.as_of is not None:
                for item in known.items:
                    key = item.patient.patient_id.key
                    self._items.setdefault(key, []).append((item, known.as_of))
        return touched | set(self._items)

    def answers(self) -> tuple[WorklistAnswer, ...]:
        """The last answer of each worklist."""
        return tuple(self._answers.values())

    def entries_of(
        self, key: tuple[str, str], *, beside: Patient | None = None
    ) -> tuple[PatientListEntry, ...]:
        """Rows for a patient who is not here by the admissions feed: one for each visit named.

        `beside`: what that feed knows of the patient; an item that contradicts it has no row.
        """
        rows: dict[str, PatientListEntry] = {}
        for item, as_of in self._items.get(key, ()):
            patient = beside or next((row.patient for row in rows.values()), item.patient)
            if contradicts(item, patient):
                continue
            visit = item.encounter.visit_number if item.encounter else ""
            row = rows.get(visit) or PatientListEntry(
                patient, item.encounter, (), FeedSource.WORKLIST, as_of
            )
            rows[visit] = replace(row, orders=(*row.orders, item.order))
        return tuple(rows.values())

    def attached(
        self, rows: Sequence[PatientListEntry], keys: Iterable[tuple[str, str]]
    ) -> tuple[PatientListEntry, ...]:
        """The rows of a patient with the orders for any of the identifiers.

        An order that names one of the visits stands with that one, any other with all of them.
        """
        items = [item for key in keys for item, _ in self._items.get(key, ())]
        fitting = [item for item in items if not contradicts(item, rows[0].patient)]
        if not fitting:
            return tuple(rows)
        visits = {row.encounter.visit_number for row in rows if row.encounter}
        return tuple(
            replace(
                row,
                orders=tuple(i.order for i in fitting if _belongs(i, row, visits)),
            )
            for row in rows
        )

    def _with_issuer(self, item: WorklistItem) -> WorklistItem:
        number = item.patient.patient_id
        if number.issuer or not self._issuer_when_absent:
            return item
        named = replace(number, issuer=self._issuer_when_absent)
        return replace(item, patient=replace(item.patient, patient_id=named))


def _belongs(item: WorklistItem, row: PatientListEntry, visits: set[str]) -> bool:
    named = item.encounter.visit_number if item.encounter else ""
    if named not in visits:
        return True
    return row.encounter is not None and row.encounter.visit_number == named
