"""What the banner says of orders, and the one press that uses the one on offer."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from capture_app.ui.looks.drawing import Mark, Words, box, draw_run
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import Pressable
from capture_app.ui.words.shown import OrderShown

ORDER_WIDEST = 232
_PADDING = 11
_GAP = 8


class OrderButton(Pressable):
    """Two lines: what a press does or what is in use, over what the order is. Hidden without one.

    The words are the hospital's and may be long: they are cut at the end, and the tooltip has them
    whole. `is_whole` tells whether a person could read all of them before pressing.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setFixedHeight(Metric.PRIMARY)
        self._shown: OrderShown | None = None
        self._widest = ORDER_WIDEST
        self.hide()

    @property
    def shown(self) -> OrderShown | None:
        """What it says."""
        return self._shown

    @property
    def is_whole(self) -> bool:
        """Whether nothing of its words is cut."""
        return self._natural() <= self.width()

    def show_order(self, shown: OrderShown | None) -> None:
        """Other words; None hides it."""
        if shown == self._shown:
            return
        self._shown = shown
        self.setVisible(shown is not None)
        if shown is not None:
            self.setEnabled(shown.usable)
            self.setAccessibleName(shown.whole)
            self.setToolTip(shown.whole)
        self.updateGeometry()
        self.update()

    def _lists(self) -> bool:
        shown = self._shown
        return shown is not None and shown.usable and not shown.at_once

    def _natural(self) -> int:
        shown = self._shown
        if shown is None:
            return 0
        label = QFontMetrics(_label_font()).horizontalAdvance(shown.label)
        value = QFontMetrics(_value_font()).horizontalAdvance(shown.value)
        mark = Metric.ICON_SMALL + _GAP if shown.warns else 0
        caret = Metric.ICON_SMALL + _GAP if self._lists() else 0
        return max(label, value + mark) + caret + 2 * _PADDING + 2

    def set_widest(self, width: int) -> None:
        """How much room its words may take."""
        if width != self._widest:
            self._widest = width
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(min(self._natural(), self._widest), Metric.PRIMARY)

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self._shown
        if shown is None:
            return
        painter = QPainter(self)
        theme = current()
        usable = self.isEnabled()
        outline = theme.outline if usable else theme.hairline
        fill = theme.control if usable else None
        box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=fill, outline=outline)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=veil)
        inner = self.rect().adjusted(_PADDING, 5, -_PADDING, -5)
        if self._lists():
            caret = (Mark("caret-down", Metric.ICON_SMALL),)
            end = Qt.AlignmentFlag.AlignRight
            draw_run(painter, inner, caret, theme.text_2, rtl=self.rtl, align=end)
            taken = Metric.ICON_SMALL + _GAP
            inner.adjust(taken if self.rtl else 0, 0, 0 if self.rtl else -taken, 0)
        half = inner.height() // 2
        top, bottom = inner.adjusted(0, 0, 0, -half), inner.adjusted(0, half, 0, 0)
        leading = Qt.AlignmentFlag.AlignLeft
        label = _cut(shown.label, _label_font(), inner.width())
        draw_run(painter, top, (label,), theme.text_2, rtl=self.rtl, align=leading)
        room = inner.width()
        if shown.warns:
            room -= Metric.ICON_SMALL + _GAP
            value = _cut(shown.value, _value_font(), room)
            pieces = (Mark("warning", Metric.ICON_SMALL), value)
            draw_run(painter, bottom, pieces, theme.warn, rtl=self.rtl, align=leading)
        else:
            value = _cut(shown.value, _value_font(), room)
            draw_run(painter, bottom, (value,), theme.text, rtl=self.rtl, align=leading)


def _label_font() -> QFont:
    return font(12, MEDIUM)


def _value_font() -> QFont:
    return font(13, SEMIBOLD)


def _cut(text: str, its_font: QFont, room: int) -> Words:
    cut = QFontMetrics(its_font).elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))
    return Words(cut, its_font)
