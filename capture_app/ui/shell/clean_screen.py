"""A minute in which touch, pointer and keys do nothing, so that screen and keys can be wiped."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from capture_app.clock import Clock
from capture_app.model.words import tr, trn
from capture_app.ui.looks.fonts import BOLD, MEDIUM
from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.announce import announce
from capture_app.ui.widgets.card import Backdrop
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words.marks import Tone

LASTS_S: Final = 60.0
HELD_S: Final = 2.0
"""Esc held for so long, and no other key meanwhile, ends it."""
_LOOKS_EVERY_MS: Final = 100
_IGNORED: Final = frozenset(
    {
        *(QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride),
        *(QEvent.Type.Shortcut, QEvent.Type.InputMethod, QEvent.Type.ContextMenu),
        *(QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease),
        *(QEvent.Type.MouseButtonDblClick, QEvent.Type.MouseMove, QEvent.Type.Wheel),
        *(QEvent.Type.TouchBegin, QEvent.Type.TouchUpdate, QEvent.Type.TouchEnd),
        *(QEvent.Type.TouchCancel, QEvent.Type.NativeGesture, QEvent.Type.Gesture),
        *(QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease),
    }
)


class CleanScreen(Backdrop):
    """Covers its parent while it is on. It is nobody's act: it does not put off the lock.

    What is pressed meanwhile goes to nobody: not to the page, the shortcuts, the pedal's picture or
    the scanner. Camera, exam and sending go on.
    """

    reader_role = Role.AlertMessage
    key_lost = Signal(int)
    """A key was pressed, and nobody got it; with the time that the window system wrote on it."""

    def __init__(self, clock: Clock, parent: QWidget) -> None:
        super().__init__(parent)
        self._clock = clock
        self._window = parent
        self._ends_at = 0.0
        self._held_since: float | None = None
        title = Label(tr("Wipe the screen now"), 32, BOLD, wrap=True, centred=True)
        words = tr("Touch, mouse, keys, pedal and scanner do nothing.")
        self._left = Label("", 24, BOLD, wrap=True, centred=True)
        hint = tr("Hold Esc for 2 seconds to end it now.")
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 32, 32, 32)
        column.setSpacing(16)
        column.addStretch(1)
        icon = Icon("drop-simple", Metric.ICON_BRAND, tone=Tone.ACCENT)
        column.addWidget(icon, 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (title, Label(words, 18, MEDIUM, wrap=True, centred=True), self._left):
            column.addWidget(label)
        column.addWidget(Label(hint, 15, MEDIUM, tone=Tone.TEXT_2, wrap=True, centred=True))
        column.addStretch(1)
        self.setAccessibleName(f"{title.text()}. {words} {hint}")
        self._looking = QTimer(self)
        self._looking.setInterval(_LOOKS_EVERY_MS)
        self._looking.timeout.connect(self.look)
        parent.installEventFilter(self)
        self.hide()

    @property
    def is_on(self) -> bool:
        """Whether it is being wiped."""
        return self._looking.isActive()

    @property
    def words(self) -> str:
        """How much of the time is left, in words."""
        return self._left.text()

    def begin(self) -> None:
        """A minute from now on."""
        app = QApplication.instance()
        if app is None or self.is_on:
            return
        self._ends_at = self._clock.monotonic() + LASTS_S
        self._held_since = None
        app.installEventFilter(self)  # the last one put in is asked first
        self._looking.start()
        self.setGeometry(self._window.rect())
        self.show()
        self.look()
        announce(self, self.accessibleName(), urgent=True)

    def end(self) -> None:
        """Everything acts again."""
        app = QApplication.instance()
        if app is not None and self.is_on:
            app.removeEventFilter(self)
            self._looking.stop()
            self.hide()
            announce(self._window, tr("The screen can be used again."), urgent=True)

    def look(self) -> None:
        """Says what is left, and ends when nothing is, or Esc was held."""
        now = self._clock.monotonic()
        is_held = self._held_since is not None and now - self._held_since >= HELD_S
        if now >= self._ends_at or is_held:
            self.end()
            return
        seconds = max(1, round(self._ends_at - now))
        self._left.setText(trn("{n} second left", "{n} seconds left", seconds))
        self.raise_()  # over a message that came meanwhile

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._window and kind is QEvent.Type.Resize:
            self.setGeometry(self._window.rect())
        if not self.is_on or kind not in _IGNORED:
            return False
        if isinstance(event, QKeyEvent):
            self._key(event)
        event.accept()
        return True

    def _key(self, event: QKeyEvent) -> None:
        kind = event.type()
        if kind is QEvent.Type.KeyPress:
            self.key_lost.emit(event.timestamp())
        if event.isAutoRepeat() or kind is QEvent.Type.ShortcutOverride:
            return
        is_down = kind is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape
        self._held_since = self._clock.monotonic() if is_down else None
