"""Clips in the window: each place that shows a picture shows a clip, too."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.clip import ClipLength
from capture_app.model.device import DeviceKind
from capture_app.model.procedure import Side, Turn
from capture_app.outbox.keeping.clips import Recording
from capture_app.outbox.recovery.start_up import recover
from capture_app.ui.outbox.row_widget import OutboxRowWidget
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import ClipState
from capture_app.ui.workspace.live_words import clip_chips
from tests import filming
from tests.ui.conftest import Desk
from tests.ui.ends import Break, ends
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = "0012345678"
OTHER = "0009812204"


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
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 1)
    mai.send()
    mai.qtbot.waitUntil(lambda: [one.is_draft for one in mai.state.thumbs] == [False])
    assert mai.state.thumbs[0].clip
    mai.key(Qt.Key.Key_O)
    rows = mai.window.findChildren
    mai.qtbot.waitUntil(lambda: any(one.has_picture for one in rows(OutboxRowWidget)))


# ---------------------------------------------------------------------------------- recording


def said_on_the_picture(hands: Hands) -> list[str]:
    return [one.words for one in hands.page.view.marks.leading]


def one_clip(hands: Hands) -> ClipLength:
    """The clip that comes into the strip, and is a draft."""
    hands.qtbot.waitUntil(lambda: len(hands.state.thumbs) == 1)
    (draft,) = hands.stage.outbox.drafts()
    assert draft.clip is not None
    assert hands.state.thumbs[0].clip == wording.clip_length(draft.clip.seconds)
    return draft.clip


def goes_on(hands: Hands, seconds: int) -> None:
    """So long the camera delivers, and time goes by for it."""
    films = hands.stage.services.films

    def has_come() -> bool:
        newest = films.replay.newest
        return newest is not None and newest.exposed_at >= hands.clock.monotonic()

    for _ in range(seconds * 2):
        hands.clock.advance(0.5)
        hands.qtbot.waitUntil(has_come)


def test_a_clip_is_recorded_by_its_key_and_counts(mai: Hands) -> None:
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 3)
    clips = mai.page.viewmodel.clips
    mai.qtbot.waitUntil(lambda: clips.state.recorded_s == 3)
    mai.qtbot.waitUntil(lambda: clips.state.safe_s >= 1)
    assert "0:03" in mai.page.shutter.clip.text()
    assert [one for one in said_on_the_picture(mai) if "Recording" in one and "safe" in one]
    assert len(mai.state.thumbs) == 0
    mai.key(Qt.Key.Key_R)
    clip = one_clip(mai)
    assert clip.seconds == pytest.approx(3.0, abs=0.6)
    assert not clip.is_partial
    mai.qtbot.waitUntil(lambda: mai.page.filmstrip.buttons[0].has_image)
    assert clips.state.recorded_s is None


def test_a_lost_camera_ends_a_clip_and_what_there_is_is_kept_and_marked(mai: Hands) -> None:
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 1)
    mai.stage.services.devices.stop()
    clip = one_clip(mai)
    assert clip.is_partial
    assert mai.state.message is not None
    assert "kept" in mai.state.message.todo


def test_send_ends_a_clip_and_takes_it_along(mai: Hands) -> None:
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 1)
    mai.pedal()
    mai.send()
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 2)
    mai.qtbot.waitUntil(lambda: not any(one.is_draft for one in mai.state.thumbs))
    assert [bool(one.clip) for one in mai.state.thumbs] == [True, False]
    assert [one.number for one in mai.state.thumbs] == [1, 2]


def test_what_is_chosen_while_it_is_recorded_is_said_of_it(mai: Hands) -> None:
    mai.scan(OTHER)
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.exam.patient.patient_id.value == OTHER)
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 1)
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.R")
    mai.key(Qt.Key.Key_R)
    one_clip(mai)
    outbox = mai.stage.outbox
    mai.qtbot.waitUntil(lambda: outbox.drafts()[0].description.side is Side.RIGHT)
    assert outbox.drafts()[0].description.procedure is not None


def test_the_last_seconds_are_kept_by_their_key(mai: Hands) -> None:
    mai.key(Qt.Key.Key_L)
    assert mai.state.message is not None
    assert "not one second" in mai.state.message.what
    goes_on(mai, 4)
    mai.qtbot.waitUntil(lambda: mai.page.shutter.last.text() == "Last 4 s")
    mai.key(Qt.Key.Key_L)
    clip = one_clip(mai)
    assert clip.seconds == pytest.approx(4.0, abs=0.6)
    mai.qtbot.waitUntil(lambda: mai.page.filmstrip.buttons[0].has_image)


def test_the_last_seconds_are_never_of_the_patient_before(mai: Hands) -> None:
    goes_on(mai, 4)
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 1)
    mai.scan(OTHER)
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.exam.patient.patient_id.value == OTHER)
    films = mai.stage.services.films
    began = films.replay.film()
    mai.key(Qt.Key.Key_L)
    exams, exam = mai.stage.services.exams, mai.page.viewmodel.exam
    assert all(one.not_before >= exams.require_open(exam) for one in began)
    drafts = mai.stage.outbox.drafts()
    assert [mai.stage.outbox.exam(one.exam_id).patient.patient_id.value for one in drafts][:1] == [
        MAI
    ]
    of_other = [one for one in drafts[1:] if one.clip and one.clip.seconds > 0.5]
    assert of_other == []


def test_a_lock_ends_a_clip_and_seals_the_last_seconds(mai: Hands, desk: Desk) -> None:
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 1)
    desk.window.lock()
    films, outbox = mai.stage.services.films, mai.stage.outbox
    mai.qtbot.waitUntil(lambda: len(outbox.drafts()) == 1)
    assert films.replay.film() == ()
    desk.sign_in()
    mai.until_live()
    mai.qtbot.waitUntil(lambda: len(films.replay.film()) > 4)
    one_clip(mai)
    mai.key(Qt.Key.Key_L)  # what was seen before the lock is still there, for the same user
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 2)
    kept = outbox.drafts()[1].clip
    assert kept is not None
    assert kept.seconds >= 1


def test_a_window_that_is_closed_keeps_what_it_records(mai: Hands, desk: Desk) -> None:
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 2)
    assert desk.content.films_for > 0
    desk.window.end()
    (draft,) = mai.stage.outbox.drafts()
    assert draft.clip is not None
    assert not draft.clip.is_partial


def test_who_records_is_there(mai: Hands, desk: Desk) -> None:
    mai.key(Qt.Key.Key_R)
    for _ in range(12):
        goes_on(mai, 1)
    mai.qtbot.waitUntil(lambda: desk.window.watch.idle_s < 5)


def test_of_what_is_in_a_file_no_clip_is_offered_and_the_key_says_why(mai: Hands) -> None:
    live, page = mai.page.viewmodel.live, mai.page
    assert live.device is not None
    live.device = replace(live.device, kind=DeviceKind.FILE)
    mai.qtbot.waitUntil(lambda: not page.shutter.clip.isVisible())
    assert not page.shutter.last.isVisible()
    mai.key(Qt.Key.Key_R)
    assert mai.state.message is not None
    assert "file" in mai.state.message.what
    assert mai.page.viewmodel.clips.state.recorded_s is None


@ends("Clips", log="recording-failed")
def test_after_a_recording_that_could_not_be_ended_another_patient_can_be_opened(
    mai: Hands, break_once: Break
) -> None:
    break_once(Recording, "finish")
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 2)
    mai.key(Qt.Key.Key_R)
    mai.qtbot.waitUntil(lambda: mai.state.message is not None)
    assert mai.state.message is not None
    assert "safe" in mai.state.message.what
    assert len(mai.state.thumbs) == 0
    mai.scan(OTHER)
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.exam.patient.patient_id.value == OTHER)
    outbox = mai.stage.outbox
    assert recover(outbox.spool, ("pacs",)).adopted_captures == 1
    assert outbox.exam_of(outbox.drafts()[0].capture_id).patient.patient_id.value == MAI


def test_what_is_said_of_the_device_is_said_of_a_whole_clip(mai: Hands) -> None:
    """A setting of an ultrasound console, for one: it brings the scale."""
    goes_on(mai, 3)
    mai.key(Qt.Key.Key_R)
    goes_on(mai, 1)
    live, films = mai.page.viewmodel.live, mai.stage.services.films
    assert live.device is not None
    live.device = replace(live.device, model_name="another")
    live.changed.emit()
    assert films.replay.seconds < 1
    clip = one_clip(mai)
    assert not clip.is_partial
    mai.key(Qt.Key.Key_L)
    assert len(mai.state.thumbs) == 1  # there is not one second of the new setting


def test_where_the_memory_is_full_the_picture_says_how_much_is_kept() -> None:
    (chip,) = clip_chips(ClipState(is_live=True, held_s=7, is_capped=True))
    assert (chip.words, chip.tone) == ("Last 7 s", Tone.WARN)
    assert clip_chips(ClipState(is_live=True, held_s=10)) == ()
    recording = clip_chips(ClipState(is_live=True, recorded_s=67, safe_s=66, is_capped=True))
    assert [one.words for one in recording] == [
        f"Recording {wording.clip_length(67)}, {wording.clip_length(66)} safe"
    ]
