"""Makes the set-up page of the scanner when it is first looked at: it is seldom shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capture_app.model.operator import Operator
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks

if TYPE_CHECKING:
    from PySide6.QtCore import QObject, SignalInstance

    from capture_app.ui.scanner.page import ScannerPage


def scanner_page(
    services: Services,
    tasks: Tasks,
    operator: Operator,
    parent: QObject,
    learns: SignalInstance,
    learnt: SignalInstance,
) -> ScannerPage:
    """The page. `learns` tells who gets the scanner's keys, or None; `learnt` what was learnt."""
    from capture_app.ui.scanner.page import ScannerPage  # noqa: PLC0415
    from capture_app.ui.scanner.viewmodel import ScannerViewModel  # noqa: PLC0415

    viewmodel = ScannerViewModel(services, tasks, operator, parent)
    viewmodel.listens.connect(lambda on: learns.emit(viewmodel.stroke if on else None))
    viewmodel.saved.connect(learnt)
    return ScannerPage(viewmodel)
