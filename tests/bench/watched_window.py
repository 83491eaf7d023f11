"""The main window, with somebody at the lock who gives the PIN at once, and an eye on the list."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from capture_app.ui.services import Services
from capture_app.ui.shell import app, main_window
from tests.bench.moments import say

PIN = "248613"


def watch() -> None:
    """From now on the window that is opened is a watched one."""
    app.MainWindow = WatchedWindow  # type: ignore[attr-defined]


class WatchedWindow(main_window.MainWindow):
    """Says "lock" and "painted", and closes."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._lock_paints = _Paints(self.sign_in, self._lock_painted)
        self._list_paints: _Paints | None = None
        self.sign_in_vm.signed_in.connect(self._watch_list)

    def _lock_painted(self) -> bool:
        say("lock")
        QTimer.singleShot(0, self._give_pin)
        return True

    def _give_pin(self) -> None:
        for digit in PIN:
            self.sign_in_vm.type(digit)
        self.sign_in_vm.submit()

    def _watch_list(self, _operator: object) -> None:
        assert self.content is not None
        viewport = self.content.patients.rows_view.viewport()
        self._list_paints = _Paints(viewport, self._list_painted)

    def _list_painted(self) -> bool:
        assert self.content is not None
        if not self.content.patients_vm.state.rows:
            return False
        say("painted")
        QTimer.singleShot(0, self.close)
        return True


class _Paints(QObject):
    """Calls back after each painting of a widget, until the callback says that it was the one."""

    def __init__(self, widget: QWidget, painted: Callable[[], bool]) -> None:
        super().__init__(widget)
        self._widget = widget
        self._painted = painted
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._after)  # the painting itself is still to come
        return False

    def _after(self) -> None:
        if self._painted():
            self._widget.removeEventFilter(self)
