"""Send, Delete, and taking either back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError, ChangedSinceSeenError
from capture_app.exam.session import Stopped
from capture_app.model.delivery import ImageState
from capture_app.model.words import tr
from capture_app.outbox.keeping.drafts import not_yours
from capture_app.outbox.sealing.seal import Sending
from capture_app.ui.held_sends import HeldSends
from capture_app.ui.tasks import UnexpectedError
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.words.send_words import (
    drafts_again_message,
    not_sent_message,
    sent_message,
    too_late_message,
)
from capture_app.ui.workspace import words
from capture_app.ui.workspace.as_shown import as_shown
from capture_app.ui.workspace.board import Board, Undoable, trouble
from capture_app.ui.workspace.describing import Describing
from capture_app.ui.workspace.shutter import Shutter
from capture_app.ui.workspace.state import SendStop, Shot, in_order, missing_parts
from capture_app.ui.workspace.whose import Whose

_READ_WITHIN_S: Final = 1.0


class SendingActs(QObject):
    """All drafts go, or none: then it says what is missing, and leads there."""

    needed = Signal(str)
    """Send stopped: the MissingPart whose control takes the focus."""
    asked = Signal()
    """Send stopped: the panels and the newest pictures differ; a person says which holds."""

    def __init__(
        self,
        board: Board,
        describing: Describing,
        shutter: Shutter,
        held: HeldSends,
        whose: Whose,
    ) -> None:
        super().__init__(board)
        self._board = board
        self._describing = describing
        self._shutter = shutter
        self._held = held
        held.taken_back.connect(self._taken_back_elsewhere)
        self._whose = whose
        self._asked_at = float("-inf")

    def send(self) -> None:
        """Sends all drafts; pictures on their way to the disk are waited for."""
        self._shutter.when_kept(self._send)

    def _send(self) -> None:
        board = self._board
        if not board.known.drafts or board.known.sending:
            return
        if self._may_go():
            self._whose.when_sure(self._go)

    def _may_go(self) -> bool:
        """Whether nothing holds up sending; else it says what does."""
        known = self._board.known
        if missing_parts(known):
            self._stop()
        elif known.staying and not (known.stop is SendStop.DIFFERS and self._could_be_read()):
            self._ask()
        else:  # asked again is an answer, too: what the pictures say holds
            return True
        return False

    def _could_be_read(self) -> bool:
        """Whether the question has been there for a moment: a double click is no answer to it."""
        return self._board.services.clock.monotonic() - self._asked_at >= _READ_WITHIN_S

    def _go(self) -> None:
        board = self._board
        # Looked at again: while it was asked who is there, the work went on.
        if board.known.sending or not board.known.drafts or not self._may_go():
            return
        seen = {shot.capture_id: shot.description for shot in board.known.drafts}
        in_words = as_shown(board.known)
        board.show(sending=frozenset(seen), stop=None, touched=frozenset(), message=None)
        send, exam, shown = board.services.exams.send, board.exam, board.known.standing.patient
        self._held.send(
            replace(exam, patient=shown),
            lambda: send(exam, seen, shown=shown, in_words=in_words),
            owner=self,
            done=self._sent,
            failed=self._not_sent,
            ended=lambda: board.show(sending=frozenset()),
        )

    def _stop(self) -> None:
        self._board.show(stop=SendStop.MISSING, message=None)
        self._describing.select_wanting()
        self.lead()

    def _ask(self) -> None:
        """Once: the panels were changed since the last picture, and say otherwise than it does."""
        if self._board.known.stop is not SendStop.DIFFERS:
            self._asked_at = self._board.services.clock.monotonic()
        self._board.show(stop=SendStop.DIFFERS, message=None)
        self.asked.emit()

    def change_staying(self) -> None:
        """An answer: the pictures become as the panels say, and go."""
        if self._board.known.stop is SendStop.DIFFERS:
            self._describing.change_staying()
            self.send()

    def keep(self) -> None:
        """The other answer: the pictures stay as they are, and go."""
        if self._board.known.stop is SendStop.DIFFERS:
            self._asked_at = float("-inf")
            self.send()

    def lead(self) -> None:
        """Leads to the first control that holds up sending."""
        if parts := missing_parts(self._board.known):
            self.needed.emit(parts[0].value)

    def _sent(self, answer: Sending | Stopped) -> None:
        board = self._board
        if isinstance(answer, Stopped):  # what is on the disk says less than was thought
            board.say(not_sent_message(""))
            board.reload_needed.emit()
            return
        n, send_id = len(answer.capture_ids), answer.send_id
        board.change(answer.capture_ids, lambda shot: replace(shot, state=ImageState.HELD))
        board.show(selected=frozenset())
        whose = replace(board.exam, patient=board.known.standing.patient)
        self._offer_undo(answer.capture_ids, send_id)
        board.say(sent_message(n, whose), board.undo)

    def _offer_undo(self, capture_ids: Sequence[str], send_id: str) -> None:
        take_back = partial(self._take_back, capture_ids, send_id)
        self._board.undoables.append(Undoable(tr("Send"), take_back, send_id))

    def _not_sent(self, error: CaptureAppError) -> None:
        if isinstance(error, UnexpectedError):
            what = tr("Look at the pictures: those not marked as sent are still drafts.")
            self._board.say(Message(what, error.what, "warning-circle", Tone.BAD))
        else:
            self._board.say(not_sent_message(str(error)))
        self._board.reload_needed.emit()

    def delete(self) -> None:
        """Takes the selected drafts away, else the newest; undo brings them back. Says so where
        somebody else took one, and the roles of who is signed in do not allow that.
        """
        board = self._board
        gone = board.known.to_delete
        if not gone or self._describing.let_go_of_lost():
            return
        if not board.known.may_delete:
            board.say(trouble(str(not_yours())))
            return
        seen = {shot.capture_id: shot.kept for shot in gone}
        left = tuple(shot for shot in board.known.shots if shot not in gone)
        board.show(shots=left, selected=frozenset())
        message = words.deleted_message(len(gone))
        board.undoables.append(Undoable(message.what, partial(self._restore, gone)))
        board.say(message, board.undo)
        board.do(partial(board.services.exams.delete, seen, board.operator))
        self._describing.end_stop()

    def forget(self) -> None:
        """What was done cannot be taken back any more: the exam is another one."""
        self._board.undoables.clear()

    def _taken_back_elsewhere(self, send_id: str) -> None:
        undoables = self._board.undoables
        undoables[:] = [one for one in undoables if one.send_id != send_id]

    def _restore(self, shots: Sequence[Shot]) -> None:
        board = self._board
        seen = {shot.capture_id: shot.kept for shot in shots}
        restore = partial(board.services.exams.restore, seen, board.operator)
        board.do(restore, lambda: self._restored(shots))

    def _restored(self, shots: Sequence[Shot]) -> None:
        known = {shot.capture_id for shot in self._board.known.shots}
        lost = (shot for shot in shots if shot.capture_id not in known)
        self._board.show(shots=in_order((*self._board.known.shots, *lost)), message=None)

    def _take_back(self, capture_ids: Sequence[str], send_id: str) -> None:
        self._held.take_back(
            send_id,
            owner=self,
            done=lambda undone: self._taken_back(capture_ids, undone=undone),
            failed=lambda error: self._not_taken_back(capture_ids, send_id, error),
        )

    def _taken_back(self, capture_ids: Sequence[str], *, undone: bool) -> None:
        if not undone:
            self._board.say(too_late_message())
            return
        self._board.change(capture_ids, lambda shot: replace(shot, state=ImageState.DRAFT))
        self._board.say(drafts_again_message(len(capture_ids), self._board.exam))

    def _not_taken_back(
        self, capture_ids: Sequence[str], send_id: str, error: CaptureAppError
    ) -> None:
        if isinstance(error, ChangedSinceSeenError):  # called back meanwhile: nothing is left of it
            self._board.say(trouble(str(error)))
        else:  # the hold may still run: it can be tried again
            self._offer_undo(capture_ids, send_id)
            self._board.say(trouble(str(error)), self._board.undo)
        self._board.reload_needed.emit()
