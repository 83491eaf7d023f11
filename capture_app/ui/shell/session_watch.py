"""Whether the signed-in user still may what they could when they signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.errors import CaptureAppError
from capture_app.model.operator import Operator
from capture_app.security.users import Users
from capture_app.ui.reading import Reading
from capture_app.ui.tasks import Tasks

_LOOK_EVERY_MS: Final = 500

_Found = tuple[Operator, Operator | None]


class SessionWatch(QObject):
    """Looks at the row of the signed-in user twice a second, off the GUI thread: another process
    may have removed them, or given them other roles.
    """

    ended = Signal(object)
    """The Operator who may not go on."""

    def __init__(self, users: Users, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._users = users
        self._operator: Operator | None = None
        self._looking = Reading(
            tasks, self._question, told=self._found, failed=self._not_found, parent=self
        )
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._looking.ask)

    def watch(self, operator: Operator | None) -> None:
        """Whose session it is from now on; None: nobody's."""
        self._operator = operator
        if operator is None:
            self._timer.stop()
        else:
            self._timer.start()

    def close(self) -> None:
        """Ends the looking."""
        self.watch(None)
        self._looking.close()

    def _question(self) -> Callable[[], _Found] | None:
        operator, users = self._operator, self._users
        return None if operator is None else lambda: (operator, users.current(operator.user_id))

    def _found(self, found: _Found) -> None:
        watched, current = found
        if watched == self._operator and current != watched:
            self.watch(None)
            self.ended.emit(watched)

    def _not_found(self, _error: CaptureAppError) -> None:
        """A busy disk or a lost list says nothing of this user, who goes on until the lock."""
