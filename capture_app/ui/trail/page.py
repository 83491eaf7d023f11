"""The page of the trail: whether it is whole, its acts newest first, and taking it away."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.security.auditing import ExportKind
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD
from capture_app.ui.looks.theme import Metric
from capture_app.ui.trail.viewmodel import Period, TrailViewModel
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.card import Backdrop, Panel
from capture_app.ui.widgets.fields import TAKES_TYPING, FilterField
from capture_app.ui.widgets.labels import FaultLabel, Icon, Label
from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.widgets.tabs import TabRow
from capture_app.ui.words.marks import Tone

_MARKS = {
    Tone.OK: "shield-check",
    Tone.WARN: "warning",
    Tone.BAD: "warning-circle",
    Tone.TEXT_2: "hourglass-medium",
}
_MARGINS = 32
_LOWEST = 240


class TrailPage(Backdrop):
    """Renders a TrailState."""

    left = Signal()
    """Esc: back to the patients."""

    def __init__(self, viewmodel: TrailViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty(TAKES_TYPING, True)  # noqa: FBT003 - Qt's own
        self._vm = viewmodel
        self._tabs = TabRow(
            {Period.DAY: tr("24 hours"), Period.WEEK: tr("7 days"), Period.ALL: tr("All")}
        )
        self._tabs.asked.connect(viewmodel.show_period)
        self.csv = Button(tr("Export CSV"), icon="file-text")
        self.csv.clicked.connect(lambda: self._export(ExportKind.CSV))
        self.json = Button(tr("Export JSON"), icon="file-text")
        self.json.clicked.connect(lambda: self._export(ExportKind.JSON))
        self.list = ListBox(name=tr("Acts, newest first"))
        self.filter = FilterField(tr("Filter by user or act"), height=Metric.CONTROL)
        self.filter.setFixedWidth(max(280, self.filter.sizeHint().width()))
        self.filter.textChanged.connect(viewmodel.filter)
        self.filter.left.connect(lambda: self.list.setFocus(Qt.FocusReason.OtherFocusReason))
        self._ways = QHBoxLayout()
        self._ways.setSpacing(8)
        self._ways.addWidget(self._tabs)
        self._ways.addWidget(self.csv)
        self._ways.addWidget(self.json)
        self._ways.addStretch(1)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(8)
        self._head.addLayout(self._ways, 1)
        self._head.addWidget(self.filter)
        self._verdict = Label(size=15, weight=SEMIBOLD, wrap=True)
        self._mark = Icon("hourglass-medium", Metric.ICON, tone=Tone.TEXT_2)
        self.seen = Button(tr("Looked into"), icon="eye")
        self.seen.clicked.connect(viewmodel.see_breaks)
        self._fault = FaultLabel(size=14, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        self._said = FaultLabel(size=14, weight=SEMIBOLD, tone=Tone.OK, wrap=True)
        self._note = Label(size=13, weight=MEDIUM, tone=Tone.TEXT_2, wrap=True)
        proof = QHBoxLayout()
        proof.setSpacing(8)
        proof.addWidget(self._mark)
        proof.addWidget(self._verdict, 1)
        proof.addWidget(self.seen)
        panel = Panel()
        column = QVBoxLayout(panel)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addLayout(proof)
        column.addWidget(self._fault)
        column.addWidget(self._said)
        column.addWidget(self._note)
        column.addWidget(self.list, 1)
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 8, 16, 4)
        page.setSpacing(8)
        page.addLayout(self._head)
        page.addWidget(panel, 1)
        viewmodel.changed.connect(self.render_state)
        self.render_state()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._ways.minimumSize().width() + _MARGINS, _LOWEST)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        needed = self._ways.sizeHint().width() + 8 + self.filter.width() + _MARGINS
        flow = QBoxLayout.Direction
        self._head.setDirection(flow.TopToBottom if needed > self.width() else flow.LeftToRight)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vm.appear()

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        self._tabs.show_chosen(state.period)
        self._verdict.setText(state.verdict or tr("The trail is being proved."))
        self._verdict.set_tone(state.tone)
        self._mark.show_icon(_MARKS[state.tone], state.tone)
        self.seen.setVisible(state.has_open_break)
        for button in (self.csv, self.json, self.seen):
            button.setEnabled(not state.busy)
        self._fault.say(state.fault)
        self._said.say(state.said)
        self._note.setText(state.note)
        self._note.setVisible(bool(state.note))
        empty = tr("Nothing was done in this time that the filter leaves.")
        self.list.show_rows(state.rows, "", empty)

    def _export(self, kind: ExportKind) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("Export the trail"), f"trail.{kind.value}")
        if name:
            self._vm.export(kind, Path(name))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif not self.filter.take_typing(event):
            super().keyPressEvent(event)
