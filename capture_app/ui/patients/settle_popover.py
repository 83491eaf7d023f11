"""Before a merge is settled: whom it names, what to look at first, and what the act does."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from capture_app.model.patient import PatientId
from capture_app.model.words import isolated, tr
from capture_app.ui.looks.fonts import MEDIUM, REGULAR, SEMIBOLD
from capture_app.ui.patients.feeds import FeedLine
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.words.marks import Tone


class SettlePopover(Popover):
    """Esc leaves all as it is. `settled` is the person's word that it was dealt with."""

    settled = Signal()

    def __init__(self, host: QWidget, line: FeedLine) -> None:
        super().__init__(host, tr("Was this merge or deletion dealt with?"))
        named = line.merge.named if line.merge is not None else ()
        first = tr(
            "Look first: at the sender, which number holds now and whose it is; in the archive, "
            "that all pictures of these patients are under the right number."
        )
        does = tr(
            "This merges nobody and moves no picture. It ends the mark on the rows of these "
            "patients, and is recorded under your name."
        )
        self.body.addWidget(Label(line.words, 14, MEDIUM, wrap=True))
        self.body.addWidget(Label(_whom(named), 15, SEMIBOLD, wrap=True))
        for words in (first, does):
            self.body.addWidget(Label(words, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        self._not_yet = Button(tr("Not yet"), ButtonKind.PRIMARY, key=tr("Esc"))
        self._not_yet.set_tall(44)
        self._not_yet.clicked.connect(self.close_asked)
        self.settle = Button(tr("It was dealt with"))
        self.settle.set_tall(44)
        self.settle.clicked.connect(self.settled)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addStretch(1)
        acts.addWidget(self.settle)
        acts.addWidget(self._not_yet)
        self.body.addLayout(acts)

    def open(self) -> None:
        """Shows it; an Enter too many settles nothing."""
        self.show_at(QRect())
        self._not_yet.setFocus(Qt.FocusReason.PopupFocusReason)


def _whom(named: tuple[PatientId, ...]) -> str:
    if not named:
        return tr("Whom it names cannot be read: ask the sender.")
    numbers = [isolated(" ".join(filter(None, (n.issuer, n.value)))) for n in named]
    return tr("It names {numbers}.", numbers=", ".join(numbers))
