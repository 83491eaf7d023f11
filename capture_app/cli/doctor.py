"""capture-app doctor: whether this station works, and what to do where it does not."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from capture_app.bootstrap import ENGINE_LOCK
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED, EXIT_WRONG_SETTINGS
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, read_settings
from capture_app.diagnostics.doctor import examine
from capture_app.diagnostics.finding import Finding, Grade
from capture_app.errors import SettingsError
from capture_app.model.words import tr
from capture_app.settings.load import Loaded
from capture_app.settings.log import configure
from capture_app.settings.practice import refuse_real_destinations


def arguments(parser: argparse.ArgumentParser) -> None:
    """This command has only the common options and --json."""
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0 where all works; 1 where something does not; 2 where the settings cannot be used."""
    try:
        loaded = read_settings(args)
        refuse_real_destinations(loaded.settings)
    except SettingsError as error:
        if not args.json:
            raise
        faults = [asdict(fault) for fault in error.faults]
        print_json({"good": False, "usable": False, "faults": faults, "findings": []})
        return EXIT_WRONG_SETTINGS
    # To standard error alone: whoever looks may be another user than the one who serves.
    configure(None, console_level=args.log_level)
    findings = findings_of(loaded)
    is_good = all(one.grade is not Grade.FAULT for one in findings)
    if args.json:
        rows = [asdict(one) for one in findings]
        print_json({"good": is_good, "usable": True, "faults": [], "findings": rows})
    else:
        _print(findings)
    return EXIT_DONE if is_good else EXIT_FAILED


def findings_of(loaded: Loaded) -> tuple[Finding, ...]:
    """What the doctor finds of these settings."""
    settings = loaded.settings

    def origin_of(key: str) -> str:
        return loaded.origins.get(key, tr("defaults"))

    return examine(settings, origin_of, CLOCK, settings.data_dir / ENGINE_LOCK)


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
