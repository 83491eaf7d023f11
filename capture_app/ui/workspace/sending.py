"""Send, Delete, and taking either back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError
from capture_app.exam.session import Stopped
from capture_app.model.delivery import ImageState
from capture_app.model.words import tr, trn
from capture_app.outbox.sealing.seal import Sending
from capture_app.ui.tasks import UnexpectedError
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.workspace import words
from capture_app.ui.workspace.board import Board, trouble
from capture_app.ui.workspace.describing import Describing
from capture_app.ui.workspace.shutter import Shutter
from capture_app.ui.workspace.state import Shot, missing_parts


@dataclass(frozen=True, slots=True)
class _Undoable:
    shots: tuple[Shot, ...]
    send_id: str = ""
    """Empty for a Delete."""


class SendingActs(QObject):
    """All drafts go, or none: then it says what is missing, and leads there."""

    needed = Signal(str)
    """Send stopped: the MissingPart whose control takes the focus."""

    def __init__(self, board: Board, describing: Describing, shutter: Shutter) -> None:
        super().__init__(board)
        self._board = board
        self._describing = describing
        self._shutter = shutter
        self._undoables: list[_Undoable] = []

    def send(self) -> None:
        """Sends all drafts; pictures on their way to the disk are waited for."""
        self._shutter.when_kept(self._send)

    def _send(self) -> None:
        board = self._board
        seen = {shot.capture_id: shot.description for shot in board.known.drafts}
        if not seen or board.known.sending:
            return
        if missing_parts(board.known):
            self._stop()
            return
        board.show(sending=True, message=None)
        send, exam = board.services.exams.send, board.exam
        board.acts.run(
            lambda: send(exam, seen),
            owner=self,
            done=self._sent,
            failed=self._not_sent,
            ended=lambda: board.show(sending=False),
        )

    def _stop(self) -> None:
        self._board.show(stopped=True, message=None)
        drafts = self._board.known.drafts
        wanting = [shot.capture_id for shot in drafts if words.missing_of(shot.description)]
        self._describing.select(wanting)
        self.lead()

    def lead(self) -> None:
        """Leads to the first control that holds up sending."""
        if parts := missing_parts(self._board.known):
            self.needed.emit(parts[0].value)

    def _sent(self, answer: Sending | Stopped) -> None:
        board = self._board
        if isinstance(answer, Stopped):  # what is on the disk says less than was thought
            board.say(trouble(tr("Nothing was sent. Some pictures are not described yet.")))
            board.reload_needed.emit()
            return
        sent = tuple(s for s in board.known.drafts if s.capture_id in answer.capture_ids)
        board.change(answer.capture_ids, lambda shot: replace(shot, state=ImageState.HELD))
        board.show(selected=frozenset(), stopped=False)
        self._undoables.append(_Undoable(sent, answer.send_id))
        board.say(words.sent_message(len(sent), board.exam), self.undo)

    def _not_sent(self, error: CaptureAppError) -> None:
        if isinstance(error, UnexpectedError):
            what = tr("Look at the pictures: those not marked as sent are still drafts.")
            self._board.say(Message(what, error.what, "warning-circle", Tone.BAD))
        else:
            self._board.say(trouble(tr("Nothing was sent. {reason}", reason=str(error))))
        self._board.reload_needed.emit()

    def delete(self) -> None:
        """Takes the selected drafts away, else the newest; undo brings them back."""
        board = self._board
        gone = board.known.chosen or board.known.drafts[-1:]
        if not gone:
            return
        seen = {shot.capture_id: shot.kept for shot in gone}
        left = tuple(shot for shot in board.known.shots if shot not in gone)
        board.show(shots=left, selected=frozenset())
        self._undoables.append(_Undoable(gone))
        board.say(words.deleted_message(len(gone)), self.undo)
        board.do(partial(board.services.exams.delete, seen, board.operator))
        self._describing.end_stop()

    def forget(self) -> None:
        """What was done cannot be taken back any more: the exam is another one."""
        self._undoables.clear()

    def undo(self) -> None:
        """Takes back the last Delete or Send."""
        if not self._undoables:
            return
        last = self._undoables.pop()
        board = self._board
        if not last.send_id:
            seen = {shot.capture_id: shot.kept for shot in last.shots}
            restore = partial(board.services.exams.restore, seen, board.operator)
            board.do(restore, lambda: self._restored(last.shots))
            return
        undo = partial(board.services.exams.undo, last.send_id, board.operator)
        board.acts.run(
            undo,
            owner=self,
            done=lambda undone: self._unsent(last.shots, undone=undone),
            failed=self._not_undone,
        )

    def _restored(self, shots: Sequence[Shot]) -> None:
        known = {shot.capture_id for shot in self._board.known.shots}
        lost = (shot for shot in shots if shot.capture_id not in known)
        back = sorted((*self._board.known.shots, *lost), key=lambda shot: shot.number)
        self._board.show(shots=tuple(back), message=None)

    def _unsent(self, shots: Sequence[Shot], *, undone: bool) -> None:
        if not undone:
            self._board.say(trouble(tr("Too late to undo: the pictures are on their way.")))
            return
        ids = [shot.capture_id for shot in shots]
        self._board.change(ids, lambda shot: replace(shot, state=ImageState.DRAFT))
        n = len(shots)
        what = trn("{n} picture is a draft again.", "{n} pictures are drafts again.", n)
        self._board.say(Message(what, "", "arrow-u-up-left"))

    def _not_undone(self, error: CaptureAppError) -> None:
        self._board.say(trouble(str(error)))
        self._board.reload_needed.emit()
