"""Finds out whether a window can be opened, without risking this process.

Qt ends the whole process when its display is dead. So a child process tries first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_QT_PROBE: Final = (
    "import sys\nfrom PySide6.QtGui import QGuiApplication\nQGuiApplication(sys.argv)\n"
)
_X11_PROBE: Final = """
import ctypes, sys
ctypes.CDLL(sys.argv[1])
xcb = ctypes.CDLL("libxcb.so.1")
xcb.xcb_connect.restype = ctypes.c_void_p
xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
sys.exit(xcb.xcb_connection_has_error(xcb.xcb_connect(None, None)))
"""
"""What Qt on X11 ends the process for: its plug-in lacks a library, or the display does not answer.
An eighth of what starting Qt twice would cost."""
_X11_PLUGIN: Final = Path("Qt", "plugins", "platforms", "libqxcb.so")
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
                _probe(),
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


def _probe() -> list[str]:
    """The command that ends well where a window can be opened."""
    found = find_spec("PySide6")
    folders = found.submodule_search_locations if found else None
    plugin = Path(folders[0], _X11_PLUGIN) if folders else None
    if plugin is None or not plugin.exists() or os.environ.get("WAYLAND_DISPLAY"):
        return [sys.executable, "-c", _QT_PROBE]  # Qt itself decides how it draws
    return [sys.executable, "-I", "-S", "-c", _X11_PROBE, str(plugin)]


def has_display() -> bool:
    """True where a window can be opened for a person to see."""
    return DisplayProbe().succeeded()


def use_offscreen() -> None:
    """Makes Qt draw into memory. Must come before the application object is made."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
