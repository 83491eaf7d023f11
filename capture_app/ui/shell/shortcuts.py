"""The keys that work on every page. They are function keys: no text field wants them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class WindowKeys:
    """What the keys do."""

    show_keys: Callable[[], None]
    toggle_dim: Callable[[], None]
    toggle_full_screen: Callable[[], None]
    lock: Callable[[], None]
    clean: Callable[[], None]


def bind(window: QWidget, keys: WindowKeys) -> None:
    """F1 keys, F8 clean screen, F9 dim, F11 full screen, F12 lock."""
    for key, act in (
        (Qt.Key.Key_F1, keys.show_keys),
        (Qt.Key.Key_F8, keys.clean),
        (Qt.Key.Key_F9, keys.toggle_dim),
        (Qt.Key.Key_F11, keys.toggle_full_screen),
        (Qt.Key.Key_F12, keys.lock),
    ):
        shortcut = QShortcut(QKeySequence(key), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(act)
