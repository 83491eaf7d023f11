"""capture-app settings check|show|describe: what is wrong with the settings, or what they are."""

from __future__ import annotations

import argparse
import sys

from capture_app.cli.main import EXIT_DONE, EXIT_WRONG_SETTINGS
from capture_app.cli.start import json_option, print_json, read_settings
from capture_app.errors import SettingsError
from capture_app.model.words import tr
from capture_app.settings.describe import schema_markdown, settings_json, settings_toml
from capture_app.settings.practice import refuse_real_destinations


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act",
        choices=["check", "show", "describe"],
        help="check: all faults at once; show: what is in force; describe: every key there is",
    )
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0 where the settings can be used, else 2."""
    if args.act == "describe":
        sys.stdout.write(schema_markdown())
        return EXIT_DONE
    try:
        settings = read_settings(args)
        refuse_real_destinations(settings)
    except SettingsError as error:
        if not args.json:
            raise
        faults = [
            {"file": f.file, "key": f.key, "problem": f.problem, "allowed": f.allowed}
            for f in error.faults
        ]
        print_json({"usable": False, "faults": faults})
        return EXIT_WRONG_SETTINGS
    if args.act == "show":
        sys.stdout.write((settings_json if args.json else settings_toml)(settings))
    elif args.json:
        print_json({"usable": True, "faults": []})
    else:
        sys.stdout.write(tr("The settings can be used.") + "\n")
    return EXIT_DONE
