"""`capture-app serve` with a fault planted in it: `planted_serve.py FAULT ARGUMENTS...`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from capture_app.archive import connect as archives
from capture_app.cli.main import main
from capture_app.errors import KeyUnavailableError
from capture_app.outbox.spool import Spool
from capture_app.outbox.steps import tasks

HANGS = "hangs"
ENDS = "ends"
NO_ARCHIVE = "no-archive"
UNUSABLE = "unusable"
"""The name of the archive that cannot be connected by NO_ARCHIVE."""


def plant_in_engine(flag: Path, fault: str) -> None:
    """From the moment that the flag is there the scheduler hangs in a question, or ends by it."""
    really = tasks.open_tasks

    def open_tasks(spool: Spool) -> tuple[tasks.Task, ...]:
        if flag.exists():
            print("planted", flush=True)
            if fault == ENDS:
                sys.exit()
            threading.Event().wait()
        return really(spool)

    tasks.open_tasks = open_tasks


def plant_in_archives() -> None:
    really = archives.connect

    def connect(destination: Any, *args: Any, **named: Any) -> Any:
        if destination.name == UNUSABLE:
            message = "planted"
            raise KeyUnavailableError(message)
        return really(destination, *args, **named)

    archives.connect = connect


if __name__ == "__main__":
    fault, flag, *arguments = sys.argv[1:]
    if fault == NO_ARCHIVE:
        plant_in_archives()
    else:
        plant_in_engine(Path(flag), fault)
    sys.exit(main(["serve", *arguments]))
