"""capture-app [desktop]: the window, with feeds and delivery behind it."""

from __future__ import annotations

import argparse
import gc
import os
import sys

from capture_app.cli import window
from capture_app.cli.display import DisplayProbe
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED, EXIT_WRONG_SETTINGS
from capture_app.cli.start import start
from capture_app.errors import CaptureAppError, SettingsError
from capture_app.model.words import tr
from capture_app.settings.places import places


def arguments(parser: argparse.ArgumentParser) -> None:
    """This command has only the common options."""
    parser.epilog = "Without a screen use 'serve', 'import' or 'demo --headless'."


def run(args: argparse.Namespace) -> int:
    """Exit 0 when the window was closed; 1 without a screen; 2 for wrong settings."""
    gc.disable()  # what is read now stays: looking for garbage in it costs a tenth of the start
    display = DisplayProbe()  # a child looks while this process reads its libraries
    # Imported only now: commands do not need them. And Qt comes last: once it is there, every
    # module that is imported is read as source too, which costs a quarter of a second.
    from capture_app import bootstrap as _rooms  # noqa: F401, PLC0415
    from capture_app.devices import chosen as _chosen  # noqa: F401, PLC0415
    from capture_app.ui.first_run.viewmodel import FirstRunChoice, is_first_run  # noqa: PLC0415
    from capture_app.ui.shell.app import first_run, show_problem  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    if not display.succeeded():
        sys.stderr.write(
            tr("There is no screen to open a window on. Use 'serve', or 'demo --headless'.") + "\n"
        )
        return EXIT_FAILED
    try:
        settings = start(args, "desktop")
        if is_first_run(settings):
            file = (settings.source_files or (places(os.environ).machine_files[0],))[-1]
            match first_run(settings, file):
                case FirstRunChoice.PRACTICE:
                    from capture_app.cli.demo import open_practice  # noqa: PLC0415 - when chosen

                    return open_practice(args)
                case FirstRunChoice.QUIT:
                    return EXIT_DONE
                case FirstRunChoice.OPEN:
                    pass
        return window.open_window(settings)
    except CaptureAppError as error:
        sys.stderr.write(f"{error}\n")
        show_problem(error)
        return EXIT_WRONG_SETTINGS if isinstance(error, SettingsError) else EXIT_FAILED
