"""Counts what a person did by the events alone that reached the application's windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QKeyEvent, QWindow

_OF_ONE_BURST_MS: Final = 100
"""Nobody presses two keys so fast: keys that follow each other in less are one scan."""


class EventSpy(QObject):
    """One act is a key, a scan, or a touch; that a widget hands an event on is none."""

    def __init__(self) -> None:
        super().__init__()
        self.acts = 0
        self._last_key_ms: int | None = None
        self._is_down = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.KeyPress if isinstance(watched, QWindow):
                assert isinstance(event, QKeyEvent)
                before, self._last_key_ms = self._last_key_ms, event.timestamp()
                if before is None or event.timestamp() - before > _OF_ONE_BURST_MS:
                    self.acts += 1
            case QEvent.Type.MouseButtonPress if not self._is_down:
                self._is_down = True
                self.acts += 1
            case QEvent.Type.MouseButtonRelease:
                self._is_down = False
            case _:
                pass
        return False


@contextmanager
def spying() -> Iterator[EventSpy]:
    """Watches every event of the application."""
    app = QCoreApplication.instance()
    assert app is not None
    spy = EventSpy()
    app.installEventFilter(spy)
    try:
        yield spy
    finally:
        app.removeEventFilter(spy)
