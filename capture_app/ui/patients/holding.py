"""When a list must hold still: under the pointer, and for a moment after a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

from capture_app.clock import Clock

_QUIET_S: Final = 1.5
"""How long rows stay still after a key: an Enter that is on its way must meet its row."""


class Holding(QObject):
    """Knows whether the list is held, and calls back when it no longer is."""

    def __init__(self, clock: Clock, let_go: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._clock = clock
        self._let_go = let_go
        self._pointed = False
        self._quiet_until = 0.0
        self._still = QTimer(self)
        self._still.setSingleShot(True)
        self._still.setInterval(int(_QUIET_S * 1000) + 20)
        self._still.timeout.connect(let_go)

    @property
    def is_held(self) -> bool:
        """Whether rows must stay where they are."""
        return self._pointed or self._clock.monotonic() < self._quiet_until

    def pointed(self, *, over: bool) -> None:
        """The pointer came over the rows, or left them."""
        self._pointed = over
        if not over:
            self._let_go()

    def touched(self) -> None:
        """A key was pressed or the list was touched."""
        self._quiet_until = self._clock.monotonic() + _QUIET_S
        self._still.start()

    def close(self) -> None:
        """No more calls."""
        self._still.stop()
