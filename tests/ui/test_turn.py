"""Turning pictures: as the window shows them, so the archive gets them."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction
from capture_app.model.procedure import Turn
from capture_app.ui.outbox.row_widget import OutboxRowWidget
from capture_app.ui.workspace.thumb_button import ThumbButton
from tests.ui.conftest import Desk
from tests.ui.hands import CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = "0012345678"
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def mai(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    """Mai's wristband was scanned, and two pictures of her left shin were taken."""
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        hands.key(Qt.Key.Key_2)
        hands.tap("front.shin.L")
        hands.pedal()
        hands.pedal()
        yield hands


def turns(hands: Hands) -> list[Turn]:
    return [thumb.turn for thumb in hands.state.thumbs]


def kept(hands: Hands, *turns: Turn) -> None:
    """The store says so."""
    outbox = hands.stage.outbox
    hands.qtbot.waitUntil(lambda: [d.description.turn for d in outbox.drafts()] == [*turns])


def in_archive(hands: Hands) -> list[pydicom.Dataset]:
    hands.send()
    hands.qtbot.waitUntil(lambda: not any(thumb.is_draft for thumb in hands.state.thumbs))
    hands.clock.advance(11)
    engine = hands.stage.engine()
    engine.start()
    try:
        hands.qtbot.waitUntil(lambda: not hands.stage.outbox.counts().waiting)
    finally:
        engine.stop()
    found = [pydicom.dcmread(path) for path in hands.stage.archive.folder.iterdir()]
    return sorted(found, key=lambda ds: str(ds.SOPInstanceUID))


def drawn(button: ThumbButton) -> QImage:
    return button.grab().toImage()


def test_t_turns_the_newest_and_the_archive_gets_it_so(mai: Hands) -> None:
    mai.key(Qt.Key.Key_T)
    assert turns(mai) == [Turn.NONE, Turn.RIGHT]
    kept(mai, Turn.NONE, Turn.RIGHT)
    assert mai.state.message is not None
    assert mai.state.message.what == "Turned right: 1 picture changed."
    straight, on_its_side = in_archive(mai)
    assert (on_its_side.Rows, on_its_side.Columns) == (straight.Columns, straight.Rows)
    assert on_its_side.ImageType[0] == "DERIVED"
    rows = read_trail(mai.stage.outbox.spool.database.read())
    described = [r.event for r in rows if r.event.action is AuditAction.DESCRIBED]
    assert [(e.sop_instance_uid, e.details["turn"]) for e in described] == [
        (mai.state.thumbs[1].capture_id, "90")
    ]


def test_what_is_selected_is_turned_and_undo_takes_it_back(mai: Hands) -> None:
    first = mai.page.filmstrip.buttons[0]
    mai.click(first)
    mai.key(Qt.Key.Key_T, SHIFT)
    assert turns(mai) == [Turn.LEFT, Turn.NONE]
    assert "Turned left" in first.accessibleName()
    mai.key(Qt.Key.Key_T, SHIFT)
    assert turns(mai) == [Turn.HALF, Turn.NONE]
    mai.key(Qt.Key.Key_Z, CONTROL)
    assert turns(mai) == [Turn.LEFT, Turn.NONE]
    mai.key(Qt.Key.Key_Z, CONTROL)
    assert turns(mai) == [Turn.NONE, Turn.NONE]
    kept(mai, Turn.NONE, Turn.NONE)
    assert "Turned" not in first.accessibleName()


def test_the_strip_draws_it_as_it_will_be_sent(mai: Hands) -> None:
    newest = mai.page.filmstrip.buttons[1]
    mai.qtbot.waitUntil(lambda: newest.has_image)
    before = drawn(newest)
    mai.click(mai.page.turn)
    assert drawn(newest) != before
    for _ in range(3):
        mai.click(mai.page.turn)
    assert turns(mai) == [Turn.NONE, Turn.NONE]


def test_what_it_shows_stays_as_said_and_the_next_picture_is_not_turned(mai: Hands) -> None:
    said = [(thumb.procedure, thumb.site) for thumb in mai.state.thumbs]
    mai.key(Qt.Key.Key_T)
    assert [(thumb.procedure, thumb.site) for thumb in mai.state.thumbs] == said
    mai.click(mai.page.filmstrip.buttons[1])
    mai.key(Qt.Key.Key_3)  # another act: the turn stays
    assert turns(mai) == [Turn.NONE, Turn.RIGHT]
    mai.pedal()
    assert turns(mai) == [Turn.NONE, Turn.RIGHT, Turn.NONE]


def test_all_that_lack_the_same_are_selected_though_one_is_turned(mai: Hands) -> None:
    for button in mai.page.filmstrip.buttons:
        mai.click(button, CONTROL)
    mai.tap("front.forearm.L")
    mai.page.viewmodel.describing.choose_region("SCT", "25763004")  # no side any more
    mai.click(mai.page.filmstrip.buttons[0])
    mai.key(Qt.Key.Key_T)
    mai.send()
    assert [thumb.selected for thumb in mai.state.thumbs] == [True, True]


def test_on_the_contact_sheet_too(mai: Hands) -> None:
    mai.key(Qt.Key.Key_F2)
    sheet = mai.page.contacts
    mai.click(sheet.buttons[0])
    mai.key(Qt.Key.Key_T)
    assert turns(mai) == [Turn.RIGHT, Turn.NONE]
    sheet.turn_asked.emit()
    assert turns(mai) == [Turn.HALF, Turn.NONE]
    assert "Turned upside down" in sheet.buttons[0].accessibleName()


def test_a_letter_in_the_filter_turns_nothing(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Slash)
    mai.type("t")
    assert mai.page.procedures.filter.text() == "t"
    assert turns(mai) == [Turn.NONE, Turn.NONE]


def test_without_a_draft_there_is_nothing_to_turn(mai: Hands) -> None:
    assert mai.page.turn.isEnabled()
    in_archive(mai)
    assert not mai.page.turn.isEnabled()
    mai.key(Qt.Key.Key_T)
    assert turns(mai) == [Turn.NONE, Turn.NONE]


def test_the_outbox_shows_it_as_it_was_sent(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Delete)  # one is enough
    mai.key(Qt.Key.Key_T)
    kept(mai, Turn.RIGHT)
    mai.send()
    mai.qtbot.waitUntil(lambda: not any(thumb.is_draft for thumb in mai.state.thumbs))
    mai.key(Qt.Key.Key_O)
    mai.qtbot.waitUntil(lambda: any(row.has_picture for row in rows_of_outbox(mai)))
    (row,) = rows_of_outbox(mai)
    assert row._picture is not None
    assert row._picture.width() < row._picture.height()


def rows_of_outbox(hands: Hands) -> list[OutboxRowWidget]:
    return hands.window.findChildren(OutboxRowWidget)
