"""What of the feeds was refused, had no effect or could not be taken: a line each, for IT."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import MEDIUM, REGULAR
from capture_app.ui.patients.feeds import FeedLine
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.scroll_bar import WIDTH as BAR
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone

_WIDTH = 720
_HIGHEST = 320


class FeedPopover(Popover):
    """In the middle of the window; Esc ends it. No line holds patient data.

    `settle_asked`: a merge that waits was dealt with, its FeedLine; only where that is allowed.
    """

    settle_asked = Signal(object)

    def __init__(self, host: QWidget, lines: Sequence[FeedLine], *, may_settle: bool) -> None:
        super().__init__(host, tr("Notes for IT"), width=_WIDTH)
        intro = tr(
            "What the feeds sent and was refused, changed nothing, or could not be taken as it "
            "stood. IT sees the same by the command patients with --feed and --dead-letters."
        )
        self.body.addWidget(Label(intro, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        if not may_settle and any(line.merge for line in lines):
            words = tr(
                "What waits for a person is settled by users with the role correct or administer."
            )
            self.body.addWidget(Label(words, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        self._lines = ScrollColumn()
        self._lines.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._lines.setAccessibleName(tr("Notes for IT"))
        self._lines.column.setSpacing(10)
        for line in lines:
            self._lines.column.addLayout(self._line_row(line, may_settle=may_settle))
        self._lines.column.addStretch(1)
        inner = self._lines.column.totalHeightForWidth(_WIDTH - 48 - BAR)
        self._lines.setFixedHeight(min(_HIGHEST, inner))
        self._close = Button(tr("Close"), key=tr("Esc"))
        self._close.clicked.connect(self.close_asked)
        self.body.addWidget(self._lines)
        self.body.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTrailing)

    def _line_row(self, line: FeedLine, *, may_settle: bool) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(Label(line.words, 14, MEDIUM, wrap=True), 1)
        if may_settle and line.merge is not None:
            settle = Button(tr("Settle"))
            settle.setAccessibleName(tr("Settle: {line}", line=line.words))
            settle.clicked.connect(lambda: self.settle_asked.emit(line))
            row.addWidget(settle, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001, N802 - Qt's own
        """As of any popover; a button in a line comes into sight."""
        has_moved = super().focusNextPrevChild(forward)
        focused = QApplication.focusWidget()
        if focused is not None and self._lines.inside.isAncestorOf(focused):
            self._lines.reveal(focused)
        return has_moved

    def open(self) -> None:
        """Shows it."""
        self.show_at(QRect())
        self._close.setFocus(Qt.FocusReason.PopupFocusReason)
