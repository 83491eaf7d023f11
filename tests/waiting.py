"""The one place where a test waits for something that another thread or process does."""

import time
from collections.abc import Callable
from threading import Event
from typing import Protocol, TypeVar

T = TypeVar("T")

_INTERVAL_S = 0.01


class Eventually(Protocol):
    """The type of `eventually`, for tests that take it as a fixture."""

    def __call__(self, predicate: Callable[[], T], timeout: float = 30.0, what: str = "") -> T: ...


def eventually(predicate: Callable[[], T], timeout: float = 30.0, what: str = "") -> T:
    """Asks until the answer is true, and gives that answer; AssertionError after `timeout` seconds.

    For a condition that no event announces (a file, a row, a line in a peer's log). Where there is
    a `threading.Event` wait on that, and where the Qt loop must run use `qtbot.waitUntil`.
    """
    end = time.monotonic() + timeout
    pause = Event()  # never set: a wait that keeps no core busy
    while True:
        if answer := predicate():
            return answer
        if time.monotonic() >= end:
            raise AssertionError(f"not within {timeout:g} s: {what or predicate}")
        pause.wait(_INTERVAL_S)
