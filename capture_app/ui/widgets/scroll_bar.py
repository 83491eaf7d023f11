"""A scroll bar that paints itself: a thin handle and nothing else."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollBar, QStyle, QStyleOptionSlider, QWidget

from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.theme import current

WIDTH = 12


class ThinScrollBar(QScrollBar):
    """Upright, 12 px wide. Its list is scrolled by keys and wheel as well."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.setFixedWidth(WIDTH)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 80)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        control = QStyle.ComplexControl.CC_ScrollBar
        part = QStyle.SubControl.SC_ScrollBarSlider
        handle = self.style().subControlRect(control, option, part, self)
        box(QPainter(self), QRectF(handle).adjusted(2, 2, -2, -2), 4, fill=current().outline)
