"""When what a window asked off its thread has ended."""

from concurrent.futures import Future
from threading import Barrier

from capture_app.ui.shell.main_window import MainWindow


def ends_of(window: MainWindow) -> list[Future[int]]:
    """Ends of all that was given to the pools until now: each of their threads meets there."""
    pools = (window.acts._pool, window.tasks._pool)
    meetings = [(pool, Barrier(pool._max_workers)) for pool in pools]
    return [pool.submit(m.wait) for pool, m in meetings for _ in range(pool._max_workers)]
