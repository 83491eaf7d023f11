"""Whether somebody is there, and whether by keys or by pointer: one filter for the application."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from capture_app.clock import Clock

_POINTER: Final = frozenset(
    {
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
    }
)
_PRESENCE: Final = _POINTER | {
    QEvent.Type.KeyPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.TouchUpdate,
}


_PRESSED_AT: Final = "pressed_at"
"""The property in which a widget keeps when it was pressed last."""


class InputWatch(QObject):
    """Times idleness on the monotonic clock, and tells once when a limit is passed."""

    idle = Signal(float)
    """Seconds without an act: emitted once for each of `limits_s` that is passed."""
    keyboard_used = Signal(bool)
    """The last act was by keyboard (True) or by pointer (False); told when that changes."""

    def __init__(
        self, clock: Clock, limits_s: tuple[float, ...], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._limits = tuple(sorted(set(limits_s)))
        self._last = clock.monotonic()
        self._told: set[float] = set()
        self._by_keyboard = True
        self._pressed_at = -1
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    @property
    def by_keyboard(self) -> bool:
        """Whether the last act was by keyboard."""
        return self._by_keyboard

    @property
    def idle_s(self) -> float:
        """How long nobody did anything."""
        return self._clock.monotonic() - self._last

    def begin(self) -> None:
        """Somebody has just come: time begins anew."""
        self._last = self._clock.monotonic()
        self._told.clear()

    def look(self) -> None:
        """Tells what has been passed by now."""
        idle = self.idle_s
        for limit in self._limits:
            if idle >= limit and limit not in self._told:
                self._told.add(limit)
                self.idle.emit(limit)

    def close(self) -> None:
        """Ends the watching."""
        self._timer.stop()
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lets everything through but half of a double click: where what the first press met has
        made room for something else, the second was not meant for that.
        """
        kind = event.type()
        if isinstance(event, QMouseEvent) and isinstance(watched, QWidget):
            if kind is QEvent.Type.MouseButtonPress:
                self._pressed_at = event.timestamp()
                watched.setProperty(_PRESSED_AT, self._pressed_at)
            elif (
                kind is QEvent.Type.MouseButtonDblClick
                and watched.property(_PRESSED_AT) != self._pressed_at
            ):
                return True
        if kind in _PRESENCE:
            self.begin()
            if kind is QEvent.Type.KeyPress:
                self._used(by_keyboard=True)
            elif kind in _POINTER:
                self._used(by_keyboard=False)
        return False

    def _used(self, *, by_keyboard: bool) -> None:
        if by_keyboard != self._by_keyboard:
            self._by_keyboard = by_keyboard
            self.keyboard_used.emit(by_keyboard)
