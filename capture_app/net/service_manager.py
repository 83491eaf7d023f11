"""What a service says to the manager that started it (sd_notify(3)): ready, alive, ending.

One datagram a message on the socket that NOTIFY_SOCKET names. Without one nothing is said. Nothing
here waits for long or raises: a manager that does not listen keeps nobody from delivering.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import MutableMapping
from typing import Final, Self

import structlog

from capture_app.clock import Clock

_log = structlog.get_logger(__name__)

_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_BEATS_A_WATCHDOG: Final = 4
_LONGEST_BETWEEN_BEATS_S: Final = 5.0
_PATIENCE_S: Final = 1.0
"""For a manager that is behind with its reading. A beat does not wait: the next one comes."""


class ServiceManager:
    """The manager's end. Used by any thread."""

    def __init__(self, address: str, watchdog_s: float | None, clock: Clock) -> None:
        """`address` is a path, or a name that begins with @ (abstract); empty: nobody to tell.

        `watchdog_s`: after how many seconds without `alive` the manager ends us; None: never.
        """
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_s = watchdog_s
        self._clock = clock
        self._beats_at = 0.0
        self._status = ""
        self._is_failing = False

    @classmethod
    def of(cls, environ: MutableMapping[str, str], clock: Clock) -> Self:
        """The manager that the environment names. Its variables are taken out: no child of ours
        speaks in our name.
        """
        address, usec, pid = (environ.pop(name, "") for name in _VARIABLES)
        is_ours = pid in ("", str(os.getpid()))
        watchdog_s = int(usec) / 1e6 if is_ours and usec.isascii() and usec.isdecimal() else None
        return cls(address if hasattr(socket, "AF_UNIX") else "", watchdog_s or None, clock)

    def ready(self) -> None:
        """The service does its work; also after `reloading`."""
        self._say("READY=1")

    def reloading(self) -> None:
        """The settings are read again; `ready` ends it (Type=notify-reload)."""
        # By the manager's own clock, which stands still in suspend where ours goes on.
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service ends."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """The watchdog's beat. To be called as often as anybody likes: most calls say nothing."""
        now = self._clock.monotonic()
        if self._watchdog_s is not None and now >= self._beats_at:
            pause = min(self._watchdog_s / _BEATS_A_WATCHDOG, _LONGEST_BETWEEN_BEATS_S)
            self._beats_at = now + pause
            self._say("WATCHDOG=1", patience=0)

    def status(self, sentence: str) -> None:
        """How it is, for `systemctl status`. Said where it is news."""
        if sentence != self._status:
            self._status = sentence
            self._say(f"STATUS={sentence}")

    def _say(self, *lines: str, patience: float = _PATIENCE_S) -> None:
        if sys.platform == "win32":  # no such sockets, and another kind of service
            return
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(patience)
                sock.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._is_failing:
                _log.warning("service-manager-not-told", error_type=type(error).__name__)
            self._is_failing = True
        else:
            self._is_failing = False
