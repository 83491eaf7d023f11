"""The page of images that scanners sent and that are nobody's yet: needs you, identity."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QImage, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.identity.popover import IdentityPopover
from capture_app.ui.looks.fonts import MEDIUM, REGULAR, SEMIBOLD
from capture_app.ui.looks.theme import Metric
from capture_app.ui.received.viewmodel import ReceivedState, ReceivedViewModel
from capture_app.ui.received.words import IdentityLine
from capture_app.ui.tasks import Tasks
from capture_app.ui.thumbnails import small_image
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Card
from capture_app.ui.widgets.fields import TAKES_TYPING, FilterField
from capture_app.ui.widgets.labels import FaultLabel, Icon, Label
from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.widgets.picture_view import PictureView
from capture_app.ui.widgets.popover import host_of
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone

_LIST_WIDTH = 300
_PEOPLE_ROWS = 4
_PICTURE = QSize(480, 280)
_LOW_PICTURE = 170
_FOLDS_BELOW = 1200
"""Pixels of width: in a narrower page the image stands above what is said of it."""


class _Side(QWidget):
    """One cell of the comparison: words, and a mark where the two differ."""

    def __init__(self) -> None:
        super().__init__()
        self.words = Label(size=15, weight=SEMIBOLD, wrap=True)
        self._mark = Icon("warning", tone=Tone.WARN)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)

    def say(self, words: str, *, differs: bool) -> None:
        self.words.setText(words)
        self.words.set_tone(Tone.WARN if differs else Tone.TEXT)
        self.words.setAccessibleName(tr("{words}, differs", words=words) if differs else words)
        self._mark.setVisible(differs)


class _Comparison(QWidget):
    """Both identities side by side."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        for column, words in ((1, tr("The machine says")), (2, tr("The patient list says"))):
            self._grid.addWidget(Label(words, 13, MEDIUM, tone=Tone.TEXT_2), 0, column)
        self._cells: list[tuple[Label, _Side, _Side]] = []

    def show_lines(self, lines: tuple[IdentityLine, ...]) -> None:
        """Line by line."""
        while len(self._cells) < len(lines):
            cells = (Label(size=13, weight=MEDIUM, tone=Tone.TEXT_2), _Side(), _Side())
            for column, widget in enumerate(cells):
                self._grid.addWidget(widget, len(self._cells) + 1, column)
            self._cells.append(cells)
        for (label, said, own), line in zip(self._cells, lines, strict=False):
            label.setText(line.label)
            said.say(line.said, differs=line.differs)
            own.say(line.own or "\u2013", differs=line.differs)


