"""A clip is looked at in the place of the live picture: stepped, played, and stills taken of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.clip import FrameOfClip
from capture_app.outbox.keeping.drafts import open_kept
from capture_app.outbox.outbox import Outbox
from capture_app.ui.words.shown import PlayerState
from tests import filming
from tests.ui.conftest import Desk
from tests.ui.ends import SAID, Break, ends
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage
from tests.ui.test_clips import MAI, recorded


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def mai(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        yield hands


@pytest.fixture
def clip(mai: Hands) -> str:
    """A clip of 61 frames, two seconds, which is looked at."""
    capture_id = recorded(mai, 61)
    mai.key(Qt.Key.Key_V)
    mai.qtbot.waitUntil(lambda: state(mai).frames == 61)
    return capture_id


def state(hands: Hands) -> PlayerState:
    return hands.page.viewmodel.player.state


def double_click(widget: QWidget) -> None:
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(widget, left)
    QTest.mouseRelease(widget, left)
    QTest.mouseDClick(widget, left)
    QTest.mouseRelease(widget, left)


def at(hands: Hands, frame: int) -> None:
    hands.qtbot.waitUntil(lambda: state(hands).frame == frame)


def test_a_double_click_or_its_key_opens_the_clip_and_escape_the_live_picture(mai: Hands) -> None:
    assert not mai.page.look.isVisible()
    mai.pedal()
    recorded(mai, 12)
    assert mai.page.look.isVisible()
    still, clip = mai.page.filmstrip.buttons
    double_click(still)
    assert not mai.page.stage.shows_clip
    before = mai.state.thumbs[1].selected
    double_click(clip)
    assert mai.page.stage.shows_clip
    assert mai.state.thumbs[1].selected is before
    mai.qtbot.waitUntil(lambda: mai.page.clip.frame.has_picture)
    assert mai.page.clip.frame.hasFocus()
    mai.key(Qt.Key.Key_Escape)
    assert not mai.page.stage.shows_clip
    assert state(mai) == PlayerState()
    mai.click(mai.page.look)
    assert mai.page.stage.shows_clip


def test_the_arrows_step_its_frames_and_stop_at_its_ends(mai: Hands, clip: str) -> None:
    mai.key(Qt.Key.Key_Left)
    at(mai, 0)
    mai.key(Qt.Key.Key_Right)
    mai.key(Qt.Key.Key_Right)
    at(mai, 2)
    assert "Frame 3 of 61" in mai.page.clip.frame.accessibleName()
    mai.key(Qt.Key.Key_End)
    at(mai, 60)
    assert not mai.page.clip.on.isEnabled()
    mai.key(Qt.Key.Key_Right)
    mai.key(Qt.Key.Key_Home)
    at(mai, 0)
    mai.click_at(mai.page.clip.line, QPoint(mai.page.clip.line.width() // 2, 20))
    mai.qtbot.waitUntil(lambda: 28 <= state(mai).frame <= 32)


def test_it_plays_at_the_rate_at_which_it_was_recorded(mai: Hands, clip: str) -> None:
    mai.key(Qt.Key.Key_Return)
    assert state(mai).is_playing
    mai.clock.advance(1.0)
    at(mai, 30)
    assert state(mai).is_playing
    mai.clock.advance(1.5)
    at(mai, 60)
    mai.qtbot.waitUntil(lambda: not state(mai).is_playing)
    mai.key(Qt.Key.Key_Return)  # from the beginning
    mai.clock.advance(0.5)
    at(mai, 15)
    mai.key(Qt.Key.Key_Return)
    mai.clock.advance(1.0)
    assert (state(mai).frame, state(mai).is_playing) == (15, False)


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_F13])
def test_a_still_of_the_frame_on_the_screen_is_kept_as_the_clip_is_described(
    mai: Hands, clip: str, key: Qt.Key
) -> None:
    mai.page.viewmodel.describing.select([clip])
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.L")
    mai.page.clip.rest()
    for _ in range(3):
        mai.key(Qt.Key.Key_Right)
    at(mai, 3)
    mai.key(key)
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 2)
    _, still = mai.state.thumbs
    assert not still.clip
    outbox = mai.stage.outbox
    kept = open_kept(outbox.spool, still.capture_id)
    assert kept.source == FrameOfClip(clip, 3)
    assert outbox.image_of(still.capture_id) == prepare_jpeg(filming.jpeg(3))
    assert kept.description.procedure is not None
    assert kept.description.region is not None
    assert mai.page.stage.shows_clip
    mai.qtbot.waitUntil(lambda: mai.page.filmstrip.buttons[1].has_image)


def test_no_clip_is_recorded_while_another_is_looked_at(mai: Hands, clip: str) -> None:
    mai.key(Qt.Key.Key_R)
    assert not mai.page.stage.shows_clip
    assert mai.page.viewmodel.clips.state.recorded_s is None


def test_a_clip_that_goes_is_not_looked_at_any_more(mai: Hands, clip: str) -> None:
    mai.key(Qt.Key.Key_Delete)
    mai.qtbot.waitUntil(lambda: not mai.page.stage.shows_clip)


def test_a_damaged_clip_says_so_and_the_live_picture_comes_back(mai: Hands) -> None:
    capture_id = recorded(mai, 12)
    (path,) = mai.stage.outbox.spool.captures.glob("*.sealed")
    mai.qtbot.waitUntil(lambda: mai.page.filmstrip.buttons[0].has_image)
    path.unlink()
    mai.page.viewmodel.player.open(capture_id)
    mai.qtbot.waitUntil(lambda: mai.state.message is not None)
    assert not mai.page.stage.shows_clip


def test_a_broken_frame_is_told_and_no_still_is_taken_of_it(mai: Hands) -> None:
    outbox, exam = mai.stage.outbox, mai.page.viewmodel.exam
    recording = outbox.record(filming.identity(exam, outbox), filming.SHAPE)
    for number in range(3):
        recording.add(filming.jpeg(number)[: 100 if number == 1 else None], number * 33_000)
    recording.finish()
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 1)
    mai.key(Qt.Key.Key_V)
    mai.qtbot.waitUntil(lambda: state(mai).frames == 3)
    mai.key(Qt.Key.Key_Right)
    at(mai, 1)
    assert state(mai).is_broken
    assert "broken" in mai.page.clip.frame.accessibleName()
    assert not mai.page.clip.still.isEnabled()
    mai.key(Qt.Key.Key_Space)
    mai.key(Qt.Key.Key_Right)
    at(mai, 2)
    assert len(outbox.drafts()) == 1


@ends("ClipPlayer")
def test_a_clip_that_could_not_be_read_is_opened_the_next_time(
    mai: Hands, break_once: Break
) -> None:
    capture_id = recorded(mai, 12)
    mai.qtbot.waitUntil(lambda: mai.page.filmstrip.buttons[0].has_image)
    break_once(Outbox, "film_of")
    mai.page.viewmodel.player.open(capture_id)
    mai.qtbot.waitUntil(lambda: mai.state.message is not None)
    assert mai.state.message is not None
    assert SAID in mai.state.message.what
    assert mai.page.stage.shows_live
    mai.page.viewmodel.player.open(capture_id)
    mai.qtbot.waitUntil(lambda: state(mai).frames == 12)
