"""Makes pages when they are first looked at: few may, and the list of patients need not wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capture_app.model.operator import Operator
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from capture_app.ui.cameras.page import CamerasPage
    from capture_app.ui.cameras.viewmodel import CamerasViewModel
    from capture_app.ui.trail.page import TrailPage
    from capture_app.ui.trail.viewmodel import TrailViewModel


def trail_page(
    services: Services, tasks: Tasks, operator: Operator, parent: QObject
) -> tuple[TrailViewModel, TrailPage]:
    """What the page shows, and the page."""
    from capture_app.ui.trail.page import TrailPage  # noqa: PLC0415
    from capture_app.ui.trail.viewmodel import TrailViewModel  # noqa: PLC0415

    viewmodel = TrailViewModel(services, tasks, operator, parent)
    return viewmodel, TrailPage(viewmodel)


def cameras_page(
    services: Services, tasks: Tasks, parent: QObject
) -> tuple[CamerasViewModel, CamerasPage]:
    """What the page shows, and the page."""
    from capture_app.ui.cameras.page import CamerasPage  # noqa: PLC0415
    from capture_app.ui.cameras.viewmodel import CamerasViewModel  # noqa: PLC0415

    viewmodel = CamerasViewModel(services, tasks, parent)
    return viewmodel, CamerasPage(viewmodel)
