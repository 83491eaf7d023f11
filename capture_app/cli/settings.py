"""capture-app settings check|show|describe: what is wrong with the settings, or what they are.

`check` looks at what is written and at what of it cannot work on this computer; with `--connect` it
also tries whom the settings name.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from capture_app.cli.main import EXIT_DONE, EXIT_FAILED, EXIT_WRONG_SETTINGS
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, read_settings
from capture_app.diagnostics.certificates import certificate_lives
from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.words import tr
from capture_app.patients.finding.scan import ScanRules
from capture_app.settings.cross_checks import is_loopback
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
        refuse_real_destinations(loaded.settings)
    except SettingsError as error:
        if not args.json:
            raise
        print_json({"usable": False, "faults": [asdict(fault) for fault in error.faults]})
        return EXIT_WRONG_SETTINGS
    return (_show if args.act == "show" else _check)(args, loaded)


def _show(args: argparse.Namespace, loaded: Loaded) -> int:
    if args.json:
        print_json(settings_shown(loaded.settings, loaded.origins))
    else:
        sys.stdout.write(settings_toml(loaded.settings, loaded.origins))
    for one in loaded.overridden:
        sys.stderr.write(f"{one}\n")
    return EXIT_DONE


def _check(args: argparse.Namespace, loaded: Loaded) -> int:
    from capture_app.diagnostics.cannot_work import cannot_work  # noqa: PLC0415 - reads the catalogue

    settings = loaded.settings
    faults = cannot_work(settings, loaded.place_of, CLOCK)
    tried: tuple[Tried, ...] | None = None
    if args.connect:
        from capture_app.diagnostics.trials import try_peers  # noqa: PLC0415 - what speaks to peers, only now

        # To standard error alone: whoever checks may be another user than the one who serves.
        configure(None, console_level=args.log_level)
        tried = try_peers(settings, CLOCK)
    advice = _advice(loaded)
    if args.json:
        found = {} if tried is None else {"tried": [asdict(one) for one in tried]}
        told = {"usable": not faults, "faults": [asdict(fault) for fault in faults]}
        print_json({**told, "advice": advice, **found})
    else:
        if not faults:
            sys.stdout.write(tr("The settings can be used.") + "\n")
        _print_tried(tried)
        for line in advice:
            sys.stdout.write(line + "\n")
    if faults:
        if not args.json:
            sys.stderr.write("".join(f"{fault}\n" for fault in faults))
        return EXIT_WRONG_SETTINGS
    return EXIT_DONE if all(one.answers for one in tried or ()) else EXIT_FAILED


def _advice(loaded: Loaded) -> list[str]:
    """What may be used and should be looked at all the same."""
    from capture_app.diagnostics.open_ports import open_ports  # noqa: PLC0415 - reads pydicom

    settings = loaded.settings
    advice = [str(one) for one in loaded.overridden]
    advice += [
        f"{life.key}: {life.problem}"
        for life in certificate_lives(settings, CLOCK.now())
        if life.is_valid and life.problem
    ]
    if not settings.practice:
        advice += [f"{one.key}: {one.problem} {one.remedy}" for one in open_ports(settings)]
    if settings.adt is not None and is_loopback(settings.adt.host) and not settings.practice:
        advice.append(tr("adt.host: only this computer reaches the admissions feed there."))
    if not ScanRules.of(settings).tells_a_whole_code:
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
