"""A column that scrolls when it must, and leaves the keys to its page."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.widgets.scroll_bar import ThinScrollBar


class ScrollColumn(QScrollArea):
    """Holds `column` in a scroll area without frame or ground. Arrow keys go to the page."""

    reader_role = Role.Grouping

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBar(ThinScrollBar())
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.inside = inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.setWidget(inside)
        # setWidget gives it a ground of its own: the panel's shows through instead
        inside.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)

    def reveal(self, part: QWidget, around: int = 8) -> None:
        """Brings all of a part into sight; Qt's own way is content with the cursor of a field."""
        middle = part.mapTo(self.inside, part.rect().center())
        across, down = part.width() // 2 + 1, part.height() // 2 + around
        self.ensureVisible(middle.x(), middle.y(), across, down)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()
