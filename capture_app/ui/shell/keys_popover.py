"""F1: the keys, each beside what it does and where."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import MEDIUM, REGULAR
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.key_cap import KeyCap
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.words.marks import Tone


def _keys() -> tuple[tuple[tuple[str, ...], str, str], ...]:
    """Keys, what they do, and where."""
    exam, anywhere = tr("patient open"), tr("everywhere")
    return (
        (("Space", "F13", "PgDn"), tr("take a picture"), exam),
        (("R",), tr("record a clip, and end it"), exam),
        (("L",), tr("keep the last 10 seconds as a clip"), exam),
        (("V",), tr("look at the clip; arrows step, Enter plays, Space takes a still"), exam),
        (("1-9",), tr("procedure"), exam),
        (("Alt+R", "Alt+L", "Alt+M"), tr("right, left, midline"), exam),
        (("B",), tr("body map"), exam),
        (("Alt+O",), tr("order"), exam),
        (("Alt+P",), tr("place, where the station goes to the patients"), exam),
        (("Alt+S",), tr("slate, where a card is set up"), exam),
        (("Del",), tr("delete the picture"), exam),
        (("T", "Shift+T"), tr("turn the picture right, left"), exam),
        (("F2",), tr("all pictures at once"), exam),
        (("Ctrl+Enter",), tr("send"), exam),
        (("O",), tr("outbox"), exam),
        (("/",), tr("filter"), anywhere),
        (("Ctrl+Z",), tr("undo: a choice, a delete, the held send"), anywhere),
        (("Esc",), tr("patients"), anywhere),
        (("F8",), tr("clean screen: a minute to wipe it"), anywhere),
        (("F9",), tr("dark room"), anywhere),
        (("F11",), tr("full screen"), anywhere),
        (("F12",), tr("lock"), anywhere),
    )


class KeysPopover(Popover):
    """In the middle of the window; Esc ends it."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host, tr("Keys"), width=600)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(1, 1)
        for row, (keys, words, where) in enumerate(_keys()):
            caps = QHBoxLayout()
            caps.setSpacing(4)
            for key in keys:
                caps.addWidget(KeyCap(key))
            caps.addStretch(1)
            grid.addLayout(caps, row, 0)
            grid.addWidget(Label(words, 14, MEDIUM, wrap=True), row, 1)
            grid.addWidget(Label(where, 13, REGULAR, tone=Tone.TEXT_2), row, 2)
        self._close = Button(tr("Close"), key=tr("Esc"))
        self._close.clicked.connect(self.close_asked)
        self.body.addLayout(grid)
        self.body.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTrailing)

    def open(self) -> None:
        """Shows it."""
        self.show_at(QRect())
        self._close.setFocus(Qt.FocusReason.PopupFocusReason)
