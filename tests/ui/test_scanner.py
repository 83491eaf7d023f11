"""Keys as the window system sends them: to the QWindow, with their shortcut overrides and times."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.patients.finding.scan import ScannedCode, ScanRules
from capture_app.settings.scanning import (
    Alphabet,
    CheckDigit,
    KeyboardLayout,
    ScanPattern,
    Suffix,
)
from capture_app.ui.shell.scanner import Failed, ScannerFilter
from capture_app.ui.words.key_stroke import KeyStroke
from tests.ui.keyboard import Keyboard

FAST, GAP, SLOW, PAUSE = 5, 60, 400, 2_500
"""Milliseconds: within a code, too long within one, between a hand's keys, before a new scan."""
ANY = ScanRules((), "HOSP")
DIGITS = ScanRules(
    (ScanPattern("band", prefix="P", alphabet=Alphabet.DIGITS, shortest=4, longest=10),), "HOSP"
)


class Station:
    """A window with everything that a key can do, and a scanner on it."""

    def __init__(self, qtbot: QtBot, clock: FixedClock, rules: ScanRules = ANY) -> None:
        self.qtbot = qtbot
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.field = QLineEdit()
        self.button = QPushButton("Change patient")
        layout = QVBoxLayout(self.window)
        layout.addWidget(self.field)
        layout.addWidget(self.button)
        self.done: list[str] = []
        self.codes: list[str] = []
        self.failed: list[Failed] = []
        self.too_soon: list[bool] = []
        self.button.clicked.connect(lambda: self.done.append("button"))
        for key in (
            "0",
            "1",
            "2",
            "4",
            "b",
            "r",
            "Space",
            "F13",
            "PgDown",
            "Return",
            "Ctrl+Return",
        ):
            shortcut = QShortcut(QKeySequence(key), self.window)
            shortcut.activated.connect(lambda key=key: self.done.append(key))
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        self.scanner = ScannerFilter(clock.monotonic, rules)
        self.scanner.scanned.connect(lambda code: self.codes.append(code.text))
        self.scanner.failed.connect(self.failed.append)
        self.scanner.too_soon.connect(lambda: self.too_soon.append(True))
        handle = self.window.windowHandle()
        assert handle is not None
        self.scanner.watch(handle)
        self.keyboard = Keyboard(handle)
        self.button.setFocus()

    def type(self, text: str, gap_ms: int, *, after: int = 0) -> None:
        self.keyboard.at_ms += after
        self.keyboard.type(text, gap_ms=gap_ms)

    def key(self, key: Qt.Key, after: int, modifiers: Qt.KeyboardModifier | None = None) -> None:
        none = Qt.KeyboardModifier.NoModifier
        self.keyboard.press(key, after_ms=after, modifiers=modifiers or none)

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.scanner.is_holding)

    def until_typed(self, character: str) -> None:
        """Until the field has got the key; or the keys were known for a scanner's."""
        self.qtbot.waitUntil(lambda: self.field.text().endswith(character) or bool(self.failed))

    @property
    def has_focus(self) -> str:
        return "field" if self.field.hasFocus() else "button"


@pytest.fixture
def station(qtbot: QtBot, clock: FixedClock) -> Station:
    return Station(qtbot, clock)


@pytest.fixture
def station_of(qtbot: QtBot, clock: FixedClock) -> Callable[[ScanRules], Station]:
    return lambda rules: Station(qtbot, clock, rules)


# ------------------------------------------------------------------------------ a whole code


@pytest.mark.parametrize("end", ["\r", "\t", "\r\r"])
def test_a_burst_is_one_code_and_nothing_else(station: Station, end: str) -> None:
    station.type(f"0012 345 678{end}", FAST)
    station.settle()
    assert station.codes == ["0012 345 678"]
    assert (station.done, station.failed, station.has_focus) == ([], [], "button")


def test_the_key_after_the_code_is_told(station: Station) -> None:
    told: list[ScannedCode] = []
    station.scanner.scanned.connect(told.append)
    station.type("MRNx12\t", FAST)
    station.settle()
    assert told == [ScannedCode("MRNx12", Suffix.TAB)]


