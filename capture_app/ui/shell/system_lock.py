"""Locks with the system: what systemd-logind says of the session and of sleep, over D-Bus."""

from __future__ import annotations

from typing import Any, Final

import structlog
from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection

_log = structlog.get_logger(__name__)

_LOGIND: Final = "org.freedesktop.login1"
_MANAGER: Final = "/org/freedesktop/login1"
# Any: the stubs ask for bytes, PySide6 takes nothing but the text that SLOT makes.
_SLEEP: Final[Any] = SLOT("sleep_is_near(bool)")
_LOCKED: Final[Any] = SLOT("session_is_locked()")
_ANY_SESSION: Final = ""
"""Whichever session is locked: a second one on the same computer locks this window, too."""


class SystemLock(QObject):
    """Tells when the system locks its session, and before it sleeps."""

    asked = Signal(str)
    """Why the window is to be locked: `session` or `sleep`."""

    def __init__(self, bus: QDBusConnection, parent: QObject | None = None) -> None:
        """Where there is no such bus, or nobody on it, nothing is ever told."""
        super().__init__(parent)
        heard = bus.isConnected() and (
            bus.connect(
                _LOGIND,
                _MANAGER,
                f"{_LOGIND}.Manager",
                "PrepareForSleep",
                self,
                _SLEEP,
            )
            and bus.connect(
                _LOGIND,
                _ANY_SESSION,
                f"{_LOGIND}.Session",
                "Lock",
                self,
                _LOCKED,
            )
        )
        if not heard:
            _log.info("system-lock-not-heard")

    @Slot(bool)
    def sleep_is_near(self, begins: bool) -> None:  # noqa: FBT001 - as D-Bus gives it
        """Before sleep, and after it: the window is locked before."""
        if begins:
            self.asked.emit("sleep")

    @Slot()
    def session_is_locked(self) -> None:
        """The session of the system is locked."""
        self.asked.emit("session")
