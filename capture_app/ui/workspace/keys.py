"""The keys of the workspace. They act while it is on screen; a text field takes letters first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from capture_app.model.procedure import Side, Turn
from capture_app.ui.workspace.describing import Describing

Acts = Mapping[str | Qt.Key, Callable[[], object]]


def coding_keys(describing: Describing) -> Acts:
    """1 to 9 for the procedure, Alt and a letter for the side; T turns to the right, with Shift to
    the left.
    """
    acts: dict[str | Qt.Key, Callable[[], object]] = {
        Qt.Key(Qt.Key.Key_0 + digit): partial(describing.press_digit, digit)
        for digit in range(1, 10)
    }
    for letter, side in (("R", Side.RIGHT), ("L", Side.LEFT), ("M", Side.MIDLINE)):
        acts[f"Alt+{letter}"] = partial(describing.choose_side, side)
    acts[Qt.Key.Key_T] = partial(describing.turn, Turn.RIGHT)
    acts["Shift+T"] = partial(describing.turn, Turn.LEFT)
    return acts


def bind(page: QWidget, acts: Acts) -> None:
    """Binds each key to its act. A key that is held down acts once."""
    for key, act in acts.items():
        shortcut = QShortcut(QKeySequence(key), page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(act)
