"""Whether the text of a console names the patient of an exam: a hint for people, never a rule."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from capture_app.model.patient import Patient

_ALIKE: Final = str.maketrans(
    {"0": "O", "Q": "O", "D": "O", "1": "I", "L": "I", "5": "S", "8": "B", "2": "Z"}
)
"""What a machine takes for each other."""
_SHORTEST_NUMBER: Final = 5
_LEAST_READ: Final = 4


class ConsoleSays(StrEnum):
    """What the banner of a console says of the patient."""

    THIS_PATIENT = "this-patient"
    NOT_THIS_PATIENT = "not-this-patient"
    """Another, or nobody: what is legible does not name this one."""
    UNCLEAR = "unclear"
    """Nothing is legible, or too little to tell a family apart."""


def console_says(texts: Iterable[str], patient: Patient) -> ConsoleSays:
    """Compares what was read with a record number, else with family and given name.

    A number agrees only whole; of a name one letter in five may be misread. A family name with an
    initial is neither: brothers and sisters have both.
    """
    words = [word for text in texts for word in _words(text)]
    read = "".join(words)
    if any(number in read for number in _numbers(patient)) or _native(patient) in read:
        return ConsoleSays.THIS_PATIENT
    if len(read) < _LEAST_READ:
        return ConsoleSays.UNCLEAR
    name = patient.name.alphabetic
    family, given = ("".join(_words(part)) for part in (name.family, name.given))
    if not family or not _is_in(family, read):
        return ConsoleSays.NOT_THIS_PATIENT
    if given and _is_in(given, read):
        return ConsoleSays.THIS_PATIENT
    is_short = not given or given[0] in words
    return ConsoleSays.UNCLEAR if is_short else ConsoleSays.NOT_THIS_PATIENT


def _words(text: str) -> list[str]:
    """Letters and digits alone, without marks, so that what looks alike is alike."""
    bare = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    bare = "".join(c for c in bare if not unicodedata.combining(c)).upper()
    return [word.translate(_ALIKE) for word in re.findall(r"[^\W_]+", bare)]


def _numbers(patient: Patient) -> Iterable[str]:
    """Its record number, and without the zeros that a console may leave out."""
    value = patient.patient_id.value
    for said in {value, value.lstrip("0")}:
        number = "".join(_words(said))
        if len(number) >= _SHORTEST_NUMBER:
            yield number


def _native(patient: Patient) -> str:
    """The name in its own script; where there is none, what no banner says."""
    return "".join(_words(patient.name.native)) or "\0"


def _is_in(word: str, read: str) -> bool:
    """Whether a word stands anywhere in what was read, one letter in five misread (Sellers)."""
    allowed = len(word) // 5
    row = [0] * (len(read) + 1)
    for number, letter in enumerate(word, start=1):
        before, row[0] = row[0], number
        for at, other in enumerate(read, start=1):
            here = min(before + (letter != other), row[at] + 1, row[at - 1] + 1)
            before, row[at] = row[at], here
    return min(row) <= allowed
