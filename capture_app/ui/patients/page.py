"""The patients page: filter, tabs, rows that hold still, the check, drafts, and how to scan."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from capture_app.model.words import tr, trn
from capture_app.patients.finding.tabs import Tab
from capture_app.ui.identity.popover import IdentityPopover
from capture_app.ui.looks.fonts import MEDIUM, REGULAR, SEMIBOLD
from capture_app.ui.looks.theme import Metric
from capture_app.ui.patients.camera_scan import CameraScan
from capture_app.ui.patients.drafts import DraftCard
from capture_app.ui.patients.feed_popover import FeedPopover
from capture_app.ui.patients.feeds import FeedLine
from capture_app.ui.patients.found import TABS
from capture_app.ui.patients.patient_list import ListHeader, PatientListView
from capture_app.ui.patients.rows import RowKey
from capture_app.ui.patients.scan_card import ScanCard
from capture_app.ui.patients.settle_popover import SettlePopover
from capture_app.ui.patients.state import PatientsState, tab_words
from capture_app.ui.patients.viewmodel import PatientsViewModel
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Card, Panel
from capture_app.ui.widgets.chips import Chip
from capture_app.ui.widgets.choices import ORDERS_WIDTH, ListPopover
from capture_app.ui.widgets.fields import TAKES_TYPING, FilterField
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover, host_of
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.widgets.tabs import TabRow
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Tone

_STEPS = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -8,
    Qt.Key.Key_PageDown: 8,
}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SIDE_WIDTH = 320
_SIDE_NARROW = 240
_AROUND = 48
_LOWEST = 360


class _DraftRow(QWidget):
    """One patient's drafts. It stays while their age changes, and so does the focus on it."""

    def __init__(self, card: DraftCard) -> None:
        super().__init__()
        self.card = card
        self.open = Button(tr("Open"))
        self.open.let_yield()
        self._name = Label("", 15, SEMIBOLD, wrap=True)
        self._note = Label("", 13, REGULAR, tone=Tone.TEXT_2, wrap=True)
        words = QVBoxLayout()
        words.setSpacing(5)
        words.addWidget(self._name)
        words.addWidget(self._note)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addLayout(words, 1)
        row.addWidget(self.open)
        self.show_card(card)

    def show_card(self, card: DraftCard) -> None:
        """Another state of the same exam's drafts."""
        self.card = card
        self.open.setAccessibleName(tr("Open the drafts of {name}", name=card.name))
        self._name.setText(wording.own_direction(card.name))
        self._note.setText(card.note)


