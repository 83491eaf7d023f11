"""A drawing of a wristband's code in the corners of a viewfinder: what to scan."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.theme import Metric, current, mixed

_BARS: Final = (
    *(2, 4, 2, 3, 5, 3, 2, 5, 4, 2, 2, 4, 6, 3, 3, 2, 5, 2, 2, 4, 4, 3, 3, 2, 4, 3, 2, 4),
    *(5, 3, 2, 4, 3, 2, 2, 3, 4, 3, 2, 5, 6, 3, 2, 4, 3),
)
"""Widths of bars and gaps in turn. A picture, not a code: a scanner reads nothing from it."""


class BarcodePicture(QWidget):
    """96 px high. Decoration: its words stand around it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(80)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=theme.control)
        width = sum(_BARS)
        frame = QRect((self.width() - width - 46) // 2, 12, width + 46, self.height() - 24)
        x = frame.left() + 23
        ink = mixed(theme.text, theme.control, 0.66)
        for i, bar in enumerate(_BARS):
            if i % 2 == 0:
                painter.fillRect(x, frame.top() + 9, bar, frame.height() - 18, ink)
            x += bar
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        pen = QPen(theme.accent, 2)
        pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        painter.setPen(pen)
        for corner, dx, dy in (
            (frame.topLeft(), 1, 1),
            (frame.topRight(), -1, 1),
            (frame.bottomLeft(), 1, -1),
            (frame.bottomRight(), -1, -1),
        ):
            painter.drawLine(corner, corner + QPoint(12 * dx, 0))
            painter.drawLine(corner, corner + QPoint(0, 10 * dy))
