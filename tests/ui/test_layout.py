"""Every page fits 1366 x 768 in a long language and from the right, and can be reached by Tab."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import SystemClock
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.widgets.buttons import Pressable
from capture_app.ui.widgets.chips import Chip
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.scrolling import ScrollColumn
from tests.ui.pages import all_pages, furnish, pages_without_services
from tests.ui.stage import Stage, open_stage
from tests.ui.tongues import TONGUES, speaking

WHOLE = QSize(1366, 768)
TARGET = 44


def where(widget: QWidget) -> str:
    words = widget.accessibleName() or getattr(widget, "text", str)()
    return f"{type(widget).__name__} {words!r}"


def visible(page: QWidget) -> list[QWidget]:
    """What can be seen of the page; only the uppermost popover's parts count while it is open."""
    return [w for w in page.findChildren(QWidget) if w.isVisible() and w.width() and w.height()]


def clipped(page: QWidget) -> list[str]:
    """Words that do not fit where they stand, and parts that lie outside the window."""
    found = []
    whole = QRect(QPoint(0, 0), page.size())
    for widget in visible(page):
        if isinstance(widget, Label):
            if widget.wordWrap():
                fits = widget.heightForWidth(widget.width()) <= widget.height()
            else:
                fits = widget.sizeHint().width() <= widget.width()
            if not fits and widget.text():
                found.append(f"cut: {where(widget)} {widget.size()} needs {widget.sizeHint()}")
        elif isinstance(widget, Pressable | Chip) and (widget.sizeHint().width() > widget.width()):
            found.append(f"cut: {where(widget)} {widget.width()} < {widget.sizeHint().width()}")
        if isinstance(widget, Label | Pressable | Chip | QLineEdit) and not scrolls(widget):
            place = QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())
            if not whole.contains(place):
                found.append(f"outside: {where(widget)} at {place}")
    return found


def scrolled(page: QWidget) -> list[str]:
    """Popovers whose card could show all that it has, and does not."""
    found = []
    for popover in page.findChildren(Popover):
        only = Qt.FindChildOption.FindDirectChildrenOnly  # a list in it may scroll
        columns = popover.card.findChildren(ScrollColumn, options=only)
        is_cut = popover.isVisible() and any(
            column.verticalScrollBar().maximum() for column in columns
        )
        if is_cut and popover.card.height() < popover.height() - 16:
            found.append(f"scrolls: {popover.accessibleName()!r} {popover.card.size()}")
    return found


def scrolls(widget: QWidget) -> bool:
    """Whether it stands in a column that can be scrolled up and down."""
    above = widget.parentWidget()
    while above is not None:
        if above.objectName() == "qt_scrollarea_viewport":
            return True
        above = above.parentWidget()
    return False


def unreachable(page: QWidget) -> list[str]:
    """Controls without a name, under 44 px, or out of reach of Tab."""
    found = []
    for widget in visible(page):
        if not isinstance(widget, Pressable | QLineEdit | QAbstractItemView):
            continue
        name = widget.accessibleName() or (widget.text() if isinstance(widget, Pressable) else "")
        if not name.strip("&"):
            found.append(f"nameless: {widget}")
        if isinstance(widget, Pressable) and min(widget.width(), widget.height()) < TARGET:
            found.append(f"small: {where(widget)} {widget.size()}")
        is_reached = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if not is_reached and not has_other_way(widget):
            found.append(f"no Tab: {where(widget)}")
    return found


def has_other_way(widget: QWidget) -> bool:
    """The cross in a filter (Esc does the same), and pictures of the strip (arrows)."""
    return isinstance(widget.parentWidget(), QLineEdit) or widget.property("by_arrows") is True


def faults_of(page: QWidget, qtbot: QtBot) -> list[str]:
    """All that is wrong with a page once it has settled: numbers on it may change meanwhile."""

    def look() -> list[str]:
        size = [] if page.size() == WHOLE else [f"the page is {page.size()}"]
        return [*size, *clipped(page), *unreachable(page), *scrolled(page)]

    with suppress(qtbot.TimeoutError):
        qtbot.waitUntil(lambda: not look())
    return look()


@pytest.mark.expects_log("delivery-needs-you")
@pytest.mark.parametrize(
    ("tongue", "practice"), [*((tongue, False) for tongue in TONGUES), ("pseudo", True)]
)
def test_every_page_fits_and_can_be_reached(
    tmp_path: Path, dressed: QApplication, qtbot: QtBot, tongue: str, practice: bool
) -> None:
    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition)

    faults: list[str] = []
    seen: list[str] = []
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
            seen.append(name)
            faults.extend(f"{name}: {fault}" for fault in faults_of(page, qtbot))

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
    assert len(seen) == 22
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("tongue", TONGUES)
def test_the_set_up_of_a_new_computer_fits(
    stage: Stage, dressed: QApplication, qtbot: QtBot, tongue: str
) -> None:
    with speaking(dressed, tongue):
        window = MainWindow(stage.services)
        window.show()
        faults = faults_of(window, qtbot)
        window.end()
        window.hide()
        window.deleteLater()

    assert not faults, "\n".join(faults)
