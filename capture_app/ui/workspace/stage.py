"""The large place at the left: the live picture with its shutter, all pictures at once, or a
clip.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from capture_app.ui.workspace.clip_page import ClipPage
from capture_app.ui.workspace.contact_sheet import ContactSheet
from capture_app.ui.workspace.live_view import LiveView
from capture_app.ui.workspace.shutter_row import ShutterRow
from capture_app.ui.workspace.tool_column import ToolColumn


class Stage(QStackedWidget):
    """Shows one of them; the focus rests on it."""

    def __init__(
        self,
        tools: ToolColumn,
        view: LiveView,
        shutter: ShutterRow,
        contacts: ContactSheet,
        clip: ClipPage,
    ) -> None:
        super().__init__()
        self._clip = clip
        self._view = view
        self._contacts = contacts
        picture = QHBoxLayout()
        picture.setSpacing(0)
        picture.addWidget(tools)
        picture.addWidget(view, 1)
        self._live = QWidget()
        column = QVBoxLayout(self._live)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(picture, 1)
        column.addWidget(shutter)
        self.addWidget(self._live)
        self.addWidget(contacts)
        self.addWidget(clip)

    @property
    def shows_contacts(self) -> bool:
        """Whether the contact sheet stands in the place of the live picture."""
        return self.currentWidget() is self._contacts

    def show_contacts(self) -> None:
        """All pictures at once."""
        self.setCurrentWidget(self._contacts)
        self._contacts.focus_first()

    @property
    def shows_clip(self) -> bool:
        """Whether a clip stands in the place of the live picture."""
        return self.currentWidget() is self._clip

    def show_clip(self) -> None:
        """A clip."""
        self.setCurrentWidget(self._clip)
        self._clip.rest()

    @property
    def shows_live(self) -> bool:
        """Whether the live picture is shown."""
        return self.currentWidget() is self._live

    def show_live(self) -> None:
        """The live picture."""
        self.setCurrentWidget(self._live)

    def rest(self) -> None:
        """The focus goes to the live picture, or to the pictures in its place."""
        if self.shows_contacts:
            self._contacts.focus_last()
        elif self.shows_clip:
            self._clip.rest()
        else:
            self._view.setFocus(Qt.FocusReason.OtherFocusReason)
