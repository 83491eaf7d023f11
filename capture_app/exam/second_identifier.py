"""The second identifier: asked of the patient before a patient picked from the list is opened.

Initials and year of birth, said by the patient or read from the wristband, never copied from the
row. Asking for them at this point cut wrong-patient acts by two fifths in trials. Where the feed
gave no birth date the last digits of the record number stand in for the year.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from itertools import product
from typing import Final

from capture_app.model.patient import NameGroup, Patient

LAST_DIGITS: Final = 4
"""How many of the record number's last characters are asked where there is no birth date."""

# Letters that Unicode does not take apart into a base letter and a mark.
_PLAIN: Final = str.maketrans("ĐđØøŁłİıÆæŒœÞþÐð", "DDOOLLIIAAOOTTDD")


class Question(StrEnum):
    """What is asked beside the initials."""

    BIRTH_YEAR = "birth-year"
    LAST_DIGITS = "last-digits"


def question_of(patient: Patient) -> Question:
    """What to ask of this patient beside the initials."""
    return Question.LAST_DIGITS if patient.birth_date is None else Question.BIRTH_YEAR


def is_right(patient: Patient, initials: str, answer: str) -> bool:
    """Whether both answers fit the patient."""
    return _folded(initials) in accepted_initials(patient) and _second_is_right(patient, answer)


def _second_is_right(patient: Patient, answer: str) -> bool:
    digits = "".join(unicodedata.normalize("NFKC", answer).split())
    if patient.birth_date is None:
        last = patient.patient_id.value[-LAST_DIGITS:]
        return bool(last) and digits.upper() == last.upper()
    return digits.isdecimal() and len(digits) == 4 and int(digits) == patient.birth_date.year


def accepted_initials(patient: Patient) -> frozenset[str]:
    """The initials that are taken as right, family name first, folded.

    All words of the name, or the first (or last) word of the family name with the first given
    name: VAN DER BERG, Pieter Jan is VDBPJ, VDBP, VP, BP... In each script of the name.
    """
    accepted: set[str] = set()
    for group in (patient.name.alphabetic, patient.name.ideographic, patient.name.phonetic):
        accepted |= _initials_of(group)
    return frozenset(accepted)


def _initials_of(group: NameGroup) -> set[str]:
    family = _words(group.family)
    given = _words(f"{group.given} {group.middle}")
    families = {"".join(family), family[0], family[-1]} if family else {""}
    givens = {"".join(given), given[0]} if given else {""}
    return {first + second for first, second in product(families, givens) if first + second}


def _words(text: str) -> list[str]:
    """The folded first letter of every word: a hyphen divides words, an apostrophe does not."""
    return [letter for word in re.split(r"[\s\-]+", text) if (letter := _folded(word)[:1])]


def _folded(text: str) -> str:
    """Capitals without accents, and nothing but letters: n. t. m. is NTM."""
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(character for character in apart if character.isalpha()).upper()