class PatientsPage(Backdrop):
    """Renders a PatientsState. What is typed filters; arrows and Enter choose, wherever
    the focus is.
    """

    def __init__(
        self, viewmodel: PatientsViewModel, camera: CameraScan, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        self._camera = camera
        self.setProperty(TAKES_TYPING, True)  # noqa: FBT003 - Qt's own
        self._popover: IdentityPopover | None = None
        self._order_popover: ListPopover | None = None
        self._notes: list[Popover] = []
        """The notes for IT while they are shown, and the question over them."""
        self._shown_drafts: tuple[DraftCard, ...] = ()
        self._draft_rows: list[_DraftRow] = []
        self._page = page = QHBoxLayout(self)
        page.setSpacing(16)
        page.addLayout(self._main(), 1)
        page.addWidget(self._side())
        viewmodel.changed.connect(self.render_state)
        viewmodel.opened.connect(self._close_notes)
        viewmodel.told.connect(self._close_notes)
        self.render_state()

    # ---------------------------------------------------------------------- layout

    def _main(self) -> QVBoxLayout:
        self._filter = FilterField(tr("Name in any script, MRN, birth date, ward or bed"))
        self._filter.textChanged.connect(self._vm.filter)
        self._filter.navigated.connect(self._navigated)
        self._filter.left.connect(self.focus_list)
        self._tabs = TabRow({tab: tab_words(tab) for tab in TABS})
        self._tabs.asked.connect(self._vm.show_tab)
        self._beside_tabs, self._feed_row = tabs, feeds = QHBoxLayout(), QHBoxLayout()
        tabs.addWidget(self._tabs)
        tabs.addStretch(1)
        self._changes = Button("", icon="arrow-clockwise")
        self._changes.clicked.connect(self._vm.apply_changes)
        self._changes.hide()
        tabs.addWidget(self._changes)
        self._feeds = [Chip() for _ in range(3)]
        for chip in self._feeds:
            feeds.addWidget(chip)
        feeds.addStretch(0)
        self._above_list = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for part in (tabs, feeds, row):
            part.setSpacing(8)
        row.addLayout(tabs, 1)
        row.addLayout(feeds)
        self._header = ListHeader()
        self.rows_view = PatientListView()
        self.rows_view.widened.connect(self._header.show_rows_width)
        self.rows_view.asked.connect(self._vm.choose)
        self.rows_view.chosen.connect(self._vm.mark)
        self.rows_view.stepped.connect(self._vm.move)
        self.rows_view.entered.connect(self._vm.open_marked)
        self.rows_view.pointed.connect(lambda over: self._vm.pointed(over=over))
        panel = Panel()
        inside = QVBoxLayout(panel)
        inside.setContentsMargins(0, 0, 0, 8)
        inside.setSpacing(0)
        inside.addWidget(self._header)
        holder = QWidget(panel)
        stack = QStackedLayout(holder)
        stack.setStackingMode(QStackedLayout.StackingMode.StackAll)  # the list keeps the focus
        self._nobody = self._empty_part()
        stack.addWidget(self._nobody)
        stack.addWidget(self.rows_view)
        inside.addWidget(holder, 1)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(self._filter)
        column.addLayout(row)
        column.addWidget(panel, 1)
        return column

    def _empty_part(self) -> QWidget:
        part = QWidget()
        self._empty = Label(size=15, weight=REGULAR, tone=Tone.TEXT_2, wrap=True, centred=True)
        self.look_in_all = Button("", ButtonKind.SECONDARY, icon="magnifying-glass")
        self.look_in_all.clicked.connect(lambda: self._vm.show_tab(Tab.ALL))
        column = QVBoxLayout(part)
        column.setContentsMargins(32, 48, 32, 16)
        column.setSpacing(16)
        column.addWidget(self._empty)
        column.addWidget(self.look_in_all, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return part

    def _side(self) -> QWidget:
        self.scan_card = ScanCard(self._camera)
        self._drafts = Card(tr("Drafts"), padding=20)
        self._drafts.hide()  # until somebody has some
        self._drafts.title.set_font(15, SEMIBOLD)
        self._draft_column = QVBoxLayout()
        self._draft_column.setSpacing(12)
        self._drafts.body.addLayout(self._draft_column)
        missing = Card(tr("Not in the list?"), padding=20)
        missing.title.set_font(15, SEMIBOLD)
        text = tr(
            "Look in All, or ask admissions to register the patient. Nothing is typed in here, so "
            "that pictures always reach the right record."
        )
        missing.body.addWidget(Label(text, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        self._note = Label(size=13, weight=MEDIUM, tone=Tone.WARN, wrap=True)
        missing.body.addWidget(self._note)
        self.feed_messages = Button("", icon="warning")
        self.feed_messages.clicked.connect(self._show_feed_messages)
        self.feed_messages.let_yield()
        self.feed_messages.hide()
        missing.body.addWidget(self.feed_messages)
        self._side_column = scroll = ScrollColumn()
        scroll.setFixedWidth(_SIDE_WIDTH)
        scroll.column.setSpacing(8)
        for card in (self.scan_card, self._drafts, missing):
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        return scroll

    def minimumSizeHint(self) -> QSize:
        """As folded: else it could never be made so small as to fold."""
        return QSize(self._tabs.minimumSizeHint().width() + _SIDE_NARROW + _AROUND, _LOWEST)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fold(event.size())
        super().resizeEvent(event)

    def _fold(self, size: QSize) -> None:
        """A small screen is for the list: the side column gets less."""
        narrow, low = size.width() < Metric.NARROW_BELOW, size.height() < Metric.FOLDS_BELOW
        margin = Metric.PAGE_MARGIN
        self._page.setContentsMargins(margin, 8 if low else margin, margin, 4)
        side = _SIDE_NARROW if narrow else _SIDE_WIDTH
        parts = (self._beside_tabs, self._feed_row)
        needed = sum(part.sizeHint().width() for part in parts) + side + _AROUND + 8
        is_cramped = needed > size.width()
        flow = QBoxLayout.Direction
        self._above_list.setDirection(flow.TopToBottom if is_cramped else flow.LeftToRight)
        for chip in self._feeds:
            chip.let_yield(is_cramped)
        self._side_column.setFixedWidth(side)
        self.scan_card.show_drawing(not low)

    # ---------------------------------------------------------------------- state

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        if self._filter.text() != state.text:
            self._filter.blockSignals(True)  # noqa: FBT003 - Qt's own
            self._filter.setText(state.text)
            self._filter.blockSignals(False)  # noqa: FBT003 - Qt's own
            self._filter.show_parts()
        counts = dict(state.counts)
        self._tabs.show_chosen(state.tab)
        for tab in TABS:
            self._tabs.set_count(tab, counts.get(tab) or None)
        words = trn("{n} change", "{n} changes", state.changes)
        self._changes.setText(words)
        self._changes.setVisible(state.changes > 0)
        for i, chip in enumerate(self._feeds):
            chip.setVisible(i < len(state.feeds))
            if i < len(state.feeds):
                said = state.feeds[i]
                chip.say(said.words, said.icon, said.tone)
        self._fold(self.size())
        self._header.show_record_label(state.record_label)
        self.rows_view.show_rows(state.rows, state.marked)
        self._empty.setText(state.loading if state.loading and not state.rows else state.empty)
        self.look_in_all.setText(state.empty_act)
        self.look_in_all.setVisible(bool(state.empty_act))
        self._nobody.setVisible(not state.rows)
        if not state.rows:
            self._nobody.raise_()
        self._note.setText(state.feed_note)
        self._note.setVisible(bool(state.feed_note))
        n = len(state.feed_lines)
        self.feed_messages.setText(trn("{n} note for IT", "{n} notes for IT", n))
        self.feed_messages.setVisible(n > 0)
        self._render_drafts(state)
        self._render_check(state)
        self._render_order_question(state)

    def _render_drafts(self, state: PatientsState) -> None:
        if state.drafts == self._shown_drafts and not self._drafts.isHidden():
            return
        self._shown_drafts = state.drafts
        exams = [row.card.exam.exam_id for row in self._draft_rows]
        if exams != [card.exam.exam_id for card in state.drafts]:
            self._replace_draft_rows(state.drafts)
        for row, card in zip(self._draft_rows, state.drafts, strict=True):
            row.show_card(card)
        n = len(state.drafts)
        self._drafts.set_note(trn("{n} patient", "{n} patients", n))
        self._drafts.setVisible(n > 0)

    def _replace_draft_rows(self, cards: Sequence[DraftCard]) -> None:
        for row in self._draft_rows:
            self._draft_column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._draft_rows = [_DraftRow(card) for card in cards]
        for row in self._draft_rows:
            row.open.clicked.connect(lambda _checked=False, row=row: self._vm.reopen(row.card))
            self._draft_column.addWidget(row)

    def _render_check(self, state: PatientsState) -> None:
        check = self._vm.check
        if check is None:
            if self._popover is not None:
                popover, self._popover = self._popover, None
                popover.dismiss()
            return
        if self._popover is None:
            self._popover = IdentityPopover(host_of(self), check)
            self._popover.show_at(self._place_of(state.asked))

    def _render_order_question(self, state: PatientsState) -> None:
        question = self._vm.order_question
        popover = self._order_popover
        if question is None:
            self._order_popover = None
            if popover is not None:
                popover.dismiss()
        elif popover is None:
            title = tr("Which order are the pictures for?")
            # An Enter too many, meant for the question before, is no order.
            host, rows, none = host_of(self), question.rows, question.rows[-1].row_id
            popover = ListPopover(host, title, rows, none, width=ORDERS_WIDTH)
            popover.picked.connect(question.answer)
            popover.close_asked.connect(question.cancel)
            self._order_popover = popover
            popover.show_at(self._place_of(state.order_asked))

    def _show_feed_messages(self) -> None:
        merges, lines = self._vm.merges, self._vm.state.feed_lines
        popover = FeedPopover(host_of(self), lines, may_settle=merges.may_settle)
        popover.close_asked.connect(self._close_note)
        popover.settle_asked.connect(self._ask_settled)
        self._notes.append(popover)
        popover.open()

    def _ask_settled(self, line: FeedLine) -> None:
        question = SettlePopover(host_of(self), line)
        question.close_asked.connect(self._close_note)
        question.settled.connect(lambda: self._settle(line))
        self._notes.append(question)
        question.open()

    def _settle(self, line: FeedLine) -> None:
        self._close_notes()
        if line.merge is not None:
            self._vm.merges.settle(line.merge)

    def _close_note(self) -> None:
        if self._notes:
            self._notes.pop().dismiss()

    def _close_notes(self) -> None:
        """Whoever was scanned, or why nobody was opened, is in sight."""
        while self._notes:
            self._close_note()

    def _place_of(self, key: RowKey | None) -> QRect:
        """Where a row is, in what a popover covers; nowhere where it is not in sight."""
        row = self.rows_view.rect_of(key) if key is not None else QRect()
        if row.isNull() or not self.rows_view.rect().contains(row.center()):
            return QRect()
        return QRect(self.rows_view.mapTo(host_of(self), row.topLeft()), row.size())

    # ---------------------------------------------------------------------- keys

    def focus_list(self) -> None:
        """Where the focus is when the page comes up."""
        self.rows_view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _navigated(self, key: int) -> None:
        if Qt.Key(key) in _ENTER:
            self._vm.open_marked()
        else:
            self._vm.move(_STEPS[Qt.Key(key)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._vm.touched()
        key = Qt.Key(event.key())
        if key in _STEPS:
            self.rows_view.setFocus(Qt.FocusReason.OtherFocusReason)
            self._vm.move(_STEPS[key])
        elif key == Qt.Key.Key_Escape and self._vm.state.text:
            self._filter.clear()
        elif not self._filter.take_typing(event):
            super().keyPressEvent(event)
