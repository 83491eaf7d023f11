"""What our own widgets are to a screen reader, where Qt cannot know: words, a picture, a message.

Qt tells a reader the kind of a widget by its class; a widget that we paint ourselves would be
nothing in particular. A class says what it is by `reader_role`; its name is its accessible name.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget

Role = QAccessible.Role


def install() -> None:
    """Puts the roles in place for the whole process. Called again it changes nothing."""
    QAccessible.installFactory(_interface_of)  # Qt keeps each function once


def _interface_of(_class_name: str, seen: QObject) -> QAccessibleInterface | None:
    role = getattr(type(seen), "reader_role", None)
    if role is None or not isinstance(seen, QWidget):
        return None
    return QAccessibleWidget(seen, role)
