"""Panels: a surface without a border, with a title and a note at its end."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.fonts import BOLD, MEDIUM, SEMIBOLD
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.words.marks import Tone


class Panel(QWidget):
    """A surface with round corners and no border; outlined in bad while it holds up sending."""

    def __init__(self, *, radius: int = Metric.RADIUS_PANEL, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._radius = radius
        self._needed = False

    @property
    def needed(self) -> bool:
        """Whether something in it is needed to send."""
        return self._needed

    def set_needed(self, needed: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Outlines it in bad, 2 px, or no more."""
        if needed != self._needed:
            self._needed = needed
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        outline = theme.bad if self._needed else None
        box(painter, self.rect(), self._radius, fill=theme.surface, outline=outline, width=2)


class Card(Panel):
    """A panel with a title (16), a note (12) at its end, and whatever `body` lays out below."""

    def __init__(
        self,
        title: str,
        note: str = "",
        *,
        padding: int = Metric.PANEL_PADDING,
        title_size: int = 16,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent=parent)
        weight = BOLD if title_size >= 16 else SEMIBOLD
        self.title = Label(title, title_size, weight, wrap=True)
        self._mark = Icon("warning-circle")
        self._mark.hide()
        self.note = Label(note, 12, MEDIUM, tone=Tone.TEXT_2)
        self.header = QHBoxLayout()
        self.header.setContentsMargins(0, 0, 0, 0)
        self.header.setSpacing(6)
        self.header.addWidget(self.title, 1)
        self.header.addWidget(self._mark)
        self.header.addWidget(self.note)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(Metric.PANEL_GAP)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(padding, padding, padding, padding)
        outer.setSpacing(10)
        outer.addLayout(self.header)
        outer.addLayout(self.body, 1)

    def set_note(self, note: str, icon: str = "", tone: Tone = Tone.TEXT_2) -> None:
        """Another note, with a mark where it means something."""
        self.note.setText(note)
        self.note.set_tone(tone)
        self._mark.setVisible(bool(icon))
        if icon:
            self._mark.show_icon(icon, tone)


class Hairline(QWidget):
    """A line between rows. Decoration only."""

    def __init__(self, *, vertical: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), current().hairline)


class Backdrop(QWidget):
    """The ground of a page: bg from edge to edge."""

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), current().bg)
