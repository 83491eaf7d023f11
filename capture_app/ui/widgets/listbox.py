"""Rows to choose one from: 44 px each, arrows and Enter, and a key cap where a key works."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from capture_app.ui.looks.drawing import box, draw_icon, draw_line
from capture_app.ui.looks.fonts import MEDIUM, REGULAR, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, faded
from capture_app.ui.widgets.scroll_bar import ThinScrollBar
from capture_app.ui.words.shown import ListRow

_CAP = 22
_BAR = 12


class ListBox(QWidget):
    """Rows of which one may be chosen. The row under the arrows is not chosen until Enter.

    `picked` tells of a row chosen by a click or by Enter.
    """

    picked = Signal(str)
    shows_own_focus = True
    """The row under the arrows is outlined; no ring goes round them all."""

    def __init__(
        self, *, row_height: int = Metric.TARGET, with_keys: bool = False, name: str = ""
    ) -> None:
        super().__init__()
        self._rows: tuple[ListRow, ...] = ()
        self._chosen = ""
        self._current = 0
        self._hover = -1
        self._row_height = row_height
        self._with_keys = with_keys
        self._empty = ""
        self.marks_current = False
        """Whether the arrows' row shows without the focus: a filter above it has the keys."""
        self._bar = ThinScrollBar(self)
        self._bar.valueChanged.connect(lambda _: self.update())
        self._bar.setSingleStep(row_height)
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # ------------------------------------------------------------------------------ its rows

    @property
    def rows(self) -> tuple[ListRow, ...]:
        """What is listed."""
        return self._rows

    @property
    def chosen(self) -> str:
        """The row that is chosen, or an empty string."""
        return self._chosen

    @property
    def current_row(self) -> ListRow | None:
        """The row under the arrows."""
        return self._rows[self._current] if 0 <= self._current < len(self._rows) else None

    def show_rows(self, rows: Sequence[ListRow], chosen: str, empty: str = "") -> None:
        """Other rows; the chosen one is brought into view when it changes."""
        rows = tuple(rows)
        if (rows, chosen, empty) == (self._rows, self._chosen, self._empty):
            return
        moved = chosen != self._chosen or rows != self._rows
        self._rows, self._chosen, self._empty = rows, chosen, empty
        at = next((i for i, row in enumerate(rows) if row.row_id == chosen), -1)
        self._current = max(0, at)
        self._hover = -1
        self._measure()
        if moved:
            self._reveal(self._current)
        self._tell_reader()
        self.update()

    def pick_current(self) -> None:
        """Chooses the row under the arrows."""
        row = self.current_row
        if row is not None and row.usable:
            self.picked.emit(row.row_id)

    def move_current(self, step: int) -> None:
        """Moves the arrows' row; it stops at both ends."""
        if self._rows:
            self._current = max(0, min(len(self._rows) - 1, self._current + step))
            self._reveal(self._current)
            self._tell_reader()
            self.update()

    def _tell_reader(self) -> None:
        row = self.current_row
        words = "" if row is None else ", ".join(filter(None, (row.words, row.note)))
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)
            QAccessible.updateAccessibility(
                QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
            )

    # --------------------------------------------------------------------------- its geometry

    def sizeHint(self) -> QSize:
        return QSize(300, self._row_height * max(1, len(self._rows)))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self._row_height)

    def _measure(self) -> None:
        whole = len(self._rows) * self._row_height
        over = whole - self.height()
        self._bar.setVisible(over > 0)
        self._bar.setRange(0, max(0, over))
        self._bar.setPageStep(self.height())
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        self._bar.setGeometry(0 if rtl else self.width() - _BAR, 0, _BAR, self.height())

    def _row_rect(self, at: int) -> QRect:
        spare = _BAR + 2 if self._bar.maximum() else 0
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        top = at * self._row_height - self._bar.value()
        left = spare if rtl else 0
        return QRect(left, top, self.width() - spare, self._row_height).adjusted(0, 2, 0, -2)

    def _at(self, y: float) -> int:
        at = int((y + self._bar.value()) // self._row_height)
        return at if 0 <= at < len(self._rows) else -1

    def _reveal(self, at: int) -> None:
        top = at * self._row_height
        if top < self._bar.value():
            self._bar.setValue(top)
        elif top + self._row_height > self._bar.value() + self.height():
            self._bar.setValue(top + self._row_height - self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()
        self._reveal(self._current)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self._measure()

    # ------------------------------------------------------------------------- pointer and keys

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._bar.setValue(self._bar.value() - event.angleDelta().y() // 2)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._at(event.position().y())
        if at != self._hover:
            self._hover = at
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = -1
        self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            at = self._at(event.position().y())
            if at >= 0:
                self._current = at
                self.pick_current()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
            return
        page = max(1, self.height() // self._row_height - 1)
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_Home: -len(self._rows),
            Qt.Key.Key_End: len(self._rows),
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.move_current(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pick_current()
        else:
            super().keyPressEvent(event)

    # ----------------------------------------------------------------------------- its painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        if not self._rows and self._empty:
            painter.setFont(font(13, REGULAR))
            painter.setPen(theme.text_2)
            wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
            painter.drawText(self.rect().adjusted(12, 12, -12, 0), wrap, self._empty)
            return
        first = self._bar.value() // self._row_height
        last = (self._bar.value() + self.height()) // self._row_height
        for at in range(max(0, first), min(len(self._rows), last + 1)):
            self._paint_row(painter, at, rtl=rtl)

    def _paint_row(self, painter: QPainter, at: int, *, rtl: bool) -> None:
        theme = current()
        row, rect = self._rows[at], self._row_rect(at)
        is_chosen = row.row_id == self._chosen
        radius = Metric.RADIUS_CONTROL
        if is_chosen:
            box(painter, rect, radius, fill=theme.selected, outline=theme.accent, width=2)
        elif at == self._hover:
            box(painter, rect, radius, fill=theme.hover)
        if at == self._current and (self.hasFocus() or self.marks_current):
            line = theme.text if self.hasFocus() else theme.outline
            box(painter, rect, radius, fill=theme.hover, outline=line, width=2)
        colour = theme.text if row.usable else theme.unavailable
        inner = rect.adjusted(12, 0, -12, 0)
        if row.key:
            cap = _leading(inner, 0, _CAP, rtl=rtl)
            cap.setTop(rect.top() + (rect.height() - _CAP) // 2)
            cap.setHeight(_CAP)
            solid = is_chosen and theme.solid_primary
            fill = theme.accent if solid else faded(theme.text, theme.key_cap_tint)
            box(painter, cap, Metric.RADIUS_KEY, fill=fill)
            painter.setFont(font(12, SEMIBOLD))
            painter.setPen(theme.on_accent if solid else theme.text_2)
            painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, row.key)
        lead = _CAP + 12 if self._with_keys else 0
        tail = 0
        if is_chosen:
            tail = Metric.ICON_SMALL + 8
            mark = _trailing(inner, 0, Metric.ICON_SMALL, rtl=rtl)
            draw_icon(painter, mark, "check-circle", theme.accent, Metric.ICON_SMALL)
        elif row.note:
            painter.setFont(font(12, MEDIUM))
            painter.setPen(theme.text_2)
            width = QFontMetrics(painter.font()).horizontalAdvance(row.note)
            side = Qt.AlignmentFlag.AlignLeft
            draw_line(painter, _trailing(inner, 0, width, rtl=rtl), row.note, side)
            tail = width + 12
        face = font(14, SEMIBOLD if is_chosen or self._with_keys else MEDIUM)
        painter.setFont(face)
        painter.setPen(colour)
        room = inner.width() - lead - tail
        words = QFontMetrics(face).elidedText(row.words, Qt.TextElideMode.ElideRight, room)
        slot = _leading(inner, lead, room, rtl=rtl)
        side = Qt.AlignmentFlag.AlignRight if rtl else Qt.AlignmentFlag.AlignLeft
        draw_line(painter, slot, words, side)


def _leading(rect: QRect, after: int, width: int, *, rtl: bool) -> QRect:
    left = rect.right() + 1 - after - width if rtl else rect.left() + after
    return QRect(left, rect.top(), width, rect.height())


def _trailing(rect: QRect, before: int, width: int, *, rtl: bool) -> QRect:
    return _leading(rect, rect.width() - before - width, width, rtl=rtl)
