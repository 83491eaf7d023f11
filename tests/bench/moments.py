"""How a process tells when something was there to be seen."""

import time


def say(what: str) -> None:
    """The moment on standard output, on a clock that all processes of this computer share."""
    print(what, time.perf_counter(), flush=True)
