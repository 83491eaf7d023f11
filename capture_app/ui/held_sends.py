"""The Sends of this user that may still be taken back, wherever the user went meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import shiboken6
from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError, ChangedSinceSeenError
from capture_app.exam.session import Stopped
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.outbox.sealing.seal import Sending
from capture_app.ui.services import Services
from capture_app.ui.tasks import ErrorHandler, Tasks

Answered = Callable[[Sending | Stopped], None]
Undone = Callable[[bool], None]
"""Told whether the pictures are drafts again; False: it was too late."""


@dataclass(frozen=True, slots=True)
class HeldSend:
    """One Send: whose pictures, and which."""

    send_id: str
    exam: Exam
    capture_ids: tuple[str, ...]


class HeldSends(QObject):
    """Sends, remembers what was sent, and takes it back. It outlives the workspace that asks.

    Whether it is too late is decided by the store.
    """

    sent_unseen = Signal(HeldSend)
    """Sent after the workspace that asked for it was left."""
    not_sent_unseen = Signal(str)
    """Not sent, and the workspace that asked for it was left: why."""
    taken_back = Signal(str)
    """The id of a Send that was taken back, here or elsewhere, or for which it was too late."""
    taken_back_unseen = Signal(HeldSend, bool)
    """Whether a Send was taken back, after the workspace that asked for it was left."""
    not_taken_back_unseen = Signal(str)
    """Taking back failed, and the workspace that asked for it was left: why."""

    def __init__(
        self, services: Services, acts: Tasks, operator: Operator, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._acts = acts
        self._operator = operator
        self._sends: list[HeldSend] = []
        self._under_way = 0
        self._take_back_next = False

    @property
    def last(self) -> HeldSend | None:
        """The last Send that was not taken back."""
        return self._sends[-1] if self._sends else None

    def send(
        self,
        exam: Exam,
        work: Callable[[], Sending | Stopped],
        *,
        owner: QObject,
        done: Answered,
        failed: ErrorHandler,
        ended: Callable[[], None],
    ) -> None:
        """Sends by `work`, in the order of all acts on pictures; tells `owner` if it is there."""
        self._under_way += 1

        def answered(answer: Sending | Stopped) -> None:
            if isinstance(answer, Sending):
                self._sends.append(HeldSend(answer.send_id, exam, answer.capture_ids))
            if shiboken6.isValid(owner):
                done(answer)
            elif isinstance(answer, Sending):
                self.sent_unseen.emit(self._sends[-1])
            else:
                self.not_sent_unseen.emit("")
            if isinstance(answer, Sending) and self._take_back_next:
                self._take_back_unseen(self._sends[-1])

        def not_sent(error: CaptureAppError) -> None:
            if shiboken6.isValid(owner):
                failed(error)
            else:
                self.not_sent_unseen.emit(str(error))

        def over() -> None:
            self._under_way -= 1
            self._take_back_next = self._take_back_next and self._under_way > 0
            if shiboken6.isValid(owner):
                ended()

        self._acts.run(work, owner=self, done=answered, failed=not_sent, ended=over)

    def take_back_soon(self) -> bool:
        """Takes back the Send that is under way, once it is sent; False where none is."""
        self._take_back_next = self._under_way > 0
        return self._take_back_next

    def take_back_last(self) -> None:
        """Takes back the Send that is under way, else the last one, and tells it as of a page that
        is gone.
        """
        if not self.take_back_soon() and (last := self.last) is not None:
            self._take_back_unseen(last)

    def _take_back_unseen(self, send: HeldSend) -> None:
        self.take_back(
            send.send_id,
            owner=self,
            done=lambda undone: self.taken_back_unseen.emit(send, undone),
            failed=lambda error: self.not_taken_back_unseen.emit(str(error)),
        )

    def take_back(
        self, send_id: str, *, owner: QObject, done: Undone, failed: ErrorHandler
    ) -> None:
        """Makes drafts of a Send again, if it is still held. Where that fails it can be tried again
        for as long as it is, unless its pictures were called back meanwhile.
        """
        asked = [send for send in self._sends if send.send_id == send_id]
        seen = next((send.capture_ids for send in asked), None)
        self._sends = [send for send in self._sends if send.send_id != send_id]

        def ended(undone: bool) -> None:  # noqa: FBT001 - the answer of a service
            self.taken_back.emit(send_id)
            if shiboken6.isValid(owner):
                done(undone)
            else:
                for send in asked:
                    self.taken_back_unseen.emit(send, undone)

        def not_undone(error: CaptureAppError) -> None:
            if isinstance(error, ChangedSinceSeenError):
                self.taken_back.emit(send_id)
            else:
                self._sends += asked
            if shiboken6.isValid(owner):
                failed(error)
            else:
                self.not_taken_back_unseen.emit(str(error))

        undo = partial(self._services.exams.undo, send_id, self._operator, seen)
        self._acts.run(undo, owner=self, done=ended, failed=not_undone)
