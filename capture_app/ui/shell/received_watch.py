"""Files what scanners send to the patient who is open, where it says that it is theirs."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks


class ReceivedWatch(QObject):
    """Looks when it is asked to, and at each change. `exam` says who is open at that moment; nobody
    is while the screen is locked.
    """

    filed = Signal(object, int)
    """The exam, and how many images were filed to its patient just now."""
    waiting = Signal(int)
    """How many are nobody's yet."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        operator: Operator,
        exam: Callable[[], Exam | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._received = services.received
        self._operator = operator
        self._exam = exam
        self._reading: Reading[tuple[Exam | None, int, int]] = Reading(
            tasks, self._question, told=self._told, failed=self._failed, parent=self
        )
        self._unsubscribe = services.outbox.on_change(lambda _: self._reading.ask_soon())
        self._reading.ask_soon()

    def look(self) -> None:
        """Looks soon: somebody else is open."""
        self._reading.ask_soon()

    def close(self) -> None:
        """The user has gone."""
        self._unsubscribe()
        self._reading.close()

    def _question(self) -> Callable[[], tuple[Exam | None, int, int]]:
        exam, operator, received = self._exam(), self._operator, self._received

        def file() -> tuple[Exam | None, int, int]:
            count = received.count()
            filed = received.file_agreeing(exam, operator) if count and exam is not None else 0
            return exam, filed, count - filed

        return file

    def _told(self, answer: tuple[Exam | None, int, int]) -> None:
        exam, filed, waiting = answer
        if filed:
            self.filed.emit(exam, filed)
        self.waiting.emit(waiting)

    def _failed(self, _error: CaptureAppError) -> None:
        """It stays where it is, and is looked at again with the next change."""
