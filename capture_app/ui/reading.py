"""One question at a time to a service, asked again when its answer is stale by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

from capture_app.errors import CaptureAppError
from capture_app.ui.tasks import ErrorHandler, Tasks

T = TypeVar("T")

_SOON_MS: Final = 100


class Reading(QObject, Generic[T]):
    """Asks in the pool and tells the answer on the GUI thread. Every end ends the question: the
    next one is asked after a value as after any error.
    """

    def __init__(
        self,
        tasks: Tasks,
        question: Callable[[], Callable[[], T] | None],
        *,
        told: Callable[[T], None],
        failed: ErrorHandler | None = None,
        soon_ms: int = _SOON_MS,
        parent: QObject,
    ) -> None:
        """`question` is called on the GUI thread and returns what the pool is to do, as of now;
        None: nothing is to be asked. `told` gets every answer, `failed` every error; without it the
        error handler of `tasks` does. `soon_ms`: what changes within this time is asked for once.
        """
        super().__init__(parent)
        self._tasks = tasks
        self._question = question
        self._told = told
        self._failed = failed
        self._is_asking = False
        self._is_stale = False
        self._is_closed = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(soon_ms)
        self._soon.timeout.connect(self.ask)

    @property
    def is_asking(self) -> bool:
        """Whether a question is under way."""
        return self._is_asking

    def ask(self) -> None:
        """Asks now; while a question is under way, once more after it."""
        if self._is_closed:
            return
        if self._is_asking:
            self._is_stale = True
            return
        work = self._question()
        if work is None:
            return
        self._is_asking = True
        self._tasks.run(
            work, owner=self, done=self._answered, failed=self._refused, ended=self._ended
        )

    def ask_soon(self) -> None:
        """Something changed. From any thread; many changes in a row are one question."""
        self._tasks.post(self, self._start)

    def close(self) -> None:
        """Nothing is asked or told any more."""
        self._is_closed = True
        self._soon.stop()

    def _start(self) -> None:
        # Not started anew: changes without a pause would put the question off for ever.
        if not self._is_closed and not self._soon.isActive():
            self._soon.start()

    def _answered(self, answer: T) -> None:
        if not self._is_closed:
            self._told(answer)

    def _refused(self, error: CaptureAppError) -> None:
        if self._is_closed:
            return
        if self._failed is None:
            raise error
        self._failed(error)

    def _ended(self) -> None:
        self._is_asking = False
        if self._is_stale:
            self._is_stale = False
            self.ask()
