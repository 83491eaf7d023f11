"""Who of a list may be taken for whom: the same surname, or the same birth date and first letter.

Kept beside a list, so that a filter that leaves one of two look-alikes hides neither's badge.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from enum import StrEnum
from typing import TypeVar

from capture_app.model.patient import Patient
from capture_app.patients.finding.spelling import folded

T = TypeVar("T")
PatientKey = tuple[str, str]


class LookAlike(StrEnum):
    """Why a patient may be taken for another one of the list."""

    SURNAME = "surname"
    BIRTH_DATE = "birth-date"


class LookAlikes:
    """The patients of one list. Not for two threads at once."""

    def __init__(self) -> None:
        self._patients: dict[PatientKey, Patient] = {}
        self._by_surname: defaultdict[str, set[PatientKey]] = defaultdict(set)
        self._by_birth: defaultdict[tuple[date, str], set[PatientKey]] = defaultdict(set)
        self._by_year: defaultdict[int | None, set[PatientKey]] = defaultdict(set)

    def put(self, patient: Patient) -> None:
        """Adds a patient, or changes what is known of them."""
        key = patient.patient_id.key
        if self._patients.get(key) == patient:
            return
        self.remove(key)
        self._patients[key] = patient
        if surname := _surname(patient):
            self._by_surname[surname].add(key)
        if birth := _birth(patient):
            self._by_birth[birth].add(key)
        self._by_year[patient.birth_year].add(key)

    def remove(self, key: PatientKey) -> None:
        """Takes a patient away, if there."""
        patient = self._patients.pop(key, None)
        if patient is None:
            return
        _discard(self._by_surname, _surname(patient), key)
        _discard(self._by_birth, _birth(patient), key)
        self._by_year[patient.birth_year].discard(key)

    def kind_of(self, patient: Patient) -> LookAlike | None:
        """Whether another one of the list may be taken for this patient."""
        key = patient.patient_id.key
        if self._by_surname.get(_surname(patient), set()) - {key}:
            return LookAlike.SURNAME
        birth = _birth(patient)
        if birth is not None and self._by_birth.get(birth, set()) - {key}:
            return LookAlike.BIRTH_DATE
        return None

    def others(self, patient: Patient) -> tuple[Patient, ...]:
        """All others who may be taken for this patient, or may give the same year of birth: those
        of whom no year is known may, too.
        """
        keys = self._by_surname.get(_surname(patient), set()).union(
            self._by_year.get(patient.birth_year, ()), self._by_year.get(None, ())
        )
        return tuple(self._patients[key] for key in sorted(keys - {patient.patient_id.key}))


def _discard(index: dict[T, set[PatientKey]], value: T | None, key: PatientKey) -> None:
    if value is None or value not in index:
        return
    index[value].discard(key)
    if not index[value]:
        del index[value]


def _surname(patient: Patient) -> str:
    name = patient.name
    group = name.alphabetic if str(name.alphabetic) else name.ideographic
    return _plain(group.family)


def _birth(patient: Patient) -> tuple[date, str] | None:
    if patient.birth_date is None:
        return None
    return patient.birth_date, _plain(patient.name.shown)[:1]


def _plain(text: str) -> str:
    """Without case, accents, apostrophes and what divides words: O'Brien and OBRIEN are alike."""
    return "".join(character for character in folded(text) if character.isalnum())
