"""The window on an X server, with a patient list and a drawn camera: what it shows, line by line.

A program of its own, for tests in which keys come from real input devices. It writes JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QTimer

from capture_app.clock import SystemClock
from capture_app.devices.capture import Live
from capture_app.security.users import FIRST_ROLES
from capture_app.settings.log import configure
from capture_app.ui.shell import app as shell_app
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.workspace.page import WorkspacePage
from tests.ui.hands import clinic


def main() -> int:
    """Runs until it is killed."""
    configure(None, console_level="error")  # nothing but JSON on standard output
    app = shell_app.application()
    with tempfile.TemporaryDirectory() as folder, clinic(Path(folder), SystemClock()) as stage:
        user = stage.add_user("aokafor", "A. Okafor", *FIRST_ROLES)
        window = MainWindow(stage.services)
        window.showFullScreen()
        stage.services.devices.start()
        window.sign_in_vm.signed_in.emit(user)
        said: dict[str, object] = {}

        def look() -> None:
            nonlocal said
            pages = [page for page in window.findChildren(WorkspacePage) if page.isVisible()]
            now = {
                "is_active": window.isActiveWindow(),
                "is_live": stage.services.devices.state.live is Live.LIVE,
                "patient": pages[0].viewmodel.exam.patient.patient_id.value if pages else "",
                "pictures": len(pages[0].viewmodel.state.thumbs) if pages else 0,
            }
            if not window.isActiveWindow():
                window.activateWindow()  # no window manager does it
            if now != said:
                said = now
                sys.stdout.write(json.dumps(now) + "\n")
                sys.stdout.flush()

        timer = QTimer()
        timer.timeout.connect(look)
        timer.start(50)
        return app.exec()


if __name__ == "__main__":
    sys.exit(main())
