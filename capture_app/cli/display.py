"""Finds out whether a window can be opened, without risking this process.

Qt ends the whole process when its display is dead. So a child process tries first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

_PROBE: Final = "import sys\nfrom PySide6.QtGui import QGuiApplication\nQGuiApplication(sys.argv)\n"
_PROBE_SECONDS: Final = 20.0


class DisplayProbe:
    """Looks for a screen while this process goes on; `succeeded` waits for what it finds."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_there = sys.platform in {"win32", "darwin"}
        is_named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        is_in_memory = os.environ.get("QT_QPA_PLATFORM") in {"offscreen", "minimal", "vnc"}
        if not self._is_there and is_named and not is_in_memory:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROBE],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # its end is heard at once; a wait would look now and then
                stderr=subprocess.DEVNULL,
            )

    def succeeded(self) -> bool:
        """True where a window can be opened for a person to see."""
        process, self._process = self._process, None
        if process is not None:
            with process:
                try:
                    process.communicate(timeout=_PROBE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
            self._is_there = process.returncode == 0
        return self._is_there


def has_display() -> bool:
    """True where a window can be opened for a person to see."""
    return DisplayProbe().succeeded()


def use_offscreen() -> None:
    """Makes Qt draw into memory. Must come before the application object is made."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
