"""The one way off the GUI thread and back onto it.

Work runs in a small pool of plain threads and its end comes back through one signal of one object
that lives as long as the application: a pooled job never owns a signal, and nothing is called for
an owner that Qt has deleted meanwhile. Every end ends: a value, a deliberate error and an error
that nobody foresaw each reach whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import shiboken6
import structlog
from PySide6.QtCore import QObject, Qt, Signal, Slot

from capture_app.errors import CaptureAppError
from capture_app.model.words import tr

T = TypeVar("T")

_THREADS: Final = 4

_log = structlog.get_logger(__name__)


class UnexpectedError(CaptureAppError):
    """An error that nobody foresaw, as a person is told of it. The log has it with its traceback.

    `what` happened and what `todo`; the text is both.
    """

    def __init__(self) -> None:
        self.what = tr("Something unexpected happened. It is written in the log.")
        self.todo = tr("Pictures that were kept are safe. If it happens again, ask for help.")
        super().__init__(f"{self.what} {self.todo}")


ErrorHandler = Callable[[CaptureAppError], None]


def unexpected(error: BaseException) -> UnexpectedError:
    """Logs an error that nobody foresaw with its traceback, and returns what a person is told."""
    _log.error("window-error", exc_info=error)
    return UnexpectedError()


def _nothing(*_: object) -> None:
    """For an end that needs nothing done."""


@dataclass(slots=True, eq=False)
class _Run:
    """One piece of work and its ends. Whole before the work begins: where there is no memory left
    it still ends, as unexpected.
    """

    owner: QObject
    done: Callable[[Any], None]
    failed: ErrorHandler
    ended: Callable[[], None]
    error: CaptureAppError | None
    result: Any = None
    is_refused: bool = False
    """No thread could be started for it: it was told as failed, and is not done later either."""
    is_over: bool = False


class Tasks(QObject):
    """A pool of 4 for searches, sign-in, thumbnails and tests of a connection.

    `on_error` gets, on the GUI thread, every error that no one asked for, to show it; those that
    nobody foresaw are logged by then. With `in_order` one thread does everything in the order in
    which it was asked, and what was asked is still done at `stop`: for acts on pictures, none of
    which may be lost or overtaken. An act that failed is told even when its page is gone.
    """

    _back = Signal(object)

    def __init__(
        self, on_error: ErrorHandler, parent: QObject | None = None, *, in_order: bool = False
    ) -> None:
        super().__init__(parent)
        self._on_error = on_error
        self._in_order = in_order
        threads, name = (1, "ui-in-order") if in_order else (_THREADS, "ui-pool")
        self._pool: Final = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._stopped = False
        self._back.connect(self._return, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        *,
        owner: QObject,
        done: Callable[[T], None] = _nothing,
        failed: ErrorHandler | None = None,
        ended: Callable[[], None] = _nothing,
    ) -> None:
        """Does `work` in the pool; then, on the GUI thread, calls `done` with its result.

        Any error goes to `failed`, else to the error handler: a deliberate one as it is, every
        other one logged and as an UnexpectedError. `ended` is called last, once, however it ended,
        also where `done` or `failed` raised: whatever waits for the end is let go there. None of
        them is called when `owner` is gone by then, and nothing is begun after `stop`.
        """
        if self._stopped:
            return
        run = _Run(owner, done, failed or self._on_error, ended, UnexpectedError())

        def job() -> None:
            if run.is_refused:
                return
            try:
                run.result = work()
                run.error = None
            except CaptureAppError as error:
                run.error = error
            except BaseException as error:  # noqa: BLE001 - logged and told, never dropped
                run.error = unexpected(error)
            finally:
                self._hand_back(run)

        try:
            self._pool.submit(job)
        except Exception as error:  # noqa: BLE001 - no thread can be started: this is its end
            run.is_refused = True
            run.error = unexpected(error)
            self._hand_back(run)

    def post(self, owner: QObject, act: Callable[[], None]) -> None:
        """Calls `act` on the GUI thread, from any thread, unless `owner` is gone by then."""
        self._hand_back(_Run(owner, _nothing, self._on_error, act, None))

    def _hand_back(self, run: _Run) -> None:
        if not self._stopped and shiboken6.isValid(self):
            self._back.emit(run)
        elif run.error is not None and not isinstance(run.error, UnexpectedError):
            _log.warning("act-failed", reason=str(run.error))

    @Slot(object)
    def _return(self, run: _Run) -> None:
        if run.is_over:
            return
        run.is_over = True
        if not shiboken6.isValid(run.owner):
            if run.error is not None and self._in_order:
                self._on_error(run.error)
            return
        if run.error is None:
            self._call(lambda: run.done(run.result))
        else:
            error = run.error
            self._call(lambda: run.failed(error))
        if shiboken6.isValid(run.owner):
            self._call(run.ended)

    def _call(self, act: Callable[[], None]) -> None:
        try:
            act()
        except CaptureAppError as error:
            self._on_error(error)
        except Exception as error:  # noqa: BLE001 - logged and told, never dropped
            self._on_error(unexpected(error))

    def stop(self) -> None:
        """Ends the pool: work that has begun ends, work that has not is forgotten (in order: is
        done first).
        """
        self._stopped = True
        self._pool.shutdown(wait=True, cancel_futures=not self._in_order)
