"""The list of patients: 48 px rows in fixed columns, one of them marked by the keyboard."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QEnterEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.fonts import MEDIUM, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.patients.row_text import Columns, RowText
from capture_app.ui.patients.rows import PatientRow, RowKey
from capture_app.ui.widgets.scroll_bar import ThinScrollBar

_Index = QModelIndex | QPersistentModelIndex
_ROW_ROLE = Qt.ItemDataRole.UserRole


class PatientListModel(QAbstractListModel):
    """The rows, for the view and for a screen reader."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[PatientRow, ...] = ()

    @property
    def rows(self) -> tuple[PatientRow, ...]:
        """The rows as shown."""
        return self._rows

    def show_rows(self, rows: tuple[PatientRow, ...]) -> None:
        """Other rows. Where they are the same ones in other words, nobody loses his place."""
        if [row.key for row in rows] == [row.key for row in self._rows]:
            before, self._rows = self._rows, rows
            for at, row in enumerate(rows):
                if row != before[at]:
                    self.dataChanged.emit(self.index(at), self.index(at))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if role == _ROW_ROLE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.spoken
        return None


class _RowPainter(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, Metric.ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        view = option.widget
        if not isinstance(view, PatientListView):
            return
        rect = QRect(option.rect)
        view.paint_row(painter, rect, index.row())


class PatientListView(QListView):
    """The list. It asks, and its page answers: a row to be opened, a step with the arrows."""

    asked = Signal(object)
    """A row was pressed and let go: its RowKey."""
    chosen = Signal(object)
    """A screen reader marks this row: its RowKey."""
    stepped = Signal(int)
    """Rows to move by, for the arrow keys."""
    entered = Signal()
    """Enter: the marked row is to be opened."""
    pointed = Signal(bool)
    """Whether the pointer is over the rows: then they must not move."""
    widened = Signal(int)
    """How wide the rows are by now: a scroll bar takes some of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = PatientListModel(self)
        self.setModel(self._rows)
        self.setItemDelegate(_RowPainter(self))
        self.setFrameShape(QListView.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setVerticalScrollBar(ThinScrollBar())
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.selectionModel().selectionChanged.connect(self._selected_by_reader)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(tr("Patients"))
        self.verticalScrollBar().setSingleStep(Metric.ROW)
        self._telling = False
        self._is_on_screen = False
        self._shown: tuple[tuple[PatientRow, ...], RowKey | None] = ((), None)
        self._marked: RowKey | None = None
        self._pressed: RowKey | None = None
        self._hovered = -1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.widened.emit(self.viewport().width())

    # ------------------------------------------------------------------ what it shows

    def show_rows(self, rows: tuple[PatientRow, ...], marked: RowKey | None) -> None:
        """Other rows, or another mark; the scroll position stays."""
        self._shown = rows, marked
        if not self._is_on_screen:
            return
        if rows != self._rows.rows:
            at = self.verticalScrollBar().value()
            self._rows.show_rows(rows)
            self.verticalScrollBar().setValue(at)
            self._hovered = -1
        moved, self._marked = marked != self._marked, marked
        index = self._rows.index(self._row_of(marked))
        if index != self.currentIndex():
            keep = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selectionModel().setCurrentIndex(index, keep)
        self._select(index)
        if moved and index.isValid():
            self.scrollTo(index)
        self.viewport().update()

    def _select(self, index: QModelIndex) -> None:
        """Selects the marked row, for a reader."""
        alone = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self._telling = True
        try:
            self.selectionModel().select(index, alone)
        finally:
            self._telling = False

    def _selected_by_reader(self, selected: QItemSelection, _gone: QItemSelection) -> None:
        if not self._telling and selected.indexes():
            self.chosen.emit(self._rows.rows[selected.indexes()[0].row()].key)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._is_on_screen = True
        self.show_rows(*self._shown)

    def hideEvent(self, event: QHideEvent) -> None:
        """A screen reader meets no patients behind another page or a lock."""
        super().hideEvent(event)
        self._is_on_screen = False
        self._rows.show_rows(())

    def rect_of(self, key: RowKey) -> QRect:
        """Where a row is, in the list's own coordinates; null where it is not shown."""
        row = self._row_of(key)
        if row < 0:
            return QRect()
        rect = self.visualRect(self._rows.index(row))
        return rect.translated(self.viewport().pos()).adjusted(8, 2, -8, -3)

    def _row_of(self, key: RowKey | None) -> int:
        return next((i for i, row in enumerate(self._rows.rows) if row.key == key), -1)

    # ------------------------------------------------------------------ what it is told

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, self.viewport().height() // Metric.ROW - 1)
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -len(self._rows.rows),
            Qt.Key.Key_End: len(self._rows.rows),
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.stepped.emit(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self.entered.emit()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = self._key_at(event)
            self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()  # its first click has opened the row

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        self.viewport().update()
        if pressed is not None and self._key_at(event) == pressed:
            self.asked.emit(pressed)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self.indexAt(event.position().toPoint()).row()
        if row != self._hovered:
            self._hovered = row
            self.viewport().update()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.pointed.emit(True)  # noqa: FBT003 - a signal has no keywords

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = -1
        self.viewport().update()
        self.pointed.emit(False)  # noqa: FBT003 - a signal has no keywords

    def _key_at(self, event: QMouseEvent) -> RowKey | None:
        index = self.indexAt(event.position().toPoint())
        return self._rows.rows[index.row()].key if index.isValid() else None

    # ------------------------------------------------------------------ how a row looks

    def paint_row(self, painter: QPainter, rect: QRect, at: int) -> None:
        """One row. The mark of the keyboard: fill, and 2 px of accent, inset 8."""
        theme = current()
        row = self._rows.rows[at]
        inset = rect.adjusted(8, 2, -8, -3)
        if row.key == self._marked:
            fill = theme.selected
            box(painter, inset, Metric.RADIUS_CONTROL, fill=fill, outline=theme.accent, width=2)
        elif row.key == self._pressed:
            box(painter, inset, Metric.RADIUS_CONTROL, fill=theme.pressed)
        elif at == self._hovered:
            box(painter, inset, Metric.RADIUS_CONTROL, fill=theme.hover)
        line = rect.adjusted(16, rect.height() - 1, -16, 0)
        painter.fillRect(line, theme.hairline)
        columns = Columns.across(rect.width())
        RowText(painter, rect, columns, rtl=self._rtl).paint(row)

    @property
    def _rtl(self) -> bool:
        return self.layoutDirection() is Qt.LayoutDirection.RightToLeft


class ListHeader(QWidget):
    """The titles of the columns. Not to be pressed: the order is the census's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(36)
        self._record = tr("MRN")
        self._rows_width = 0

    @property
    def columns(self) -> Columns:
        """Where its titles begin."""
        return Columns.across(self._rows_width)

    def show_rows_width(self, width: int) -> None:
        """How wide the rows are whose columns these are."""
        self._rows_width = width
        self.update()

    def show_record_label(self, label: str) -> None:
        """What the number's column is called: with its issuer where all rows share one."""
        if label != self._record:
            self._record = label
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        columns = self.columns
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        text = RowText(painter, self.rect().adjusted(0, 4, 0, 0), columns, rtl=rtl)
        heading = font(12, MEDIUM)
        for left, right, words in (
            (columns.name, columns.born, tr("Name")),
            (columns.born, columns.sex, tr("Born")),
            (columns.sex, columns.record, tr("Sex")),
            (columns.record, columns.place, self._record),
            (columns.place, columns.note, tr("Place")),
            (columns.note, columns.end, tr("Last pictures") if columns.has_note else ""),
        ):
            text.cell(left, right - 8, words, heading, theme.text_2)
        painter.fillRect(16, self.height() - 1, self.width() - 32, 1, theme.hairline)
