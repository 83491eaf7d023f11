"""Initials of a member of staff in a circle."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from capture_app.ui.looks.drawing import box, draw_line
from capture_app.ui.looks.fonts import BOLD, font
from capture_app.ui.looks.theme import current, mixed


def initials_of(display_name: str) -> str:
    """A. Okafor is AO: the first letters of the first and the last word."""
    words = [word for word in display_name.replace(".", " ").split() if word[:1].isalnum()]
    ends = words if len(words) < 2 else [words[0], words[-1]]
    return "".join(word[0] for word in ends).upper()


def draw_avatar(painter: QPainter, rect: QRect, initials: str, *, chosen: bool = False) -> None:
    """The circle across a square; `chosen` fills it with the accent."""
    theme = current()
    if chosen and theme.solid_primary:
        fill, ink = theme.accent, theme.on_accent
    elif chosen:
        fill, ink = mixed(theme.accent, theme.surface, 0.3), theme.text
    else:
        fill, ink = mixed(theme.text, theme.surface, 0.2), theme.text
    box(painter, rect, rect.width() / 2, fill=fill)
    painter.setFont(font(15 if rect.width() >= 40 else 12, BOLD))
    painter.setPen(ink)
    draw_line(painter, rect, initials, Qt.AlignmentFlag.AlignHCenter)


class Avatar(QWidget):
    """The circle as a widget; the name stands beside it."""

    def __init__(self, initials: str = "", size: int = 36, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._initials = initials
        self.setFixedSize(size, size)

    def show_initials(self, initials: str) -> None:
        """Someone else."""
        if initials != self._initials:
            self._initials = initials
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        box(painter, self.rect(), self.width() / 2, fill=mixed(theme.accent, theme.surface, 0.22))
        painter.setFont(font(16 if self.width() >= 44 else 12, BOLD))
        painter.setPen(theme.text)
        draw_line(painter, self.rect(), self._initials, Qt.AlignmentFlag.AlignHCenter)
