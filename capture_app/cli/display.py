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


def has_display() -> bool:
    """True where a window can be opened for a person to see."""
    if sys.platform in {"win32", "darwin"}:
        return True
    if os.environ.get("QT_QPA_PLATFORM") in {"offscreen", "minimal", "vnc"}:
        return False
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0


def use_offscreen() -> None:
    """Makes Qt draw into memory. Must come before the application object is made."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
