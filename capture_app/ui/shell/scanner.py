"""The wedge scanner: a burst of keys no hand can type becomes one code, and no key of it does
anything else.

The filter sits on the QWindow: on a widget it would see each key twice, once for the child and once
for its parent. A printable key is held back until it is clear whose it is. If nothing follows
within 30 ms it was a hand, and the key is given to the window as if it came now; shortcuts, buttons
and fields notice no difference. Function keys, the pedal's keys, arrows and everything with Ctrl or
Alt pass at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QWindow

BURST_GAP_S: Final = 0.030
"""A key within this time of the one before belongs to the same burst."""
SHORTEST_CODE: Final = 4
"""Fewer keys than this before Enter are a hand that rolled over two keys."""
_LATE_S: Final = 0.010
"""A timer this late was held up, and keys may wait behind it: they are read before deciding."""
_MOST_KEYS: Final = 512
_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_HELD_APART: Final = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


class ScannerFilter(QObject):
    """Watches one window. `now` gives seconds that only go forward."""

    scanned = Signal(str)
    """A code, without its Enter. It may be anything: whoever gets it looks it up or refuses it."""

    def __init__(self, now: Callable[[], float], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now = now
        self._window: QWindow | None = None
        self._held: list[QKeyEvent] = []
        self._swallowed: set[int] = set()
        self._last = 0.0
        self._due = 0.0
        self._replaying = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setTimerType(Qt.TimerType.PreciseTimer)
        self._pause.timeout.connect(self._pause_over)

    def watch(self, window: QWindow) -> None:
        """Begins to watch a window, and leaves the one before."""
        if self._window is not None:
            self._window.removeEventFilter(self)
        self._window = window
        window.installEventFilter(self)

    @property
    def is_holding(self) -> bool:
        """Whether keys are held back now."""
        return bool(self._held)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._replaying or watched is not self._window or not isinstance(event, QKeyEvent):
            return False
        kind = event.type()
        if kind is QEvent.Type.ShortcutOverride:
            return self._asked(event)
        if kind is QEvent.Type.KeyPress:
            return self._pressed(event)
        if kind is QEvent.Type.KeyRelease:
            return self._released(event)
        return False

    # ------------------------------------------------------------------------------ the keys

    def _is_ours(self, event: QKeyEvent) -> bool:
        """Whether a key may belong to a burst."""
        if event.isAutoRepeat():
            return False
        if event.key() in _ENTER or _is_separator(event):
            return bool(self._held)
        plain = not event.modifiers() & ~_HELD_APART
        return plain and bool(event.text()) and event.text().isprintable()

    def _asked(self, event: QKeyEvent) -> bool:
        """Before a press Qt looks for a shortcut, unless somebody claims the key for a press."""
        too_late = self._now() - self._last >= BURST_GAP_S
        ends_it = too_late or event.isAutoRepeat() or not self._is_ours(event)
        if self._held and ends_it and not _is_modifier(event):
            # What a hand typed before comes before this key and whatever it is a shortcut for.
            self._replay()
        if not self._is_ours(event):
            return False
        event.accept()
        return True

    def _pressed(self, event: QKeyEvent) -> bool:
        if not self._is_ours(event):
            return False
        now = self._now()
        if event.key() in _ENTER:
            return self._end_of_burst(event)
        self._held.append(event.clone())
        self._last = now
        if len(self._held) > _MOST_KEYS:
            self._replay()
        else:
            self._wait(now)
        return True

    def _end_of_burst(self, event: QKeyEvent) -> bool:
        presses = [key for key in self._held if key.type() is QEvent.Type.KeyPress]
        code = "".join(key.text() for key in presses).strip()
        if len(presses) < SHORTEST_CODE or not code:
            self._held.append(event.clone())
            self._replay()
            return True
        released = {key.key() for key in self._held if key.type() is QEvent.Type.KeyRelease}
        self._swallowed |= {key.key() for key in presses} - released
        self._swallowed.add(event.key())
        self._held.clear()
        self._pause.stop()
        self.scanned.emit(code)
        return True

    def _released(self, event: QKeyEvent) -> bool:
        if event.key() in self._swallowed:
            self._swallowed.discard(event.key())
            return True
        if any(key.key() == event.key() for key in self._held):
            self._held.append(event.clone())
            return True
        return False

    # ------------------------------------------------------------------------------ the pause

    def _wait(self, now: float) -> None:
        self._due = now + BURST_GAP_S
        self._pause.start(round(BURST_GAP_S * 1000))

    def _pause_over(self) -> None:
        now = self._now()
        is_early, is_late = now - self._last < BURST_GAP_S, now - self._due > _LATE_S
        if is_early or is_late:
            self._wait(now)
        else:
            self._replay()

    def _replay(self) -> None:
        """It was a hand: the window gets the keys in their order."""
        held, self._held = self._held, []
        self._pause.stop()
        window = self._window
        if window is None:
            return
        self._replaying = True
        try:
            for key in held:
                QCoreApplication.sendEvent(window, key)
        finally:
            self._replaying = False


def _is_separator(event: QKeyEvent) -> bool:
    """The group separator of a GS1 code, which a scanner types as Ctrl+]."""
    return event.text() == "\x1d"


def _is_modifier(event: QKeyEvent) -> bool:
    return event.key() in (
        Qt.Key.Key_Shift,
        Qt.Key.Key_Control,
        Qt.Key.Key_Alt,
        Qt.Key.Key_AltGr,
        Qt.Key.Key_Meta,
        Qt.Key.Key_CapsLock,
        Qt.Key.Key_NumLock,
    )
