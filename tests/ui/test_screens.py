"""Small and scaled screens, title bar and task bar on: what must stay in sight, as rectangles."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import SystemClock
from capture_app.ui.outbox.page import OutboxPage
from capture_app.ui.patients.page import PatientsPage
from capture_app.ui.patients.patient_list import ListHeader, PatientListView
from capture_app.ui.patients.row_text import Columns
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.shell.status_strip import StatusStrip
from capture_app.ui.sign_in.page import SignInPage
from capture_app.ui.widgets.buttons import DigitButton
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.workspace.page import WorkspacePage
from tests.ui.fitting import place, scrolled, unfit, unreachable
from tests.ui.pages import PAGES, all_pages, furnish, pages_without_services
from tests.ui.stage import Stage, open_stage
from tests.ui.tongues import TONGUES, speaking

_BARS = 79
"""A title bar and a task bar of Windows, in device-independent pixels."""
WHOLE = QSize(1366, 768)
"""Full screen, as the look was drawn: here every control is tried, and every popover's height."""
SCREENS = {
    "1024x768": QSize(1024, 768 - _BARS),
    "1200x800": QSize(1200, 800 - _BARS),
    "1366x768": QSize(1366, 768 - _BARS),
    "1366x768 at 125 %": QSize(1093, 614 - _BARS),
    "1920x1080 at 150 %": QSize(1280, 720 - _BARS),
    "1920x1080 at 200 %": QSize(960, 540 - _BARS),
}
_NAME = 200
_SETTLES_MS = 3_000


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
    header = page.findChild(ListHeader)
    if header is None or header.columns != columns:
        faults.append("the titles are not above their columns")
    if columns.end > rows.viewport().width():
        faults.append("the columns end outside")
    if rows.viewport().height() < 3 * 48:
        faults.append(f"only {rows.viewport().height()} px of rows")
    bar = rows.verticalScrollBar()
    if bar.maximum() > 0 and not bar.isVisible():
        faults.append("rows are left over and there is no scroll bar")
    return faults


def workspace_faults(window: MainWindow, page: WorkspacePage) -> list[str]:
    live = {"picture": page.view, "shutter": page.shutter.shutter}
    contacts = {"contacts": page.contacts}
    clip = {"clip": page.clip.frame, "still": page.clip.still, "play": page.clip.play}
    in_place = contacts if page.stage.shows_contacts else clip if page.stage.shows_clip else live
    faults = outside(
        window,
        banner=page.banner,
        **in_place,
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
    if page.view.isVisible() and page.view.height() < 180:
        faults.append(f"the picture is {page.view.height()} px high")
    faults += [
        f"under 44 px: {button.accessibleName() or button.text()}"
        for button in (page.shutter.shutter, page.send_bar.delete, page.send_bar.send)
        if button.isVisible() and button.height() < 44
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


def open_popovers(window: QWidget) -> list[Popover]:
    return [popover for popover in window.findChildren(Popover) if popover.isVisible()]


def popover_faults(window: QWidget) -> list[str]:
    """Cards that do not fit, and what of them cannot be brought into sight."""
    popovers = open_popovers(window)
    cards = [fault for popover in popovers for fault in outside(window, card=popover.card)]
    return cards + [fault for popover in popovers for fault in unfit(popover.card)]


def sized(window: QWidget, size: QSize) -> list[str]:
    """Gives the window a screen's size; a fault where it would not be so small."""
    window.resize(size)
    for _ in range(2):  # a scroll bar that comes narrows its column, which is laid out once more
        QApplication.processEvents()
    return [] if window.size() == size else [f"the window is {window.size()}"]


def settled(qtbot: QtBot, faults: Callable[[], list[str]]) -> list[str]:
    """What stays wrong: numbers change and pictures come while it is looked at."""
    with suppress(qtbot.TimeoutError):
        qtbot.waitUntil(lambda: not faults(), timeout=_SETTLES_MS)
    return faults()


def main_faults(window: MainWindow) -> list[str]:
    if open_popovers(window):
        return popover_faults(window)
    strips = [strip for strip in window.findChildren(StatusStrip) if strip.isVisible()]
    found = outside(window, **{f"strip {n}": strip for n, strip in enumerate(strips)})
    found += unfit(window)
    for kind, faults_of in FAULTS.items():
        pages = [page for page in window.findChildren(kind) if page.isVisible()]
        found += [fault for page in pages for fault in faults_of(window, page)]
    return found if strips else [*found, "no strip"]


@pytest.mark.expects_log("delivery-needs-you", "destination-silent")
@pytest.mark.parametrize(
    ("tongue", "practice"),
    [("english", False), ("pseudo", True), ("arabic", False)],
)
def test_what_must_be_in_sight_is_in_sight_on_every_screen(
    tmp_path: Path,
    dressed: QApplication,
    qtbot: QtBot,
    tongue: str,
    practice: bool,
) -> None:
    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition, timeout=20_000)

    faults: list[str] = []
    names: list[str] = []
    with (
        speaking(dressed, tongue),
        open_stage(tmp_path / "station", SystemClock(), practice=practice) as stage,
    ):
        operator = furnish(stage, wait)
        stage.services.devices.start()
        window = MainWindow(stage.services)
        window.show()
        window.activateWindow()

        def look(name: str, page: QWidget) -> None:
            names.append(name)

            def faults_of() -> list[str]:
                return main_faults(page) if isinstance(page, MainWindow) else unfit(page)

            for screen, size in SCREENS.items():
                found = sized(page, size) + settled(qtbot, faults_of)
                faults.extend(f"{name}, {screen}: {fault}" for fault in found)
            found = sized(page, WHOLE) + settled(
                qtbot, lambda: unfit(page) + unreachable(page) + scrolled(page)
            )
            faults.extend(f"{name}: {fault}" for fault in found)

        try:
            for name, page in all_pages(window, stage, operator, wait):
                look(name, page)
            for name, page in pages_without_services(tmp_path, stage):
                look(name, page)
        finally:
            window.end()
            window.hide()
            window.deleteLater()
            stage.services.devices.stop()
    assert len(set(names)) == len(names) == PAGES
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("tongue", TONGUES)
def test_the_set_up_of_a_new_computer_is_in_sight_on_every_screen(
    stage: Stage, dressed: QApplication, tongue: str
) -> None:
    faults: list[str] = []
    with speaking(dressed, tongue):
        window = MainWindow(stage.services)
        window.show()
        for screen, size in (*SCREENS.items(), ("whole", WHOLE)):
            found = sized(window, size) + unfit(window) + unreachable(window)
            faults.extend(f"{screen}: {fault}" for fault in found)
        window.end()
        window.hide()
        window.deleteLater()
    assert not faults, "\n".join(faults)
