"""The order that the pictures are for: none is used by itself, and one act uses what is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from capture_app.exam.doubted_orders import WithoutOrder
from capture_app.exam.orders import prefilled
from capture_app.model.exam import Exam
from capture_app.model.procedure import Description
from capture_app.model.words import tr
from capture_app.ui.words.order_words import NO_ORDER, listed_orders, order_id, order_rows
from capture_app.ui.words.shown import ListRow
from capture_app.ui.workspace import whose_words
from capture_app.ui.workspace.board import Board, panels_of, trouble
from capture_app.ui.workspace.shutter import Shutter


class Ordering(QObject):
    """Follows the patient's orders in the list, and begins the exam anew when one is chosen."""

    began = Signal()
    """The exam of the board is another one: same patient, another order or none."""

    def __init__(self, board: Board, shutter: Shutter) -> None:
        super().__init__(board)
        self._board = board
        self._shutter = shutter
        services, tasks = board.services, board.tasks
        self._leave: Callable[[], None] = services.census.on_change(
            lambda: tasks.post(self, self._read)
        )

    def close(self) -> None:
        """Ends the listening."""
        self._leave()

    def _read(self) -> None:
        self._board.show(orders=listed_orders(self._board.services.census, self._board.exam))

    @property
    def chosen(self) -> str:
        """The row of the order in use."""
        return order_id(self._board.exam.order)

    def rows(self) -> tuple[ListRow, ...]:
        """What may be chosen: what is offered, what is in use, and no order."""
        known, used = self._board.known, self._board.exam.order
        orders = known.offers if used is None else dict.fromkeys((used, *known.offers))
        return order_rows(orders, known.device, self._board.services.clock.now())

    def choose(self, row_id: str) -> None:
        """Uses an order from now on, or none. Not after the first picture, and not twice."""
        board = self._board
        if row_id == self.chosen or board.known.ordering:
            return
        order = next((o for o in board.known.offers if order_id(o) == row_id), None)
        if order is None and row_id != NO_ORDER:
            board.say(trouble(tr("This order is not in the list any more.")))
            return
        if not board.known.order_is_open:
            board.say(trouble(tr("Pictures were taken already: their order stays as it is.")))
            return
        self._shutter.hold()
        board.show(ordering=True, message=None)
        choose = partial(board.services.exams.choose_order, board.exam, order, board.known.orders)
        board.acts.run(
            choose,
            owner=self,
            done=self._chosen,
            failed=lambda error: board.say(trouble(str(error))),
            ended=self._ended,
        )

    def _chosen(self, exam: Exam) -> None:
        board = self._board
        board.show(exam=exam)  # first: it is the one that takes pictures, whatever else fails
        if exam.order is not None and board.known.panels.chosen == Description():
            # Nobody chose anything yet: the panels say what this order says.
            said = prefilled(exam.order, board.known.device, board.services.catalog)
            board.show(panels=panels_of(said, board.services.catalog), prefilled=said)
        self.began.emit()

    def leave(self, earlier: Iterable[str]) -> None:
        """Goes on without an order that is in doubt; so do the drafts of those earlier exams."""
        board = self._board
        if board.known.ordering:
            return
        self._shutter.when_kept(partial(self._leave_order, tuple(earlier)))

    def _leave_order(self, earlier: Sequence[str]) -> None:
        board = self._board
        self._shutter.hold()
        board.acts_begun += 1
        board.show(ordering=True, message=None)
        board.acts.run(
            partial(board.services.exams.leave_order, board.exam, earlier, board.operator),
            owner=self,
            done=self._order_left,
            failed=lambda error: board.say(trouble(str(error))),
            ended=self._ended,
        )

    def _order_left(self, left: WithoutOrder) -> None:
        board = self._board
        board.show(exam=left.exam)
        self.began.emit()
        board.say(whose_words.order_left_message(len(left.capture_ids), left.stayed))
        board.reload_needed.emit()

    def _ended(self) -> None:
        try:
            self._board.show(ordering=False)
        finally:
            self._shutter.go_on()
