"""What nobody caught is logged and shown, wherever in the window it came up.

pytest-qt takes such errors for itself; these tests do without it, as the real window does.
"""

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QAbstractListModel, QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QListView, QWidget

from capture_app.clock import FixedClock
from capture_app.errors import StoreError
from capture_app.ui.shell.surprises import shown_in
from tests.ui.conftest import Desk

pytestmark = [pytest.mark.qt_no_exception_capture]

SAID = "Something unexpected happened. It is written in the log."


@pytest.fixture
def shown(desk: Desk, clock: FixedClock) -> Iterator[Desk]:
    desk.sign_in()
    with shown_in(desk.window, clock):
        yield desk


class _Teller(QObject):
    told = Signal()


class _Painted(QWidget):
    painted = 0

    def paintEvent(self, _event: QPaintEvent) -> None:
        self.painted += 1
        raise RuntimeError("a fault of ours")


class _Filter(QObject):
    def eventFilter(self, _watched: QObject, _event: QEvent) -> bool:
        raise RuntimeError("a fault of ours")


class _Model(QAbstractListModel):
    def rowCount(self, _parent: object = None) -> int:
        return 1

    def data(self, _index: object, _role: int = 0) -> object:
        raise RuntimeError("a fault of ours")


def bug() -> None:
    raise RuntimeError("a fault of ours")


@pytest.mark.expects_log("window-error")
def test_in_a_slot(shown: Desk) -> None:
    teller = _Teller()
    teller.told.connect(bug)
    teller.told.emit()
    shown.qtbot.waitUntil(lambda: shown.window.said.what == SAID)


@pytest.mark.expects_log("window-error")
def test_in_a_timer(shown: Desk) -> None:
    QTimer.singleShot(0, shown.window, bug)
    shown.qtbot.waitUntil(lambda: shown.window.said.what == SAID)


@pytest.mark.expects_log("window-error")
def test_in_a_thread(shown: Desk) -> None:
    thread = threading.Thread(target=bug)
    thread.start()
    thread.join()
    shown.qtbot.waitUntil(lambda: shown.window.said.what == SAID)


@pytest.mark.expects_log("window-error")
def test_in_an_event_filter(shown: Desk) -> None:
    watch, watched = _Filter(), QObject()
    watched.installEventFilter(watch)
    QApplication.postEvent(watched, QEvent(QEvent.Type.User))
    shown.qtbot.waitUntil(lambda: shown.window.said.what == SAID)
    watched.removeEventFilter(watch)


@pytest.mark.expects_log("window-error")
def test_in_a_model(shown: Desk) -> None:
    view, model = QListView(shown.window), _Model()
    view.setModel(model)
    QTimer.singleShot(0, view, view.show)  # by hand the error would come back to the hand
    shown.qtbot.waitUntil(lambda: shown.window.said.what == SAID)
    view.hide()
    view.setModel(None)


@pytest.mark.expects_log("window-error")
def test_what_is_painted_wrong_is_told_once_in_a_while(
    shown: Desk, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message over a widget paints the widget anew: it would never end."""
    told: list[object] = []
    monkeypatch.setattr(shown.window, "show_error", told.append)
    widget = _Painted(shown.window)
    widget.resize(200, 200)
    widget.show()
    for n in range(1, 4):
        widget.update()
        shown.qtbot.waitUntil(lambda: widget.painted >= n)  # noqa: B023 - waited for at once
    QApplication.processEvents()
    assert len(told) == 1
    clock.advance(11)
    widget.update()
    shown.qtbot.waitUntil(lambda: len(told) == 2)
    widget.hide()


@pytest.mark.expects_log("act-failed")
def test_a_deliberate_error_is_shown_in_its_words(shown: Desk) -> None:
    def refuse() -> None:
        raise StoreError("The disk refused.")

    QTimer.singleShot(0, shown.window, refuse)
    shown.qtbot.waitUntil(lambda: shown.window.said.what == "The disk refused.")
