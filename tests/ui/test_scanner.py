"""Keys as the window system sends them: to the QWindow, with their shortcut overrides."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.ui.shell.scanner import ScannerFilter

NONE = Qt.KeyboardModifier.NoModifier
FAST, SLOW = 0.005, 0.08


class Station:
    """A window with everything that a key can do, and a scanner on it."""

    def __init__(self, qtbot: QtBot, clock: FixedClock) -> None:
        self.qtbot = qtbot
        self.clock = clock
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.field = QLineEdit()
        self.button = QPushButton("Change patient")
        layout = QVBoxLayout(self.window)
        layout.addWidget(self.field)
        layout.addWidget(self.button)
        self.done: list[str] = []
        self.codes: list[str] = []
        self.button.clicked.connect(lambda: self.done.append("button"))
        for key in ("1", "2", "Space", "F13", "PgDown", "Return", "Ctrl+Return"):
            shortcut = QShortcut(QKeySequence(key), self.window)
            shortcut.activated.connect(lambda key=key: self.done.append(key))
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        self.scanner = ScannerFilter(clock.monotonic)
        self.scanner.scanned.connect(self.codes.append)
        self.scanner.watch(self.handle)
        self.button.setFocus()

    @property
    def handle(self) -> QWindow:
        handle = self.window.windowHandle()
        assert handle is not None
        return handle

    def key(self, key: Qt.Key, after: float, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.clock.advance(after)
        QTest.keyClick(self.handle, key, modifiers)

    def type(self, text: str, gap: float) -> None:
        for character in text:
            self.clock.advance(gap)
            QTest.keyClick(self.handle, ord(character))

    def settle(self) -> None:
        self.clock.advance(SLOW)
        self.qtbot.waitUntil(lambda: not self.scanner.is_holding)


@pytest.fixture
def station(qtbot: QtBot, clock: FixedClock) -> Station:
    return Station(qtbot, clock)


def test_a_burst_is_one_code_and_nothing_else(station: Station) -> None:
    station.type("0012 345 678", FAST)
    station.key(Qt.Key.Key_Return, FAST)
    assert station.codes == ["0012 345 678"]
    assert station.done == []


def test_capitals_come_as_the_scanner_types_them(station: Station) -> None:
    station.type("MRNx12", FAST)
    station.key(Qt.Key.Key_Return, FAST)
    assert station.codes == ["MRNx12"]


def test_a_burst_into_a_field_leaves_the_field_empty(station: Station) -> None:
    station.field.setFocus()
    station.type("12121212", FAST)
    station.key(Qt.Key.Key_Return, FAST)
    station.settle()
    assert station.codes == ["12121212"]
    assert station.field.text() == ""


def test_the_keys_of_a_hand_do_what_they_do(station: Station) -> None:
    station.type("1", SLOW)
    assert station.done == []  # not yet: it may be the first of a burst
    station.settle()
    assert station.done == ["1"]
    station.type(" ", SLOW)
    station.settle()
    assert station.done == ["1", "Space"]
    assert station.codes == []


def test_typing_into_a_field_keeps_its_order(station: Station) -> None:
    station.field.setFocus()
    station.type("wound 12", SLOW)
    station.settle()
    assert station.field.text() == "wound 12"
    station.type("ab", FAST)  # two keys rolled over
    station.type("c", SLOW)
    station.settle()
    assert station.field.text() == "wound 12abc"
    assert station.done == []


def test_enter_after_slow_keys_is_enter(station: Station) -> None:
    station.type("12", SLOW)
    station.key(Qt.Key.Key_Return, SLOW)
    station.settle()
    assert station.done == ["1", "2", "Return"]
    assert station.codes == []


def test_a_few_fast_keys_and_enter_are_a_hand(station: Station) -> None:
    station.type("12", FAST)
    station.key(Qt.Key.Key_Return, FAST)
    assert station.done == ["1", "2", "Return"]
    assert station.codes == []


@pytest.mark.parametrize(
    ("key", "name"), [(Qt.Key.Key_F13, "F13"), (Qt.Key.Key_PageDown, "PgDown")]
)
def test_the_pedal_passes_at_once(station: Station, key: Qt.Key, name: str) -> None:
    station.key(key, SLOW)
    assert station.done == [name]
    assert not station.scanner.is_holding


def test_what_was_typed_before_the_pedal_comes_before_it(station: Station) -> None:
    station.type("1", SLOW)
    station.key(Qt.Key.Key_F13, FAST)
    assert station.done == ["1", "F13"]


def test_control_and_enter_is_no_end_of_a_burst(station: Station) -> None:
    station.key(Qt.Key.Key_Return, SLOW, Qt.KeyboardModifier.ControlModifier)
    assert station.done == ["Ctrl+Return"]


def test_a_burst_that_stops_halfway_is_given_back(station: Station) -> None:
    station.type("1212", FAST)
    station.settle()
    assert station.done == ["1", "2", "1", "2"]
    assert station.codes == []


def test_two_codes_one_after_the_other(station: Station) -> None:
    for code in ("00123456", "00987654"):
        station.type(code, FAST)
        station.key(Qt.Key.Key_Return, FAST)
    assert station.codes == ["00123456", "00987654"]
    assert station.done == []


def test_enter_ends_a_code_and_presses_no_button(station: Station) -> None:
    station.button.setDefault(True)
    station.type("00123456", FAST)
    station.key(Qt.Key.Key_Enter, FAST)
    assert station.codes == ["00123456"]
    assert station.done == []


def test_a_button_under_the_focus_is_pressed_by_a_hand_alone(station: Station) -> None:
    for shortcut in station.window.findChildren(QShortcut):
        shortcut.setEnabled(False)
    station.type(" ", SLOW)
    station.settle()
    assert station.done == ["button"]
