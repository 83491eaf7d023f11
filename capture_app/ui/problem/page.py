"""The page for what cannot go on: what happened and what to do, in words."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import BOLD, MEDIUM, REGULAR
from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Panel
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone


class ProblemPage(Backdrop):
    """A deliberate error as a page. Its text is a sentence for people and holds no patient data."""

    close_asked = Signal()

    def __init__(self, title: str, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        card = Panel(radius=Metric.RADIUS_PIN)
        card.setFixedWidth(720)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(Icon("warning-circle", Metric.ICON_BRAND, tone=Tone.BAD))
        head.addWidget(Label(title, 20, BOLD, wrap=True), 1)
        self._close = Button(tr("Close"), ButtonKind.PRIMARY, key=tr("Enter"))
        self._close.clicked.connect(self.close_asked)
        scroll = ScrollColumn()
        scroll.column.addWidget(Label(words, 15, MEDIUM, wrap=True))
        scroll.column.addSpacing(16)
        safe = tr("Pictures that were taken stay encrypted on this computer. Nothing is deleted.")
        scroll.column.addWidget(Label(safe, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        scroll.column.addStretch(1)
        scroll.setMinimumHeight(200)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(32, 32, 32, 32)
        inside.setSpacing(20)
        inside.addLayout(head)
        inside.addWidget(scroll, 1)
        inside.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTrailing)
        page = QVBoxLayout(self)
        page.setContentsMargins(32, 16, 32, 16)
        page.addStretch(1)
        page.addWidget(card, 3, Qt.AlignmentFlag.AlignHCenter)
        page.addStretch(1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._close.setFocus(Qt.FocusReason.OtherFocusReason)