def test_a_burst_into_a_field_leaves_the_field_as_it_was(station: Station) -> None:
    station.field.setFocus()
    station.type("wound", SLOW)
    station.settle()
    station.type("12121212\r", FAST, after=PAUSE)
    station.settle()
    assert station.codes == ["12121212"]
    assert (station.field.text(), station.has_focus) == ("wound", "field")


def test_a_stall_of_the_window_is_no_gap_in_the_code(station: Station) -> None:
    """The keys come late to the window, with the times at which they were pressed."""
    station.type("000981", FAST)
    QTest.qSleep(250)  # nothing is read meanwhile, and the timer is late
    station.type("2204\r", FAST)
    station.settle()
    assert station.codes == ["0009812204"]
    assert station.done == []


def test_two_codes_one_after_the_other(station: Station) -> None:
    for code in ("00123456", "00987654"):
        station.type(f"{code}\r", FAST, after=SLOW)
        station.settle()
    assert station.codes == ["00123456", "00987654"]
    assert (station.done, station.failed) == ([], [])


def test_events_without_a_time_are_timed_as_they_come(station: Station, clock: FixedClock) -> None:
    for character in "0012345678\r":
        clock.advance(0.005)
        station.keyboard.at_ms = 0
        station.keyboard.type(character, gap_ms=0)
    station.settle()
    assert station.codes == ["0012345678"]


def test_a_clock_of_the_window_system_that_begins_anew_harms_nothing(station: Station) -> None:
    station.keyboard.at_ms = 2**32 - 20
    station.type("1212\r", FAST)
    station.settle()
    station.keyboard.at_ms = 3_000
    station.type("0012345678\r", FAST)
    station.settle()
    assert station.codes == ["1212", "0012345678"]


@pytest.mark.parametrize(
    ("layout", "typed"), [(KeyboardLayout.DE, "+C=MZY7"), (KeyboardLayout.FR, "$Cà?WYè")]
)
def test_what_a_us_scanner_types_through_another_layout(
    station: Station, layout: KeyboardLayout, typed: str
) -> None:
    station.scanner.use(ANY, gap_s=0.05, layout=layout)
    station.type(f"{typed}\r", FAST)
    station.settle()
    assert station.codes == ["]C)MYZ7" if layout is KeyboardLayout.DE else "]C0MZY7"]


# ------------------------------------------------------------- what is no whole code opens nobody


@pytest.mark.parametrize("pause", [60, 149, 151, 500, 1_900])
@pytest.mark.parametrize("in_field", [False, True])
def test_the_rest_of_a_broken_code_opens_nobody(
    station: Station, pause: int, in_field: bool
) -> None:
    if in_field:
        station.field.setFocus()
    station.type("000981", FAST)
    if pause > 150:
        station.settle()
    station.type("2204\r", FAST, after=pause)
    station.settle()
    assert station.codes == []
    assert (station.done, station.field.text()) == ([], "")
    assert station.failed
    station.type("0009812204\r", FAST, after=SLOW)  # at once again: it ended with its Enter
    station.settle()
    assert station.codes == ["0009812204"]


@pytest.mark.parametrize("in_field", [False, True])
def test_the_rest_after_a_lost_first_key_opens_nobody(station: Station, in_field: bool) -> None:
    if in_field:
        station.field.setFocus()
    station.type("9", FAST)
    station.settle()
    station.type("09812204\r", FAST, after=800)
    station.settle()
    assert station.codes == []
    assert station.failed == [Failed.REST]
    assert station.field.text() == ""


def test_a_prefix_tells_that_a_code_was_read_from_its_beginning(
    station_of: Callable[[ScanRules], Station],
) -> None:
    station = station_of(DIGITS)
    station.type("2", FAST)
    station.settle()
    station.type("P0009812204\r", FAST, after=500)
    station.settle()
    assert station.codes == ["P0009812204"]


@pytest.mark.parametrize("code", ["0009812204", "12", "ABCDEFGH"])
def test_a_scanner_without_suffix_does_nothing(station: Station, code: str) -> None:
    station.type(code, FAST)
    station.settle()
    assert (station.codes, station.done, station.failed) == ([], [], [Failed.BROKEN])


