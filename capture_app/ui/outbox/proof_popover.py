"""What is known of a send, image by image: no more than was seen, and by whom."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import REGULAR, SEMIBOLD
from capture_app.ui.outbox.rows import ProofReport
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.card import Hairline
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone

_LIST_HEIGHT = 360


class ProofPopover(Popover):
    """In the middle of the window; Esc or Close ends it. The words can be read, not changed."""

    def __init__(self, host: QWidget, proof: ProofReport) -> None:
        super().__init__(host, proof.title, width=570)
        self.body.addWidget(Label(proof.summary, 13, REGULAR, tone=Tone.TEXT_2, wrap=True))
        scroll = ScrollColumn()
        scroll.column.setSpacing(10)
        for i, image in enumerate(proof.images):
            if i:
                scroll.column.addWidget(Hairline())
            head = QHBoxLayout()
            head.addWidget(Label(image.number, 14, SEMIBOLD))
            head.addStretch(1)
            head.addWidget(Label(image.state, 13, SEMIBOLD, tone=Tone.TEXT_2))
            lines = QVBoxLayout()
            lines.setSpacing(2)
            for words in image.lines:
                lines.addWidget(Label(words, 13, REGULAR, tone=Tone.TEXT_2, wrap=True))
            scroll.column.addLayout(head)
            scroll.column.addLayout(lines)
        scroll.column.addStretch(1)
        scroll.setFixedHeight(min(_LIST_HEIGHT, max(80, 150 * len(proof.images))))
        scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scroll.setAccessibleName(proof.title)
        self._close = Button(tr("Close"), key=tr("Esc"))
        self._close.clicked.connect(self.close_asked)
        acts = QHBoxLayout()
        acts.addStretch(1)
        acts.addWidget(self._close)
        self.body.addWidget(scroll)
        self.body.addLayout(acts)

    def open(self) -> None:
        """Shows it."""
        self.show_at(QRect())
        self._close.setFocus(Qt.FocusReason.PopupFocusReason)
