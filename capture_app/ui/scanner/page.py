"""The set-up page of the scanner: three scans, what they say, a trial, and saving it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.patients.finding.learning import SCANS
from capture_app.ui.looks.fonts import BOLD, MEDIUM, REGULAR, SEMIBOLD
from capture_app.ui.scanner.viewmodel import Listening, ScannerViewModel
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Card
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone


class ScannerPage(Backdrop):
    """Renders a ScannerState. Esc ends the listening, then leaves."""

    back_asked = Signal()

    def __init__(self, viewmodel: ScannerViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        explained = tr(
            "Scan three different wristbands. The page learns how the scanner types and what its "
            "codes look like, and shows what the settings would say. Nobody is opened here."
        )
        self.back = Button(tr("Patients"), ButtonKind.GHOST, icon="arrow-left", key=tr("Esc"))
        self.back.clicked.connect(self.back_asked)
        self.start = Button(tr("Learn a scanner"), ButtonKind.PRIMARY, icon="barcode")
        self.start.clicked.connect(viewmodel.start)
        self._heard = Label(size=15, weight=SEMIBOLD, wrap=True)
        self._problem = Label(size=15, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        scans = Card(tr("1. Scan"), padding=20)
        for widget in (
            Label(explained, 14, REGULAR, tone=Tone.TEXT_2, wrap=True),
            self._heard,
            self._problem,
        ):
            scans.body.addWidget(widget)
        scans.body.addWidget(self.start, 0, Qt.AlignmentFlag.AlignLeading)
        self._proposal = Label(size=13, weight=MEDIUM, wrap=True)
        self._advice = Label(size=14, weight=SEMIBOLD, tone=Tone.WARN, wrap=True)
        self._learnt = Card(tr("2. What the settings would say"), padding=20)
        self._learnt.body.addWidget(self._advice)
        self._learnt.body.addWidget(self._proposal)
        self.trial = Button(tr("Try a scan"), icon="barcode")
        self.trial.clicked.connect(viewmodel.try_it)
        self.save = Button(tr("Save"), ButtonKind.PRIMARY, icon="check")
        self.save.clicked.connect(viewmodel.save)
        self._tried = Label(size=15, weight=SEMIBOLD, wrap=True)
        self._saved = Label(size=15, weight=SEMIBOLD, tone=Tone.OK, wrap=True)
        self._use = Card(tr("3. Try and save"), padding=20)
        acts = QHBoxLayout()
        acts.setSpacing(12)
        acts.addWidget(self.trial)
        acts.addWidget(self.save)
        acts.addStretch(1)
        self._use.body.addLayout(acts)
        self._use.body.addWidget(self._tried)
        self._use.body.addWidget(self._saved)
        scroll = ScrollColumn()
        scroll.column.setSpacing(8)
        for card in (scans, self._learnt, self._use):
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(self.back)
        head.addWidget(Label(tr("Set up the scanner"), 20, BOLD))
        head.addStretch(1)
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 16, 16, 4)
        page.setSpacing(12)
        page.addLayout(head)
        page.addWidget(scroll, 1)
        viewmodel.changed.connect(self.render_state)
        self.render_state()

    @property
    def viewmodel(self) -> ScannerViewModel:
        """What it renders."""
        return self._vm

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        lines = list(state.heard)
        if state.listening is Listening.SCANS:
            lines.append(tr("Scan wristband {n} of {all} now", n=len(lines) + 1, all=SCANS))
        for label, words in (
            (self._heard, "\n".join(lines)),
            (self._problem, state.problem),
            (self._proposal, state.proposal),
            (self._advice, state.advice),
            (
                self._tried,
                tr("Scan a wristband now") if state.listening is Listening.TRIAL else state.trial,
            ),
            (self._saved, state.saved),
        ):
            label.setText(words)
            label.setVisible(bool(words))
        self._tried.set_tone(Tone.OK if state.trial_is_good else Tone.WARN)
        self._learnt.setVisible(bool(state.proposal))
        self._use.setVisible(bool(state.proposal))
        self.save.setEnabled(state.can_save)
        self.start.setText(tr("Learn again") if state.heard else tr("Learn a scanner"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self._vm.state.listening is not Listening.NOTHING:
            self._vm.stop()
        else:
            self.back_asked.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._vm.stop()
