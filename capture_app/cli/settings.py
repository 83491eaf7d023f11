"""capture-app settings check|show|describe: what is wrong with the settings, or what they are.

`check` looks at what is written; with `--connect` it also tries whom the settings name.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from capture_app.cli.main import EXIT_DONE, EXIT_FAILED, EXIT_WRONG_SETTINGS
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, read_settings
from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.words import tr
from capture_app.patients.finding.scan import ScanRules
from capture_app.settings.describe import schema_markdown, settings_shown, settings_toml
from capture_app.settings.log import configure
from capture_app.settings.practice import refuse_real_destinations

if TYPE_CHECKING:
    from capture_app.diagnostics.trials import Tried
    from capture_app.settings.load import Loaded


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act",
        choices=["check", "show", "describe"],
        help="check: all faults at once; show: what is in force; describe: every key there is",
    )
    parser.add_argument(
        "--connect",
        action="store_true",
        help="check: also try every archive and worklist (at most 10 s); exit 1 where one does "
        "not answer",
    )
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0 where the settings can be used, else 2; 1 where a peer that was tried is silent."""
    if args.connect and args.act != "check":
        problem, allowed = tr("It has no meaning here."), tr("nothing: leave it out")
        raise SettingsError((SettingsFault(f"settings {args.act}", "--connect", problem, allowed),))
    if args.act == "describe":
        sys.stdout.write(schema_markdown())
        return EXIT_DONE
    try:
        loaded = read_settings(args)
        settings = loaded.settings
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
        if args.json:
            print_json(settings_shown(settings, loaded.origins))
        else:
            sys.stdout.write(settings_toml(settings, loaded.origins))
        for one in loaded.overridden:
            sys.stderr.write(f"{one}\n")
        return EXIT_DONE
    tried: tuple[Tried, ...] | None = None
    if args.connect:
        from capture_app.diagnostics.trials import try_peers  # noqa: PLC0415 - what speaks to peers, only now

        # To standard error alone: whoever checks may be another user than the one who serves.
        configure(None, console_level=args.log_level)
        tried = try_peers(settings, CLOCK)
    if args.json:
        found = {} if tried is None else {"tried": [asdict(one) for one in tried]}
        print_json({"usable": True, "faults": [], "advice": _advice(loaded), **found})
    else:
        sys.stdout.write(tr("The settings can be used.") + "\n")
        _print_tried(tried)
        for advice in _advice(loaded):
            sys.stdout.write(advice + "\n")
    return EXIT_DONE if all(one.answers for one in tried or ()) else EXIT_FAILED


def _advice(loaded: Loaded) -> list[str]:
    """What may be used and should be looked at all the same."""
    advice = [str(one) for one in loaded.overridden]
    if not ScanRules.of(loaded.settings).tells_a_whole_code:
        advice.append(
            tr(
                "Recommended: scan patterns with a symbology or a prefix. Without one the rest of "
                "a code that stalled for more than 2 s cannot be told from a whole one."
            )
        )
    return advice


def _print_tried(tried: tuple[Tried, ...] | None) -> None:
    if tried:
        rows = [
            (one.kind, one.name, one.way, one.milliseconds, one.reason or tr("It answers."))
            for one in tried
        ]
        print_table(("kind", "name", "by", "ms", "result"), rows)
    elif tried is not None:
        sys.stdout.write(tr("There is no archive and no worklist to try.") + "\n")
