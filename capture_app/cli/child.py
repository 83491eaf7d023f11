"""capture-app _child: the child that reads bytes from outside, and every task that it can do.

It is started by the application alone (see `sandbox.child`); nobody types it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from capture_app.clock import SystemClock
from capture_app.sandbox.inside import serve
from capture_app.sandbox.task import Work


def _decode_file() -> Work:
    from capture_app.imaging.decoding_work import decode_file  # noqa: PLC0415 - as WORKS says

    return decode_file


WORKS: Final[dict[str, Callable[[], Work]]] = {
    "decode-file": _decode_file,
}
"""Each work by its task's name. A child reads the libraries of its own task alone."""


def run() -> int:
    """Works until the parent closes the pipe."""
    return serve(WORKS, SystemClock())
