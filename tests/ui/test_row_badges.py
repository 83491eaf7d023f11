"""Badges of a patient's row where there is little room: a warning is never left out for words."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication

from capture_app.clock import FixedClock
from capture_app.model.patient import NameGroup, PersonName, Sex
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from capture_app.patients.finding.tabs import Tab
from capture_app.ui.patients.row_text import fitting_badges
from capture_app.ui.patients.rows import rows_of
from capture_app.ui.widgets.chips import small_chip_width
from capture_app.ui.words.marks import ChipText, Tone
from tests.ui.stage import Stage

ALIKE = ChipText("Same surname", "users", Tone.WARN)
SHARED = ChipText("Visit shared", "warning", Tone.WARN)
WAITS = ChipText("Merge or deletion waits", "warning", Tone.WARN)
DRAFTS = ChipText("3 drafts", "tray")
GAP = 6


def width(*badges: ChipText) -> int:
    return sum(small_chip_width(badge) + GAP for badge in badges)


def mark(badge: ChipText) -> ChipText:
    return ChipText("", badge.icon, badge.tone)


def test_a_row_has_no_likeness_of_whoever_has_its_number(stage: Stage, clock: FixedClock) -> None:
    (mai,) = stage.census.lookup("0012345678")
    roe = replace(mai.patient, name=PersonName(NameGroup("Roe", "Rick")), sex=Sex.MALE)
    stage.census.put_worklist(WorklistAnswer("mwl", (WorklistItem(roe, None, None),), clock.now()))
    shown = [one for one in stage.census.find("") if one.patient.patient_id == roe.patient_id]
    alike = stage.census.alike(shown, Tab.ALL)
    rows = rows_of(shown, now=clock.now(), drafts={}, last_taken={}, alike=alike)
    said = {row.name.split(",")[0]: [badge.words for badge in row.badges] for row in rows}
    assert said["ROE"] == ["Number of another person"]
    assert len(said) == 2
    assert said[next(name for name in said if name != "ROE")][0] == "Same surname"


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
