"""All pictures of the exam at once, by procedure, site and side: to look through, to say anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.model.words import tr, trn
from capture_app.ui.looks.fonts import BOLD
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Panel
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.shown import Thumb, ThumbGroup
from capture_app.ui.workspace.thumb_button import THUMB_WIDTH, ThumbButton

_GAP: Final = 8
_ROW: Final = 92


class ContactSheet(Panel):
    """Pictures in groups, each under the words that its pictures have in common.

    A click selects one, with Ctrl as well, with Shift up to it; a group's words select the group.
    What is chosen in the panels beside it goes to the selected ones. Arrow keys move, Enter
    selects, Ctrl+A selects all or none; Esc or F2 closes.
    """

    reader_role = Role.Grouping

    selected = Signal(str, str)
    """Capture id, and how: one, toggle or range."""
    opened = Signal(str)
    """The capture id of a clip that is to be looked at."""
    group_selected = Signal(list)
    """The capture ids of a group."""
    all_asked = Signal()
    turn_asked = Signal()
    close_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._groups: tuple[ThumbGroup, ...] = ()
        self._images: dict[str, QImage] = {}
        self._buttons: dict[str, ThumbButton] = {}
        self._parts: list[_Group] = []
        self._at = ""
        self.setAccessibleName(tr("Contact sheet"))
        self._title = Label("", 16, BOLD)
        self._all = Button(tr("Select all"), ButtonKind.GHOST, key=tr("Ctrl") + "+A")
        self._all.clicked.connect(self.all_asked)
        self._turn = Button(tr("Turn"), ButtonKind.GHOST, icon="arrow-clockwise", key="T")
        self._turn.clicked.connect(self.turn_asked)
        self._close = Button(tr("Live picture"), icon="camera", key="F2")
        self._close.clicked.connect(self.close_asked)
        for button in (self._all, self._turn, self._close):
            button.let_yield()
        header = QHBoxLayout()
        header.setContentsMargins(0, 0, 0, 0)
        header.addWidget(self._title)
        header.addStretch(1)
        header.addWidget(self._all)
        header.addWidget(self._turn)
        header.addWidget(self._close)
        self._scroll = ScrollColumn()
        self._scroll.column.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 8, 8)
        column.setSpacing(4)
        column.addLayout(header)
        column.addWidget(self._scroll, 1)
        self._scroll.column.addStretch(1)

    # ------------------------------------------------------------------------------ its pictures

    @property
    def buttons(self) -> Sequence[ThumbButton]:
        """The pictures, in the order in which they stand."""
        return tuple(self._buttons[thumb.capture_id] for thumb in self._thumbs())

    @property
    def headings(self) -> Sequence[Button]:
        """The words over the groups: pressing one selects its group."""
        return tuple(part.heading for part in self._parts)

    def _thumbs(self) -> list[Thumb]:
        return [thumb for group in self._groups for thumb in group.thumbs]

    def show_groups(self, groups: Sequence[ThumbGroup]) -> None:
        """The pictures that there are, and what is selected."""
        groups = tuple(groups)
        if groups == self._groups:
            return
        self._groups = groups
        shown = {thumb.capture_id for thumb in self._thumbs()}
        held = self._focused()
        for capture_id in self._buttons.keys() - shown:
            self._buttons.pop(capture_id).deleteLater()
        while len(self._parts) < len(groups):
            part = _Group()
            part.asked.connect(self.group_selected)
            self._parts.append(part)
            self._scroll.column.insertWidget(len(self._parts) - 1, part)
        while len(self._parts) > len(groups):
            gone = self._parts.pop()
            for button in gone.release():
                button.setParent(self)
            gone.hide()
            gone.deleteLater()
        for part, group in zip(self._parts, groups, strict=True):
            part.show_group(group, [self._button_of(thumb) for thumb in group.thumbs])
        chosen = sum(thumb.selected for thumb in self._thumbs())
        n = len(self._thumbs())
        words = trn("{n} picture", "{n} pictures", n)
        if chosen:
            words += ", " + trn("{n} selected", "{n} selected", chosen)
        self._title.setText(words)
        self._rove()
        if held in self._buttons:
            self._buttons[held].setFocus(Qt.FocusReason.OtherFocusReason)

    def show_turnable(self, turnable: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Whether there is a draft to turn."""
        self._turn.setEnabled(turnable)

    def show_image(self, capture_id: str, image: QImage) -> None:
        """A picture that has been made small."""
        self._images[capture_id] = image
        if capture_id in self._buttons:
            self._buttons[capture_id].show_image(image)

    def _button_of(self, thumb: Thumb) -> ThumbButton:
        button = self._buttons.get(thumb.capture_id)
        if button is None:
            button = self._buttons[thumb.capture_id] = ThumbButton(self)
            button.selected.connect(self._select)
            button.opened.connect(self.opened)
            button.moved.connect(lambda key, of=thumb.capture_id: self._move(of, key))
            if thumb.capture_id in self._images:
                button.show_image(self._images[thumb.capture_id])
        button.show_thumb(thumb)
        return button

    def _select(self, capture_id: str, how: str) -> None:
        self._at = capture_id
        self.selected.emit(capture_id, how)

    # --------------------------------------------------------------------------------- the keys

    def focus_first(self) -> None:
        """The sheet was opened: the selected picture has the focus, else the newest."""
        chosen = next((t.capture_id for t in self._thumbs() if t.selected), "")
        newest = max(self._thumbs(), key=lambda thumb: thumb.number, default=None)
        self._at = chosen or (newest.capture_id if newest else "")
        self.focus_last()

    def focus_last(self) -> None:
        """The picture that had the focus last has it again."""
        button = self._buttons.get(self._at) or next(iter(self.buttons), None)
        if button is not None:
            self._rove()
            button.setFocus(Qt.FocusReason.TabFocusReason)
            self._scroll.reveal(button, 40)

    def _focused(self) -> str:
        return next((i for i, button in self._buttons.items() if button.hasFocus()), "")

    def _rove(self) -> None:
        """One stop of Tab for all pictures."""
        if self._at not in self._buttons:
            self._at = next((t.capture_id for t in self._thumbs()), "")
        for capture_id, button in self._buttons.items():
            stays = capture_id == self._at
            policy = Qt.FocusPolicy.StrongFocus if stays else Qt.FocusPolicy.ClickFocus
            button.setFocusPolicy(policy)

    def _move(self, capture_id: str, key: int) -> None:
        buttons = self.buttons
        here = self._buttons[capture_id]
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            at = buttons.index(here) + (1 if key == Qt.Key.Key_Right else -1)
            there = buttons[at] if 0 <= at < len(buttons) else here
        else:
            there = self._next_row(here, down=key == Qt.Key.Key_Down)
        self._at = there.thumb.capture_id
        self.focus_last()

    def _next_row(self, here: ThumbButton, *, down: bool) -> ThumbButton:
        """The picture above or below that is nearest across."""
        place = self._place(here)
        rows: dict[int, list[ThumbButton]] = {}
        for button in self.buttons:
            rows.setdefault(self._place(button).top(), []).append(button)
        tops = sorted(top for top in rows if (top > place.top() if down else top < place.top()))
        if not tops:
            return here
        row = rows[tops[0] if down else tops[-1]]
        return min(row, key=lambda button: abs(self._place(button).left() - place.left()))

    def _place(self, button: ThumbButton) -> QRect:
        return QRect(button.mapTo(self, button.rect().topLeft()), button.size())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_A and control:
            self.all_asked.emit()
            return
        super().keyPressEvent(event)


