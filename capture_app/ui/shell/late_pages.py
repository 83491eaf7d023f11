"""Pages that few may see, made when they are first looked at: the list need not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from capture_app.model.operator import Operator
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks

if TYPE_CHECKING:
    from capture_app.ui.cameras.page import CamerasPage
    from capture_app.ui.cameras.viewmodel import CamerasViewModel
    from capture_app.ui.trail.page import TrailPage
    from capture_app.ui.trail.viewmodel import TrailViewModel


class LatePages:
    """`add` puts a page among the others; `leave` is what Esc does there."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        operator: Operator,
        *,
        owner: QObject,
        add: Callable[[QWidget], object],
        leave: Callable[[], None],
    ) -> None:
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self._owner = owner
        self._add = add
        self._leave = leave
        self._trail: tuple[TrailViewModel, TrailPage] | None = None
        self._cameras: tuple[CamerasViewModel, CamerasPage] | None = None

    @property
    def trail(self) -> tuple[TrailViewModel, TrailPage]:
        """What the page of the trail shows, and the page."""
        if self._trail is None:
            from capture_app.ui.trail.page import TrailPage  # noqa: PLC0415 - as above
            from capture_app.ui.trail.viewmodel import TrailViewModel  # noqa: PLC0415 - as above

            viewmodel = TrailViewModel(self._services, self._tasks, self._operator, self._owner)
            self._trail = viewmodel, TrailPage(viewmodel)
            self._trail[1].left.connect(self._leave)
            self._add(self._trail[1])
        return self._trail

    @property
    def cameras(self) -> tuple[CamerasViewModel, CamerasPage]:
        """What the page of the cameras shows, and the page."""
        if self._cameras is None:
            from capture_app.ui.cameras.page import CamerasPage  # noqa: PLC0415 - as above
            from capture_app.ui.cameras.viewmodel import (  # noqa: PLC0415 - as above
                CamerasViewModel,
            )

            viewmodel = CamerasViewModel(self._services, self._tasks, self._owner)
            self._cameras = viewmodel, CamerasPage(viewmodel)
            self._cameras[1].left.connect(self._leave)
            self._add(self._cameras[1])
        return self._cameras

    def close(self) -> None:
        """The user has gone."""
        for made in (self._trail, self._cameras):
            if made is not None:
                made[0].close()
