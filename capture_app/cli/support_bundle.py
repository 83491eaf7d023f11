"""capture-app support-bundle: a file for whoever helps from afar, without anything of a patient."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from capture_app.cli.doctor import findings_of
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import CLOCK, print_table, try_settings
from capture_app.diagnostics.bundle import contents, zipped
from capture_app.model.words import tr
from capture_app.settings.log import configure
from capture_app.settings.write_once import write_once


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="a new file (capture-app-support-<time>.zip, in the folder of the day)",
    )
    parser.add_argument("--yes", action="store_true", help="write it without asking, for scripts")


def run(args: argparse.Namespace) -> int:
    """Exit 0 when it is written; 1 where somebody said no, or the file is there. Settings that
    cannot be used keep nobody from it.
    """
    configure(None, console_level=args.log_level)
    loaded, faults = try_settings(args)
    now = CLOCK.now()
    files = contents(loaded.settings, faults, findings_of(loaded, faults), now)
    path = args.out or Path(f"capture-app-support-{now:%Y%m%dT%H%M%S}.zip")
    print_table(
        (tr("file"), tr("bytes")), [(name, len(content)) for name, content in files.items()]
    )
    sys.stdout.write(files["about.txt"].decode())
    if faults:
        sys.stderr.write(
            tr(
                "The settings cannot be used; faults.json says why. Looked at is {folder}.",
                folder=loaded.settings.data_dir,
            )
            + "\n"
        )
    if not (args.yes or _is_wanted(path)):
        sys.stdout.write(tr("Nothing was written.") + "\n")
        return EXIT_FAILED
    if not write_once(path, zipped(files, now)):
        sys.stderr.write(tr("{path} is there already. Nothing was written.", path=path) + "\n")
        return EXIT_FAILED
    sys.stdout.write(tr("Written: {path}", path=path) + "\n")
    return EXIT_DONE


def _is_wanted(path: Path) -> bool:
    sys.stdout.write(tr("Write it to {path}? [y/N] ", path=path))
    sys.stdout.flush()
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}
