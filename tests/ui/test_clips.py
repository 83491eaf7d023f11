"""Clips in the window: each place that shows a picture shows a clip, too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.procedure import Turn
from capture_app.ui.outbox.row_widget import OutboxRowWidget
from capture_app.ui.words import wording
from tests import filming
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = "0012345678"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def mai(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    """Mai's wristband was scanned; the act and the site are chosen."""
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        hands.key(Qt.Key.Key_2)
        hands.tap("front.shin.L")
        yield hands


def recorded(hands: Hands, frames: int, *, is_partial: bool = False) -> str:
    """A clip of Mai that another window recorded; it is in the strip when this returns."""
    before = len(hands.state.thumbs)
    exam = hands.page.viewmodel.exam
    capture_id = filming.record(hands.stage.outbox, exam, frames).finish(is_partial=is_partial)
    hands.qtbot.waitUntil(lambda: len(hands.state.thumbs) == before + 1)
    return capture_id


def test_a_clip_stands_in_the_strip_and_on_the_sheet_with_its_length(mai: Hands) -> None:
    mai.pedal()
    capture_id = recorded(mai, 240)
    still, clip = mai.state.thumbs
    assert (still.clip, clip.clip) == ("", wording.clip_length(239 * 0.033))
    button = mai.page.filmstrip.buttons[1]
    mai.qtbot.waitUntil(lambda: button.has_image)
    assert button.accessibleName().startswith("Clip 2, ")
    mai.key(Qt.Key.Key_F2)
    on_sheet = [one for one in mai.page.contacts.buttons if one.thumb.capture_id == capture_id]
    assert [one.has_image for one in on_sheet] == [True]


def test_a_clip_that_was_cut_off_says_so(mai: Hands) -> None:
    recorded(mai, 30, is_partial=True)
    assert mai.state.thumbs[0].is_partial
    assert "cut off" in mai.page.filmstrip.buttons[0].accessibleName()


def test_a_clip_is_not_turned_and_a_picture_beside_it_is(mai: Hands) -> None:
    mai.pedal()
    clip = recorded(mai, 12)
    mai.key(Qt.Key.Key_T)
    assert mai.state.message is not None
    assert "cannot be turned" in mai.state.message.what
    still, _ = mai.state.thumbs
    mai.page.viewmodel.describing.select([still.capture_id, clip])
    mai.key(Qt.Key.Key_T)
    assert [thumb.turn for thumb in mai.state.thumbs] == [Turn.RIGHT, Turn.NONE]


def test_a_clip_is_deleted_brought_back_sent_and_called_back_as_a_picture_is(mai: Hands) -> None:
    recorded(mai, 240)
    mai.key(Qt.Key.Key_Delete)
    mai.qtbot.waitUntil(lambda: not mai.stage.outbox.drafts())
    mai.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    mai.qtbot.waitUntil(lambda: len(mai.stage.outbox.drafts()) == 1)
    mai.send()
    mai.qtbot.waitUntil(lambda: [one.is_draft for one in mai.state.thumbs] == [False])
    assert mai.state.thumbs[0].clip
    mai.key(Qt.Key.Key_O)
    rows = mai.window.findChildren
    mai.qtbot.waitUntil(lambda: any(one.has_picture for one in rows(OutboxRowWidget)))
