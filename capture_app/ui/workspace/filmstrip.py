"""The pictures of this exam in a row; narrower and scrolled where they are many."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from capture_app.model.words import tr, trn
from capture_app.ui.looks.drawing import draw_line
from capture_app.ui.looks.fonts import SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words.shown import Thumb
from capture_app.ui.workspace.thumb_button import (
    THUMB_HEIGHT,
    THUMB_NARROW,
    THUMB_WIDTH,
    ThumbButton,
)

_GAP = 8
_TOP, _INSET = 5, 10
_ROOM_FOR_WORDS = 480
"""Narrower, the buttons at the ends say their number alone; the pictures get the room."""


class Filmstrip(QWidget):
    """All pictures in the order in which they were taken; the newest is brought into view."""

    reader_role = Role.Grouping

    selected = Signal(str, str)
    opened = Signal(str)
    """The capture id of a clip that is to be looked at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[ThumbButton] = []
        self._images: dict[str, QImage] = {}  # of deleted ones too: they may come back
        self._empty = ""
        self._offset = 0
        self._folded = False
        self._before = Button(tr("{n} more", n=99), icon="caret-left", parent=self)
        self._after = Button(tr("{n} more", n=99), icon="caret-right", parent=self)
        self._before.clicked.connect(lambda: self._scroll(-self._room()))
        self._after.clicked.connect(lambda: self._scroll(self._room()))
        for button in (self._before, self._after):
            button.hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(Metric.FILMSTRIP)
        self.setAccessibleName(tr("Pictures of this patient"))
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the place of its pictures in Tab's order

    def fold(self, folded: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """One row of 44 px, where the screen is low."""
        if folded != self._folded:
            self._folded = folded
            self.setFixedHeight(Metric.TARGET if folded else Metric.FILMSTRIP)
            self._lay_out()

    @property
    def in_sight(self) -> Sequence[ThumbButton]:
        """The pictures that are not scrolled away."""
        return tuple(button for button in self._buttons if not button.isHidden())

    @property
    def buttons(self) -> Sequence[ThumbButton]:
        """The pictures, first taken first."""
        return tuple(self._buttons)

    def minimumSizeHint(self) -> QSize:
        return QSize(THUMB_WIDTH + 4 + _INSET, self.height())

    def show_thumbs(self, thumbs: Sequence[Thumb], empty: str) -> None:
        """The pictures that there are, or the words in their place."""
        before = [button.thumb.capture_id for button in self._buttons]
        while len(self._buttons) > len(thumbs):
            gone = self._buttons.pop()
            gone.hide()
            gone.deleteLater()
        while len(self._buttons) < len(thumbs):
            self._buttons.append(self._new_button())
        for button, thumb in zip(self._buttons, thumbs, strict=True):
            if button.thumb.capture_id != thumb.capture_id and thumb.capture_id in self._images:
                button.show_image(self._images[thumb.capture_id])
            button.show_thumb(thumb)
        self._empty = empty
        self._rove()
        self._lay_out()
        if len(thumbs) > len(before):
            self._reveal(len(thumbs) - 1)
        self.update()

    def show_image(self, capture_id: str, image: QImage) -> None:
        """A picture that has been made small."""
        self._images[capture_id] = image
        for button in self._buttons:
            if button.thumb.capture_id == capture_id:
                button.show_image(image)

    def _new_button(self) -> ThumbButton:
        button = ThumbButton(self)
        QWidget.setTabOrder(self._buttons[-1] if self._buttons else self, button)
        button.selected.connect(self.selected)
        button.opened.connect(self.opened)
        button.moved.connect(lambda key, button=button: self._move(button, key))
        button.show()
        return button

    # ------------------------------------------------------------------------------- moving

    def _rove(self) -> None:
        """One stop of Tab for the whole strip: the selected picture, else the newest."""
        stop = next((b for b in self._buttons if b.thumb.selected), None)
        if stop is None and self._buttons:
            stop = self._buttons[-1]
        for button in self._buttons:
            stays = button is stop or button.hasFocus()
            policy = Qt.FocusPolicy.StrongFocus if stays else Qt.FocusPolicy.ClickFocus
            button.setFocusPolicy(policy)

    def _move(self, button: ThumbButton, key: int) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key), 0)
        at = self._buttons.index(button) + step
        if 0 <= at < len(self._buttons):
            self._reveal(at)
            self._buttons[at].setFocus(Qt.FocusReason.TabFocusReason)
            self._rove()

    @property
    def _are_narrow(self) -> bool:
        return len(self._buttons) * (THUMB_WIDTH + 4 + _GAP) > self.width() - 2 * _INSET

    @property
    def _pitch(self) -> int:
        return (THUMB_NARROW if self._are_narrow else THUMB_WIDTH) + 4 + _GAP

    def _room(self) -> int:
        return max(self._pitch, self.width() - 2 * _INSET)

    def _span(self) -> int:
        return len(self._buttons) * self._pitch

    def _scroll(self, by: int) -> None:
        most = max(0, self._span() - self._room())
        self._offset = max(0, min(most, self._offset + by))
        self._lay_out()

    def _reveal(self, at: int) -> None:
        left, pitch = at * self._pitch, self._pitch
        if left < self._offset:
            self._scroll(left - self._offset)
        elif left + pitch > self._offset + self._room():
            self._scroll(left + pitch - self._room() - self._offset)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        self._scroll(-(turn.x() or turn.y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scroll(0)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self._lay_out()

    def _lay_out(self) -> None:
        """Whole pictures only; the rest is counted at the end where it is."""
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        over = self._span() > self._room()
        widest = trn("{n} more", "{n} more", 99) if self.width() >= _ROOM_FOR_WORDS else "99"
        for more in (self._before, self._after):
            more.setText(widest)
        start = self._before.sizeHint().width() + _INSET + 8 if over and self._offset else 0
        at_end = self._offset >= self._span() - self._room()
        end = self.width() - (self._after.sizeHint().width() + 8 if over and not at_end else 0)
        narrow, pitch = self._are_narrow, self._pitch
        hidden = [0, 0]
        for place, button in enumerate(self._buttons):
            button.set_shape(narrow=narrow, folded=self._folded)
            x = _INSET - 2 + place * pitch - self._offset
            before, after = x < start, x + button.width() - 4 > end
            hidden[0] += before
            hidden[1] += after
            y = 0 if self._folded else _TOP - 2
            button.move(self.width() - x - button.width() if rtl else x, y)
            button.setVisible(not before and not after)
        for more, count in zip((self._before, self._after), hidden, strict=True):
            self._place_more(more, count, rtl=rtl)

    def _place_more(self, button: Button, count: int, *, rtl: bool) -> None:
        button.setVisible(count > 0)
        words = trn("{n} more", "{n} more", count)
        button.setText(words if self.width() >= _ROOM_FOR_WORDS else f"{count}")
        where = tr("{more}, later", more=words) if button is self._after else ""
        button.setAccessibleName(where or tr("{more}, earlier", more=words))
        button.setToolTip(words)
        size = button.sizeHint()
        button.resize(size.width(), Metric.TARGET)
        at_left = (button is self._before) is not rtl
        x = _INSET if at_left else self.width() - size.width()
        button.move(x, 0 if self._folded else (THUMB_HEIGHT - Metric.TARGET) // 2 + _TOP)
        button.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._buttons or not self._empty:
            return
        painter = QPainter(self)
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        painter.setFont(font(14, SEMIBOLD))
        painter.setPen(current().text_2)
        side = Qt.AlignmentFlag.AlignRight if rtl else Qt.AlignmentFlag.AlignLeft
        line = self.rect().adjusted(_INSET + 6, 0, -_INSET - 6, 0)
        draw_line(painter, line, self._empty, side)
