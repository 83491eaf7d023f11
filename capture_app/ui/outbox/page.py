"""The outbox page: sections of rows, each with what happened, what can be done, and when."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import BOLD, MEDIUM, REGULAR, SEMIBOLD
from capture_app.ui.looks.theme import Metric
from capture_app.ui.outbox.proof_popover import ProofPopover
from capture_app.ui.outbox.row_widget import PICTURE, OutboxRowWidget
from capture_app.ui.outbox.rows import OutboxRow, Section
from capture_app.ui.outbox.viewmodel import OutboxState, OutboxTab, OutboxViewModel, empty_words
from capture_app.ui.tasks import Tasks
from capture_app.ui.thumbnails import small_image, turned
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.card import Backdrop, Panel
from capture_app.ui.widgets.fields import TAKES_TYPING, FilterField
from capture_app.ui.widgets.labels import ElidedLabel, FaultLabel, Icon, Label
from capture_app.ui.widgets.popover import host_of
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.widgets.tabs import TabRow
from capture_app.ui.words.marks import Tone

_HEADS = {
    Section.NEEDS_YOU: ("warning-circle", Tone.BAD),
    Section.IT_ASKED: ("warning", Tone.WARN),
    Section.WAITING: ("clock", Tone.TEXT_2),
    Section.CONFIRMED: ("check-circle", Tone.TEXT_2),
}


def _section_words(section: Section) -> tuple[str, str]:
    return {
        Section.NEEDS_YOU: (
            tr("Needs you"),
            tr("Nothing is lost. These wait until someone acts."),
        ),
        Section.IT_ASKED: (
            tr("IT is asked"),
            tr("Nothing is lost. Tell IT the code: this is not for you to solve."),
        ),
        Section.WAITING: (
            tr("Waiting"),
            tr("Goes by itself, also while locked. What you hold waits for its release."),
        ),
        Section.CONFIRMED: (
            tr("Confirmed today"),
            tr("Each picture was proven by the archive: see its proof."),
        ),
    }[section]


class _SectionPanel(Panel):
    def __init__(self, section: Section) -> None:
        super().__init__()
        icon, tone = _HEADS[section]
        title, note = _section_words(section)
        self.count = Label(size=16, weight=BOLD, tone=tone)
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 16, 0)
        head.setSpacing(8)
        head.addWidget(Icon(icon, Metric.ICON, tone=tone))
        head.addWidget(Label(title, 16, BOLD))
        head.addWidget(self.count)
        head.addSpacing(8)
        head.addWidget(ElidedLabel(note, 13, MEDIUM, tone=Tone.TEXT_2), 1)
        self.rows = QVBoxLayout()
        self.rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 4)
        column.setSpacing(6)
        column.addLayout(head)
        column.addLayout(self.rows)
        self.widgets: dict[str, OutboxRowWidget] = {}


_MARGINS = 32
_LOWEST = 240


class OutboxPage(Backdrop):
    """Renders an OutboxState. Rows are updated where they stand: a countdown moves nothing."""

    back_asked = Signal()
    """Back to the exam from which the outbox was looked at."""

    def __init__(
        self, viewmodel: OutboxViewModel, tasks: Tasks, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty(TAKES_TYPING, True)  # noqa: FBT003 - Qt's own
        self._vm = viewmodel
        self._tasks = tasks
        self._popover: ProofPopover | None = None
        tabs = {
            OutboxTab.ALL: tr("All"),
            OutboxTab.NEEDS_YOU: tr("Needs you"),
            OutboxTab.IT_ASKED: tr("IT is asked"),
            OutboxTab.WAITING: tr("Waiting"),
            OutboxTab.CONFIRMED: tr("Confirmed"),
        }
        self._tabs = TabRow(tabs)
        self._tabs.asked.connect(viewmodel.show_tab)
        self.back = Button("", icon="arrow-left", key=tr("Esc"))
        self.back.clicked.connect(self.back_asked)
        self.back.let_yield()
        self.back.hide()
        self._ways = QHBoxLayout()
        self._ways.addWidget(self.back)
        self._ways.addWidget(self._tabs)
        self._ways.addStretch(1)
        self._filter = FilterField(tr("Filter by name or MRN"), height=Metric.CONTROL)
        self._filter.setFixedWidth(max(280, self._filter.sizeHint().width()))
        self._filter.textChanged.connect(viewmodel.filter)
        self._filter.left.connect(lambda: self.setFocus(Qt.FocusReason.OtherFocusReason))
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for part in (self._ways, self._head):
            part.setSpacing(8)
        self._head.addLayout(self._ways, 1)
        self._head.addWidget(self._filter)
        self._fault = FaultLabel(size=14, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        self._sections = {section: _SectionPanel(section) for section in Section}
        self._empty = Label(size=15, weight=REGULAR, tone=Tone.TEXT_2, wrap=True, centred=True)
        scroll = ScrollColumn()
        scroll.column.setSpacing(8)
        for panel in self._sections.values():
            scroll.column.addWidget(panel)
        scroll.column.addWidget(self._empty)
        scroll.column.addStretch(1)
        self._scroll = scroll
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 8, 16, 4)
        page.setSpacing(8)
        page.addLayout(self._head)
        page.addWidget(self._fault)
        page.addWidget(scroll, 1)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        viewmodel.changed.connect(self.render_state)
        self.render_state()

    def show_way_back(self, patient: str) -> None:
        """Back to this patient's exam, which stays open; empty: there is none."""
        self.back.setText(tr("Back to {patient}", patient=patient.replace("&", "&&")))
        self.back.setVisible(bool(patient))
        self._fold()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._ways.minimumSize().width() + _MARGINS, _LOWEST)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        """The filter has a row of its own where the tabs need the whole width."""
        needed = self._ways.sizeHint().width() + 8 + self._filter.width() + _MARGINS
        flow = QBoxLayout.Direction
        self._head.setDirection(flow.TopToBottom if needed > self.width() else flow.LeftToRight)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vm.appear()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._vm.vanish()

    @property
    def empty_text(self) -> str:
        """What stands in the place of rows where there are none."""
        return self._empty.text()

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        counts = state.counts
        numbers = {
            OutboxTab.ALL: counts.stopped + counts.waiting + counts.confirmed_today + state.files,
            OutboxTab.NEEDS_YOU: counts.needs_you,
            OutboxTab.IT_ASKED: counts.it_asked + state.files,
            OutboxTab.WAITING: counts.waiting,
            OutboxTab.CONFIRMED: counts.confirmed_today,
        }
        self._tabs.show_chosen(state.tab)
        for tab, number in numbers.items():
            self._tabs.set_count(tab, number or None)
        # Seldom needed, and the row of tabs is short on a small screen.
        is_wanted = bool(counts.it_asked + state.files) or state.tab is OutboxTab.IT_ASKED
        self._tabs.show_tab(OutboxTab.IT_ASKED, shown=is_wanted)
        self._fault.say(state.fault)
        in_section = {
            Section.NEEDS_YOU: counts.needs_you,
            Section.IT_ASKED: counts.it_asked + state.files,
            Section.WAITING: counts.waiting,
            Section.CONFIRMED: counts.confirmed_today,
        }
        for section, panel in self._sections.items():
            rows = state.section(section)
            panel.count.setText(str(in_section[section]))
            panel.setVisible(bool(rows))
            self._render_rows(panel, rows)
        words = "" if state.rows else empty_words(state)
        self._empty.setText(words)
        self._empty.setVisible(bool(words))
        self._render_proof(state)

    def _render_rows(self, panel: _SectionPanel, rows: tuple[OutboxRow, ...]) -> None:
        wanted = {row.key for row in rows}
        for key in [key for key in panel.widgets if key not in wanted]:
            gone = panel.widgets.pop(key)
            panel.rows.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for at, row in enumerate(rows):
            widget = panel.widgets.get(row.key)
            if widget is None:
                widget = OutboxRowWidget(row)
                widget.acted.connect(self._vm.act)
                panel.widgets[row.key] = widget
                self._load_picture(row, widget)
            else:
                widget.show_row(row)
            if panel.rows.indexOf(widget) != at:
                panel.rows.insertWidget(at, widget)

    def _load_picture(self, row: OutboxRow, widget: OutboxRowWidget) -> None:
        if not row.capture_id:
            return
        self._tasks.run(
            lambda: turned(small_image(self._vm.image_of(row), PICTURE), self._vm.turn_of(row)),
            owner=widget,
            done=widget.show_picture,
            failed=lambda _error: None,  # purged, or damaged: then the row says so in its words
        )

    def _render_proof(self, state: OutboxState) -> None:
        if state.proof is None:
            if self._popover is not None:
                popover, self._popover = self._popover, None
                popover.dismiss()
        elif self._popover is None:
            self._popover = ProofPopover(host_of(self), state.proof)
            self._popover.close_asked.connect(self._vm.close_proof)
            self._popover.open()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self._scroll.verticalScrollBar()
        steps = {
            Qt.Key.Key_Down: Metric.OUTBOX_ROW,
            Qt.Key.Key_Up: -Metric.OUTBOX_ROW,
            Qt.Key.Key_PageDown: bar.pageStep(),
            Qt.Key.Key_PageUp: -bar.pageStep(),
            Qt.Key.Key_Home: -bar.maximum(),
            Qt.Key.Key_End: bar.maximum(),
        }
        if (key := Qt.Key(event.key())) in steps:
            bar.setValue(bar.value() + steps[key])
        elif not self._filter.take_typing(event):
            super().keyPressEvent(event)
