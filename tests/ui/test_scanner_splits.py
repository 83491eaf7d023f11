"""Any scanner, any pauses up to two seconds, any stall: the band's code or nobody, never a coded
picture, never a letter in a field.
"""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import SystemClock
from capture_app.patients.finding.keyboard_layouts import as_scanned
from capture_app.patients.finding.scan import ScannedCode, ScannedNumber, ScanRules
from capture_app.settings.scanning import Alphabet, KeyboardLayout, ScanPattern, Suffix
from capture_app.ui.shell.key_run import RUN_GAP_S
from capture_app.ui.shell.scanner import ScannerFilter
from tests.ui.keyboard import Keyboard

GAP_MS = 50
RULES = {
    "bare": ScanRules((), "HOSP"),
    "bare, tab": ScanRules((ScanPattern("band", suffix=Suffix.TAB),), "HOSP"),
    "prefix": ScanRules((ScanPattern("band", prefix="P", alphabet=Alphabet.DIGITS),), "HOSP"),
    "symbology": ScanRules((ScanPattern("band", symbologies=("]C1",)),), "HOSP"),
}


@dataclass(frozen=True)
class Scan:
    """A code as it arrives: its keys, and the milliseconds before each."""

    rules: str
    number: str
    gap_ms: int
    pauses: dict[int, int]
    """Before which key the scanner paused, and how long."""
    end: str
    in_field: bool
    stall_at: int
    layout: KeyboardLayout = KeyboardLayout.SAME

    @property
    def code(self) -> str:
        return {"prefix": "P", "symbology": "]C1"}.get(self.rules, "") + self.number

    @property
    def gaps(self) -> list[int]:
        keys = len(self.code) + len(self.end)
        return [self.pauses.get(i, self.gap_ms) if i else 0 for i in range(keys)]

    @property
    def is_whole(self) -> bool:
        return max(self.gaps[1:]) <= GAP_MS and bool(self.end)

    @property
    def is_no_hands(self) -> bool:
        """Whether some of its keys came as no hand types them into a field."""
        late = [i for i, gap in enumerate(self.gaps) if gap > GAP_MS]
        stretches = [after - before for before, after in pairwise([0, *late, len(self.gaps)])]
        ended_fast = stretches[-1] - len(self.end) >= 2 and bool(self.end)
        return ended_fast or max(min(s, len(self.code)) for s in stretches) >= 5

    @property
    def lone_digits(self) -> int:
        """How many digits stood alone before anything of a scanner's: by the rule a hand's."""
        times, runs = 0, [[0]]
        for i, gap in enumerate(self.gaps[: len(self.code)]):
            times += gap
            if i and gap > RUN_GAP_S * 1000:
                runs.append([])
            if i:
                runs[-1].append(i)
        alone = 0
        for run in runs:
            if len(run) > 1 or (run is runs[-1] and self.end):
                break
            alone += 1
        return alone


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    number = draw(st.text("0123456789", min_size=6, max_size=12))
    rules = draw(st.sampled_from(sorted(RULES)))
    keys = len(number) + {"prefix": 1, "symbology": 3}.get(rules, 0)
    pauses = st.dictionaries(
        st.integers(1, keys), st.sampled_from([51, 60, 120, 149, 151, 300, 900, 1_999]), max_size=3
    )
    return Scan(
        rules,
        number,
        draw(st.sampled_from([0, 1, 5, 15, 30, 50])),
        draw(pauses),
        draw(st.sampled_from(["\r", "\t", "\r\r", ""])),
        draw(st.booleans()),
        draw(st.integers(0, keys)),
        draw(st.sampled_from(sorted(KeyboardLayout))),
    )


class Desk:
    """A window whose every digit codes a picture, and a field."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.field, self.live = QLineEdit(), QPushButton("Live")
        layout = QVBoxLayout(self.window)
        layout.addWidget(self.field)
        layout.addWidget(self.live)
        self.coded: list[str] = []
        for key in "0123456789":
            shortcut = QShortcut(QKeySequence(key), self.window)
            shortcut.activated.connect(lambda key=key: self.coded.append(key))
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)

    def scan(self, scan: Scan) -> list[ScannedCode]:
        """What is told of it; afterwards nothing is held back any more."""
        scanner = ScannerFilter(
            SystemClock().monotonic, RULES[scan.rules], gap_s=GAP_MS / 1000, layout=scan.layout
        )
        told: list[ScannedCode] = []
        scanner.scanned.connect(told.append)
        handle = self.window.windowHandle()
        assert handle is not None
        scanner.watch(handle)
        self.coded.clear()
        self.field.setText("wound ")
        (self.field if scan.in_field else self.live).setFocus()
        keyboard = Keyboard(handle, at_ms=5_000)
        typed = through(scan.code, scan.layout) + scan.end
        for i, (character, gap) in enumerate(zip(typed, scan.gaps, strict=True)):
            keyboard.type(character, gap_ms=gap)
            if i == scan.stall_at:
                QTest.qSleep(170)  # the window reads nothing, and its timers are late
        self.qtbot.waitUntil(lambda: not scanner.is_holding)
        handle.removeEventFilter(scanner)
        return told


def through(code: str, layout: KeyboardLayout) -> str:
    """What arrives where the computer has this layout."""
    if layout is KeyboardLayout.SAME:
        return code
    alphabet = "1234567890PC+&é\"'(-è_çà$"
    back = {as_scanned(character, layout): character for character in alphabet}
    return "".join(back[character] for character in code)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


@given(scan=scans())
@example(Scan("bare", "0009812204", 5, {6: 60}, "\r", in_field=False, stall_at=3))
@example(Scan("bare", "0009812204", 5, {6: 1_999}, "\r", in_field=True, stall_at=6))
@example(Scan("bare", "0009812204", 5, {1: 1_999, 2: 1_999, 4: 1_999}, "\r", True, 0))
@example(Scan("prefix", "0009812204", 5, {1: 1_999}, "\r", in_field=False, stall_at=0))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_scan_is_its_whole_code_or_nothing(desk: Desk, scan: Scan) -> None:
    told = desk.scan(scan)
    rules = RULES[scan.rules]
    numbers = [rules.read(code) for code in told]
    # Every beginning and every end of the number may be somebody else's.
    opened = [number for number in numbers if isinstance(number, ScannedNumber)]
    assert opened in ([], [ScannedNumber(scan.number, "HOSP")])
    if scan.is_whole:
        assert [code.text for code in told] == [scan.code]
    else:
        assert told == []
    if scan.in_field:
        assert desk.coded == []
        assert desk.field.text() == "wound " or not scan.is_no_hands
    else:
        assert desk.field.text() == "wound "
        assert len(desk.coded) <= scan.lone_digits
