"""Where a patient lies, as people say it: "4B, bed 12", in the language of the window.

A row is found by its ward, room and bed each behind a mark of its own, and "bed 12" asks for the
mark of the bed and 12. The word is not in the row: there it would find everybody who has a bed
with the first letters of Bennett or Ward.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final

from capture_app.model.encounter import Location
from capture_app.model.words import tr
from capture_app.patients.finding.spelling import SEPARATORS, folded, words_of, words_of_number


class PlaceMark(StrEnum):
    """What stands before a word that is (part of) a place. No keyboard types it."""

    WARD = "\x01"
    ROOM = "\x02"
    BED = "\x03"


_HERE: Final = "\x00"


def words_of_place(location: Location) -> Iterator[str]:
    """What a row is found by for its ward, its room and its bed."""
    for mark, part in (
        (PlaceMark.WARD, location.ward),
        (PlaceMark.ROOM, location.room),
        (PlaceMark.BED, location.bed),
    ):
        if part:
            for word in (*words_of_number(part), *words_of(part)):
                yield mark + word


def without_places(plain: str) -> tuple[str, tuple[str, ...]]:
    """What was typed (folded) without each "bed 12", and those as marked words to be found.

    The mark alone for a "bed" at the end: its number is still being typed.
    """
    marked: list[str] = []
    labels = {
        PlaceMark.WARD: tr("ward {ward}", ward=_HERE),
        PlaceMark.ROOM: tr("room {room}", room=_HERE),
        PlaceMark.BED: tr("bed {bed}", bed=_HERE),  # as the row shows it
    }
    for mark, label in labels.items():
        pattern = _pattern(label)
        if pattern is not None:
            values = [found[1] or "" for found in pattern.finditer(plain)]
            marked += [mark + SEPARATORS.sub("", value) for value in values]
            plain = pattern.sub(" ", plain)
    return plain, tuple(marked)


@lru_cache(maxsize=16)
def _pattern(label: str) -> re.Pattern[str] | None:
    """Finds a label and what it labels (group 1), before or behind: "bed 12", "bed12", "12床"."""
    before, _, behind = (part.strip() for part in folded(label).partition(_HERE))
    if before:
        gap = r"[\s,.:]+"
        return re.compile(rf"(?<!\w){re.escape(before)}(?:[\s,.:]*$|(?:{gap}|(?=\d))([^\s,;]+))")
    return re.compile(rf"([^\s,;]+?)\s*{re.escape(behind)}(?!\w)") if behind else None
