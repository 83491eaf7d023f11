"""A key cap: the key that does what stands beside it. It never lies."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from capture_app.ui.looks.drawing import KEY_CAP_HEIGHT, Cap, draw_key_cap, piece_width
from capture_app.ui.looks.theme import current
from capture_app.ui.words.marks import Tone


class KeyCap(QWidget):
    """A key cap on its own: in a row, in a field."""

    def __init__(
        self, key: str, *, tone: Tone = Tone.TEXT_2, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._key = key
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        return QSize(piece_width(Cap(self._key)), KEY_CAP_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_key_cap(painter, self.rect(), self._key, current().tone(self._tone))
