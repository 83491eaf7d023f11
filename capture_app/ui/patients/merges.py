"""Settling a merge of the feed that was refused: a person says that it was dealt with."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError
from capture_app.model.operator import Act, Operator, may
from capture_app.model.words import tr
from capture_app.patients.census.status import WaitingMerge
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Message, Tone


class MergeSettling(QObject):
    """The act, for the user who is signed in. The page asks before it."""

    told = Signal(object)
    """A Message."""

    def __init__(
        self, services: Services, tasks: Tasks, operator: Operator, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._operator = operator

    @property
    def may_settle(self) -> bool:
        """Whether the roles of the user allow it."""
        return may(self._operator, Act.SETTLE_MERGE)

    def settle(self, merge: WaitingMerge) -> None:
        """The merge was dealt with; `told` says what came of it."""
        self._tasks.run(
            partial(self._services.merges.settle, merge.number, self._operator),
            owner=self,
            done=lambda _nothing: self.told.emit(_settled()),
            failed=lambda error: self.told.emit(_not_settled(error)),
        )


def _settled() -> Message:
    todo = tr("The rows of its patients say no more that it waits.")
    return Message(tr("Settled."), todo, "check-circle", Tone.OK)


def _not_settled(error: CaptureAppError) -> Message:
    return Message(tr("The merge was not settled."), str(error), "warning-circle", Tone.BAD)
