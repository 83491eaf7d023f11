"""Purpose, keeping and consent: three choices, filled in by the procedure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from capture_app.model.words import tr
from capture_app.ui.widgets.buttons import ChoiceButton
from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.words.shown import ListRow

PURPOSE, KEEP, CONSENT = "purpose", "keep", "consent"
ORDERS_WIDTH = 800
"""Of a list of orders: their words are the hospital's, and are to be read whole."""
_ROW = 44
_MOST_ROWS = 9


class ListPopover(Popover):
    """A popover with a list to choose one from. `picked` and it is gone."""

    picked = Signal(str)

    def __init__(
        self, host: QWidget, title: str, rows: Sequence[ListRow], chosen: str, *, width: int = 360
    ) -> None:
        super().__init__(host, title, width=width)
        self.list = ListBox(name=title)
        self.list.setFixedHeight(_ROW * max(1, min(_MOST_ROWS, len(rows))))
        self.list.show_rows(rows, chosen)
        self.list.picked.connect(self.picked)
        self.body.addWidget(self.list)

    def show_at(self, row: QRect) -> None:
        super().show_at(row)
        self.list.setFocus(Qt.FocusReason.PopupFocusReason)


class ChoiceRow(QWidget):
    """The three choices side by side. `chosen` tells which of them, and the id of its value."""

    chosen = Signal(str, str)

    def __init__(self, host: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._host = host
        self._rows: Mapping[str, Sequence[ListRow]] = {}
        self._values: Mapping[str, str] = {}
        self._popover: ListPopover | None = None
        self.buttons = {
            PURPOSE: ChoiceButton(tr("Purpose")),
            KEEP: ChoiceButton(tr("Keep in")),
            CONSENT: ChoiceButton(tr("Consent")),
        }
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for name, button in self.buttons.items():
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setMinimumWidth(96)
            button.clicked.connect(lambda _=False, name=name: self._offer(name))
            row.addWidget(button, 1)

    def sizeHint(self) -> QSize:
        return QSize(368, 48)

    def show_choices(
        self, rows: Mapping[str, Sequence[ListRow]], values: Mapping[str, str]
    ) -> None:
        """What may be chosen for each, and the id of what is; empty: not set."""
        self._rows, self._values = rows, values
        for name, button in self.buttons.items():
            named = {row.row_id: row.words for row in rows.get(name, ())}
            button.set_value(named.get(values.get(name, ""), tr("Not set")))

    def _offer(self, name: str) -> None:
        button = self.buttons[name]
        chosen = self._values.get(name, "")
        popover = ListPopover(self._host, button.text(), self._rows.get(name, ()), chosen)
        popover.picked.connect(lambda choice_id: self._pick(name, choice_id))
        popover.close_asked.connect(self._close)
        self._close()
        self._popover = popover
        popover.show_at(QRect(button.mapTo(self._host, QPoint(0, 0)), button.size()))

    def _pick(self, name: str, choice_id: str) -> None:
        self._close()
        self.chosen.emit(name, choice_id)

    def _close(self) -> None:
        popover, self._popover = self._popover, None
        if popover is not None:
            popover.dismiss()
