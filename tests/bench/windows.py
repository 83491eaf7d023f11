"""Opens a window and says on standard output when it was painted. Run as a process of its own.

python -m tests.bench.windows bare|desktop [arguments of the command]
"""

import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

PIN = "248613"


def bare() -> int:
    """What any window of Qt costs."""

    class Window(QMainWindow):
        def paintEvent(self, event: QPaintEvent) -> None:
            super().paintEvent(event)
            say("painted")
            QTimer.singleShot(0, self.close)

    app = QApplication(sys.argv[:1])
    window = Window()
    window.resize(1366, 768)
    window.show()
    return app.exec()


def desktop(arguments: list[str]) -> int:
    """The whole command; whoever is at the lock gives the PIN at once."""
    from capture_app.cli.main import main  # noqa: PLC0415 - its cost is not the bare window's
    from capture_app.ui.services import Services  # noqa: PLC0415
    from capture_app.ui.shell import app as shell_app  # noqa: PLC0415
    from capture_app.ui.shell.main_window import MainWindow  # noqa: PLC0415

    class Watched(MainWindow):
        def __init__(self, services: Services) -> None:
            super().__init__(services)
            self._lock_paints = Paints(self.sign_in, self._lock_painted)
            self._list_paints: Paints | None = None
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
            rows_view = self.content.patients.rows_view
            self._list_paints = Paints(rows_view.viewport(), self._list_painted)

        def _list_painted(self) -> bool:
            assert self.content is not None
            if not self.content.patients_vm.state.rows:
                return False
            say("painted")
            QTimer.singleShot(0, self.close)
            return True

    shell_app.MainWindow = Watched  # type: ignore[attr-defined]
    return main(["desktop", *arguments])


class Paints(QObject):
    """Calls back after each painting of a widget, until the callback says that it was the one."""

    def __init__(self, widget: QWidget, painted: Callable[[], bool]) -> None:
        super().__init__(widget)
        self._widget = widget
        self._painted = painted
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._after)  # the event itself is still to come
        return False

    def _after(self) -> None:
        if self._painted():
            self._widget.removeEventFilter(self)


def say(what: str) -> None:
    """The moment, on a clock that all processes of this computer share."""
    print(what, time.perf_counter(), flush=True)


if __name__ == "__main__":
    sys.exit(bare() if sys.argv[1] == "bare" else desktop(sys.argv[2:]))
