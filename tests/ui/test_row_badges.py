"""Badges of a patient's row where there is little room: a warning is never left out for words."""

import pytest
from PySide6.QtWidgets import QApplication

from capture_app.ui.patients.row_text import fitting_badges
from capture_app.ui.widgets.chips import small_chip_width
from capture_app.ui.words.marks import ChipText, Tone

ALIKE = ChipText("Same surname", "users", Tone.WARN)
SHARED = ChipText("Visit shared", "warning", Tone.WARN)
WAITS = ChipText("Merge or deletion waits", "warning", Tone.WARN)
DRAFTS = ChipText("3 drafts", "tray")
GAP = 6


def width(*badges: ChipText) -> int:
    return sum(small_chip_width(badge) + GAP for badge in badges)


def mark(badge: ChipText) -> ChipText:
    return ChipText("", badge.icon, badge.tone)


@pytest.mark.parametrize("note", [0, 96])
def test_words_yield_to_the_mark_of_the_next_warning(qapp: QApplication, note: int) -> None:
    room = width(ALIKE, mark(SHARED)) + note
    assert fitting_badges((ALIKE, SHARED), room, note) == [ALIKE, mark(SHARED)]
    assert fitting_badges((ALIKE, SHARED), width(ALIKE), note) == [mark(ALIKE), mark(SHARED)]
    assert fitting_badges((ALIKE, SHARED), width(ALIKE, SHARED) + note, note) == [ALIKE, SHARED]


def test_a_note_and_what_warns_of_nothing_yield_to_a_warning(qapp: QApplication) -> None:
    assert fitting_badges((WAITS,), width(mark(WAITS)), 96) == [mark(WAITS)]
    assert fitting_badges((ALIKE, DRAFTS), width(ALIKE), 0) == [ALIKE]
    assert fitting_badges((DRAFTS,), width(mark(DRAFTS)), 96) == []
    room = width(mark(DRAFTS), mark(SHARED))
    assert fitting_badges((DRAFTS, SHARED), room, 0) == [mark(DRAFTS), mark(SHARED)]
    assert fitting_badges((DRAFTS, SHARED), width(mark(SHARED)), 0) == [mark(SHARED)]