def test_a_code_without_suffix_is_whole_where_a_pattern_says_so(
    station_of: Callable[[ScanRules], Station],
) -> None:
    pattern = ScanPattern(
        "band", shortest=8, longest=8, check_digit=CheckDigit.GS1, suffix=Suffix.NONE
    )
    station = station_of(ScanRules((pattern,), "HOSP"))
    station.type("12345670", FAST)
    station.settle()
    assert station.codes == ["12345670"]
    station.type("12345671", FAST, after=PAUSE)
    station.settle()
    assert (station.codes, station.failed) == (["12345670"], [Failed.BROKEN])


@pytest.mark.parametrize("gap", [51, 60, 100, 149])
@pytest.mark.parametrize("end", ["\r", "\t", ""])
@pytest.mark.parametrize("in_field", [False, True])
def test_a_slow_scanner_does_nothing(station: Station, gap: int, end: str, in_field: bool) -> None:
    if in_field:
        station.field.setFocus()
    for character in f"0012240011{end}":
        station.type(character, gap)
        if in_field:  # each key is typed into the field before the next one comes
            station.until_typed(character)
    station.settle()
    assert (station.codes, station.done) == ([], [])
    assert Failed.SLOW in station.failed
    assert station.field.text() == ""
    assert station.has_focus == ("field" if in_field else "button")


def test_a_scanner_that_was_learnt_may_be_slow(station: Station) -> None:
    station.scanner.use(ANY, gap_s=0.12, layout=KeyboardLayout.SAME)
    station.field.setFocus()
    station.type("0012345678\t", 90)
    station.settle()
    assert (station.codes, station.field.text(), station.has_focus) == (["0012345678"], "", "field")


def test_a_code_of_two_lines_opens_nobody(station: Station) -> None:
    station.type("HANSEN\r0009812204\r", FAST)
    station.settle()
    assert (station.codes, station.done) == ([], [])
    assert station.failed


def test_a_lone_digit_soon_after_a_scan_codes_nothing_and_says_so(station: Station) -> None:
    station.type("0012345678\r", FAST)
    station.settle()
    station.type("2", FAST, after=1_900)
    station.settle()
    assert (station.done, station.too_soon) == ([], [True])
    station.type("b", FAST, after=SLOW)
    station.settle()
    station.type("2", FAST, after=2_100)
    station.settle()
    assert station.done == ["b", "2"]


def test_a_lone_digit_soon_after_a_part_of_a_scan_codes_nothing(station: Station) -> None:
    station.type("001234567", FAST)
    station.settle()
    station.type("2", FAST, after=1_900)
    station.settle()
    assert station.done == []
    assert station.failed == [Failed.BROKEN, Failed.REST]


def test_a_late_enter_presses_nothing(station: Station) -> None:
    station.button.setDefault(True)
    station.type("0012345678", FAST)
    station.settle()
    station.type("\r", 900)
    assert station.done == []
    station.type("\r", SLOW)
    assert station.done == ["Return"]


# ------------------------------------------------------------------------------ a hand


def test_the_keys_of_a_hand_do_what_they_do(station: Station) -> None:
    station.type("1", SLOW)
    assert station.done == []  # not yet: it may be the first of a burst
    station.settle()
    assert station.done == ["1"]
    station.type(" ", SLOW)
    station.settle()
    assert station.done == ["1", "Space"]
    assert (station.codes, station.failed) == ([], [])


def test_a_hands_key_acts_although_every_timer_is_late(station: Station) -> None:
    busy = QTimer()
    busy.timeout.connect(lambda: QTest.qSleep(90))  # the window never has a moment
    busy.start(0)
    station.type(" ", SLOW)
    station.qtbot.waitUntil(lambda: station.done == ["Space"], timeout=5_000)
    station.type("2", SLOW)
    station.qtbot.waitUntil(lambda: station.done == ["Space", "2"], timeout=5_000)
    busy.stop()


@pytest.mark.parametrize("gap", [0, 51, 100, 149])
def test_two_digits_within_the_silence_do_nothing(station: Station, gap: int) -> None:
    station.type("12", gap)
    station.settle()
    assert (station.done, station.failed) == ([], [Failed.BROKEN])


