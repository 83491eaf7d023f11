"""The rows of a list box: the model that a view and a screen reader read, and how a row looks."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    Qt,
)
from PySide6.QtGui import QFontMetrics, QPainter

from capture_app.ui.looks.drawing import box, draw_icon, draw_line
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, faded
from capture_app.ui.words.shown import ListRow

Index = QModelIndex | QPersistentModelIndex

_CAP = 22


class ListRows(QAbstractListModel):
    """List rows as Qt's views want them. A reader hears the words of a row, and its note."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ListRow, ...] = ()

    @property
    def rows(self) -> tuple[ListRow, ...]:
        """What is listed."""
        return self._rows

    def show_rows(self, rows: tuple[ListRow, ...]) -> None:
        """Other rows. Where they are the same ones in other words, nobody loses his place."""
        if [row.row_id for row in rows] == [row.row_id for row in self._rows]:
            before, self._rows = self._rows, rows
            for at, row in enumerate(rows):
                if row != before[at]:
                    self.dataChanged.emit(self.index(at), self.index(at))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return spoken(row)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        usable = index.isValid() and self._rows[index.row()].usable
        can_be_chosen = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return can_be_chosen if usable else Qt.ItemFlag.NoItemFlags


def spoken(row: ListRow) -> str:
    """A row as it is read aloud."""
    return ", ".join(filter(None, (row.words, row.note)))


def paint_row(
    painter: QPainter, rect: QRect, row: ListRow, *, is_chosen: bool, lead: int, rtl: bool
) -> None:
    """What stands in a row, over its ground: key cap, words from `lead` on, note or mark."""
    theme = current()
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
    face = font(14, SEMIBOLD if is_chosen or lead else MEDIUM)
    painter.setFont(face)
    painter.setPen(colour)
    room = inner.width() - lead - tail
    words = QFontMetrics(face).elidedText(row.words, Qt.TextElideMode.ElideRight, room)
    slot = _leading(inner, lead, room, rtl=rtl)
    side = Qt.AlignmentFlag.AlignRight if rtl else Qt.AlignmentFlag.AlignLeft
    draw_line(painter, slot, words, side)


KEY_LEAD = _CAP + 12
"""Where the words begin in a list whose rows may have a key cap."""


def _leading(rect: QRect, after: int, width: int, *, rtl: bool) -> QRect:
    left = rect.right() + 1 - after - width if rtl else rect.left() + after
    return QRect(left, rect.top(), width, rect.height())


def _trailing(rect: QRect, before: int, width: int, *, rtl: bool) -> QRect:
    return _leading(rect, rect.width() - before - width, width, rtl=rtl)
