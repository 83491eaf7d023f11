"""Clean screen: a minute in which nothing that is pressed or touched does anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.ui.shell.clean_screen import CleanScreen
from capture_app.ui.shell.keys_popover import KeysPopover
from capture_app.ui.widgets.buttons import IconButton
from tests.ui.conftest import Desk
from tests.ui.hands import CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI, MINH = "0012345678", "0012354687"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    """Signed in, and Mai's wristband was scanned."""
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        yield hands


@pytest.fixture
def wiping(hands: Hands) -> Hands:
    """The workspace is being wiped."""
    hands.key(Qt.Key.Key_F8)
    assert cleaning(hands).is_on
    return hands


def cleaning(hands: Hands) -> CleanScreen:
    return hands.window.cleaning


def pass_time(hands: Hands, seconds: float) -> None:
    hands.clock.advance(seconds)
    cleaning(hands).look()


def test_it_covers_everything_and_counts_down_in_words(wiping: Hands) -> None:
    cover = cleaning(wiping)
    assert cover.geometry() == wiping.window.rect()
    assert cover.isVisible()
    assert cover.words == "60 seconds left"
    pass_time(wiping, 18)
    assert cover.words == "42 seconds left"
    pass_time(wiping, 41)
    assert cover.words == "1 second left"
    wiping.window.resize(1200, 721)
    assert cover.geometry() == wiping.window.rect()


def test_keys_pedal_and_clicks_do_nothing_and_the_exam_stays(wiping: Hands) -> None:
    page, before = wiping.page, wiping.state
    wiping.key(Qt.Key.Key_2)
    wiping.key(Qt.Key.Key_Space)
    wiping.key(Qt.Key.Key_F13)
    wiping.key(Qt.Key.Key_Escape)
    wiping.key(Qt.Key.Key_Return, CONTROL)
    wiping.key(Qt.Key.Key_F1)
    wiping.key(Qt.Key.Key_F12)
    wiping.click(page.shutter.shutter)
    wiping.tap("front.shin.L")
    at = QPointF(page.site.rect().center())
    turned = QWheelEvent(
        at,
        page.site.mapToGlobal(at),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QCoreApplication.sendEvent(page.site, turned)
    finger = QTest.createTouchDevice()
    QTest.touchEvent(page, finger).press(1, QPoint(40, 40), page).commit()
    QTest.touchEvent(page, finger).release(1, QPoint(40, 40), page).commit()

    assert wiping.state == before
    assert wiping.page is page
    assert not wiping.window.is_locked
    assert wiping.window.findChild(KeysPopover) is None
    assert cleaning(wiping).is_on
    assert wiping.stage.outbox.drafts() == ()
    assert wiping.page.viewmodel.live.frame() is not None  # the camera goes on


def test_a_scan_opens_nobody_and_its_rest_after_the_end_opens_nobody(wiping: Hands) -> None:
    exam = wiping.page.viewmodel.exam
    wiping.keyboard.type(f"{MINH}\r", gap_ms=5)
    assert not wiping.window.scanner.is_holding
    wiping.keyboard.type("00", gap_ms=5)
    cleaning(wiping).end()
    wiping.keyboard.type(f"{MINH}\r", gap_ms=5)  # may be a longer code's end
    wiping.qtbot.waitUntil(lambda: not wiping.window.scanner.is_holding)
    assert wiping.page.viewmodel.exam is exam
    content = wiping.window.content
    assert content is not None
    assert "Scan again" in content.said.what
    wiping.type_code(MINH)
    wiping.qtbot.waitUntil(lambda: wiping.page.viewmodel.exam is not exam)


def test_it_ends_by_itself_and_everything_acts_again(wiping: Hands) -> None:
    pass_time(wiping, 60)
    assert not cleaning(wiping).is_on
    assert not cleaning(wiping).isVisible()
    wiping.keyboard.at_ms += 2_500
    before = wiping.state.chosen_row
    wiping.key(Qt.Key.Key_2)
    assert wiping.state.chosen_row not in {before, ""}
    wiping.click(wiping.page.banner)
    wiping.key(Qt.Key.Key_F1)
    assert wiping.window.findChild(KeysPopover) is not None


def test_esc_held_two_seconds_ends_it_and_no_cloth_does(wiping: Hands) -> None:
    press, release = QEvent.Type.KeyPress, QEvent.Type.KeyRelease
    none = Qt.KeyboardModifier.NoModifier

    def send(kind: QEvent.Type, key: Qt.Key) -> None:
        wiping.keyboard._send(kind, key, none, "")

    send(press, Qt.Key.Key_Escape)
    pass_time(wiping, 1.5)
    send(press, Qt.Key.Key_F2)  # a cloth on the keys
    pass_time(wiping, 1.5)
    assert cleaning(wiping).is_on
    send(release, Qt.Key.Key_F2)
    send(release, Qt.Key.Key_Escape)
    send(press, Qt.Key.Key_Escape)
    pass_time(wiping, 1.9)
    assert cleaning(wiping).is_on
    pass_time(wiping, 0.2)
    assert not cleaning(wiping).is_on
    assert wiping.page_is_there


def test_wiping_is_nobodys_act_and_the_lock_comes_by_itself(wiping: Hands) -> None:
    limit = wiping.stage.services.settings.security.lock_after_minutes * 60
    wiping.clock.advance(limit - 30)  # the timer of the cover has not looked yet
    wiping.key(Qt.Key.Key_Space)
    wiping.click(wiping.page.shutter.shutter)
    wiping.clock.advance(30)
    wiping.window.watch.look()
    assert wiping.window.is_locked


def test_the_lock_may_be_wiped_too(desk: Desk) -> None:
    desk.key(Qt.Key.Key_F8, on=desk.window)
    assert desk.window.cleaning.is_on
    desk.type("2468")
    desk.key(Qt.Key.Key_Return)
    assert desk.window.sign_in_vm.state.digits == 0
    desk.window.cleaning.end()
    desk.sign_in()


def test_the_bar_has_a_button_for_it_and_a_closed_window_lets_the_next_be_used(
    desk: Desk, qtbot: QtBot
) -> None:
    desk.sign_in()
    (button,) = (
        b for b in desk.window.findChildren(IconButton) if b.accessibleName() == "Clean screen"
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.window.cleaning.is_on
    desk.window.end()
    assert not desk.window.cleaning.is_on
