"""capture-app received [file]: what scanners sent by themselves and is nobody's yet.

The list names no patient. `file` files one to a patient of the census, identified by two
identifiers; what contradicts is named first, and named again by who files it all the same.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Final

from capture_app.bootstrap import Rooms, ask_worklists, open_data_folder, open_rooms
from capture_app.cli.main import EXIT_DONE
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, start
from capture_app.cli.who import by_option, operator_of
from capture_app.errors import RuleError, SettingsError, SettingsFault
from capture_app.exam import importing
from capture_app.model.operator import Act
from capture_app.model.received import Contradiction
from capture_app.model.words import tr
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.receiving.keeping import waiting_objects

_HEAD: Final = ("sop_instance_uid", "sender", "received", "modality", "bytes")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act", nargs="?", default="list", choices=["list", "file"], help="list is the default"
    )
    parser.add_argument("--uid", metavar="UID", help="file: the SOP Instance UID of the image")
    parser.add_argument("--patient-id", metavar="NUMBER", help="file: the patient's number")
    second = parser.add_mutually_exclusive_group()
    second.add_argument("--birth-date", metavar="YYYY-MM-DD", help="file: the second identifier")
    second.add_argument(
        "--visit", metavar="NUMBER", help="file: the visit number, as the second identifier"
    )
    parser.add_argument(
        "--issuer", metavar="NAME", help="file: who issued the number, where two hospitals have it"
    )
    parser.add_argument(
        "--despite",
        default="",
        metavar="WHAT,...",
        help="file: what contradicts, all of it, as it is named without this option",
    )
    by_option(parser, "file: the service account of this account of the system")
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0; 2 for options that do not fit; 3 where it was not filed."""
    needed = (args.uid, args.patient_id, args.birth_date or args.visit)
    if (args.act == "file") is not all(needed) or (args.act == "list" and any(needed)):
        fault = SettingsFault(
            tr("command line"),
            "--uid, --patient-id",
            tr("They belong to the act file, with a second identifier."),
            tr("file --uid UID --patient-id NUMBER and --birth-date or --visit"),
        )
        raise SettingsError((fault,))
    settings = start(args, "received")
    if args.act == "file":
        with open_rooms(settings, CLOCK) as rooms:
            _file(args, rooms)
        return EXIT_DONE
    with open_data_folder(settings, CLOCK) as folder:
        rows = [
            (
                one.received.sop_instance_uid,
                one.received.sender,
                f"{one.received.received_at:%Y-%m-%d %H:%M}",
                one.received.modality,
                str(one.size),
            )
            for one in waiting_objects(folder.outbox.spool)
        ]
    if args.json:
        print_json([dict(zip(_HEAD, row, strict=True)) for row in rows])
    else:
        print_table(_HEAD, rows)
    return EXIT_DONE


def _file(args: argparse.Namespace, rooms: Rooms) -> None:
    operator = operator_of(args, rooms.users, Act.TAKE_PICTURES)
    if operator is None:
        importing.refuse(tr("Who files it? Sign in with --by USER."))
    entry = importing.entry_named(
        importing.NamedPatient(args.patient_id, args.issuer, args.birth_date, args.visit),
        rooms.census.lookup,
        ask_again=partial(ask_worklists, rooms),
        failed=lambda patient: rooms.exams.identity_check_failed(patient, operator),
    )
    found = {
        one.waiting.received.sop_instance_uid: one.against
        for one in rooms.received.beside(entry.patient)
    }
    against = found.get(args.uid)
    if against is None:
        raise RuleError(tr("This image waits no more: somebody has dealt with it."))
    if set(filter(None, args.despite.split(","))) != set(against):
        raise RuleError(_words(against))
    exam = rooms.exams.open(entry, operator, IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER)
    try:
        rooms.received.file(args.uid, exam, operator)
    finally:
        rooms.exams.close()
    sys.stdout.write(f"{args.uid} queued\n")


def _words(against: tuple[Contradiction, ...]) -> str:
    if not against:
        return tr("Nothing contradicts: leave --despite out.")
    return tr(
        "The image does not agree with this patient in: {what}. Nothing was filed. Where it is "
        "theirs all the same: --despite {what}.",
        what=",".join(against),
    )
