"""capture-app outbox [--check]: where every picture stands. No patient data.

`retry --destination NAME` tries all that waits for one archive, or was stopped there, now. `retire
--archive NAME` ends what is due at an archive that is no more. Both are acts in the trail.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from capture_app.audit.verify import ChainReport
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
from capture_app.cli.who import by_option, operator_of
from capture_app.errors import RuleError, SettingsError, SettingsFault, SignInError
from capture_app.model.delivery import AtArchive, ImageState, ImageStatus
from capture_app.model.operator import Act
from capture_app.model.words import tr, trn
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.comparison import compare
from capture_app.outbox.recovery.inspection import DamagedCell, Inspection, inspect
from capture_app.outbox.status import Counts, StatusFilter
from capture_app.settings.schema import Settings

_HEAD: Final = (
    "sop_instance_uid",
    "state",
    "changed",
    "destination",
    "proof",
    "tries",
    "code",
    "reason",
    "archives",
)
_FINISHED: Final = frozenset({ImageState.CONFIRMED, ImageState.PURGED})


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act",
        nargs="?",
        default="list",
        choices=["list", "retry", "retire"],
        help="list: where every picture stands (the default); retry: all that waits for an archive "
        "is tried now; retire: an archive is no more",
    )
    parser.add_argument("--destination", default="", metavar="NAME", help="retry: the archive")
    parser.add_argument("--archive", default="", metavar="NAME", help="retire: the archive")
    parser.add_argument(
        "--to", default="", metavar="NAME", help="retire: the archive that takes its images"
    )
    by_option(parser, "retry and retire: the service account of this account of the system")
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
    """Exit 0; 1 where --check found something that a person must see; 2 for options that do not
    fit; 3 where images would be kept by no archive.
    """
    _require_fitting(args)
    settings = start(args, "outbox")
    if args.act != "list":
        return _steer(args, settings)
    wanted = None if args.all else frozenset(ImageState) - _FINISHED
    with open_data_folder(settings, CLOCK) as folder:
        if args.check:
            return _check(folder.outbox, as_json=args.json)
        statuses = folder.outbox.statuses(StatusFilter(states=wanted, limit=args.limit))
        strays = sum(len(files.strays) for files in compare(folder.outbox.spool))
        archives = folder.outbox.at_archives([status.sop_instance_uid for status in statuses])
    rows = [_row(status, archives.get(status.sop_instance_uid, ())) for status in statuses]
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


def _require_fitting(args: argparse.Namespace) -> None:
    """Raises SettingsError with all that is wrong with the options of this act."""
    faults = []
    for option, given, wanted, allowed in (
        ("--destination", args.destination, args.act == "retry", tr("an archive's name")),
        ("--archive", args.archive, args.act == "retire", tr("an archive's name")),
        ("--to", args.to, args.act == "retire" and bool(args.to), ""),
        ("--check", args.check, args.act == "list" and args.check, ""),
    ):
        if bool(given) != wanted:
            problem = tr("It is missing.") if wanted else tr("It has no meaning here.")
            faults.append(
                SettingsFault(
                    f"outbox {args.act}", option, problem, allowed if wanted else tr("leave it out")
                )
            )
    if faults:
        raise SettingsError(tuple(faults))


def _steer(args: argparse.Namespace, settings: Settings) -> int:
    named = [archive.name for archive in settings.archives]
    act = Act.STEER_DELIVERY if args.act == "retry" else Act.RETIRE_ARCHIVE
    with open_data_folder(settings, CLOCK) as folder:
        operator = operator_of(args, folder.users, act)
        if operator is None:
            raise SignInError(tr("Say who does it and sign in: --by USER."))
        if args.act == "retry":
            _require_named(args.destination, named)
            moved = folder.outbox.retry_at(args.destination, operator)
            said = trn("{n} image is tried now.", "{n} images are tried now.", moved)
        else:
            if args.archive in named:
                raise RuleError(tr("The settings still name {name}.", name=args.archive))
            if args.to:
                _require_named(args.to, named)
            moved = folder.outbox.retire(args.archive, operator, instead=args.to)
            said = trn(
                "{n} image is no longer due at {name}.",
                "{n} images are no longer due at {name}.",
                moved,
                name=args.archive,
            )
    if args.json:
        print_json({"act": args.act, "images": moved})
    else:
        sys.stdout.write(said + "\n")
    return EXIT_DONE


def _require_named(name: str, named: Sequence[str]) -> None:
    if name not in named:
        raise RuleError(
            tr(
                "The settings name no archive {name}. They name: {names}.",
                name=name,
                names=", ".join(named) or tr("none"),
            )
        )


def _row(status: ImageStatus, archives: Sequence[AtArchive]) -> tuple[Any, ...]:
    return (
        status.sop_instance_uid,
        str(status.state),
        status.changed_at.isoformat(timespec="seconds"),
        status.destination,
        str(status.proof or ""),
        status.failures,
        status.reason.code if status.reason else "",
        status.last_error,
        "; ".join(map(_archive_words, archives)),
    )


def _archive_words(at: AtArchive) -> str:
    return " ".join(filter(None, (at.destination, at.state or "retired", at.proof)))


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
                "trail_breaks": [asdict(one) for one in found.trail.breaks],
            }
        )
    else:
        sys.stdout.write("\n".join(_sentences(found, counts)) + "\n")
    return EXIT_DONE if good else EXIT_FAILED


def trail_words(trail: ChainReport) -> list[str]:
    """What is to be said of the whole trail, a sentence a line."""
    if trail.whole:
        return [tr("The trail has {n} rows and is whole.", n=trail.rows)]
    said = [
        tr(
            "The trail says at row {row} ({at}) that it was found broken: {reason}.",
            row=found.seq,
            at=found.at[:19],
            reason=found.reason,
        )
        + (" " + tr("An auditor has seen it.") if found.is_seen else "")
        for found in trail.breaks
    ]
    if trail.has_untold:
        said.append(
            tr(
                "The trail of {n} rows is broken (first at row {row}). Tell your administrator.",
                n=trail.rows,
                row=trail.first_broken or trail.rows,
            )
        )
    return said


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
        *trail_words(found.trail),
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
