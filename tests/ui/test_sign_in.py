"""The lock, by keys and by fingers, with real users."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.operator import Operator
from capture_app.security.users import FIRST_ROLES
from capture_app.settings.practice import PRACTICE_PIN, PRACTICE_USER
from capture_app.ui.set_up.page import SetUpPage
from capture_app.ui.widgets.buttons import DigitButton
from capture_app.ui.widgets.fields import ShortField
from tests.ui.conftest import Desk
from tests.ui.keyboard import Keyboard
from tests.ui.stage import NURSE, PIN, Stage


def audit_of(stage: Stage) -> list[str]:
    rows = stage.outbox.spool.database.read().execute("SELECT event FROM audit ORDER BY seq")
    return [row[0] for row in rows]


def test_the_pin_signs_in_by_keys_alone(desk: Desk) -> None:
    desk.sign_in()

    assert desk.content.operator.user_id == "aokafor"
    assert desk.window.windowTitle() == "Capture"


def test_the_pin_signs_in_by_touch_alone(desk: Desk, qtbot: QtBot) -> None:
    pad = {button.text(): button for button in desk.window.sign_in.findChildren(DigitButton)}
    for digit in PIN:
        QTest.mouseClick(pad[digit], Qt.MouseButton.LeftButton)
    assert desk.window.sign_in_vm.state.digits == len(PIN)
    QTest.mouseClick(desk.window.sign_in.unlock, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: not desk.window.is_locked)


def test_a_wrong_pin_is_forgotten_and_said(desk: Desk, qtbot: QtBot) -> None:
    desk.type("9999")
    desk.key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(desk.window.sign_in_vm.state.fault))

    assert desk.window.is_locked
    assert desk.window.sign_in_vm.state.digits == 0
    assert desk.window.sign_in_vm.state.fault == "User or PIN is wrong."
    assert any("sign-in-failed" in event for event in audit_of(desk.stage))


def test_after_wrong_pins_the_wait_is_said_and_ends(
    desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    vm = desk.window.sign_in_vm
    for _ in range(3):
        vm.clear()
        desk.type("9999")
        desk.key(Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not vm.state.busy and bool(vm.state.fault))
    assert "Try again in 15 seconds." in vm.state.fault

    clock.advance(16)
    desk.sign_in()


def test_the_pin_is_nowhere_on_the_page(desk: Desk) -> None:
    desk.type("2486")

    shown = [label.text() for label in desk.window.sign_in.findChildren(QLabel)]
    assert not any("2486" in text for text in shown)
    assert "2486" not in repr(desk.window.sign_in_vm.state)


def test_another_user_starts_with_an_empty_pin(
    stage: Stage, ada: Operator, open_desk: Callable[[], Desk]
) -> None:
    stage.add_user("rmehta", "R. Mehta")
    desk = open_desk()
    vm = desk.window.sign_in_vm
    desk.type("24")
    assert vm.state.chosen is not None
    assert vm.state.chosen.user_id == "aokafor"
    desk.key(Qt.Key.Key_Down)

    assert vm.state.chosen is not None
    assert vm.state.chosen.user_id == "rmehta"
    assert vm.state.digits == 0


def test_the_lock_says_what_is_not_sent_and_names_no_patient(
    stage: Stage, ada: Operator, open_desk: Callable[[], Desk], qtbot: QtBot
) -> None:
    stage.pictures("0012345678", 2, ada)
    desk = open_desk()
    vm = desk.window.sign_in_vm
    qtbot.waitUntil(lambda: bool(vm.state.unsent))

    assert vm.state.unsent == "2 pictures on this station are not sent yet"
    assert vm.state.tiles[0].unsent == "2 drafts not sent"
    shown = " ".join(label.text() for label in desk.window.findChildren(QLabel))
    assert "NGUY" not in shown.upper()
    assert "345" not in shown


def words_on(desk: Desk) -> str:
    labels = desk.window.sign_in.findChildren(QLabel)
    return " ".join(label.text() for label in labels if label.isVisible())


@pytest.mark.parametrize("practice", [True, False])
def test_the_lock_of_practice_alone_says_the_pin(
    stage: Stage, open_desk: Callable[[], Desk], practice: bool
) -> None:
    settings = replace(stage.services.settings, practice=practice)
    stage.services = replace(stage.services, settings=settings)
    users = stage.services.users
    users.add(PRACTICE_USER, "Practice user", FIRST_ROLES, PRACTICE_PIN, None, name=NURSE)
    desk = open_desk()
    said = re.search(r"PIN is \W*(\d+)", words_on(desk))
    assert (said is not None) is practice
    assert (PRACTICE_PIN in words_on(desk)) is practice
    if said is not None:
        desk.sign_in(said[1])
        assert desk.content.operator.user_id == PRACTICE_USER


def test_practice_says_the_pin_of_no_other_user(
    stage: Stage, ada: Operator, open_desk: Callable[[], Desk]
) -> None:
    settings = replace(stage.services.settings, practice=True)
    stage.services = replace(stage.services, settings=settings)
    assert PRACTICE_PIN not in words_on(open_desk())


def test_a_new_computer_asks_for_its_administrator(
    stage: Stage, open_desk: Callable[[], Desk], qtbot: QtBot
) -> None:
    desk = open_desk()
    page = desk.window.findChild(SetUpPage)
    assert page is not None
    for answer in ("Ada", "Okafor", PIN, PIN):
        desk.type(answer)
        desk.key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not desk.window.is_locked)

    (user,) = stage.services.users.list()
    assert (user.user_id, user.display_name, user.roles) == (
        "a.okafor",
        "Ada Okafor",
        FIRST_ROLES,
    )
    assert user.name.pn == "Okafor^Ada"
    assert stage.services.users.sign_in("a.okafor", PIN) == user


@pytest.mark.parametrize(
    ("pin", "again", "said"),
    [
        ("248613", "248614", "The two PINs are not the same."),
        ("abcdef", "abcdef", "A PIN here is digits, for the PIN pad."),
        ("123456", "123456", "This PIN is too easy to guess"),
    ],
)
def test_a_bad_first_pin_is_refused_in_words(
    stage: Stage, open_desk: Callable[[], Desk], qtbot: QtBot, pin: str, again: str, said: str
) -> None:
    desk = open_desk()
    page = desk.window.findChild(SetUpPage)
    assert page is not None
    for field, text in zip(
        page.findChildren(ShortField), ("Ada", "Okafor", pin, again), strict=True
    ):
        QTest.keyClicks(field.edit, text)
    desk.key(Qt.Key.Key_Return, on=page.findChildren(ShortField)[-1].edit)

    qtbot.waitUntil(lambda: said in page.fault)
    assert not stage.services.users.has_any()


def test_the_lock_page_counts_again_when_something_was_sent_or_proved(
    desk: Desk, qtbot: QtBot, ada: Operator
) -> None:
    vm, stage = desk.window.sign_in_vm, desk.stage
    assert vm.state.unsent == ""
    kept = stage.pictures("0012345678", 2, ada)
    qtbot.waitUntil(lambda: vm.state.unsent.startswith("2 pictures"))
    assert vm.state.unsent_note.endswith("2 are drafts.")
    stage.outbox.delete(kept, ada)
    qtbot.waitUntil(lambda: vm.state.unsent == "")


def test_nothing_is_counted_for_a_lock_page_that_is_not_there(
    desk: Desk, qtbot: QtBot, ada: Operator
) -> None:
    desk.sign_in()
    vm = desk.window.sign_in_vm
    desk.stage.pictures("0012345678", 1, ada)
    qtbot.wait(300)
    assert vm.state.unsent == ""
    desk.window.lock()
    qtbot.waitUntil(lambda: vm.state.unsent.startswith("1 picture"))


@pytest.mark.parametrize("gap_ms", [55, 100, 140])
def test_a_pin_typed_fast_on_the_real_keyboard_arrives(
    desk: Desk, qtbot: QtBot, gap_ms: int
) -> None:
    keyboard = _keyboard_of(desk)
    keyboard.type(PIN, gap_ms=gap_ms)
    qtbot.waitUntil(lambda: not desk.window.scanner.is_holding)
    assert desk.window.sign_in_vm.state.digits == len(PIN)
    keyboard.press(Qt.Key.Key_Return, "\r", after_ms=gap_ms)

    qtbot.waitUntil(lambda: not desk.window.is_locked)


def test_a_scan_before_the_lock_is_no_pin_and_says_that_nobody_was_opened(
    desk: Desk, qtbot: QtBot
) -> None:
    _keyboard_of(desk).type("0009812204\r", gap_ms=5)
    qtbot.waitUntil(lambda: bool(desk.window.sign_in_vm.state.fault))

    state = desk.window.sign_in_vm.state
    assert (state.digits, state.fault) == (0, "Nobody was opened by the scan. Sign in first.")
    assert not any("sign-in-failed" in event for event in audit_of(desk.stage))


def _keyboard_of(desk: Desk) -> Keyboard:
    handle = desk.window.windowHandle()
    assert handle is not None
    return Keyboard(handle)
