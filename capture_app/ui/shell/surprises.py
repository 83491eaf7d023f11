"""What nobody caught, in a slot, a timer, an event handler or a thread: logged, and shown."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Final

from capture_app.clock import Clock
from capture_app.errors import CaptureAppError
from capture_app.ui.tasks import unexpected

if TYPE_CHECKING:
    from capture_app.ui.shell.main_window import MainWindow

_SAME_AGAIN_S: Final = 10.0
"""A fault of a thing that is painted comes many times a second: it is told once in this time."""

Place = tuple[type[BaseException], str, int]


class _Told:
    """What was told lately, by kind and line. From any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._at: dict[Place, float] = {}

    def is_new(self, error: BaseException) -> bool:
        """Whether this error, of this line, was not told within the last seconds."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = ("", 0) if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        key, now = (type(error), *place), self._clock.monotonic()
        with self._lock:
            before = self._at.get(key)
            if before is not None and now - before < _SAME_AGAIN_S:
                return False
            self._at[key] = now
        return True


@contextmanager
def shown_in(window: MainWindow, clock: Clock) -> Iterator[None]:
    """While it lasts, an Exception that nothing caught is logged and shown in the window, whatever
    thread it ended. Everything else goes where it went before.
    """
    of_main, of_thread = sys.excepthook, threading.excepthook
    told = _Told(clock)

    def tell(error: BaseException) -> None:
        if told.is_new(error):
            words = error if isinstance(error, CaptureAppError) else unexpected(error)
            window.tasks.post(window, lambda: window.show_error(words))

    def main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            tell(error.with_traceback(trace))
        else:
            of_main(kind, error, trace)

    def thread(args: threading.ExceptHookArgs) -> None:
        if isinstance(args.exc_value, Exception):
            tell(args.exc_value.with_traceback(args.exc_traceback))
        else:
            of_thread(args)

    sys.excepthook, threading.excepthook = main, thread
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = of_main, of_thread
