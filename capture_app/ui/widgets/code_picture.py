"""A QR code, black on white in every theme: a camera reads it from the screen or from paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from capture_app.ui.widgets.reader_roles import Role

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUIET = 4
"""Modules of white around it (ISO/IEC 18004)."""
_WHITE, _BLACK = QColor(255, 255, 255), QColor(0, 0, 0)


def paint_code(painter: QPainter, rect: QRectF, dark: NDArray[np.bool_]) -> None:
    """Draws a code with its quiet zone into the largest square in the middle of `rect`."""
    modules = dark.shape[0] + 2 * _QUIET
    side = min(rect.width(), rect.height())
    whole = QRectF(0, 0, side, side)
    whole.moveCenter(rect.center())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    painter.fillRect(whole, _WHITE)
    module = side / modules
    for row, columns in enumerate(dark):
        for column, is_dark in enumerate(columns):
            if is_dark:
                x = whole.left() + (column + _QUIET) * module
                y = whole.top() + (row + _QUIET) * module
                painter.fillRect(QRectF(x, y, module + 0.5, module + 0.5), _BLACK)
    painter.restore()


class CodePicture(QWidget):
    """The largest square in its middle, `side` at most. `name` is what a screen reader says."""

    reader_role = Role.Graphic

    def __init__(self, name: str, side: int) -> None:
        super().__init__()
        self._dark: NDArray[np.bool_] | None = None
        self.setFixedHeight(side)
        self.setAccessibleName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_code(self, dark: NDArray[np.bool_]) -> None:
        """Another code: (modules, modules), True is dark."""
        self._dark = dark
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._dark is not None:
            paint_code(painter, QRectF(self.rect()), self._dark)
