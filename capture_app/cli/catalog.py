"""capture-app catalog list|check: the coded procedures and regions."""

from __future__ import annotations

import argparse
import sys

from capture_app.catalog.check import check
from capture_app.catalog.load import load_catalog
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import json_option, print_json, print_table
from capture_app.model.words import tr


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("act", choices=["list", "check"], help="list entries, or look for faults")
    parser.add_argument("--regions", action="store_true", help="list regions, not procedures")
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0; 1 where `check` found faults."""
    catalog = load_catalog()
    if args.act == "check":
        faults = [str(fault) for fault in check(catalog)]
        if args.json:
            print_json({"version": catalog.version, "faults": faults})
        else:
            good = tr(
                "Catalogue {version}: {procedures} procedures to choose and {later} that cannot be "
                "chosen yet, {regions} regions, no faults.",
                version=catalog.version,
                procedures=len(catalog.selectable),
                later=len(catalog.procedures) - len(catalog.selectable),
                regions=len(catalog.regions),
            )
            sys.stdout.write("\n".join(faults or [good]) + "\n")
        return EXIT_FAILED if faults else EXIT_DONE
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    if args.regions:
        head = ("code", "scheme", "side", "region")
        rows = [
            (region.code.value, region.code.scheme, str(region.side_rule), region.label)
            for region in catalog.regions
        ]
    else:
        head = ("id", "code", "scheme", "kind", "procedure")
        rows = [
            (
                entry.entry_id,
                entry.code.value,
                entry.code.scheme,
                str(entry.image_kind),
                entry.display_name,
            )
            for entry in catalog.selectable
        ]
    if args.json:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)
    return EXIT_DONE
