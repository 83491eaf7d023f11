"""A scanner that was frozen at its console: its picture is offered by itself, once a freeze."""

from __future__ import annotations

from PySide6.QtCore import QObject

from capture_app.ui.workspace.board import Board
from capture_app.ui.workspace.live import LiveViewModel, Stillness
from capture_app.ui.workspace.live_words import frozen_message
from capture_app.ui.workspace.shutter import Shutter


class FreezeOffer(QObject):
    """Offers the frozen picture of an ultrasound scanner, and takes the offer back as it moves on.

    What was frozen before this exam is not offered: it may show the patient before.
    """

    def __init__(self, board: Board, live: LiveViewModel, shutter: Shutter) -> None:
        super().__init__(board)
        self._board = board
        self._live = live
        self._shutter = shutter
        self._is_offered = False
        live.changed.connect(self._look)
        board.changed.connect(self._look)

    def _look(self) -> None:
        """A message that stands there goes first: the offer waits for its end."""
        offer, message = frozen_message(), self._board.known.message
        if self._live.stillness is not Stillness.FROZEN:
            self._is_offered = False
            if message == offer:
                self._board.message_left()
        elif not self._is_offered and message is None and self._board.known.stop is None:
            self._is_offered = True
            self._board.say(offer, self._shutter.shoot)
