"""The one way off the GUI thread and back onto it.

Work runs in a small pool of plain threads and its end comes back through one signal of one object
that lives as long as the application: a pooled job never owns a signal, and nothing is called for
an owner that Qt has deleted meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

from capture_app.errors import CaptureAppError

T = TypeVar("T")

_THREADS: Final = 4

ErrorHandler = Callable[[BaseException], None]


class Tasks(QObject):
    """A pool of 4 for searches, sign-in, thumbnails and tests of a connection.

    `on_error` gets, on the GUI thread, every error that no one asked for: it logs and shows it.
    With `in_order` one thread does everything in the order in which it was asked, and what was
    asked is still done at `stop`: for acts on pictures, none of which may be lost or overtaken.
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
        done: Callable[[T], None],
        failed: Callable[[CaptureAppError], None] | None = None,
    ) -> None:
        """Does `work` in the pool, then calls `done` with its result on the GUI thread.

        A deliberate error goes to `failed` where given; every other error to the error handler.
        Neither is called when `owner` is gone by then.
        """
        if self._stopped:
            return

        def job() -> None:
            try:
                result = work()
            except CaptureAppError as error:
                told = failed or self._on_error
                self.post(owner, lambda error=error: told(error))  # type: ignore[misc]
            except BaseException as error:  # noqa: BLE001 - told to the handler, never dropped
                self.post(owner, lambda error=error: self._on_error(error))  # type: ignore[misc]
            else:
                self.post(owner, lambda: done(result))

        self._pool.submit(job)

    def post(self, owner: QObject, act: Callable[[], None]) -> None:
        """Calls `act` on the GUI thread, from any thread, unless `owner` is gone by then."""
        if not self._stopped and shiboken6.isValid(self):
            self._back.emit((owner, act))

    @Slot(object)
    def _return(self, told: tuple[QObject, Callable[[], None]]) -> None:
        owner, act = told
        if not shiboken6.isValid(owner):
            return
        try:
            act()
        except Exception as error:  # noqa: BLE001 - told to the handler, never dropped
            self._on_error(error)

    def stop(self) -> None:
        """Ends the pool: work that has begun ends, work that has not is forgotten (in order: is
        done first).
        """
        self._stopped = True
        self._pool.shutdown(wait=True, cancel_futures=not self._in_order)
