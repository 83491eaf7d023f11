"""capture-app received [file|discard]: what scanners sent by themselves and is nobody's yet.

The list names no patient. `file` files one to a patient of the census, identified by two
identifiers; what contradicts is named first, and named again by who files it all the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

from capture_app.bootstrap import Rooms, ask_worklists, open_data_folder, open_rooms
from capture_app.cli.main import EXIT_DONE
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, start
from capture_app.cli.who import by_option, operator_of
from capture_app.errors import RuleError, SettingsError, SettingsFault
from capture_app.exam import importing
from capture_app.model.operator import Act, Operator
from capture_app.model.received import Contradiction, WaitingObject
from capture_app.model.words import tr
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.receiving.keeping import waiting_objects

_HEAD: Final = ("id", "sop_instance_uid", "sender", "received", "modality", "bytes", "letters")
_SHOWN: Final = 12
"""Characters of an id: as many as tell it from others in any list."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act",
        nargs="?",
        default="list",
        choices=["list", "file", "discard"],
        help="list is the default",
    )
    parser.add_argument("--id", metavar="ID", help="file, discard: the image, as the list names it")
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
    by_option(parser, "file, discard: the service account of this account of the system")
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0; 2 for options that do not fit; 3 where it was not filed or discarded."""
    of_a_patient = (args.patient_id, args.birth_date or args.visit)
    is_fit = {
        "list": not args.id and not any(of_a_patient),
        "discard": bool(args.id) and not any(of_a_patient),
        "file": bool(args.id) and all(of_a_patient),
    }[args.act]
    if not is_fit:
        fault = SettingsFault(
            tr("command line"),
            "--id, --patient-id",
            tr("The act and its options do not fit."),
            tr("file --id ID --patient-id NUMBER and --birth-date or --visit; discard --id ID"),
        )
        raise SettingsError((fault,))
    settings = start(args, "received")
    if args.act == "list":
        with open_data_folder(settings, CLOCK) as folder:
            _list(waiting_objects(folder.outbox.spool), as_json=args.json)
        return EXIT_DONE
    with open_rooms(settings, CLOCK) as rooms:
        if args.act == "file":
            _file(args, rooms)
        else:
            _discard(args, rooms)
    return EXIT_DONE


def _list(waiting: Sequence[WaitingObject], *, as_json: bool) -> None:
    rows = [
        (
            one.letter[:_SHOWN],
            one.received.sop_instance_uid,
            one.received.sender,
            f"{one.received.received_at:%Y-%m-%d %H:%M}",
            one.received.modality,
            str(one.size),
            str(one.letters),
        )
        for one in waiting
    ]
    if as_json:
        print_json([dict(zip(_HEAD, row, strict=True)) for row in rows])
    else:
        print_table(_HEAD, rows)


def _chosen(args: argparse.Namespace, waiting: Sequence[WaitingObject]) -> WaitingObject:
    found = [one for one in waiting if one.letter.startswith(args.id)]
    if len(found) != 1:
        raise RuleError(
            tr("No image, or more than one, waits under {id}: see the list.", id=args.id)
        )
    return found[0]


def _operator(args: argparse.Namespace, rooms: Rooms, act: Act) -> Operator:
    operator = operator_of(args, rooms.users, act)
    if operator is None:
        importing.refuse(tr("Who does it? Sign in with --by USER."))
    return operator


def _discard(args: argparse.Namespace, rooms: Rooms) -> None:
    operator = _operator(args, rooms, Act.DISCARD_RECEIVED)
    chosen = _chosen(args, rooms.received.waiting())
    rooms.received.discard(chosen.letter, operator)
    sys.stdout.write(f"{chosen.letter[:_SHOWN]} discarded\n")


def _file(args: argparse.Namespace, rooms: Rooms) -> None:
    operator = _operator(args, rooms, Act.TAKE_PICTURES)
    entry = importing.entry_named(
        importing.NamedPatient(args.patient_id, args.issuer, args.birth_date, args.visit),
        rooms.census.lookup,
        ask_again=partial(ask_worklists, rooms),
        failed=lambda patient: rooms.exams.identity_check_failed(patient, operator),
    )
    compared = rooms.received.beside(entry.patient)
    chosen = _chosen(args, [one.waiting for one in compared])
    against = next(one.against for one in compared if one.waiting == chosen)
    if set(filter(None, args.despite.split(","))) != set(against):
        raise RuleError(_words(against))
    by = IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER
    rooms.received.file(chosen.letter, entry, operator, by, seen=against)
    sys.stdout.write(f"{chosen.received.sop_instance_uid} queued\n")


def _words(against: tuple[Contradiction, ...]) -> str:
    if not against:
        return tr("Nothing contradicts: leave --despite out.")
    return tr(
        "The image does not agree with this patient in: {what}. Nothing was filed. Where it is "
        "theirs all the same: --despite {what}.",
        what=",".join(against),
    )
