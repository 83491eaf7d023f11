"""A send that is held is taken back wherever one went, and what is held shows."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.delivery import ImageState
from capture_app.store import database
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.words.shown import Thumb
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI, MINH = "0012345678", "0012354687"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is opened from now on waits less long for its turn to write."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 200)


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


@pytest.fixture
def mai(hands: Hands) -> Hands:
    hands.scan(MAI)
    return hands


def act(hands: Hands, word: str) -> None:
    """One act of a script: a key, a tap on the map, a shot, a click on a picture."""
    kind, _, rest = word.partition(" ")
    keys = {
        "right": (Qt.Key.Key_R, ALT),
        "left": (Qt.Key.Key_L, ALT),
        "midline": (Qt.Key.Key_M, ALT),
        "undo": (Qt.Key.Key_Z, CONTROL),
    }
    if kind == "shoot":
        hands.pedal()
    elif kind == "key":
        hands.key(Qt.Key(Qt.Key.Key_0 + int(rest)))
    elif kind == "tap":
        hands.tap(rest)
    elif kind == "select":  # and again: selects none
        hands.click(hands.page.filmstrip.buttons[int(rest) - 1])
    elif kind == "site":
        hands.page.viewmodel.describing.choose_region("SCT", rest)
    else:
        hands.key(*keys[kind])


def plays(hands: Hands, script: str) -> None:
    for word in script.split(", "):
        act(hands, word)


def said(thumbs: Sequence[Thumb]) -> list[tuple[str, str]]:
    """What each thumbnail says: procedure, and site with its side."""
    return [(thumb.procedure, thumb.site) for thumb in thumbs]


def settled(hands: Hands) -> None:
    hands.qtbot.waitUntil(
        lambda: not any(thumb.is_draft for thumb in hands.state.thumbs), timeout=10_000
    )


# ------------------------------------------------------------------------------ the held send


def sent(hands: Hands) -> None:
    plays(hands, "key 2, tap front.shin.R, shoot, shoot")
    hands.send()
    settled(hands)


def drafts_of(hands: Hands, number: str) -> int:
    outbox = hands.stage.outbox
    return sum(
        outbox.exam_of(draft.capture_id).patient.patient_id.value == number
        for draft in outbox.drafts()
    )


def content_said(hands: Hands) -> str:
    assert hands.window.content is not None
    return hands.window.content.said.what


def test_a_held_send_is_taken_back_from_the_list(mai: Hands) -> None:
    sent(mai)
    mai.key(Qt.Key.Key_Escape)
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MAI) == 2)
    mai.qtbot.waitUntil(lambda: content_said(mai).endswith("are drafts again."))
    assert content_said(mai).startswith("2 pictures of NGUYỄN")
    assert mai.window.content is not None
    assert mai.window.content.exam is None


def test_a_held_send_is_taken_back_though_a_filter_has_the_focus(mai: Hands) -> None:
    sent(mai)
    mai.key(Qt.Key.Key_Escape)
    mai.key(Qt.Key.Key_Slash)
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MAI) == 2)


def test_a_held_send_is_taken_back_from_the_outbox(mai: Hands) -> None:
    sent(mai)
    assert mai.window.content is not None
    mai.window.content.go(Place.OUTBOX)
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MAI) == 2)
    mai.qtbot.waitUntil(lambda: content_said(mai).startswith("2 pictures of NGUYỄN"))
    mai.key(Qt.Key.Key_Escape)
    mai.qtbot.waitUntil(lambda: [t.badge.words for t in mai.state.thumbs] == ["Draft", "Draft"])
    mai.key(Qt.Key.Key_Z, CONTROL)  # what was done before, and not the Send a second time
    assert mai.page.toast.message.what.startswith("Taken back: ")


def test_a_held_send_is_taken_back_from_another_patient_who_stays_open(mai: Hands) -> None:
    sent(mai)
    mai.scan(MINH)
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.exam.patient.patient_id.value == MINH)
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MAI) == 2)
    mai.qtbot.waitUntil(lambda: "are drafts again" in mai.page.toast.message.what)
    assert mai.page.toast.message.what.startswith("2 pictures of NGUYỄN")
    assert mai.page.viewmodel.exam.patient.patient_id.value == MINH
    assert mai.state.thumbs == ()


def test_of_two_patients_sends_the_last_is_taken_back_first(mai: Hands) -> None:
    sent(mai)
    mai.scan(MINH)
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.exam.patient.patient_id.value == MINH)
    sent(mai)
    mai.key(Qt.Key.Key_Escape)
    mai.qtbot.waitUntil(lambda: not mai.page_is_there)
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MINH) == 2)
    assert drafts_of(mai, MAI) == 0
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MAI) == 2)


def test_what_was_done_for_the_open_patient_is_taken_back_first(mai: Hands) -> None:
    sent(mai)
    mai.scan(MINH)
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.exam.patient.patient_id.value == MINH)
    mai.key(Qt.Key.Key_2)
    mai.key(Qt.Key.Key_Z, CONTROL)
    assert mai.state.chosen_row == ""
    assert mai.stage.outbox.counts().held == 2
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MAI) == 2)


def test_too_late_is_said_wherever_one_is(mai: Hands) -> None:
    sent(mai)
    mai.clock.advance(11)
    engine = mai.stage.engine()
    engine.start()
    try:
        mai.qtbot.waitUntil(lambda: not mai.stage.outbox.counts().waiting, timeout=10_000)
    finally:
        engine.stop()
    mai.key(Qt.Key.Key_Escape)
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: content_said(mai).startswith("Too late to undo"))


def test_a_send_that_ends_after_its_page_was_left_can_be_taken_back(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot")
    QTest.keyClick(mai.handle, Qt.Key.Key_Return, CONTROL)
    QTest.keyClick(mai.handle, Qt.Key.Key_Escape)
    mai.qtbot.waitUntil(lambda: mai.stage.outbox.counts().held == 1)
    mai.qtbot.waitUntil(lambda: content_said(mai).startswith("1 held for NGUYỄN"))
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: drafts_of(mai, MAI) == 1)


def test_taking_back_that_failed_can_be_tried_again_and_nothing_else_is_taken_back(
    impatient: None, mai: Hands
) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot")
    mai.send()
    settled(mai)
    with closing(sqlite3.connect(mai.stage.folder / "outbox.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        mai.key(Qt.Key.Key_Z, CONTROL)
        mai.qtbot.waitUntil(lambda: "busy" in mai.page.toast.message.what)
        mai.key(Qt.Key.Key_Escape)  # from the list as well
        mai.key(Qt.Key.Key_Z, CONTROL)
        mai.qtbot.waitUntil(lambda: "busy" in content_said(mai))
        other.execute("ROLLBACK")
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: "again" in content_said(mai))
    assert [s.state for s in mai.stage.outbox.statuses()] == [ImageState.DRAFT]


def test_taking_back_is_told_though_the_page_was_left(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot")
    mai.send()
    settled(mai)
    with closing(sqlite3.connect(mai.stage.folder / "outbox.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        mai.key(Qt.Key.Key_Z, CONTROL)
        mai.key(Qt.Key.Key_Escape)
        mai.qtbot.waitUntil(lambda: not mai.page_is_there)
        other.execute("ROLLBACK")
    mai.qtbot.waitUntil(lambda: "again" in content_said(mai))


def test_the_film_strip_shows_what_is_held_after_a_lock(mai: Hands) -> None:
    sent(mai)
    shown = said(mai.state.thumbs)
    mai.window.lock()
    assert mai.window.content is not None
    content = mai.window.content
    mai.window.sign_in_vm.signed_in.emit(content.operator)
    mai.qtbot.waitUntil(lambda: mai.page_is_there)
    mai.qtbot.waitUntil(lambda: said(mai.state.thumbs) == shown)
    assert [thumb.badge.words for thumb in mai.state.thumbs] == ["Held", "Held"]
    mai.until_live()
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: [t.badge.words for t in mai.state.thumbs] == ["Draft", "Draft"])
    assert drafts_of(mai, MAI) == 2


def test_a_lock_while_a_picture_is_on_its_way_is_over_when_the_user_is_back(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R")
    with closing(sqlite3.connect(mai.stage.folder / "outbox.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        mai.key(Qt.Key.Key_F13)
        mai.window.lock()
        assert mai.window.content is not None
        mai.window.sign_in_vm.signed_in.emit(mai.window.content.operator)
        mai.qtbot.waitUntil(lambda: mai.page_is_there)
        assert not mai.state.thumbs
        other.execute("ROLLBACK")
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 1)
    mai.until_live()
    mai.pedal()
    assert mai.state.sendable == 2