class _Group(QWidget):
    """The pictures of one procedure, site and side, in rows, under their words."""

    asked = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.heading = Button("", ButtonKind.GHOST)
        self.heading.clicked.connect(self._ask)
        self._buttons: list[ThumbButton] = []
        self._words = ""
        self._holder = QWidget()
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.heading)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self._holder)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_group(self, group: ThumbGroup, buttons: Sequence[ThumbButton]) -> None:
        """Other pictures, or others of them."""
        self._words = f"{group.words} \N{MIDDLE DOT} {len(group.thumbs)}"
        n = len(group.thumbs)
        name = trn("Select {n} picture: {what}", "Select {n} pictures: {what}", n, what=group.words)
        self.heading.setAccessibleName(name)
        self.heading.setToolTip(group.words)
        self._buttons = list(buttons)
        for button in buttons:
            if button.parentWidget() is not self._holder:
                button.setParent(self._holder)
            button.show()
        self._lay_out()

    def release(self) -> Sequence[ThumbButton]:
        """Its pictures go to other groups."""
        gone, self._buttons = self._buttons, []
        return [button for button in gone if button.parentWidget() is self._holder]

    def _ask(self) -> None:
        self.asked.emit([button.thumb.capture_id for button in self._buttons])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        pitch = THUMB_WIDTH + 4 + _GAP
        across = max(1, (self.width() + _GAP) // pitch)
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        for at, button in enumerate(self._buttons):
            row, place = divmod(at, across)
            x = place * pitch
            button.move(self.width() - x - button.width() if rtl else x, row * _ROW)
        rows = -(-len(self._buttons) // across)
        self._holder.setFixedHeight(rows * _ROW)
        metrics = self.heading.fontMetrics()
        room = max(80, self.width() - 40)
        words = metrics.elidedText(self._words, Qt.TextElideMode.ElideMiddle, room)
        self.heading.setText(words.replace("&", "&&"))
