"""What every command does first: settings, log, and where they are."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import structlog

from capture_app.cli.console import as_shown, shows_everything
from capture_app.clock import SystemClock
from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.words import tr
from capture_app.settings.load import Loaded, load_layers, try_layers
from capture_app.settings.log import configure, log_what_nobody_caught
from capture_app.settings.practice import claim_data_folder, refuse_real_destinations
from capture_app.settings.schema import Settings

_log = structlog.get_logger(__name__)

CLOCK = SystemClock()
_MOST_ROWS: Final = 1_000_000


def read_settings(args: argparse.Namespace) -> Loaded:
    """The settings of this start, from the common options. Raises SettingsError."""
    return load_layers(settings_file=args.settings, data_dir=args.data, environ=os.environ)


def try_settings(args: argparse.Namespace) -> tuple[Loaded, tuple[SettingsFault, ...]]:
    """What can be read of the settings of this start, and why they cannot be used: as `try_layers`,
    and where practice would reach real destinations.
    """
    loaded, faults = try_layers(settings_file=args.settings, data_dir=args.data, environ=os.environ)
    if not faults:
        try:
            refuse_real_destinations(loaded.settings)
        except SettingsError as error:
            faults = error.faults
    return loaded, faults


def start(args: argparse.Namespace, program: str) -> Settings:
    """Reads the settings, puts the log in place and tells there what the mandatory layer has put
    aside. Raises SettingsError.
    """
    loaded = read_settings(args)
    start_log(args, program, loaded.settings)
    for one in loaded.overridden:
        _log.warning("setting-overridden", reason=str(one))
    return loaded.settings


def start_log(args: argparse.Namespace, program: str, settings: Settings) -> None:
    """Puts the log in place, for settings from wherever.

    The log is in the data folder, so the folder is claimed first: for practice or for patients.
    """
    claim_data_folder(settings)
    configure(settings.data_dir, program=program, console_level=args.log_level)
    log_what_nobody_caught()


def print_json(content: object) -> None:
    """One JSON document on standard output."""
    json.dump(content, sys.stdout, ensure_ascii=not shows_everything(), indent=2)
    sys.stdout.write("\n")


def print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns for people. Widths are counted in characters, whatever the script."""
    texts = [[as_shown(str(cell)) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def limit_option(parser: argparse.ArgumentParser, rows: int) -> None:
    """How many rows a listing command shows at most."""
    parser.add_argument(
        "--limit", type=_limit, default=rows, metavar="N", help=f"the most rows ({rows})"
    )


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _MOST_ROWS):
        message = tr("not a whole number from 1 to {most}", most=_MOST_ROWS)
        raise argparse.ArgumentTypeError(message)
    return int(text)


def json_option(parser: argparse.ArgumentParser) -> None:
    """The option that all listing commands share."""
    parser.add_argument("--json", action="store_true", help="write JSON, for other programs")
