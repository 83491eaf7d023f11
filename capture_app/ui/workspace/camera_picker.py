"""The list that a camera is picked from, over the workspace, and what its console is set to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from capture_app.model.words import tr
from capture_app.ui.widgets.choices import ListPopover
from capture_app.ui.words.shown import ListRow
from capture_app.ui.workspace.live import LiveViewModel

if TYPE_CHECKING:
    from capture_app.ui.workspace.page import WorkspacePage

_PRESET = "preset:"
"""Before the name of a preset in a row's id: no id of a camera has a colon."""
_DIVIDER = " \N{MIDDLE DOT} "


class CameraPicker(QObject):
    """Asks for the camera. One whose console has presets is listed with each of them below it."""

    def __init__(self, page: WorkspacePage, live: LiveViewModel) -> None:
        super().__init__(page)
        self._page = page
        self._live = live

    def ask(self) -> None:
        """Lists the cameras, and the presets of the one in use."""
        device = self._live.device
        chosen = "" if device is None else device.device_id
        if device is not None and device.preset is not None:
            chosen = f"{_PRESET}{device.preset.name}"
        popover = ListPopover(self._page, tr("Camera"), self._rows(), chosen)
        popover.picked.connect(self._use)
        self._page.open_popover(popover, self._page.camera)

    def _rows(self) -> list[ListRow]:
        rows = []
        for info in self._live.available:
            is_used = (
                self._live.device is not None and info.device_id == self._live.device.device_id
            )
            presets = self._live.presets if is_used and self._live.is_live else ()
            rows.append(ListRow(info.device_id, info.name))
            rows += [
                ListRow(f"{_PRESET}{preset.name}", f"{info.name}{_DIVIDER}{preset.name}")
                for preset in presets
            ]
        return rows

    def _use(self, row_id: str) -> None:
        self._page.close_popover()
        device = self._live.device
        if row_id.startswith(_PRESET):
            self._live.use_preset(row_id.removeprefix(_PRESET))
        elif device is not None and device.device_id == row_id and device.preset is not None:
            self._live.use_preset("")
        else:
            self._live.choose(row_id)
