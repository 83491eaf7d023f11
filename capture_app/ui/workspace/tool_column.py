"""The tools beside the picture: icon over words, on the picture's own dark surround."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from capture_app.ui.looks.drawing import Words, box, draw_icon, draw_run
from capture_app.ui.looks.fonts import SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import Pressable

_WIDTH = 66
_TOOL = QSize(56, 56)
_FOLDED = QSize(56, Metric.TARGET)
_GAP, _MARGIN = 4, 12
_GAP_FOLDED, _MARGIN_FOLDED = 1, 2


class ToolButton(Pressable):
    """A tool, 56 x 56; folded, an icon alone, whose words the tooltip has. A checkable one is
    outlined in the accent while it is on.
    """

    def __init__(self, text: str, icon: str, *, checkable: bool = False) -> None:
        super().__init__(text)
        self._icon = icon
        self.setCheckable(checkable)
        self.setToolTip(text)
        self.setFixedSize(_TOOL)

    def fold(self, folded: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """As high as it must be, where the screen is low."""
        self.setFixedSize(_FOLDED if folded else _TOOL)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current().on_picture
        radius = Metric.RADIUS_CONTROL
        if self.isChecked():
            box(painter, self.rect(), radius, fill=theme.selected, outline=theme.accent, width=2)
        if self.isDown():
            box(painter, self.rect(), radius, fill=theme.pressed)
        elif self.underMouse() and self.isEnabled():
            box(painter, self.rect(), radius, fill=theme.hover)
        is_folded = self.height() < _TOOL.height()
        icon = self.rect() if is_folded else self.rect().adjusted(0, 7, 0, -29)
        label = theme.text if self.isEnabled() else theme.unavailable
        draw_icon(painter, icon, self._icon, label, Metric.ICON)
        if is_folded:
            return
        words = (Words(self.text(), font(12, SEMIBOLD)),)
        draw_run(painter, self.rect().adjusted(0, 30, 0, -6), words, label, rtl=self.rtl)


class ToolColumn(QWidget):
    """Holds the tools from the top on; where they would not fit, without their words, and where
    that is not enough, without the first.
    """

    def __init__(self, tools: tuple[ToolButton, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools = tools
        self._column = column = QVBoxLayout(self)
        for tool in tools:
            column.addWidget(tool)
        column.addStretch(1)
        self._fold(folded=False)
        self.setFixedWidth(_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def _fold(self, *, folded: bool) -> None:
        margin = _MARGIN_FOLDED if folded else _MARGIN
        self._column.setContentsMargins(4, margin, 6, margin)
        self._column.setSpacing(_GAP_FOLDED if folded else _GAP)
        for tool in self._tools:
            tool.fold(folded)

    def offer(self, tool: ToolButton, *, offered: bool) -> None:
        """Whether a tool is there."""
        if tool.isHidden() is offered:
            tool.setVisible(offered)
            self._fit(self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(_WIDTH, _folded_height(len(self._tools) - 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit(event.size().height())

    def _fit(self, height: int) -> None:
        first, *others = self._tools
        there = 1 + sum(not tool.isHidden() for tool in others)
        self._fold(folded=height < there * (_TOOL.height() + _GAP) + 2 * _MARGIN)
        first.setVisible(height >= _folded_height(there))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Round outside only: the picture goes on where it ends."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        whole = QRectF(self.rect())
        radius = float(Metric.RADIUS_PANEL)
        shape = QPainterPath()
        shape.addRoundedRect(whole, radius, radius)
        inner = whole.adjusted(0, 0, -radius, 0) if rtl else whole.adjusted(radius, 0, 0, 0)
        shape.addRect(inner)
        shape.setFillRule(Qt.FillRule.WindingFill)
        painter.fillPath(shape, current().live_surround)


def _folded_height(tools: int) -> int:
    return tools * (_FOLDED.height() + _GAP_FOLDED) + 2 * _MARGIN_FOLDED
