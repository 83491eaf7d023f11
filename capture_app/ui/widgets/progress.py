"""Progress: 4 px, with words before it; never alone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from capture_app.ui.shell.theme import current, faded
from capture_app.ui.widgets.drawing import box


class Progress(QWidget):
    """A thin bar, 0 to 1. Its words are the label before it and its name for a reader."""

    def __init__(self, words: str = "", share: float = 0.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.0
        self.setFixedHeight(4)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_share(words, share)

    def show_share(self, words: str, share: float) -> None:
        """How much is done."""
        self._share = min(1.0, max(0.0, share))
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        box(painter, self.rect(), 2, fill=faded(theme.text, 0.2))
        width = self.width() * self._share
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - width if rtl else 0.0
        if width > 0:
            box(painter, QRectF(left, 0, width, 4), 2, fill=theme.accent)
