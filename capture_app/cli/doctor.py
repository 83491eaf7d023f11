"""capture-app doctor: whether this station works, and what to do where it does not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from capture_app.bootstrap import ENGINE_LOCK
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED, EXIT_WRONG_SETTINGS
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, try_settings
from capture_app.diagnostics.doctor import examine
from capture_app.diagnostics.finding import Finding, Grade
from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.words import tr
from capture_app.settings.load import Loaded
from capture_app.settings.log import configure


def arguments(parser: argparse.ArgumentParser) -> None:
    """This command has only the common options and --json."""
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0 where all works; 1 where something does not; 2 where the settings cannot be used."""
    # To standard error alone: whoever looks may be another user than the one who serves.
    configure(None, console_level=args.log_level)
    loaded, faults = try_settings(args)
    findings = findings_of(loaded, faults)
    is_good = all(one.grade is not Grade.FAULT for one in findings)
    if args.json:
        told = {
            "faults": [asdict(one) for one in faults],
            "findings": [asdict(f) for f in findings],
        }
        print_json({"good": is_good, "usable": not faults, **told})
    else:
        _print(findings)
    if faults:
        if not args.json:
            sys.stderr.write(f"{SettingsError(faults)}\n")
        return EXIT_WRONG_SETTINGS
    return EXIT_DONE if is_good else EXIT_FAILED


def findings_of(loaded: Loaded, faults: Sequence[SettingsFault]) -> tuple[Finding, ...]:
    """What the doctor finds of what could be read of the settings."""
    settings = loaded.settings

    def origin_of(key: str) -> str:
        return loaded.origins.get(key, tr("defaults"))

    return examine(settings, origin_of, CLOCK, settings.data_dir / ENGINE_LOCK, faults)


def _print(findings: tuple[Finding, ...]) -> None:
    marks = {
        Grade.GOOD: tr("good"),
        Grade.ADVICE: tr("look"),
        Grade.FAULT: tr("FAULT"),
    }
    rows = [(marks[one.grade], one.area, one.name, one.code, one.words) for one in findings]
    print_table((tr("grade"), tr("area"), tr("name"), tr("code"), tr("result")), rows)
    for one in findings:
        if one.remedy:
            sys.stdout.write(f"{one.area} {one.name}: {one.remedy}\n")
