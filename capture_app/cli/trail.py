"""capture-app trail: what was done on this computer, for auditors; and whether that is whole."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Final

from capture_app.audit.reading import TrailFilter, to_json
from capture_app.bootstrap import DataFolder, open_data_folder
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.outbox import trail_words
from capture_app.cli.start import (
    CLOCK,
    json_option,
    limit_option,
    print_json,
    print_table,
    start,
)
from capture_app.cli.who import by_option, operator_of
from capture_app.errors import SignInError
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Act, Operator
from capture_app.model.words import tr, trn
from capture_app.security.auditing import ExportKind

_HEAD: Final = ("row", "at", "act", "user", "outcome", "details")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--verify",
        action="store_true",
        help="prove the whole trail; names no act, so nobody signs in; exit 1 where it is broken, "
        "or tells of a break that no auditor has seen",
    )
    what.add_argument(
        "--export",
        choices=[str(kind) for kind in ExportKind],
        help="write all that is wanted to standard output",
    )
    what.add_argument(
        "--seen",
        action="store_true",
        help="write down that the breaks that the trail tells of were looked into",
    )
    parser.add_argument("--since", type=_moment, metavar="TIME", help="from then on (ISO 8601)")
    parser.add_argument("--until", type=_moment, metavar="TIME", help="before then (ISO 8601)")
    parser.add_argument("--user", default="", metavar="USER", help="of this user")
    parser.add_argument(
        "--act",
        action="append",
        default=[],
        choices=[str(action) for action in AuditAction],
        metavar="ACT",
        help="of this kind; more than once for more kinds",
    )
    by_option(parser, "a service account with the role audit")
    limit_option(parser, 200)
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0; 1 where --verify found something, or the PIN or role is not good."""
    settings = start(args, "trail")
    with open_data_folder(settings, CLOCK) as folder:
        if args.verify:
            return _verify(folder, as_json=args.json)
        by = operator_of(args, folder.users, Act.READ_TRAIL)
        if by is None:
            raise SignInError(tr("Say who reads the trail: --by, a user with the role audit."))
        if args.seen:
            _see(folder, by)
        elif args.export:
            text = folder.auditing.export(by, _wanted(args), ExportKind(args.export))
            sys.stdout.write(text)
        else:
            _list(folder, by, args)
    return EXIT_DONE


def _verify(folder: DataFolder, *, as_json: bool) -> int:
    found = folder.auditing.verify()
    if as_json:
        print_json(
            {
                "good": not found.needs_attention,
                "whole": found.whole,
                "rows": found.rows,
                "broken": found.broken,
                "head_holds": found.head_holds,
                "breaks": [asdict(one) for one in found.breaks],
            }
        )
    else:
        sys.stdout.write("\n".join(trail_words(found)) + "\n")
    return EXIT_FAILED if found.needs_attention else EXIT_DONE


def _see(folder: DataFolder, by: Operator) -> None:
    seen = folder.auditing.see_breaks(by)
    said = trn("{n} break was marked as seen.", "{n} breaks were marked as seen.", seen)
    sys.stdout.write(said + "\n")


def _list(folder: DataFolder, by: Operator, args: argparse.Namespace) -> None:
    found = folder.auditing.find(by, _wanted(args), limit=args.limit)
    if args.json:
        sys.stdout.write(to_json(found.rows))
    else:
        rows = [
            (
                row.seq,
                row.at.isoformat(timespec="seconds"),
                row.event.action,
                row.event.user_id,
                row.event.outcome,
                " ".join(f"{name}={value}" for name, value in row.event.details.items()),
            )
            for row in found.rows
        ]
        print_table(_HEAD, rows)
    if found.has_more:
        sys.stderr.write(tr("There are older ones: see --limit.") + "\n")
    if n := found.unreadable:
        said = trn("{n} row cannot be read.", "{n} rows cannot be read.", n)
        sys.stderr.write(f"{said}\n")


def _wanted(args: argparse.Namespace) -> TrailFilter:
    return TrailFilter(
        since=args.since,
        until=args.until,
        user_id=args.user.strip().casefold(),
        actions=frozenset(AuditAction(act) for act in args.act),
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        message = tr("not a time such as 2026-10-12 or 2026-10-12T07:30")
        raise argparse.ArgumentTypeError(message) from error