class ReceivedPage(Backdrop):
    """Renders a ReceivedState."""

    left = Signal()
    """Esc: back to the patients."""

    def __init__(
        self, viewmodel: ReceivedViewModel, tasks: Tasks, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty(TAKES_TYPING, True)  # noqa: FBT003 - Qt's own
        self._vm = viewmodel
        self._tasks = tasks
        self._pictured = ""
        self._popover: IdentityPopover | None = None
        self.list = ListBox(name=tr("Images that are nobody's yet"))
        self.list.picked.connect(viewmodel.choose)
        self._bring_back = Button(tr("Bring back"), icon="arrow-u-up-left")
        self._bring_back.clicked.connect(viewmodel.bring_back)
        waiting = Card(tr("Needs you: identity"))
        waiting.setFixedWidth(_LIST_WIDTH)
        waiting.body.addWidget(self.list, 1)
        waiting.body.addWidget(self._bring_back, 0, Qt.AlignmentFlag.AlignLeading)
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._cards.setSpacing(8)
        self._cards.addWidget(self._image_card(), 2, Qt.AlignmentFlag.AlignTop)
        self._cards.addWidget(self._whose_card(), 3, Qt.AlignmentFlag.AlignTop)
        scroll = ScrollColumn()
        scroll.column.setSpacing(8)
        scroll.column.addLayout(self._cards)
        scroll.column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(waiting)
        row.addWidget(scroll, 1)
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 8, 16, 4)
        page.addLayout(row, 1)
        viewmodel.changed.connect(self.render_state)
        self.render_state()

    def _image_card(self) -> Card:
        self._image = Card(tr("Image"))
        self.picture = PictureView(tr("The image of the machine"), _PICTURE.height())
        self.not_shown = FaultLabel(size=13, weight=MEDIUM, tone=Tone.TEXT_2, wrap=True)
        self._about = Label(size=14, weight=REGULAR, wrap=True)
        self._note = Label(size=14, weight=SEMIBOLD, tone=Tone.WARN, wrap=True)
        for widget in (self.picture, self.not_shown, self._about, self._note):
            self._image.body.addWidget(widget)
        return self._image

    def _whose_card(self) -> Card:
        self._whose = Card(tr("Whose is it?"), tr("Scan the wristband, or choose"))
        self.filter = FilterField(tr("Name, record number, birth date"))
        self.filter.textChanged.connect(self._vm.filter)
        self.people = ListBox(name=tr("Patients"))
        self.people.setFixedHeight(_PEOPLE_ROWS * Metric.TARGET)
        self.people.picked.connect(self._vm.choose_person)
        self.filter.navigated.connect(self._navigate)
        self.filter.left.connect(lambda: self.list.setFocus(Qt.FocusReason.OtherFocusReason))
        self._comparison = _Comparison()
        self._verdict = Label(size=14, weight=SEMIBOLD, wrap=True)
        self._fault = FaultLabel(size=14, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        self.file = Button("", ButtonKind.PRIMARY, icon="check")
        self.file.clicked.connect(self._vm.file)
        self.discard = Button(tr("Discard"), icon="trash")
        self.discard.clicked.connect(self._vm.discard)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addWidget(self.file)
        acts.addStretch(1)
        acts.addWidget(self.discard)
        for widget in (self._comparison, self._verdict, self._fault):
            self._whose.body.addWidget(widget)
        self._whose.body.addLayout(acts)
        self._whose.body.addWidget(self.filter)
        self._whose.body.addWidget(self.people)
        return self._whose

    # ------------------------------------------------------------------------------- showing

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        empty = tr("Nothing waits: every image has its patient.") if state.loaded else ""
        self.list.show_rows(state.rows, state.chosen, empty)
        self._image.setVisible(bool(state.chosen))
        self._whose.setVisible(bool(state.chosen))
        self._bring_back.setVisible(bool(state.discarded))
        self._about.setText(state.about)
        self._note.setText(state.note)
        self._note.setVisible(bool(state.note))
        if self.filter.text() != state.text:
            self.filter.setText(state.text)
        nobody = (
            tr("Nobody is found by these words.")
            if state.text
            else tr("Nobody has the number that the machine says. Look for the patient.")
        )
        self.people.show_rows(state.people, state.person, nobody)
        for hidden in (self._comparison, self.picture):  # the image may bear the name, too
            hidden.setVisible(not state.is_asking)
        self._comparison.show_lines(state.lines)
        self._verdict.setText(state.verdict)
        self._verdict.set_tone(Tone.OK if state.agrees else Tone.WARN)
        self._verdict.setVisible(bool(state.verdict) and not state.is_asking)
        self._fault.say(state.fault)
        self.file.setText(state.file_words.replace("&", "&&"))
        self.file.setVisible(bool(state.file_words))
        self.discard.setVisible(state.can_discard)
        for button in (self.file, self.discard, self._bring_back):
            button.setEnabled(not state.busy and not state.is_asking)
        self._render_check(state)
        self._render_picture(state)

    def _render_check(self, state: ReceivedState) -> None:
        check = self._vm.check
        if not state.is_asking or check is None:
            popover, self._popover = self._popover, None
            if popover is not None:
                popover.dismiss()
        elif self._popover is None:
            self._popover = IdentityPopover(
                host_of(self),
                check,
                why="" if state.agrees else tr("What the machine says differs."),
                act=tr("File"),
            )
            self._popover.show_at(QRect())

    def _render_picture(self, state: ReceivedState) -> None:
        if state.chosen == self._pictured:
            return
        letter = self._pictured = state.chosen
        self.picture.show_image(QImage())
        self.not_shown.say("")
        if not letter:
            return

        def show(image: QImage) -> None:
            if letter == self._pictured:
                self.picture.show_image(image)

        def failed(error: Exception) -> None:
            if letter == self._pictured:
                self.not_shown.say(str(error))

        self._tasks.run(
            lambda: small_image(self._vm.picture(letter), _PICTURE),
            owner=self,
            done=show,
            failed=failed,
        )

    # ---------------------------------------------------------------------------------- keys

    def _navigate(self, key: int) -> None:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.people.pick_current()
        else:
            self.people.move_current(1 if key == Qt.Key.Key_Down else -1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        flow = QBoxLayout.Direction
        is_narrow = self.width() < _FOLDS_BELOW
        self._cards.setDirection(flow.TopToBottom if is_narrow else flow.LeftToRight)
        self.picture.setFixedHeight(_LOW_PICTURE if is_narrow else _PICTURE.height())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vm.appear()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._vm.vanish()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif not self.filter.take_typing(event):
            super().keyPressEvent(event)
