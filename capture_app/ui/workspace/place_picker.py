"""The lists that a place is picked from, over the workspace: a ward, then its room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from capture_app.model.words import tr
from capture_app.ui.widgets.choices import ListPopover
from capture_app.ui.words.shown import ListRow
from capture_app.ui.workspace.placing import Placing

if TYPE_CHECKING:
    from capture_app.ui.workspace.page import WorkspacePage


class PlacePicker(QObject):
    """Asks where the pictures are taken. A ward without known rooms is asked no further."""

    def __init__(self, page: WorkspacePage, placing: Placing) -> None:
        super().__init__(page)
        self._page = page
        self._placing = placing

    def ask(self) -> None:
        """Lists the wards; nothing where no place may be picked."""
        placing = self._placing
        if placing.is_offered:
            title = tr("Where are the pictures taken?")
            self._list(title, placing.wards(), placing.chosen, self._pick_ward)

    def _pick_ward(self, row_id: str) -> None:
        placing = self._placing
        if rooms := placing.rooms(row_id):
            self._list(tr("In which room?"), rooms, placing.chosen_room, self._use)
        else:
            self._use(row_id)

    def _use(self, row_id: str) -> None:
        self._page.close_popover()
        self._placing.choose(row_id)

    def _list(
        self, title: str, rows: Sequence[ListRow], chosen: str, then: Callable[[str], None]
    ) -> None:
        popover = ListPopover(self._page, title, rows, chosen)
        popover.picked.connect(then)
        button = self._page.banner.place
        self._page.open_popover(popover, button if button.isVisible() else None)
