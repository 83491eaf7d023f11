"""capture-app outbox [--check]: where every picture stands. No patient data."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from capture_app.bootstrap import open_data_folder
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import (
    CLOCK,
    json_option,
    limit_option,
    print_json,
    print_table,
    start,
)
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.words import tr
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import Inspection, inspect
from capture_app.outbox.status import StatusFilter

_HEAD: Final = ("sop_instance_uid", "state", "changed", "destination", "proof", "tries", "reason")
_FINISHED: Final = frozenset({ImageState.CONFIRMED, ImageState.PURGED})


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "--check",
        action="store_true",
        help="prove every kept file and the trail; exit 1 where something is broken, missing or "
        "needs a person",
    )
    parser.add_argument("--all", action="store_true", help="also what is confirmed or purged")
    limit_option(parser, 1000)
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0; 1 where --check found something that a person must see."""
    settings = start(args, "outbox")
    wanted = None if args.all else frozenset(ImageState) - _FINISHED
    with open_data_folder(settings, CLOCK) as folder:
        if args.check:
            return _check(folder.outbox, as_json=args.json)
        statuses = folder.outbox.statuses(StatusFilter(states=wanted, limit=args.limit))
    rows = [_row(status) for status in statuses]
    if args.json:
        print_json([dict(zip(_HEAD, row, strict=True)) for row in rows])
    else:
        print_table(_HEAD, rows)
    return EXIT_DONE


def _row(status: ImageStatus) -> tuple[Any, ...]:
    return (
        status.sop_instance_uid,
        str(status.state),
        status.changed_at.isoformat(timespec="seconds"),
        status.destination,
        str(status.proof or ""),
        status.failures,
        status.last_error,
    )


def _check(outbox: Outbox, *, as_json: bool) -> int:
    found = inspect(outbox.spool)
    need = outbox.counts().needs_you
    good = found.whole and not need
    if as_json:
        print_json(
            {
                "good": good,
                "files": found.files,
                "broken": found.broken,
                "missing": found.missing,
                "without_row": found.without_row,
                "needs_you": need,
                "trail_rows": found.trail.rows,
                "trail_whole": found.trail.whole,
            }
        )
    else:
        sys.stdout.write("\n".join(_sentences(found, need)) + "\n")
    return EXIT_DONE if good else EXIT_FAILED


def _sentences(found: Inspection, need: int) -> list[str]:
    said = [
        tr("{n} kept files are whole.", n=found.files),
        tr("The trail has {n} rows and is whole.", n=found.trail.rows)
        if found.trail.whole
        else tr(
            "The trail of {n} rows is broken (first at row {row}). Tell your administrator.",
            n=found.trail.rows,
            row=found.trail.first_broken or found.trail.rows,
        ),
    ]
    said += [tr("Broken: {name}. It will not be sent.", name=name) for name in found.broken]
    said += [tr("Missing: the file of {uid}.", uid=uid) for uid in found.missing]
    if found.without_row:
        said.append(
            tr("{n} files have no row; the next start adopts them.", n=len(found.without_row))
        )
    if need:
        said.append(tr("{n} pictures need a person: open the outbox.", n=need))
    return said
