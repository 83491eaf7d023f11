"""What of the feeds was refused, had no effect or could not be taken: a line each, for IT."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import MEDIUM, REGULAR
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.scroll_bar import WIDTH as BAR
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone

_WIDTH = 720
_HIGHEST = 320


class FeedPopover(Popover):
    """In the middle of the window; Esc ends it. No line holds patient data."""

    def __init__(self, host: QWidget, lines: Sequence[str]) -> None:
        super().__init__(host, tr("Notes for IT"), width=_WIDTH)
        intro = tr(
            "What the feeds sent and was refused, changed nothing, or could not be taken as it "
            "stood. IT sees the same by the command patients with --feed and --dead-letters."
        )
        self.body.addWidget(Label(intro, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        self._scroll = ScrollColumn()
        self._scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._scroll.setAccessibleName(tr("Notes for IT"))
        self._scroll.column.setSpacing(10)
        for line in lines:
            self._scroll.column.addWidget(Label(line, 14, MEDIUM, wrap=True))
        inner = self._scroll.column.totalHeightForWidth(_WIDTH - 48 - BAR)
        self._scroll.column.addStretch(1)
        self._scroll.setFixedHeight(min(_HIGHEST, inner))
        self._close = Button(tr("Close"), key=tr("Esc"))
        self._close.clicked.connect(self.close_asked)
        self.body.addWidget(self._scroll)
        self.body.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTrailing)

    def open(self) -> None:
        """Shows it."""
        self.show_at(QRect())
        self._close.setFocus(Qt.FocusReason.PopupFocusReason)
