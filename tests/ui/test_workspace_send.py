"""Delete, Send and Undo at the workspace, and whose pictures they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Side
from capture_app.outbox.keeping.drafts import Draft
from tests import outboxes
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI, MINH = "0012345678", "0012354687"

SHIN = ("SCT", "25763004")


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    """Signed in, at the patient list, with a camera that runs."""
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


@pytest.fixture
def mai(hands: Hands) -> Hands:
    """Mai's wristband was scanned."""
    hands.scan(MAI)
    return hands


def drafts(hands: Hands) -> tuple[Draft, ...]:
    return hands.stage.outbox.drafts()


def on_disk(hands: Hands, count: int) -> tuple[Draft, ...]:
    hands.qtbot.waitUntil(lambda: len(drafts(hands)) == count)
    return drafts(hands)


def focused() -> QWidget | None:
    return QApplication.focusWidget()


# ------------------------------------------------------------------------------- delete and send


def test_delete_takes_the_newest_away_and_undo_brings_it_back(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_Space)
    mai.shot(Qt.Key.Key_Space)
    mai.key(Qt.Key.Key_Delete)
    assert [thumb.number for thumb in mai.state.thumbs] == [1]
    on_disk(mai, 1)
    mai.key(Qt.Key.Key_Z, CONTROL)
    on_disk(mai, 2)
    mai.qtbot.waitUntil(lambda: [thumb.number for thumb in mai.state.thumbs] == [1, 2])
    assert mai.page.filmstrip.buttons[1].has_image


def test_send_too_early_says_what_is_missing_and_leads_there(mai: Hands) -> None:
    for _ in range(3):
        mai.shot(Qt.Key.Key_Space)
    mai.page.viewmodel.describing.choose_region(*SHIN)
    mai.send()
    message = mai.page.toast.message
    assert message.what == "Nothing was sent. 3 pictures need 2 things."
    assert message.todo == (
        "Choose the procedure (1-9) and the side (Alt+R or Alt+L). Both go to all 3."
    )
    assert mai.page.procedures.needed
    assert mai.page.site.needed
    assert focused() is mai.page.procedures.list
    assert mai.page.procedures.note.words == "Needed to send"
    mai.key(Qt.Key.Key_2)
    assert not mai.page.procedures.needed
    assert mai.page.toast.isVisible()  # a stop stays until it is solved
    mai.send()
    assert focused() is mai.page.site.sides.buttons[Side.RIGHT]
    mai.key(Qt.Key.Key_L, ALT)
    assert not mai.page.toast.isVisible()
    assert not mai.page.site.needed
    mai.send()
    mai.qtbot.waitUntil(
        lambda: mai.page.toast.message.what == "3 held for NGUYỄN \u2066...678\u2069."
    )
    assert drafts(mai) == ()


def sent(mai: Hands) -> Hands:
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.L")
    mai.pedal()
    mai.pedal()
    assert mai.page.send_bar.send.text().startswith("Send 2")
    assert "NGUYỄN" in mai.page.send_bar.send.text()
    mai.send()
    mai.qtbot.waitUntil(lambda: [t.badge.words for t in mai.state.thumbs] == ["Held", "Held"])
    return mai


def test_a_send_is_held_and_undo_makes_drafts_of_it_again(mai: Hands) -> None:
    sent(mai)
    assert mai.stage.outbox.counts().held == 2
    assert not mai.page.send_bar.send.isEnabled()
    mai.key(Qt.Key.Key_Z, CONTROL)
    on_disk(mai, 2)
    mai.qtbot.waitUntil(lambda: [t.badge.words for t in mai.state.thumbs] == ["Draft", "Draft"])
    mai.click(mai.page.send_bar.send)
    mai.qtbot.waitUntil(lambda: mai.stage.outbox.counts().held == 2)
    assert focused() is mai.page.view  # not on what comes after a button that is off now


def test_the_filmstrip_says_truly_how_far_pictures_are(mai: Hands, clock: FixedClock) -> None:
    sent(mai)
    clock.advance(11)
    engine = mai.stage.engine()
    engine.start()
    try:
        confirmed = ["Confirmed", "Confirmed"]
        mai.qtbot.waitUntil(lambda: [t.badge.words for t in mai.state.thumbs] == confirmed)
    finally:
        engine.stop()
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: mai.page.toast.message.what.startswith("Too late to undo"))
    states = {status.state for status in mai.stage.outbox.statuses()}
    assert states == {ImageState.CONFIRMED}


def test_pictures_on_their_way_to_the_disk_are_part_of_the_send(mai: Hands) -> None:
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.L")
    for key, modifiers in (
        (Qt.Key.Key_F13, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F13, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Return, CONTROL),
    ):
        QTest.keyClick(mai.handle, key, modifiers)  # no waiting between them
    mai.qtbot.waitUntil(lambda: mai.stage.outbox.counts().held == 2)
    assert drafts(mai) == ()


# ------------------------------------------------------------------------------- whose they are


def test_drafts_stay_with_their_patient(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_Space)
    mai.key(Qt.Key.Key_2)
    hands = mai
    hands.scan(MINH)
    hands.qtbot.waitUntil(lambda: hands.page.viewmodel.exam.patient.patient_id.value == MINH)
    assert not hands.state.thumbs
    assert hands.state.chosen_row == ""  # nothing is carried over
    hands.scan(MAI)
    hands.qtbot.waitUntil(lambda: hands.page.viewmodel.exam.patient.patient_id.value == MAI)
    hands.qtbot.waitUntil(lambda: len(hands.state.thumbs) == 1)
    hands.qtbot.waitUntil(lambda: hands.page.filmstrip.buttons[0].has_image)
    assert hands.state.thumbs[0].site == "No site"
    hands.tap("front.shin.L")
    hands.send()
    hands.qtbot.waitUntil(lambda: hands.stage.outbox.counts().held == 1)


def test_a_picture_taken_as_the_patient_is_changed_is_kept_for_its_patient(mai: Hands) -> None:
    QTest.keyClick(mai.handle, Qt.Key.Key_F13)
    QTest.keyClick(mai.handle, Qt.Key.Key_Escape)
    (draft,) = on_disk(mai, 1)
    assert mai.stage.outbox.exam_of(draft.capture_id).patient.patient_id.value == MAI
    mai.qtbot.waitUntil(lambda: mai.window.content is not None and mai.window.content.exam is None)


def test_drafts_survive_a_crash(mai: Hands, clock: FixedClock) -> None:
    mai.key(Qt.Key.Key_2)
    mai.tap("front.shin.L")
    mai.shot(Qt.Key.Key_F13)
    on_disk(mai, 1)
    again = outboxes.open_outbox(mai.stage.folder, clock)
    (draft,) = again.drafts()
    assert draft.description.side is Side.LEFT
    assert again.image_of(draft.capture_id).columns == 1280
    again.spool.database.close()
