"""capture-app serve: feeds and delivery without a window, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from types import FrameType

import structlog

from capture_app.bootstrap import Background, open_rooms
from capture_app.cli.main import EXIT_DONE
from capture_app.cli.start import CLOCK, start
from capture_app.model.words import tr

_log = structlog.get_logger(__name__)


def arguments(parser: argparse.ArgumentParser) -> None:
    """This command has only the common options."""
    parser.epilog = "Ends on SIGTERM or Ctrl+C, after what is under way was put back safely."


def run(args: argparse.Namespace) -> int:
    """Exit 0 when it was told to stop."""
    settings = start(args, "serve")
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    with open_rooms(settings, CLOCK) as rooms, Background(rooms, program="serve"):
        sys.stdout.write(tr("Serving. Stop with Ctrl+C or SIGTERM.") + "\n")
        sys.stdout.flush()
        _log.info("serving")
        told.wait()
        _log.info("stopping")
    return EXIT_DONE
