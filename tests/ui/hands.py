"""The hands at the workspace: real keys and clicks into the real window, counted as acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import Clock, FixedClock
from capture_app.devices.capture import Live
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.workspace.page import WorkspacePage
from capture_app.ui.workspace.state import WorkspaceState
from tests.ui.keyboard import Keyboard
from tests.ui.stage import Stage, open_stage

_HAND_MS = 400
_SCANNER_MS = 5
_LONG_BEFORE_MS = 2_500
"""Nobody presses a key and scans, or scans and presses a key, in less."""

NONE = Qt.KeyboardModifier.NoModifier
ALT = Qt.KeyboardModifier.AltModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@dataclass(slots=True)
class Hands:
    """What a clinician does, one act after the other; every act is noted."""

    window: MainWindow
    stage: Stage
    qtbot: QtBot
    clock: FixedClock
    keyboard: Keyboard
    acts: list[str] = field(default_factory=list)

    @property
    def handle(self) -> QWindow:
        handle = self.window.windowHandle()
        assert handle is not None
        return handle

    @property
    def page(self) -> WorkspacePage:
        pages = self.window.findChildren(WorkspacePage)
        return next(page for page in pages if page.isVisible())

    @property
    def page_is_there(self) -> bool:
        """Whether a workspace is on screen."""
        return any(page.isVisible() for page in self.window.findChildren(WorkspacePage))

    @property
    def state(self) -> WorkspaceState:
        return self.page.viewmodel.state

    # --------------------------------------------------------------------------------- acts

    def scan(self, code: str) -> WorkspacePage:
        """A wristband: a burst of keys and Enter. The workspace opens, and its camera is live."""
        self.acts.append("scan the wristband")
        self.type_code(code)
        self.qtbot.waitUntil(lambda: bool(self.window.findChildren(WorkspacePage)))
        self.until_live()
        return self.page

    def type_code(self, code: str) -> None:
        """What a scanner types, and its Enter. It has been read when this returns."""
        self.keyboard.at_ms += _LONG_BEFORE_MS
        self.keyboard.type(f"{code}\r", gap_ms=_SCANNER_MS)
        self.keyboard.at_ms += _LONG_BEFORE_MS
        self._settle()

    def until_live(self) -> None:
        devices = self.stage.services.devices
        self.qtbot.waitUntil(lambda: devices.state.live is Live.LIVE)
        self.qtbot.waitUntil(lambda: self.page.view.has_picture)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """One key of a hand: it has done its work when this returns."""
        self.acts.append(f"key {key.name}")
        text = chr(key).lower() if Qt.Key.Key_Space <= key <= Qt.Key.Key_AsciiTilde else ""
        self.keyboard.press(key, text, after_ms=_HAND_MS, modifiers=modifiers)
        self._settle()

    def type(self, text: str) -> None:
        """Typing is one act, however many keys."""
        self.acts.append("type")
        for character in text:
            self.keyboard.type(character, gap_ms=_HAND_MS)
            self._settle()

    def _settle(self) -> None:
        """A hand is slower than a scanner: by then the window has got the key."""
        self.qtbot.waitUntil(lambda: not self.window.scanner.is_holding)

    def pedal(self) -> None:
        """One picture, by foot; it is safe when this returns."""
        self.shot(Qt.Key.Key_F13)

    def shot(self, key: Qt.Key) -> None:
        """One picture by a key of the shutter; it is safe when this returns."""
        before = len(self.state.thumbs)
        self.key(key)
        self.acts[-1] = "shutter"
        self.qtbot.waitUntil(lambda: len(self.state.thumbs) == before + 1)

    def tap(self, region_id: str) -> None:
        """A click on a region of the small body map."""
        self.acts.append(f"tap {region_id}")
        at = self.page.site.map.point_of(region_id)
        assert at is not None
        self.click_at(self.page.site.map, at.toPoint())

    def click(self, widget: QWidget, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.acts.append(f"click {widget.accessibleName() or type(widget).__name__}")
        self.click_at(widget, widget.rect().center(), modifiers)

    def click_at(self, widget: QWidget, at: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, modifiers, at)

    def send(self) -> None:
        """Ctrl and Enter."""
        self.key(Qt.Key.Key_Return, CONTROL)
        self.acts[-1] = "send"


@contextmanager
def at_work(window: MainWindow, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    """The camera runs; everything that is asked is done before the stage goes."""
    stage.services.devices.start()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    handle = window.windowHandle()
    assert handle is not None
    yield Hands(window, stage, qtbot, clock, Keyboard(handle))


@contextmanager
def clinic(folder: Path, clock: Clock, department: str = "Wound care") -> Iterator[Stage]:
    """A stage of one department: its procedures are on the keys 1 to 9."""
    with open_stage(folder, clock) as stage:
        settings = stage.services.settings
        station = replace(settings.station, department=department)
        stage.services = replace(stage.services, settings=replace(settings, station=station))
        yield stage
