"""Small and scaled screens, title bar and task bar on: what must stay in sight, as rectangles."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import SystemClock
from capture_app.ui.outbox.page import OutboxPage
from capture_app.ui.patients.page import PatientsPage
from capture_app.ui.patients.patient_list import PatientListView
from capture_app.ui.patients.row_text import Columns
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.shell.status_strip import StatusStrip
from capture_app.ui.sign_in.page import SignInPage
from capture_app.ui.widgets.buttons import DigitButton
from capture_app.ui.workspace.page import WorkspacePage
from tests.ui.pages import all_pages, furnish
from tests.ui.stage import open_stage

_BARS = 79
"""A title bar and a task bar of Windows, in device-independent pixels."""
SCREENS = {
    "1024x768": QSize(1024, 768 - _BARS),
    "1200x800": QSize(1200, 800 - _BARS),
    "1366x768": QSize(1366, 768 - _BARS),
    "1366x768 at 125 %": QSize(1093, 614 - _BARS),
    "1920x1080 at 150 %": QSize(1280, 720 - _BARS),
    "1920x1080 at 200 %": QSize(960, 540 - _BARS),
}
_NAME = 200
LOOKED_AT = {
    *("lock", "patients", "patients-empty", "outbox"),
    *("workspace", "workspace-stopped", "workspace-described", "workspace-sent"),
}


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def outside(window: QWidget, **parts: QWidget) -> list[str]:
    """The parts that are hidden, squeezed to nothing, or not wholly within the window."""
    whole = QRect(QPoint(0, 0), window.size())
    return [
        f"{name} at {place(part, window)} in {whole}"
        for name, part in parts.items()
        if not part.isVisible() or not whole.contains(place(part, window)) or part.height() < 20
    ]


def lock_faults(window: MainWindow, page: SignInPage) -> list[str]:
    digits = {f"digit {d.text()}": d for d in page.findChildren(DigitButton)}
    assert len(digits) == 10
    faults = outside(window, unlock=page.unlock, **digits)
    return faults + [f"small {name}" for name, d in digits.items() if d.height() < 44]


def list_faults(window: MainWindow, page: PatientsPage) -> list[str]:
    rows: PatientListView = page.rows_view
    faults = outside(window, list=rows)
    columns = Columns.across(rows.viewport().width())
    if columns.born - columns.name < _NAME:
        faults.append(f"the name has {columns.born - columns.name} px")
    if columns.end > rows.viewport().width():
        faults.append("the columns end outside")
    if rows.viewport().height() < 3 * 48:
        faults.append(f"only {rows.viewport().height()} px of rows")
    bar = rows.verticalScrollBar()
    if bar.maximum() > 0 and not bar.isVisible():
        faults.append("rows are left over and there is no scroll bar")
    return faults


def workspace_faults(window: MainWindow, page: WorkspacePage) -> list[str]:
    faults = outside(
        window,
        banner=page.banner,
        picture=page.view,
        shutter=page.shutter.shutter,
        film_strip=page.filmstrip,
        delete=page.send_bar.delete,
        send=page.send_bar.send,
    )
    for part in (page.procedures.filter, page.site.region, *page.choices.buttons.values()):
        page.lead_to(part)
        QApplication.processEvents()
        seen = part.visibleRegion().boundingRect()
        if seen.size() != part.size():
            faults.append(f"{part.accessibleName()} cannot be brought into sight: {seen}")
    if page.filmstrip.buttons and not page.filmstrip.in_sight:
        faults.append("no picture of the strip is in sight")
    if page.view.height() < 180:
        faults.append(f"the picture is {page.view.height()} px high")
    faults += [
        f"under 44 px: {button.accessibleName() or button.text()}"
        for button in (page.shutter.shutter, page.send_bar.delete, page.send_bar.send)
        if button.height() < 44
    ]
    return faults


def outbox_faults(window: MainWindow, page: OutboxPage) -> list[str]:
    return outside(window, page=page)


FAULTS: dict[type[QWidget], Callable[[MainWindow, Any], list[str]]] = {
    SignInPage: lock_faults,
    PatientsPage: list_faults,
    WorkspacePage: workspace_faults,
    OutboxPage: outbox_faults,
}


@pytest.mark.expects_log("delivery-needs-you")
def test_what_must_be_in_sight_is_in_sight_on_every_screen(
    tmp_path: Path, dressed: QApplication, qtbot: QtBot
) -> None:
    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition)

    faults: list[str] = []
    seen: set[str] = set()
    with open_stage(tmp_path / "station", SystemClock()) as stage:
        operator = furnish(stage, wait)
        stage.services.devices.start()
        window = MainWindow(stage.services)
        window.show()
        window.activateWindow()

        def look(name: str) -> None:
            for screen, size in SCREENS.items():
                window.resize(size)
                QApplication.processEvents()
                if window.size() != size:
                    faults.append(f"{name}, {screen}: the window is {window.size()}")
                (strip,) = (s for s in window.findChildren(StatusStrip) if s.isVisible())
                found = outside(window, strip=strip)
                for kind, faults_of in FAULTS.items():
                    pages = [page for page in window.findChildren(kind) if page.isVisible()]
                    found += [fault for page in pages for fault in faults_of(window, page)]
                faults.extend(f"{name}, {screen}: {fault}" for fault in found)
            window.resize(1366, 768)

        try:
            for name, _page in all_pages(window, stage, operator, wait):
                if name in LOOKED_AT:
                    seen.add(name)
                    look(name)
        finally:
            window.end()
            window.hide()
            window.deleteLater()
            stage.services.devices.stop()
    assert seen == LOOKED_AT
    assert not faults, "\n".join(faults)
