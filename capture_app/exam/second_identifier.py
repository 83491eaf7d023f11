"""The second identifier: asked of the patient before a patient picked from the list is opened.

Initials and year of birth, said by the patient or read from the wristband, never copied from the
row. Asking for them at this point cut wrong-patient acts by two fifths in trials. Where the feed
gave no year, where the initials cannot be typed in Latin letters, and where another listed patient
would give the same answers, the end of the record number is asked too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from capture_app.exam.initials import can_be_typed, fits, folded, may_be_said_alike
from capture_app.model.patient import Patient
from capture_app.model.worklist import IdentifiedBy

LAST_DIGITS: Final = 4
"""How many of the record number's last characters are asked; more where others share them."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: at least one of the three."""

    initials: bool
    year: bool
    last: int
    """So many of the last characters of the record number; 0: it is not asked."""

    @property
    def identifies_by(self) -> IdentifiedBy:
        """What can be said after the right answer."""
        if self.initials and self.year:
            number = IdentifiedBy.INITIALS_YEAR_AND_NUMBER
            return number if self.last else IdentifiedBy.INITIALS_AND_YEAR
        if self.initials:
            return IdentifiedBy.INITIALS_AND_NUMBER
        return IdentifiedBy.YEAR_AND_NUMBER if self.year else IdentifiedBy.NUMBER


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said. Parts that were not asked stay empty."""

    initials: str = ""
    year: str = ""
    last: str = ""


def question_of(patient: Patient, others: Iterable[Patient] = ()) -> Question:
    """What to ask of this patient so that none of the `others` fits the answer as well."""
    initials, year = can_be_typed(patient.name), patient.birth_year is not None
    alike = [other for other in others if _would_fit_too(patient, other, initials=initials)]
    if initials and year and not alike:
        return Question(initials=True, year=True, last=0)
    return Question(initials, year, _digits_that_tell(patient, alike))


def is_complete(question: Question, answer: Answer) -> bool:
    """Whether something was said to everything that is asked."""
    asked = (
        (question.initials, answer.initials),
        (question.year, answer.year),
        (bool(question.last), answer.last),
    )
    return all(said.strip() for is_asked, said in asked if is_asked)


def is_right(patient: Patient, question: Question, answer: Answer) -> bool:
    """Whether all that was asked fits the patient."""
    return (
        (not question.initials or fits(patient.name, answer.initials))
        and (not question.year or _is_year(patient, answer.year))
        and (not question.last or _is_end(patient, question.last, answer.last))
    )


def gives_answers_away(asked: Patient, other: Patient) -> bool:
    """Whether what the row of another patient shows would answer what is asked of this one."""
    return (
        asked.birth_year == other.birth_year
        or _end(asked, LAST_DIGITS) == _end(other, LAST_DIGITS)
        or _family(asked) == _family(other)
    )


def _family(patient: Patient) -> str:
    name = patient.name
    return folded(name.alphabetic.family or name.ideographic.family or name.phonetic.family)


def _would_fit_too(patient: Patient, other: Patient, *, initials: bool) -> bool:
    if other.patient_id.key == patient.patient_id.key:
        return False
    if patient.birth_year is not None and other.birth_year not in (None, patient.birth_year):
        return False
    return not initials or may_be_said_alike(patient.name, other.name)


def _digits_that_tell(patient: Patient, alike: Iterable[Patient]) -> int:
    """The fewest last characters, four or more, that none of the others has."""
    number, others = patient.patient_id.value, [*alike]
    for count in range(LAST_DIGITS, len(number)):
        if not any(_end(other, count) == _end(patient, count) for other in others):
            return count
    return max(LAST_DIGITS, len(number))


def _end(patient: Patient, count: int) -> str:
    return patient.patient_id.value[-count:].upper()


def _is_year(patient: Patient, said: str) -> bool:
    digits = _plain(said)
    return digits.isdecimal() and len(digits) == 4 and int(digits) == patient.birth_year


def _is_end(patient: Patient, count: int, said: str) -> bool:
    return bool(_end(patient, count)) and _plain(said).upper() == _end(patient, count)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
