"""What was typed into the fields of a window: so that a scanner's keys are taken out again."""

from __future__ import annotations

from dataclasses import dataclass

import shiboken6
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from capture_app.ui.widgets.fields import TAKES_PIN, TAKES_TYPING


@dataclass(frozen=True, slots=True)
class TypedText:
    """The texts of the visible fields, and where the focus was. Never a PIN."""

    fields: tuple[tuple[QLineEdit, str, int], ...]
    focus: QWidget | None

    @classmethod
    def now(cls) -> TypedText:
        """As it is in the active window."""
        window = QApplication.activeWindow()
        edits = window.findChildren(QLineEdit) if window is not None else []
        seen = ((edit, edit.text(), edit.cursorPosition()) for edit in edits if _is_shown(edit))
        return cls(tuple(seen), QApplication.focusWidget())

    def restore(self) -> None:
        """Puts back what was there."""
        for edit, text, cursor in self.fields:
            if shiboken6.isValid(edit) and edit.text() != text:
                edit.setText(text)
                edit.setCursorPosition(cursor)
        focus = self.focus
        if focus is not None and shiboken6.isValid(focus) and focus.isVisible():
            focus.setFocus()


def _is_shown(edit: QLineEdit) -> bool:
    return edit.isVisible() and edit.echoMode() is QLineEdit.EchoMode.Normal


def is_typing() -> bool:
    """Whether letters and digits are text where the focus is: no shortcut, no choice."""
    widget = QApplication.focusWidget()
    return isinstance(widget, QLineEdit) or _is_within(widget, TAKES_TYPING, TAKES_PIN)


def is_secret() -> bool:
    """Whether a PIN is being typed."""
    widget = QApplication.focusWidget()
    if isinstance(widget, QLineEdit):
        return widget.echoMode() is not QLineEdit.EchoMode.Normal
    return _is_within(widget, TAKES_PIN)


def _is_within(widget: QWidget | None, *properties: str) -> bool:
    """Whether a widget, or one around it, has one of these properties."""
    while widget is not None:
        if any(widget.property(name) for name in properties):
            return True
        widget = widget.parentWidget()
    return False
