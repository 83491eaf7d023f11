"""Draws every page at 1366 x 768 into a folder: three themes, a long language, from the right.

    python tools/screenshots.py FOLDER [english-dark practice-dark ...]

The pages are the real ones, over real services with invented patients. Offscreen unless
CAPTURE_TEST_XCB is set (then on DISPLAY).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
if not os.environ.get("CAPTURE_TEST_XCB"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QElapsedTimer, QEventLoop
from PySide6.QtWidgets import QApplication

from capture_app.clock import SystemClock
from capture_app.settings.schema import ThemeName
from capture_app.ui.looks import theme
from capture_app.ui.shell import app as shell_app
from capture_app.ui.shell.main_window import MainWindow
from tests.ui.pages import all_pages, furnish, pages_without_services
from tests.ui.stage import open_stage
from tests.ui.tongues import speaking

VARIANTS = (
    ("english", ThemeName.DARK),
    ("english", ThemeName.LIGHT),
    ("english", ThemeName.DIM),
    ("pseudo", ThemeName.DARK),
    ("arabic", ThemeName.DARK),
    ("practice", ThemeName.DARK),
)
"""A language and a theme; "practice" is English with the practice band."""
_SETTLED_MS = 300
_AT_MOST_MS = 20_000


def spin(app: QApplication, milliseconds: int) -> None:
    """Lets the window live for a while."""
    timer = QElapsedTimer()
    timer.start()
    while timer.elapsed() < milliseconds:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def wait(app: QApplication, condition: Callable[[], bool]) -> None:
    """Lets the window live until a condition holds."""
    timer = QElapsedTimer()
    timer.start()
    while not condition():
        if timer.elapsed() > _AT_MOST_MS:
            raise TimeoutError
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def draw(app: QApplication, out: Path, tongue: str, theme_name: ThemeName) -> None:
    """All pages of one variant."""
    theme.apply(app, theme_name)
    with (
        TemporaryDirectory() as folder,
        speaking(app, tongue),
        open_stage(Path(folder) / "station", SystemClock(), practice=tongue == "practice") as stage,
    ):

        def save(name: str, page: object) -> None:
            spin(app, _SETTLED_MS)
            path = out / f"{name}-{tongue}-{theme_name}.png"
            page.grab().save(str(path))  # type: ignore[attr-defined]
            print(path.name)

        new = MainWindow(stage.services)
        new.show()
        save("set-up", new)
        new.end()
        new.hide()
        new.deleteLater()
        operator = furnish(stage, lambda condition: wait(app, condition))
        stage.services.devices.start()
        window = MainWindow(stage.services)
        window.show()
        window.activateWindow()
        try:
            for name, page in all_pages(window, stage, operator, lambda c: wait(app, c)):
                save(name, page)
            for name, page in pages_without_services(Path(folder), stage):
                save(name, page)
        finally:
            window.end()
            window.hide()
            window.deleteLater()
            stage.services.devices.stop()


def main(arguments: list[str]) -> int:
    """Draws the variants asked for, or all."""
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    out = Path(arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    app = shell_app.application()
    for tongue, theme_name in VARIANTS:
        if not arguments[1:] or f"{tongue}-{theme_name}" in arguments[1:]:
            draw(app, out, tongue, theme_name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
