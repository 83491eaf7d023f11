"""F1: the keys, each beside what it does."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import MEDIUM
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.key_cap import KeyCap
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover


def _keys() -> tuple[tuple[tuple[str, ...], str], ...]:
    return (
        (("Space", "F13", "PgDn"), tr("take a picture")),
        (("1-9",), tr("procedure")),
        (("/",), tr("filter")),
        (("Alt+R", "Alt+L", "Alt+M"), tr("right, left, midline")),
        (("B",), tr("body map")),
        (("Alt+O",), tr("order")),
        (("Del",), tr("delete the picture")),
        (("Ctrl+Z",), tr("undo: a choice, a delete, the held send")),
        (("F2",), tr("all pictures at once")),
        (("Ctrl+Enter",), tr("send")),
        (("Esc",), tr("patients")),
        (("O",), tr("outbox")),
        (("F8",), tr("clean screen: a minute to wipe it")),
        (("F9",), tr("dark room")),
        (("F11",), tr("full screen")),
        (("F12",), tr("lock")),
    )


class KeysPopover(Popover):
    """In the middle of the window; Esc ends it."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host, tr("Keys"), width=520)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(1, 1)
        for row, (keys, words) in enumerate(_keys()):
            caps = QHBoxLayout()
            caps.setSpacing(4)
            for key in keys:
                caps.addWidget(KeyCap(key))
            caps.addStretch(1)
            grid.addLayout(caps, row, 0)
            grid.addWidget(Label(words, 14, MEDIUM, wrap=True), row, 1)
        self._close = Button(tr("Close"), key=tr("Esc"))
        self._close.clicked.connect(self.close_asked)
        self.body.addLayout(grid)
        self.body.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTrailing)

    def open(self) -> None:
        """Shows it."""
        self.show_at(QRect())
        self._close.setFocus(Qt.FocusReason.PopupFocusReason)
