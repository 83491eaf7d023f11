"""The pictures of this exam: number, state, site and side on each; scrolls where they are many."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from capture_app.model.words import tr, trn
from capture_app.ui.looks.drawing import box, draw_line
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import Button, Pressable
from capture_app.ui.widgets.chips import badge_width, draw_badge
from capture_app.ui.words.marks import ChipText, Tone
from capture_app.ui.words.shown import Thumb

THUMB_SIZE = QSize(132, 64)
"""How large a thumbnail is drawn, in logical pixels."""

_PITCH = 144
_TOP, _INSET = 6, 10
_NO_PICTURE = ChipText("", "")


class ThumbButton(Pressable):
    """One picture. A click selects it alone, with Ctrl as well, with Shift up to it."""

    selected = Signal(str, str)
    """Capture id, and how: one, toggle or range."""
    stepped = Signal(int)
    """An arrow key: to the next (1) or the one before (-1)."""
    focus_radius = float(Metric.RADIUS_THUMBNAIL)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", parent)
        self.thumb = Thumb("", 0, _NO_PICTURE, "")
        self._image: QImage | None = None
        self.setCheckable(True)
        self.setProperty("by_arrows", True)  # noqa: FBT003 - Qt's own
        self.setFixedSize(THUMB_SIZE.width() + 4, 86)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def show_thumb(self, thumb: Thumb) -> None:
        """What is known of the picture now."""
        if thumb != self.thumb:
            self.thumb = thumb
            self.setChecked(thumb.selected)
            picture = tr("Picture {n}", n=thumb.number)
            self.setAccessibleName(f"{picture}, {thumb.badge.words}, {thumb.site}")
            self.setToolTip(thumb.site)
            self.update()

    def show_image(self, image: QImage) -> None:
        """The picture itself, made small already."""
        self._image = image
        self.update()

    @property
    def has_image(self) -> bool:
        """Whether its picture is there."""
        return self._image is not None

    def nextCheckState(self) -> None:  # noqa: N802 - Qt's own
        """A click does not check it: the state says what is selected."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        super().mouseReleaseEvent(event)
        if inside and event.button() is Qt.MouseButton.LeftButton:
            how = "one"
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                how = "toggle"
            elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                how = "range"
            self.selected.emit(self.thumb.capture_id, how)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        ahead = Qt.Key.Key_Left if self.rtl else Qt.Key.Key_Right
        back = Qt.Key.Key_Right if self.rtl else Qt.Key.Key_Left
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not control:
            shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            self.selected.emit(self.thumb.capture_id, "range" if shift else "one")
        elif key == ahead:
            self.stepped.emit(1)
        elif key == back:
            self.stepped.emit(-1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        theme = current()
        picture = QRect(2, 2, THUMB_SIZE.width(), THUMB_SIZE.height())
        frame = QPainterPath()
        radius = Metric.RADIUS_THUMBNAIL
        frame.addRoundedRect(QRectF(picture), radius, radius)
        painter.save()
        painter.setClipPath(frame)
        painter.fillRect(picture, theme.live_surround)
        if self._image is not None:
            painter.drawImage(_covering(self._image.size(), picture), self._image)
        painter.restore()
        if (veil := self._veil()) is not None:
            box(painter, picture, radius, fill=veil)
        if self.thumb.selected:
            around = picture.adjusted(-2, -2, 2, 2)
            box(painter, around, radius + 2, outline=theme.accent, width=2)
        number = ChipText(f"{self.thumb.number}", "", Tone.TEXT)
        self._paint_badge(painter, number, top=picture.top() + 4)
        self._paint_badge(painter, self.thumb.badge, top=picture.bottom() + 1 - Metric.BADGE - 4)
        face = font(12, MEDIUM)
        painter.setFont(face)
        painter.setPen(theme.text if self.thumb.selected else theme.text_2)
        site = QFontMetrics(face).elidedText(
            self.thumb.site, Qt.TextElideMode.ElideRight, THUMB_SIZE.width() + 6
        )
        side = Qt.AlignmentFlag.AlignRight if self.rtl else Qt.AlignmentFlag.AlignLeft
        draw_line(painter, QRect(2, 70, THUMB_SIZE.width(), 15), site, side)

    def _paint_badge(self, painter: QPainter, badge: ChipText, *, top: int) -> None:
        width = badge_width(badge)
        left = THUMB_SIZE.width() - 2 - width if self.rtl else 6
        draw_badge(painter, QRect(left, top, width, Metric.BADGE), badge, rtl=self.rtl)


class Filmstrip(QWidget):
    """All pictures in the order in which they were taken; the newest is brought into view."""

    selected = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[ThumbButton] = []
        self._images: dict[str, QImage] = {}  # of deleted ones too: they may come back
        self._empty = ""
        self._offset = 0
        self._before = Button(tr("{n} more", n=99), icon="caret-left", parent=self)
        self._after = Button(tr("{n} more", n=99), icon="caret-right", parent=self)
        self._before.clicked.connect(lambda: self._scroll(-self._room()))
        self._after.clicked.connect(lambda: self._scroll(self._room()))
        for button in (self._before, self._after):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setProperty("by_arrows", True)  # noqa: FBT003 - Qt's own
            button.hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(Metric.FILMSTRIP)
        self.setAccessibleName(tr("Pictures of this patient"))
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the place of its pictures in Tab's order

    @property
    def buttons(self) -> Sequence[ThumbButton]:
        """The pictures, first taken first."""
        return tuple(self._buttons)

    def minimumSizeHint(self) -> QSize:
        return QSize(_PITCH + _INSET, Metric.FILMSTRIP)

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
        button.stepped.connect(lambda step, button=button: self._step(button, step))
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

    def _step(self, button: ThumbButton, step: int) -> None:
        at = self._buttons.index(button) + step
        if 0 <= at < len(self._buttons):
            self._reveal(at)
            self._buttons[at].setFocus(Qt.FocusReason.TabFocusReason)
            self._rove()

    def _room(self) -> int:
        return max(_PITCH, self.width() - 2 * _INSET)

    def _span(self) -> int:
        return len(self._buttons) * _PITCH

    def _scroll(self, by: int) -> None:
        most = max(0, self._span() - self._room())
        self._offset = max(0, min(most, self._offset + by))
        self._lay_out()

    def _reveal(self, at: int) -> None:
        left = at * _PITCH
        if left < self._offset:
            self._scroll(left - self._offset)
        elif left + _PITCH > self._offset + self._room():
            self._scroll(left + _PITCH - self._room() - self._offset)

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
        start = self._before.sizeHint().width() + _INSET + 8 if over and self._offset else 0
        at_end = self._offset >= self._span() - self._room()
        end = self.width() - (self._after.sizeHint().width() + 8 if over and not at_end else 0)
        hidden = [0, 0]
        for place, button in enumerate(self._buttons):
            x = _INSET - 2 + place * _PITCH - self._offset
            before, after = x < start, x + THUMB_SIZE.width() > end
            hidden[0] += before
            hidden[1] += after
            button.move(self.width() - x - button.width() if rtl else x, _TOP - 2)
            button.setVisible(not before and not after)
        for more, count in zip((self._before, self._after), hidden, strict=True):
            self._place_more(more, count, rtl=rtl)

    def _place_more(self, button: Button, count: int, *, rtl: bool) -> None:
        button.setVisible(count > 0)
        words = trn("{n} more", "{n} more", count)
        button.setText(words)
        button.setAccessibleName(words)
        size = button.sizeHint()
        button.resize(size.width(), Metric.TARGET)
        at_left = (button is self._before) is not rtl
        x = _INSET if at_left else self.width() - size.width()
        button.move(x, (THUMB_SIZE.height() - Metric.TARGET) // 2 + _TOP)
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


def _covering(size: QSize, target: QRect) -> QRectF:
    """Where an image is drawn so that it covers the target, cut evenly."""
    if size.isEmpty():
        return QRectF(target)
    scale = max(target.width() / size.width(), target.height() / size.height())
    width, height = size.width() * scale, size.height() * scale
    middle = QRectF(target).center()
    return QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)
