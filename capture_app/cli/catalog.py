"""capture-app catalog list|check: the coded procedures and regions."""

from __future__ import annotations

import argparse
import sys

from capture_app.catalog.catalog import Catalog
from capture_app.catalog.check import check
from capture_app.catalog.load import load_catalog
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import json_option, print_json, print_table
from capture_app.errors import CatalogError
from capture_app.model.procedure import ProcedureEntry, Region
from capture_app.model.words import tr


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("act", choices=["list", "check"], help="list entries, or look for faults")
    parser.add_argument("--regions", action="store_true", help="list regions, not procedures")
    parser.add_argument("--procedure", metavar="ID", help="with --regions: those of this procedure")
    parser.add_argument("--department", help="list the procedures that this department offers")
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
        head = ("code", "scheme", "side", "verified", "region")
        rows = [
            (
                region.code.value,
                region.code.scheme,
                str(region.side_rule),
                _yes_or_no(catalog.site_notes[region.code.key].verified),
                region.label,
            )
            for region in _regions(catalog, args.procedure)
        ]
    else:
        head = ("id", "code", "scheme", "kind", "verified", "procedure")
        rows = [
            (
                entry.entry_id,
                entry.code.value,
                entry.code.scheme,
                str(entry.image_kind),
                _yes_or_no(catalog.notes[entry.entry_id].verified),
                entry.display_name,
            )
            for entry in _procedures(catalog, args.department)
        ]
    if args.json:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)
    return EXIT_DONE


def _procedures(catalog: Catalog, department: str | None) -> tuple[ProcedureEntry, ...]:
    if department is None:
        return catalog.selectable
    found = catalog.of_department(department)
    if not found:
        names = {name for entry in catalog.selectable for name in catalog.departments_of(entry)}
        message = tr(
            "No procedure is of {name}. Departments: {names}.",
            name=department,
            names=", ".join(sorted(names)),
        )
        raise CatalogError(message)
    return found


def _regions(catalog: Catalog, entry_id: str | None) -> tuple[Region, ...]:
    if entry_id is None:
        return catalog.regions
    entry = catalog.procedure(entry_id)
    if entry is None:
        raise CatalogError(tr("There is no procedure {id}.", id=entry_id))
    return catalog.regions_for(entry)


def _yes_or_no(verified: bool) -> str:  # noqa: FBT001 - the word for a value
    return tr("yes") if verified else tr("no")