def test_shots_one_after_the_other_are_all_taken(station: Station) -> None:
    for _ in range(3):
        station.type(" ", 100)
        station.settle()
    assert station.done == ["Space"] * 3


def test_typing_into_a_field_keeps_its_order(station: Station) -> None:
    station.field.setFocus()
    station.type("wound 12", SLOW)
    station.settle()
    assert station.field.text() == "wound 12"
    station.type("ab", FAST)  # two keys rolled over
    station.type("c", 90)
    station.key(Qt.Key.Key_Left, FAST)
    station.type("d", 120)
    station.settle()
    assert station.field.text() == "wound 12abdc"
    assert (station.done, station.failed) == ([], [])


@pytest.mark.parametrize("gaps", [(70, 110, 80, 130, 95, 140, 75), (55, 140, 90, 60, 120, 100, 52)])
def test_a_fast_typist_types_a_number(station: Station, gaps: tuple[int, ...]) -> None:
    station.field.setFocus()
    for digit, gap in zip("1234567", gaps, strict=True):
        station.type(digit, gap)
        station.until_typed(digit)
    assert (station.field.text(), station.failed) == ("1234567", [])


def test_a_pin_typed_evenly_is_a_hand(station: Station) -> None:
    station.field.setEchoMode(QLineEdit.EchoMode.Password)
    station.field.setFocus()
    for digit in "248613":
        station.type(digit, 110)
        station.until_typed(digit)
    assert (station.field.text(), station.failed) == ("248613", [])


def test_a_pin_is_a_hands_also_where_a_slow_scanner_was_learnt(station: Station) -> None:
    station.scanner.use(ANY, gap_s=0.140, layout=KeyboardLayout.SAME)
    station.field.setEchoMode(QLineEdit.EchoMode.Password)
    station.field.setFocus()
    station.type("248613", 100)
    station.settle()
    assert (station.field.text(), station.failed) == ("248613", [])


def test_enter_in_a_field_is_enter(station: Station) -> None:
    entered: list[str] = []
    station.field.returnPressed.connect(lambda: entered.append(station.field.text()))
    for shortcut in station.window.findChildren(QShortcut):
        shortcut.setEnabled(False)
    station.field.setFocus()
    station.type("smith\r", 90)
    station.settle()
    assert (entered, station.codes, station.failed) == (["smith"], [], [])


@pytest.mark.parametrize(
    ("key", "name"), [(Qt.Key.Key_F13, "F13"), (Qt.Key.Key_PageDown, "PgDown")]
)
def test_the_pedal_passes_at_once(station: Station, key: Qt.Key, name: str) -> None:
    station.key(key, SLOW)
    assert station.done == [name]
    assert not station.scanner.is_holding


def test_the_pedal_lets_no_digit_of_a_code_act(station: Station) -> None:
    station.type("1", SLOW)
    station.key(Qt.Key.Key_F13, FAST)
    station.type("2204\r", FAST)
    station.settle()
    assert (station.done, station.codes) == (["F13"], ["12204"])


def test_control_and_enter_is_no_end_of_a_burst(station: Station) -> None:
    station.key(Qt.Key.Key_Return, SLOW, Qt.KeyboardModifier.ControlModifier)
    assert station.done == ["Ctrl+Return"]


def test_a_button_under_the_focus_is_pressed_by_a_hand_alone(station: Station) -> None:
    for shortcut in station.window.findChildren(QShortcut):
        shortcut.setEnabled(False)
    station.type(" ", SLOW)
    station.settle()
    assert station.done == ["button"]


def test_whoever_learns_a_scanner_gets_every_key_and_nobody_else_does(station: Station) -> None:
    strokes: list[KeyStroke] = []
    station.scanner.learn(strokes.append)
    station.type("12\t", 70)
    assert [(s.text, s.suffix) for s in strokes] == [
        ("1", Suffix.NONE),
        ("2", Suffix.NONE),
        ("", Suffix.TAB),
    ]
    assert [round(b.at - a.at, 3) for a, b in pairwise(strokes)] == [0.07] * 2
    assert (station.done, station.has_focus) == ([], "button")
    station.scanner.learn(None)
    station.type("1", SLOW)
    station.settle()
    assert station.done == ["1"]
