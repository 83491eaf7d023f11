"""One small picture, as the film strip and the contact sheet show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
)
from PySide6.QtWidgets import QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import box, draw_line
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.thumbnails import turned
from capture_app.ui.widgets.buttons import Pressable
from capture_app.ui.widgets.chips import badge_width, draw_badge
from capture_app.ui.words.marks import ChipText, Tone
from capture_app.ui.words.shown import Thumb
from capture_app.ui.words.wording import turn_words

THUMB_WIDTH: Final = 132
THUMB_NARROW: Final = 84
THUMB_HEIGHT: Final = 52
"""How large a thumbnail is drawn, in logical pixels."""
THUMB_BUTTON_HEIGHT: Final = 88
"""With its two lines of words."""
THUMB_FOLDED: Final = 40
"""How high it is drawn where the strip is one row; its words stand beside it, if there is room."""
_FOLDED_PICTURE: Final = 56

_NO_PICTURE = ChipText("", "")
_ARROWS: Final = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
_MIRRORED: Final = {Qt.Key.Key_Left: Qt.Key.Key_Right, Qt.Key.Key_Right: Qt.Key.Key_Left}


class ThumbButton(Pressable):
    """One picture, its number, side and state on it, and under it what it is said to show.

    A click selects it alone, with Ctrl as well, with Shift up to it; Enter does the same. A double
    click opens a clip, and leaves selected what was.
    """

    selected = Signal(str, str)
    """Capture id, and how: one, toggle or range."""
    opened = Signal(str)
    """The capture id of a clip that was double-clicked."""
    moved = Signal(int)
    """An arrow key, as on a page that runs from the left."""
    focus_radius = float(Metric.RADIUS_THUMBNAIL)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", parent)
        self.thumb = Thumb("", 0, _NO_PICTURE, "")
        self._is_opened = False
        self._image: QImage | None = None
        self._turned: QImage | None = None
        """As it is drawn."""
        self.setCheckable(True)
        self.setProperty("by_arrows", True)  # noqa: FBT003 - Qt's own
        self._width = THUMB_WIDTH
        self._folded = False
        self.setFixedSize(THUMB_WIDTH + 4, THUMB_BUTTON_HEIGHT)

    def set_shape(self, *, narrow: bool, folded: bool) -> None:
        """Narrower, so that many are in sight; folded, for a strip of one row."""
        width = THUMB_NARROW if narrow else THUMB_WIDTH
        if (width, folded) != (self._width, self._folded):
            self._width, self._folded = width, folded
            self.setFixedSize(width + 4, THUMB_FOLDED + 4 if folded else THUMB_BUTTON_HEIGHT)
            self.update()

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def show_thumb(self, thumb: Thumb) -> None:
        """What is known of the picture now."""
        if thumb != self.thumb:
            self.thumb = thumb
            self.setChecked(thumb.selected)
            picture = tr("Picture {n}", n=thumb.number)
            if thumb.clip:
                picture = tr("Clip {n}, {length}", n=thumb.number, length=thumb.clip)
            cut = tr("cut off") if thumb.is_partial else ""
            turn = turn_words(thumb.turn)
            said = ", ".join(filter(None, (cut, thumb.procedure, thumb.site, turn)))
            self.setAccessibleName(f"{picture}, {thumb.badge.words}, {said}")
            self.setToolTip(said)
            self._draw_anew()

    def show_image(self, image: QImage) -> None:
        """The picture itself, made small already."""
        self._image = image
        self._draw_anew()

    def _draw_anew(self) -> None:
        image = self._image
        self._turned = None if image is None else turned(image, self.thumb.turn)
        self.update()

    @property
    def has_image(self) -> bool:
        """Whether its picture is there."""
        return self._image is not None

    def nextCheckState(self) -> None:  # noqa: N802 - Qt's own
        """A click does not check it: the state says what is selected."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        if self.thumb.clip and event.button() is Qt.MouseButton.LeftButton:
            self._is_opened = True  # by its second press, whose release selects nothing
            self.selected.emit(self.thumb.capture_id, "one")  # as it was before the first
            self.opened.emit(self.thumb.capture_id)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        super().mouseReleaseEvent(event)
        if self._is_opened:
            self._is_opened = False
            return
        if inside and event.button() is Qt.MouseButton.LeftButton:
            how = "one"
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                how = "toggle"
            elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                how = "range"
            self.selected.emit(self.thumb.capture_id, how)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not control:
            self.selected.emit(self.thumb.capture_id, "range" if shift else "one")
        elif key in _ARROWS:
            self.moved.emit(int(_MIRRORED.get(key, key) if self.rtl else key))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        theme = current()
        picture = self._picture()
        frame = QPainterPath()
        radius = Metric.RADIUS_THUMBNAIL
        frame.addRoundedRect(QRectF(picture), radius, radius)
        painter.save()
        painter.setClipPath(frame)
        painter.fillRect(picture, theme.live_surround)
        if self._turned is not None:
            painter.drawImage(_covering(self._turned.size(), picture), self._turned)
        painter.restore()
        if (veil := self._veil()) is not None:
            box(painter, picture, radius, fill=veil)
        if self.thumb.selected:
            around = picture.adjusted(-2, -2, 2, 2)
            box(painter, around, radius + 2, outline=theme.accent, width=2)
        mark = "play" if self.thumb.clip and self._folded else ""
        number = ChipText(f"{self.thumb.number}", mark, Tone.TEXT)
        self._paint_badge(painter, number, picture, top=picture.top() + 3)
        if self.thumb.side:
            side = ChipText(self.thumb.side, "", Tone.TEXT)
            self._paint_badge(painter, side, picture, top=picture.top() + 3, at_end=True)
        words = QRect(2, THUMB_HEIGHT + 4, self._width, 15)
        step = 14
        if self._folded:
            x = 2 if self.rtl else picture.right() + 7
            words, step = QRect(x, 6, self._width - picture.width() - 6, 15), 16
            if self._width == THUMB_NARROW:
                return  # the tooltip, the reader and the contact sheet say it
        else:
            self._paint_state(painter, picture, top=picture.bottom() + 1 - Metric.BADGE - 3)
        self._paint_line(painter, self.thumb.procedure, words, tone=theme.text_2)
        tone = theme.text if self.thumb.selected else theme.text_2
        self._paint_line(painter, self.thumb.site, words.translated(0, step), tone=tone)

    def _picture(self) -> QRect:
        if not self._folded:
            return QRect(2, 2, self._width, THUMB_HEIGHT)
        width = THUMB_NARROW if self._width == THUMB_NARROW else _FOLDED_PICTURE
        return QRect(self._width + 2 - width if self.rtl else 2, 2, width, THUMB_FOLDED)

    def _paint_line(self, painter: QPainter, words: str, place: QRect, *, tone: QColor) -> None:
        face = font(12, MEDIUM)
        painter.setFont(face)
        painter.setPen(tone)
        shown = QFontMetrics(face).elidedText(words, Qt.TextElideMode.ElideRight, place.width())
        side = Qt.AlignmentFlag.AlignRight if self.rtl else Qt.AlignmentFlag.AlignLeft
        draw_line(painter, place, shown, side)

    def _paint_state(self, painter: QPainter, picture: QRect, *, top: int) -> None:
        """Where it stands; of a clip how long it is, too, which is never cut."""
        room = picture
        if self.thumb.clip:
            cut = self.thumb.is_partial
            icon, tone = ("warning", Tone.WARN) if cut else ("play", Tone.TEXT)
            length = ChipText(self.thumb.clip, icon, tone)
            self._paint_badge(painter, length, picture, top=top, at_end=True)
            taken = badge_width(length) + 4
            room = (
                picture.adjusted(taken, 0, 0, 0) if self.rtl else picture.adjusted(0, 0, -taken, 0)
            )
        badge = self.thumb.badge
        if self.thumb.clip and self._width == THUMB_NARROW:
            badge = replace(badge, words="")
        self._paint_badge(painter, badge, room, top=top)

    def _paint_badge(
        self, painter: QPainter, badge: ChipText, picture: QRect, *, top: int, at_end: bool = False
    ) -> None:
        room, width = picture.width() - 8, badge_width(badge)
        if width > room:  # a long word on a narrow picture
            bare = room - badge_width(replace(badge, words=""))
            metrics = QFontMetrics(font(12, SEMIBOLD))
            words = metrics.elidedText(badge.words, Qt.TextElideMode.ElideRight, bare)
            badge, width = replace(badge, words=words), room
        at_right = at_end is not self.rtl
        left = picture.right() - 3 - width if at_right else picture.left() + 4
        draw_badge(painter, QRect(left, top, width, Metric.BADGE), badge, rtl=self.rtl)


def _covering(size: QSize, target: QRect) -> QRectF:
    """Where an image is drawn so that it covers the target, cut evenly."""
    if size.isEmpty():
        return QRectF(target)
    scale = max(target.width() / size.width(), target.height() / size.height())
    width, height = size.width() * scale, size.height() * scale
    middle = QRectF(target).center()
    return QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)
