"""Letters and digits to touch with gloves on: every key is 20 mm wide."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QStackedLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.widgets.buttons import Button

KEY: Final = 76
"""20 mm at 96 dots an inch; Qt scales it with the screen."""
_GAP: Final = 8
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS: Final = "1234567890"
_COLUMNS: Final = 9
BACK: Final = "\b"


class Keypad(QWidget):
    """Emits what was touched: a capital, a digit or BACK. Never takes the focus from the field."""

    touched = Signal(str)

    def __init__(self, *, mixed: bool = False, parent: QWidget | None = None) -> None:
        """`mixed`: the letters' page has the digits too, for record numbers with letters."""
        super().__init__(parent)
        self._stack = QStackedLayout(self)
        self._letters = self._keys(_LETTERS + _DIGITS if mixed else _LETTERS, _COLUMNS)
        self._digits = self._keys(_DIGITS, _COLUMNS - 3)
        self._stack.addWidget(self._letters)
        self._stack.addWidget(self._digits)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_for(self, *, digits: bool) -> None:
        """Digits for a field of digits, else letters."""
        self._stack.setCurrentWidget(self._digits if digits else self._letters)

    def _keys(self, characters: str, columns: int) -> QWidget:
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(_GAP)
        for place, character in enumerate((*characters, BACK)):
            key = Button(tr("Back") if character == BACK else character)
            key.setAccessibleName(tr("Delete the last one") if character == BACK else character)
            key.let_yield()
            key.setFixedSize(KEY, KEY)
            key.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            key.clicked.connect(lambda _checked=False, c=character: self.touched.emit(c))
            grid.addWidget(key, place // columns, place % columns)
        rows = -(-(len(characters) + 1) // columns)
        grid.setRowStretch(rows, 1)
        grid.setColumnStretch(columns, 1)
        return page
