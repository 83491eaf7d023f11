"""A popover: a question with its row, over a scrim that leaves the row bright."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from capture_app.ui.looks.fonts import BOLD
from capture_app.ui.looks.theme import Metric, current, faded
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.widgets.scroll_bar import WIDTH as BAR
from capture_app.ui.widgets.scrolling import ScrollColumn

WIDTH = 560
_ARROW = 9
_ARROW_INSET = 94
_SIDE, _TOP, _BOTTOM, _SPACING = 24, 22, 20, 12
_EDGE = 8


HOST = "popover-host"
"""The object name of the widget that popovers cover."""


def host_of(widget: QWidget) -> QWidget:
    """What a popover of this widget covers: the content of its window."""
    above: QWidget | None = widget
    while above is not None:
        if above.objectName() == HOST:
            return above
        above = above.parentWidget()
    return widget.window()


class Popover(QWidget):
    """Covers its parent: scrim, row cut out, and a raised card with an arrow to the row.

    `body` is laid out under the title. Esc or a press outside asks to close. Tab stays inside.
    """

    reader_role = Role.Dialog
    close_asked = Signal()

    def __init__(self, parent: QWidget, title: str, *, width: int = WIDTH) -> None:
        super().__init__(parent)
        self._host = parent
        self._row = QRect()
        self._card = _CardBox(self)
        self._width = width
        self._card.setFixedWidth(width)
        self.title = Label(title, 16, BOLD, wrap=True)
        self.setAccessibleName(title)
        self._scroll = ScrollColumn()
        self.body = self._scroll.column
        self.body.setSpacing(_SPACING)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(_SIDE, _TOP, _SIDE, _BOTTOM)
        column.setSpacing(_SPACING)
        column.addWidget(self.title)
        column.addWidget(self._scroll, 1)
        self.keep_clear = 0
        """What stands at the upper edge and stays in sight, in pixels; the middle is below it."""
        self._yielding: tuple[QWidget, int, int] | None = None
        self._focus_before: QWidget | None = None
        self._inside = self._scroll.inside
        self._inside.installEventFilter(self)
        parent.installEventFilter(self)
        self.hide()

    @property
    def card(self) -> QWidget:
        """The raised card."""
        return self._card

    def gives_way(self, part: QWidget, *, least: int, most: int) -> None:
        """A part of the body that is `most` high, and lower on a low window, down to `least`: so
        that what is under it is seen without scrolling.
        """
        part.setFixedHeight(most)
        self._yielding = part, least, most

    def set_width(self, width: int) -> None:
        """Another width; with a bar to scroll by where it is too high, it is wider by that."""
        self._width = width
        self.place()

    def show_at(self, row: QRect) -> None:
        """Shows it under a row (in the parent's coordinates), or over it where there is no room.

        An empty rectangle is no row: then it stands in the middle.
        """
        self._focus_before = QApplication.focusWidget()
        self._row = row
        self.setGeometry(self._host.rect())
        self.show()
        self.raise_()
        self.place()

    def place(self) -> None:
        """Places the card anew: its content or the window changed."""
        card = self._card
        card.setFixedWidth(self._width)
        whole, room = self._whole_height(), self.height() - 2 * _EDGE
        if self._yielding is not None:
            part, least, most = self._yielding
            others = whole - part.minimumHeight()
            part.setFixedHeight(max(least, min(most, room - others)))
            whole = self._whole_height()
        if whole > room:
            card.setFixedWidth(min(self._width + BAR, self.width() - 2 * _EDGE))
        card.setFixedHeight(min(whole, room))
        if self._row.isNull():
            middle = (self.height() - card.height()) // 2
            lowest = max(_EDGE, self.height() - card.height() - _EDGE)
            top = min(max(2 * _EDGE, middle, self.keep_clear + _EDGE), lowest)
            corner = QPoint((self.width() - card.width()) // 2, top)
        else:
            rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
            x = self._row.right() - 16 - card.width() if rtl else self._row.left() + 16
            y = self._row.bottom() + _ARROW + 3
            if y + card.height() > self.height() - 8:
                y = self._row.top() - _ARROW - 3 - card.height()
            corner = QPoint(max(16, min(x, self.width() - card.width() - 16)), max(8, y))
        card.move(corner)
        self.update()

    def _whole_height(self) -> int:
        """How high the card is where there is room for all of it; else its body scrolls."""
        inner = self._card.width() - 2 * _SIDE
        body = self.body.totalHeightForWidth(inner)
        if body < 0:  # nothing in it wraps
            body = self.body.totalSizeHint().height()
        # A wrapped label asks for the height that it had in a narrow column; here it is wider.
        self._inside.setMinimumHeight(body)
        return _TOP + self.title.heightForWidth(inner) + _SPACING + body + _BOTTOM

    def show_in_the_middle(self) -> None:
        """Leaves its row: the card has grown too large to stand beside it."""
        self._row = QRect()
        self.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() is QEvent.Type.Resize and self.isVisible():
            self._row = QRect()  # where its row has gone is not known: the middle is always right
            self.setGeometry(self._host.rect())
            self.place()
        elif watched is self._inside and event.type() is QEvent.Type.LayoutRequest:
            self.place()  # what it says has changed, and is measured anew
        return False

    def dismiss(self) -> None:
        """Takes it away for good; the focus goes back to where it was."""
        before, self._focus_before = self._focus_before, None
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        else:
            self._host.setFocus(Qt.FocusReason.PopupFocusReason)
        self.hide()
        self.deleteLater()

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001, N802 - Qt's own
        """Tab goes round inside the card."""
        if not self.isVisible():
            return False
        places = [
            w
            for w in self._card.findChildren(QWidget)
            if w.isVisible() and w.isEnabled() and w.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        if not places:
            return False
        now = QApplication.focusWidget()
        at = places.index(now) if now in places else (-1 if forward else 0)
        step = 1 if forward else -1
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        goal = places[(at + step) % len(places)]
        goal.setFocus(reason)
        self._scroll.reveal(goal)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_asked.emit()
            return
        event.accept()  # nothing behind the scrim gets a key

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._card.geometry().contains(event.position().toPoint()):
            self.close_asked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current()
        veil = QPainterPath()
        veil.addRect(QRectF(self.rect()))
        if not self._row.isNull():
            hole = QPainterPath()
            radius = Metric.RADIUS_CONTROL
            hole.addRoundedRect(QRectF(self._row), radius, radius)
            veil = veil.subtracted(hole)
        painter.fillPath(veil, faded(theme.picture_scrim, theme.popover_scrim_alpha))
        self._paint_card(painter)

    def _paint_card(self, painter: QPainter) -> None:
        theme = current()
        rect = QRectF(self._card.geometry()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(rect, Metric.RADIUS_PANEL, Metric.RADIUS_PANEL)
        if not self._row.isNull():
            x = self._arrow_at(rect)
            below = rect.top() > self._row.bottom()
            edge = rect.top() if below else rect.bottom()
            tip = edge - _ARROW if below else edge + _ARROW
            arrow = QPainterPath()
            arrow.moveTo(QPointF(x - _ARROW, edge))
            arrow.lineTo(QPointF(x, tip))
            arrow.lineTo(QPointF(x + _ARROW, edge))
            arrow.closeSubpath()
            shape = shape.united(arrow)
        painter.setBrush(theme.raised)
        painter.setPen(QPen(theme.outline, 1))
        painter.drawPath(shape)

    def _arrow_at(self, card: QRectF) -> float:
        """Near the leading edge of the card, but always at the row."""
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        x = card.right() - _ARROW_INSET if rtl else card.left() + _ARROW_INSET
        if self._row.left() + _ARROW <= x <= self._row.right() - _ARROW:
            return x
        least = Metric.RADIUS_PANEL + _ARROW
        return max(card.left() + least, min(self._row.center().x(), card.right() - least))


class _CardBox(QWidget):
    """Holds the content; its shape is painted by the popover, arrow and all."""
