"""capture-app outbox [--check]: where every picture stands. No patient data."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
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
from capture_app.model.words import tr, trn
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.comparison import compare
from capture_app.outbox.recovery.inspection import DamagedCell, Inspection, inspect
from capture_app.outbox.status import Counts, StatusFilter

_HEAD: Final = (
    "sop_instance_uid",
    "state",
    "changed",
    "destination",
    "proof",
    "tries",
    "code",
    "reason",
)
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
        strays = sum(len(files.strays) for files in compare(folder.outbox.spool))
    rows = [_row(status) for status in statuses]
    if args.json:
        print_json([dict(zip(_HEAD, row, strict=True)) for row in rows])
    else:
        print_table(_HEAD, rows)
    if strays:
        said = trn(
            "{n} file on disk has no row: see --check.",
            "{n} files on disk have no row: see --check.",
            strays,
        )
        sys.stderr.write(said + "\n")
    return EXIT_DONE


def _row(status: ImageStatus) -> tuple[Any, ...]:
    return (
        status.sop_instance_uid,
        str(status.state),
        status.changed_at.isoformat(timespec="seconds"),
        status.destination,
        str(status.proof or ""),
        status.failures,
        status.reason.code if status.reason else "",
        status.last_error,
    )


def _check(outbox: Outbox, *, as_json: bool) -> int:
    found = inspect(outbox.spool)
    counts = outbox.counts()
    good = found.whole and not counts.stopped
    if as_json:
        print_json(
            {
                "good": good,
                "files": found.files,
                "broken": found.broken,
                "missing": found.missing,
                "without_row": found.without_row,
                "damaged": [asdict(cell) for cell in found.damaged],
                "needs_you": counts.needs_you,
                "it_asked": counts.it_asked,
                "trail_rows": found.trail.rows,
                "trail_whole": found.trail.whole,
            }
        )
    else:
        sys.stdout.write("\n".join(_sentences(found, counts)) + "\n")
    return EXIT_DONE if good else EXIT_FAILED


def _damaged_words(damaged: DamagedCell) -> str:
    advice = {
        "capture": tr("Open the patient and choose procedure and site again."),
        "users": tr("Give this user a new PIN, or add the user anew."),
        "task": tr("Ask for help: this picture waits."),
    }.get(damaged.table, tr("It is read from the sealed files where one is left. Ask for help."))
    return tr(
        "Damaged: {cell} of {table} {row}. {advice}",
        cell=damaged.cell,
        table=damaged.table,
        row=damaged.row,
        advice=advice,
    )


def _sentences(found: Inspection, counts: Counts) -> list[str]:
    said = [
        trn("{n} kept file is whole.", "{n} kept files are whole.", found.files),
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
            trn(
                "{n} file has no row; the next start adopts it.",
                "{n} files have no row; the next start adopts them.",
                len(found.without_row),
            )
        )
    said += [_damaged_words(row) for row in found.damaged]
    if n := counts.needs_you:
        said.append(
            trn(
                "{n} picture needs a person: open the outbox.",
                "{n} pictures need a person: open the outbox.",
                n,
            )
        )
    if n := counts.it_asked:
        said.append(
            trn(
                "IT is asked about {n} picture: see its code with capture-app outbox.",
                "IT is asked about {n} pictures: see their codes with capture-app outbox.",
                n,
            )
        )
    return said
