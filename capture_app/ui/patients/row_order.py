"""Which order a row of the worklist stands for, where that needs a word of a person."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capture_app.model.worklist import PatientListEntry
from capture_app.ui.patients.rows import RowKey
from capture_app.ui.services import Services
from capture_app.ui.words.order_words import order_id, order_rows
from capture_app.ui.words.shown import ListRow


class RowOrder(QObject):
    """One question about one row. It ends with `answered` or with `closed`."""

    answered = Signal(object)
    """The Order; None where the person said that there is none."""
    closed = Signal()

    def __init__(
        self,
        services: Services,
        entry: PatientListEntry,
        row: RowKey,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.row = row
        self._orders = {order_id(order): order for order in entry.orders}
        self.rows: tuple[ListRow, ...] = order_rows(
            self._orders.values(), services.devices.chosen, services.clock.now()
        )
        """What may be answered; the last is no order."""

    def answer(self, row_id: str) -> None:
        """One of the rows."""
        self.answered.emit(self._orders.get(row_id))

    def cancel(self) -> None:
        """A person thought better of it."""
        self.closed.emit()
