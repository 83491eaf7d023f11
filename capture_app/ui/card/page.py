"""The page of the cards: each group with its first and last picture, the name, and one button."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QImage, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.encoded_image import EncodedImage
from capture_app.model.slate import Slate
from capture_app.model.words import isolated, tr, trn
from capture_app.ui.card.slate_sheets import write_sheets
from capture_app.ui.card.viewmodel import CardViewModel, GroupShown
from capture_app.ui.looks.fonts import BOLD, MEDIUM, REGULAR, SEMIBOLD
from capture_app.ui.thumbnails import small_image
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Card, Panel
from capture_app.ui.widgets.choices import ListPopover
from capture_app.ui.widgets.labels import FaultLabel, Label
from capture_app.ui.widgets.picture_view import PictureView
from capture_app.ui.widgets.popover import host_of
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.words.shown import ListRow

_THUMB_WIDTH, _THUMB_HEIGHT = 150, 100
_MADE: Final = QSize(2 * _THUMB_WIDTH, 2 * _THUMB_HEIGHT)
"""For screens of twice the density."""


def small(image: EncodedImage) -> QImage:
    """A picture as a group shows it. Raises ImageError."""
    return small_image(image, _MADE)


class GroupPanel(Panel):
    """One group."""

    def __init__(self, shown: GroupShown, keep: Callable[[str], None]) -> None:
        super().__init__()
        self.shown = shown
        self.first = _thumb(tr("First picture"))
        self.last = _thumb(tr("Last picture"))
        self.title = Label("", 20, BOLD, wrap=True)
        self._facts = Label("", 14, REGULAR, tone=Tone.TEXT_2, wrap=True)
        self._why = Label("", 14, SEMIBOLD, tone=Tone.WARN, wrap=True)
        self._clock = Label("", 13, MEDIUM, tone=Tone.WARN, wrap=True)
        self._kept = Label("", 14, SEMIBOLD, tone=Tone.OK, wrap=True)
        self.act = Button("", ButtonKind.PRIMARY)
        self.act.clicked.connect(lambda: keep(self.shown.key))
        words = QVBoxLayout()
        words.setSpacing(4)
        for label in (self.title, self._facts, self._why, self._clock, self._kept):
            words.addWidget(label)
        words.addStretch(1)
        words.addWidget(self.act, 0, Qt.AlignmentFlag.AlignLeading)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(8)
        row.addWidget(self.first, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.last, 0, Qt.AlignmentFlag.AlignTop)
        row.addSpacing(8)
        row.addLayout(words, 1)

    def show_group(self, shown: GroupShown, *, busy: bool) -> None:
        """The same group, as it stands now."""
        self.shown = shown
        self.title.setText(shown.title)
        self.title.set_tone(Tone.TEXT_2 if shown.is_nobodys else Tone.TEXT)
        for label, text in (
            (self._facts, shown.facts),
            (self._why, shown.why),
            (self._clock, shown.clock),
            (self._kept, shown.kept),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self.act.setText(tr("Being kept") if busy else shown.act)
        self.act.setVisible(bool(shown.act))
        self.act.setEnabled(not busy)
        self.act.setAccessibleName(f"{shown.act}. {shown.title}. {shown.facts}")
        self.last.setVisible(shown.first != shown.last)


def _thumb(name: str) -> PictureView:
    view = PictureView(name, _THUMB_HEIGHT)
    view.setFixedWidth(_THUMB_WIDTH)
    return view


class CardPage(Backdrop):
    """Renders a CardState. Cards are read only while it is on screen."""

    left = Signal()
    """Esc: back to the patients."""

    def __init__(self, viewmodel: CardViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        self._images: dict[str, QImage] = {}
        self._popover: ListPopover | None = None
        self._leads_on = False
        """Whether the focus goes on to the first group that waits, once there is one."""
        self.choose_file: Callable[[], str] = self._ask_where
        """Where the sheets of slates are written; empty: nowhere."""
        self.panels: dict[str, GroupPanel] = {}
        self.head = Card(tr("Card"))
        self._fault = FaultLabel(size=14, weight=SEMIBOLD, tone=Tone.WARN, wrap=True)
        self._progress = Label("", 14, MEDIUM, tone=Tone.TEXT_2, wrap=True)
        self._left_out = Label("", 13, MEDIUM, tone=Tone.TEXT_2, wrap=True)
        for label in (self._fault, self._progress, self._left_out):
            self.head.body.addWidget(label)
        self.print = Button(tr("Slates of a ward"), icon="barcode")
        self.print.clicked.connect(self._ask_ward)
        self.remove = Button("", icon="trash")
        self.remove.clicked.connect(viewmodel.remove)
        acts = QHBoxLayout()
        acts.addWidget(self.print)
        acts.addWidget(self.remove)
        acts.addStretch(1)
        self.head.body.addLayout(acts)
        self._scroll = ScrollColumn()
        self._scroll.column.setSpacing(8)
        self._scroll.column.addWidget(self.head)
        self._scroll.column.addStretch(1)
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 8, 16, 4)
        page.addWidget(self._scroll, 1)
        viewmodel.changed.connect(self.render_state)
        viewmodel.thumb_made.connect(self._show_thumb)
        self.render_state()

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        self._fault.say("\n".join(state.faults))
        nothing = state.is_read and not state.groups and not state.faults
        progress = tr("No pictures are on it.") if nothing else state.progress
        self._progress.setText(progress or ("" if state.is_read else tr("Looking")))
        self._progress.setVisible(bool(self._progress.text()))
        self._left_out.setText("\n".join(state.left_out))
        self._left_out.setVisible(bool(state.left_out))
        self.remove.setText(
            trn(
                "Remove {n} confirmed picture from the card",
                "Remove {n} confirmed pictures from the card",
                state.removable,
            )
        )
        self.remove.setVisible(state.removable > 0)
        if [one.key for one in state.groups] != list(self.panels):
            self._lay_out(state.groups)
        for one in state.groups:
            self.panels[one.key].show_group(one, busy=one.key == state.busy)
        if self._leads_on and self.next_panel is not None and self.print.hasFocus():
            self.take_focus()

    def _lay_out(self, groups: tuple[GroupShown, ...]) -> None:
        kept = {one.key: self.panels.get(one.key) for one in groups}
        for key, panel in self.panels.items():
            if key not in kept:
                self._scroll.column.removeWidget(panel)
                panel.hide()
                panel.deleteLater()
        self.panels = {}
        for at, one in enumerate(groups):
            panel = kept[one.key] or GroupPanel(one, self._vm.keep)
            self.panels[one.key] = panel
            self._scroll.column.insertWidget(at + 1, panel)
            for digest, view in ((one.first, panel.first), (one.last, panel.last)):
                view.show_image(self._images.get(digest, QImage()))

    @property
    def next_panel(self) -> GroupPanel | None:
        """The first group whose slate names somebody and that is not kept yet."""
        waiting = (p for p in self.panels.values() if p.shown.act and not p.shown.is_nobodys)
        return next(waiting, None)

    def take_focus(self) -> None:
        """To the first group that waits for a touch, else to the page."""
        panel = self.next_panel
        self._leads_on = panel is None
        goal: QWidget = panel.act if panel is not None else self.print
        goal.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_thumb(self, digest: str, image: object) -> None:
        if not isinstance(image, QImage):
            return
        self._images[digest] = image
        for panel in self.panels.values():
            for wanted, view in ((panel.shown.first, panel.first), (panel.shown.last, panel.last)):
                if wanted == digest:
                    view.show_image(image)

    # ---------------------------------------------------------------------------------- printing

    def _ask_ward(self) -> None:
        self._close_popover()
        rows = tuple(ListRow(ward, isolated(ward)) for ward in self._vm.wards())
        none = (ListRow("", tr("No ward is known here"), usable=False),)
        host = host_of(self)
        popover = ListPopover(host, tr("Slates of which ward?"), rows or none, "")
        popover.picked.connect(self._print)
        popover.close_asked.connect(self._close_popover)
        self._popover = popover
        popover.show_at(
            QRect(self.print.mapTo(host, self.print.rect().topLeft()), self.print.size())
        )

    def _print(self, ward: str) -> None:
        self._close_popover()
        if not ward:
            return
        if path := self.choose_file():
            self._vm.print(ward, lambda slates: self._write(path, slates))

    def _write(self, path: str, slates: tuple[Slate, ...]) -> None:
        n = len(slates)
        said = Message(tr("Nobody is listed on this ward."), icon="info")
        if n:
            what = trn("{n} slate is written: print it.", "{n} slates are written: print them.", n)
            todo = tr("Delete the file afterwards.")
            said = Message(what, todo, "check-circle", Tone.OK)
            try:
                write_sheets(Path(path), slates, self._vm.now())
            except OSError:
                what = tr("The file could not be written.")
                said = Message(what, "", "warning-circle", Tone.BAD)
        self._vm.told.emit(said)

    def _ask_where(self) -> str:
        start = str(Path.home() / "slates.pdf")
        path, _ = QFileDialog.getSaveFileName(self, tr("Save the slates"), start, "PDF (*.pdf)")
        return path

    def _close_popover(self) -> None:
        popover, self._popover = self._popover, None
        if popover is not None:
            popover.dismiss()

    # ------------------------------------------------------------------------------- on screen

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vm.appear()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._close_popover()
        self._vm.vanish()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
