"""Starts Qt: fonts, theme, direction, the window. `bootstrap` has opened the services before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from PySide6.QtCore import QLocale, QRect, QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from capture_app import __version__
from capture_app.errors import CaptureAppError
from capture_app.model.words import tr
from capture_app.settings.schema import Settings, ThemeName
from capture_app.ui.first_run.viewmodel import FirstRunChoice, FirstRunViewModel
from capture_app.ui.looks import fonts, icons, theme
from capture_app.ui.services import Services
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.shell.surprises import shown_in
from capture_app.ui.widgets import reader_roles

_BEGIN_AFTER_MS: Final = 1000
_WIDE: Final = QSize(1366, 768)

_log = structlog.get_logger(__name__)


def application(*, language: str = "en", theme_name: ThemeName = ThemeName.DARK) -> QApplication:
    """The one QApplication of the process, dressed. May be called again with other settings."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("capture-app")
    app.setApplicationDisplayName(tr("Capture"))
    app.setApplicationVersion(__version__)
    app.setLayoutDirection(QLocale(language).textDirection())
    fonts.install(app)
    reader_roles.install()
    theme.apply(app, theme_name)
    app.setWindowIcon(icons.icon("aperture", theme.current().accent, 64))
    return app


def run(services: Services, begin: Callable[[], object]) -> int:
    """Opens the window and returns when it is closed.

    `begin` starts what goes on behind it: the camera, which is stopped here, and whatever else. It
    is called once, off the GUI thread, when the window has been there for a second: what it reads
    and opens must not keep anybody waiting for the list.
    """
    station = services.settings.station
    app = application(language=station.language, theme_name=station.theme)
    window = MainWindow(services)
    with shown_in(window, services.clock):
        try:
            show_fitting(window, app)
            QTimer.singleShot(
                _BEGIN_AFTER_MS, window, lambda: window.tasks.run(begin, owner=window)
            )
            QTimer.singleShot(_BEGIN_AFTER_MS, window, lambda: _listen_to_system(window))
            return app.exec()
        finally:
            window.end()
            services.devices.stop()


def _listen_to_system(window: MainWindow) -> None:
    if sys.platform == "linux":
        from PySide6.QtDBus import QDBusConnection  # noqa: PLC0415 - only here, and not at once

        window.listen_to_system(QDBusConnection.systemBus())


def first_run(settings: Settings, settings_file: Path) -> FirstRunChoice:
    """Shows what the settings lack and offers Practice; returns the person's choice."""
    from capture_app.ui.first_run.page import FirstRunPage  # noqa: PLC0415 - seldom shown

    station = settings.station
    app = application(language=station.language, theme_name=station.theme)
    chosen = [FirstRunChoice.QUIT]
    viewmodel = FirstRunViewModel(settings, settings_file)
    page = FirstRunPage(viewmodel)
    page.setWindowTitle(tr("Capture"))

    def choose(choice: FirstRunChoice) -> None:
        chosen[0] = choice
        page.close()

    viewmodel.chosen.connect(choose)
    show_fitting(page, app)
    app.exec()
    return chosen[0]


def show_problem(error: CaptureAppError) -> None:
    """Shows why the application cannot open, until it is read."""
    from capture_app.ui.problem.page import ProblemPage  # noqa: PLC0415 - seldom shown

    _log.error("cannot-open", reason=str(error))
    app = application()
    page = ProblemPage(tr("Capture cannot open"), str(error))
    page.setWindowTitle(tr("Capture"))
    page.close_asked.connect(page.close)
    show_fitting(page, app)
    app.exec()


def show_fitting(window: QWidget, app: QApplication) -> None:
    """At 1366 x 768, or filling a screen that is not larger: also where nobody manages windows, as
    in a kiosk's session, which leaves a window at the size that it asks for.
    """
    room = app.primaryScreen().availableGeometry()
    if room.width() <= _WIDE.width() or room.height() <= _WIDE.height():
        window.setGeometry(QRect(room.topLeft(), _WIDE.boundedTo(room.size())))
        window.setWindowState(Qt.WindowState.WindowMaximized)
    else:
        window.resize(_WIDE)
    window.show()
    window.activateWindow()
