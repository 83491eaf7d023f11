"""A slate of the open patient, for a camera with a card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from capture_app.exam.cards import code_of
from capture_app.model.slate import Slate
from capture_app.ui.workspace.board import Board, trouble

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Slating(QObject):
    """Makes a slate of the open exam, and its code at each moment."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board

    @property
    def is_offered(self) -> bool:
        """Whether a card or folder is set up that its pictures can come from."""
        return bool(self._board.services.settings.cards)

    def make(self, then: Callable[[Slate], None]) -> None:
        """A new slate, to `then`; nothing where no card is set up."""
        board = self._board
        cards, exam, operator = board.services.cards, board.exam, board.operator
        if self.is_offered:
            board.tasks.run(
                lambda: cards.show(exam, operator),
                owner=self,
                done=then,
                failed=lambda error: board.say(trouble(str(error))),
            )

    def code(self, slate: Slate, *, closes: bool) -> NDArray[np.bool_]:
        """Its code now, (modules, modules), True is dark: the camera's clock is measured by it."""
        from capture_app.imaging.codes import matrix_of  # noqa: PLC0415 - not before it is needed

        return matrix_of(code_of(slate, self._board.services.clock.now(), closes=closes).text)
