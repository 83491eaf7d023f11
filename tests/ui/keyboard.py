"""Key events as a window system sends them: to the QWindow, each with its time on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent, QWindow

NONE: Final = Qt.KeyboardModifier.NoModifier
_KEYS: Final = {
    "\r": Qt.Key.Key_Return,
    "\t": Qt.Key.Key_Tab,
    "\x1d": Qt.Key.Key_BracketRight,
}


@dataclass(slots=True)
class Keyboard:
    """Keys into one window, at times that the test says; nothing waits for them to pass."""

    window: QWindow
    at_ms: int = 1_000

    def press(
        self,
        key: Qt.Key,
        text: str = "",
        *,
        after_ms: int = 0,
        modifiers: Qt.KeyboardModifier = NONE,
    ) -> None:
        """One key, down and up: shortcuts are asked first, as Qt does."""
        self.at_ms += after_ms
        self._send(QEvent.Type.ShortcutOverride, key, modifiers, text)
        self._send(QEvent.Type.KeyPress, key, modifiers, text)
        self._send(QEvent.Type.KeyRelease, key, modifiers, text)

    def type(self, text: str, *, gap_ms: int) -> None:
        """Characters, each so long after the one before; \\r and \\t are Enter and Tab."""
        for character in text:
            key = _KEYS.get(character) or Qt.Key(ord(character.upper()))
            shift = Qt.KeyboardModifier.ShiftModifier if character.isupper() else NONE
            held = Qt.KeyboardModifier.ControlModifier if character == "\x1d" else shift
            self.press(key, character, after_ms=gap_ms, modifiers=held)

    def _send(
        self, kind: QEvent.Type, key: Qt.Key, modifiers: Qt.KeyboardModifier, text: str
    ) -> None:
        event = QKeyEvent(kind, key, modifiers, text)
        event.setTimestamp(self.at_ms)
        if kind is QEvent.Type.ShortcutOverride:
            event.ignore()
        QCoreApplication.sendEvent(self.window, event)
