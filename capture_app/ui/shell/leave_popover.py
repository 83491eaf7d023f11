"""Leaving while pictures are not sent: says how many, and what becomes of them."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from capture_app.model.words import tr, trn
from capture_app.ui.looks.fonts import REGULAR
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.words.marks import Tone


class LeavePopover(Popover):
    """Esc stays. `leave` is the person's word that they know."""

    leave = Signal()

    def __init__(self, host: QWidget, unsent: int) -> None:
        title = trn(
            "{n} picture on this computer is not sent yet",
            "{n} pictures on this computer are not sent yet",
            unsent,
        )
        super().__init__(host, title, width=520)
        words = tr(
            "They stay here, encrypted. Nothing is sent while the application is closed, unless "
            "this computer also runs its service. Locking lets them go on sending."
        )
        self.body.addWidget(Label(words, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        self._stay = Button(tr("Stay"), ButtonKind.PRIMARY, key=tr("Esc"))
        self._stay.set_tall(44)
        self._stay.clicked.connect(self.close_asked)
        leave = Button(tr("Close the application"))
        leave.clicked.connect(self.leave)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addStretch(1)
        acts.addWidget(leave)
        acts.addWidget(self._stay)
        self.body.addLayout(acts)

    def open(self) -> None:
        """Shows it."""
        self.show_at(QRect())
        self._stay.setFocus(Qt.FocusReason.PopupFocusReason)
