"""The second identifier at Send, over the workspace whose pictures wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt

from capture_app.model.words import tr
from capture_app.ui.identity.popover import IdentityPopover
from capture_app.ui.workspace.whose import Whose

if TYPE_CHECKING:
    from capture_app.ui.workspace.page import WorkspacePage


class WhoseQuestion(QObject):
    """Shows the question while there is one; the banner stays in sight, masked."""

    def __init__(self, page: WorkspacePage, whose: Whose) -> None:
        super().__init__(page)
        self._page = page
        self._whose = whose
        self._popover: IdentityPopover | None = None
        whose.asked.connect(self._show)
        whose.ended.connect(self._end)

    def _show(self) -> None:
        check = self._whose.check
        if check is None:
            return
        self._page.close_popover()
        title = tr("Who is in front of you?")
        popover = IdentityPopover(
            self._page, check, title=title, why=self._whose.why, act=tr("Send")
        )
        popover.keep_clear = self._page.banner.height()
        self._popover = popover
        popover.show_at(QRect())

    def _end(self) -> None:
        popover, self._popover = self._popover, None
        if popover is not None:
            popover.dismiss()
            self._page.setFocus(Qt.FocusReason.OtherFocusReason)
