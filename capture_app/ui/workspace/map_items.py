"""The regions of a body map as items: for a screen reader, and for the keys.

A map is one picture; a reader needs things with names and places. This list lies over the map,
paints nothing and lets the pointer through: its items are the regions, each where it is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from capture_app.model.procedure import Side
from capture_app.ui.words.shown import Selection
from capture_app.ui.workspace.figure import Touch

_Index = QModelIndex | QPersistentModelIndex
_ASIDE: Final = 3.0
"""How much more a step aside costs than one ahead, for the arrow keys."""


@dataclass(frozen=True, slots=True)
class MapItem:
    """One region: what choosing it means, its words, and where it is drawn in the map."""

    touch: Touch
    words: str
    place: QRectF
    figure: int
    """Which figure of the map it is in, from the left."""


class _Items(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.items: tuple[MapItem, ...] = ()

    def show(self, items: tuple[MapItem, ...]) -> None:
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.items[index.row()].words
        return None


class MapItems(QListView):
    """Arrow keys go from region to region, Enter chooses. `stepped`: another one has the focus."""

    touched = Signal(object)
    """The Touch that was chosen, by Enter or by a screen reader."""
    stepped = Signal()
    shows_own_focus = True

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = _Items(self)
        self._telling = False
        self.setModel(self._model)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setUpdatesEnabled(False)  # the map paints
        self.setFrameShape(QListView.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.selectionModel().selectionChanged.connect(self._selected_by_reader)

    # ------------------------------------------------------------------------- what it shows

    @property
    def items(self) -> tuple[MapItem, ...]:
        """The regions, figure by figure."""
        return self._model.items

    @property
    def focused(self) -> MapItem | None:
        """The region that has the keys; None while the focus is elsewhere."""
        at = self.currentIndex().row()
        return self.items[at] if self.hasFocus() and 0 <= at < len(self.items) else None

    def show_items(self, items: Sequence[MapItem], selection: Selection | None) -> None:
        """The regions of the figures that are drawn, and what of them is chosen."""
        if tuple(items) != self.items:
            self._model.show(tuple(items))
        self.show_selection(selection)

    def show_selection(self, selection: Selection | None) -> None:
        """What is chosen: both limbs where no side is chosen yet, or both are."""
        chosen = QItemSelection()
        for at, item in enumerate(self.items):
            if selection is not None and _is_chosen(item.touch, selection):
                index = self._model.index(at)
                chosen.select(index, index)
        self._telling = True
        try:
            alone = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().select(chosen, alone)
        finally:
            self._telling = False

    def _selected_by_reader(self, selected: QItemSelection, gone: QItemSelection) -> None:
        if self._telling:
            return
        for index in (*selected.indexes(), *gone.indexes()):
            self.touched.emit(self.items[index.row()].touch)
            return

    # ------------------------------------------------------------------------------ geometry

    def visualRect(self, index: _Index) -> QRect:  # noqa: N802 - Qt's own
        """Where a region is drawn: for a reader that outlines what it reads."""
        row = index.row()
        return self.items[row].place.toAlignedRect() if 0 <= row < len(self.items) else QRect()

    def scrollTo(self, index: _Index, hint: Any = None) -> None:  # noqa: N802 - Qt's own
        """All regions are in sight."""

    # ---------------------------------------------------------------------------------- keys

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.stepped.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.stepped.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        key = Qt.Key(event.key())
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif key in ways:
            self._step(*ways[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.focused is not None:
            self.touched.emit(self.focused.touch)
        else:
            event.ignore()

    def _step(self, right: int, down: int) -> None:
        """To the nearest region that way, whichever figure it is in."""
        here = self.focused
        if here is None:
            return
        start = here.place.center()
        best: tuple[float, int] | None = None
        for at, item in enumerate(self.items):
            way = item.place.center() - start
            ahead = way.x() * right + way.y() * down
            aside = abs(way.x() * down) + abs(way.y() * right)
            if ahead > 1 and (best is None or ahead + _ASIDE * aside < best[0]):
                best = (ahead + _ASIDE * aside, at)
        if best is not None:
            keep = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selectionModel().setCurrentIndex(self._model.index(best[1]), keep)
            self.stepped.emit()


def _is_chosen(touch: Touch, selection: Selection) -> bool:
    sides = (None, Side.BOTH, touch.side)
    return touch.key == selection.key and (touch.side is None or selection.side in sides)
