"""Rows to choose one from: 44 px each, arrows and Enter, and a key cap where a key works."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.fonts import REGULAR, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.announce import announce
from capture_app.ui.widgets.list_rows import KEY_LEAD, Index, ListRows, paint_row, spoken
from capture_app.ui.widgets.scroll_bar import ThinScrollBar
from capture_app.ui.words.shown import ListRow

_WHEEL_STEP = 20
"""A third of what one notch of a wheel scrolls, in pixels."""


class ListBox(QListView):
    """Rows of which one may be chosen. The row under the arrows is not chosen until Enter.

    `picked` tells of a row chosen by a click, by Enter or by a screen reader. To a reader it is a
    list: the chosen row is the selected one, the row under the arrows the focused one.
    """

    picked = Signal(str)

    def __init__(
        self, *, row_height: int = Metric.TARGET, with_keys: bool = False, name: str = ""
    ) -> None:
        super().__init__()
        self._list = ListRows(self)
        self._chosen = ""
        self._hover = -1
        self._row_height = row_height
        self._lead = KEY_LEAD if with_keys else 0
        self._empty = ""
        self._telling = False
        self.marks_current = False
        """Whether the arrows' row shows without the focus: a filter above it has the keys."""
        self.setModel(self._list)
        self.setItemDelegate(_RowPainter(self))
        self.setVerticalScrollBar(ThinScrollBar())
        self.setFrameShape(QListView.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(_WHEEL_STEP)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.selectionModel().selectionChanged.connect(self._selected_by_reader)

    # ------------------------------------------------------------------------------ its rows

    @property
    def rows(self) -> tuple[ListRow, ...]:
        """What is listed."""
        return self._list.rows

    @property
    def chosen(self) -> str:
        """The row that is chosen, or an empty string."""
        return self._chosen

    @property
    def current_row(self) -> ListRow | None:
        """The row under the arrows."""
        at = self.currentIndex().row()
        return self.rows[at] if 0 <= at < len(self.rows) else None

    def show_rows(self, rows: Sequence[ListRow], chosen: str, empty: str = "") -> None:
        """Other rows; the chosen one is brought into view when it changes."""
        rows = tuple(rows)
        if (rows, chosen, empty) == (self.rows, self._chosen, self._empty):
            return
        moved = chosen != self._chosen or rows != self.rows
        self._chosen, self._empty, self._hover = chosen, empty, -1
        self._list.show_rows(rows)
        at = next((i for i, row in enumerate(rows) if row.row_id == chosen), -1)
        self._select(at)
        if moved:
            self._go_to(max(0, at))
        self.updateGeometry()
        self.viewport().update()

    def pick_current(self) -> None:
        """Chooses the row under the arrows."""
        row = self.current_row
        if row is not None and row.usable:
            self.picked.emit(row.row_id)

    def move_current(self, step: int) -> None:
        """Moves the arrows' row; it stops at both ends. Read aloud where the keys are elsewhere."""
        if not self.rows:
            return
        self._go_to(max(0, min(len(self.rows) - 1, self.currentIndex().row() + step)))
        elsewhere, row = QApplication.focusWidget(), self.current_row
        if elsewhere is not None and elsewhere is not self and row is not None:
            announce(elsewhere, spoken(row))

    def _go_to(self, at: int) -> None:
        index = self._list.index(at)
        keep = QItemSelectionModel.SelectionFlag.NoUpdate
        self.selectionModel().setCurrentIndex(index, keep)
        self.scrollTo(index)
        self.viewport().update()

    def _select(self, at: int) -> None:
        """Selects the chosen row, for a reader; -1: none."""
        self._telling = True
        try:
            if at < 0:
                self.selectionModel().clearSelection()
            else:
                alone = QItemSelectionModel.SelectionFlag.ClearAndSelect
                self.selectionModel().select(self._list.index(at), alone)
        finally:
            self._telling = False

    def _selected_by_reader(self, selected: QItemSelection, _gone: QItemSelection) -> None:
        if self._telling:
            return
        rows = [index.row() for index in selected.indexes()]
        self._select(next((i for i, row in enumerate(self.rows) if row.row_id == self._chosen), -1))
        if rows and self.rows[rows[0]].usable:
            self.picked.emit(self.rows[rows[0]].row_id)

    # --------------------------------------------------------------------------- its geometry

    @property
    def row_height(self) -> int:
        """Pixels of one row."""
        return self._row_height

    def sizeHint(self) -> QSize:
        return QSize(300, self._row_height * max(1, len(self.rows)))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self._row_height)

    # ------------------------------------------------------------------------- pointer and keys

    def _hover_over(self, at: int) -> None:
        if at != self._hover:
            self._hover = at
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_over(self.indexAt(event.position().toPoint()).row())

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_over(-1)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and index.isValid():
            self._go_to(index.row())
            self.pick_current()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()  # the press did it

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The list's own keys only: a letter is the page's, Page Down is a pedal's."""
        page = max(1, self.height() // self._row_height - 1)
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_Home: -len(self.rows),
            Qt.Key.Key_End: len(self.rows),
        }
        key = Qt.Key(event.key())
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif key in steps:
            self.move_current(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pick_current()
        else:
            event.ignore()

    # ----------------------------------------------------------------------------- its painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.rows or not self._empty:
            super().paintEvent(event)
            return
        painter = QPainter(self.viewport())
        painter.setFont(font(13, REGULAR))
        painter.setPen(current().text_2)
        wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
        painter.drawText(self.viewport().rect().adjusted(12, 12, -12, 0), wrap, self._empty)

    def paint_row(self, painter: QPainter, rect: QRect, at: int) -> None:
        """One row: its ground by what it is, and what stands in it."""
        theme = current()
        row, rtl = self.rows[at], self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        spare = 2 if self.verticalScrollBar().maximum() else 0
        rect = rect.adjusted(spare if rtl else 0, 2, 0 if rtl else -spare, -2)
        is_chosen = row.row_id == self._chosen
        radius = Metric.RADIUS_CONTROL
        if is_chosen:
            box(painter, rect, radius, fill=theme.selected, outline=theme.accent, width=2)
        elif at == self._hover:
            box(painter, rect, radius, fill=theme.hover)
        if at == self.currentIndex().row() and (self.hasFocus() or self.marks_current):
            line = theme.text if self.hasFocus() else theme.outline
            box(painter, rect, radius, fill=theme.hover, outline=line, width=2)
        paint_row(painter, rect, row, is_chosen=is_chosen, lead=self._lead, rtl=rtl)


class _RowPainter(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        view = option.widget
        return QSize(100, view.row_height if isinstance(view, ListBox) else Metric.TARGET)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        view = option.widget
        if isinstance(view, ListBox):
            view.paint_row(painter, QRect(option.rect), index.row())
