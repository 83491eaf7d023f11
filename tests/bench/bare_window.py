"""What any window of Qt costs: says on standard output when it was painted, and ends.

python -m tests.bench.bare_window
"""

import sys

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from tests.bench.moments import say


class Window(QMainWindow):
    """Empty, and as large as ours."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        say("painted")
        QTimer.singleShot(0, self.close)


if __name__ == "__main__":
    app = QApplication(sys.argv[:1])
    window = Window()
    window.resize(1366, 768)
    window.show()
    sys.exit(app.exec())
