"""capture-app import FILE...: queues picture files for a patient of the census.

For integrators. All is checked before anything is kept: an unknown patient, procedure, region or
side, or a file that is no picture we may keep, ends with exit 3 and a sentence, and nothing queued.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from capture_app.bootstrap import Background, Rooms, ask_worklists, open_rooms
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import CLOCK, json_option, print_json, start
from capture_app.cli.who import PRACTICE_OPERATOR, by_option, operator_of, os_account
from capture_app.errors import CaptureAppError, RuleError
from capture_app.exam import importing
from capture_app.exam.session import Stopped
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.operator import Act, Operator
from capture_app.model.procedure import Side
from capture_app.model.words import tr, trn
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.counted_time import seconds_behind
from capture_app.outbox.status import StatusFilter

_SETTLED: Final = frozenset(
    {ImageState.CONFIRMED, ImageState.PURGED, ImageState.NEEDS_YOU, ImageState.IT_ASKED}
)
_CONFIRMED: Final = frozenset({ImageState.CONFIRMED, ImageState.PURGED})
_LONGEST_WAIT_S: Final = 86_400


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="pictures: JPEG, HEIC, AVIF, PNG, TIFF, WebP, BMP, GIF",
    )
    parser.add_argument(
        "--patient-id", required=True, metavar="NUMBER", help="the patient's number, as admitted"
    )
    second = parser.add_mutually_exclusive_group(required=True)
    second.add_argument("--birth-date", metavar="YYYY-MM-DD", help="the second identifier")
    second.add_argument(
        "--visit", metavar="NUMBER", help="the visit number, as the second identifier"
    )
    parser.add_argument(
        "--issuer", metavar="NAME", help="who issued the number, where two hospitals have it"
    )
    parser.add_argument("--procedure", required=True, metavar="ID", help="see 'catalog list'")
    parser.add_argument(
        "--region",
        required=True,
        metavar="CODE",
        help="CODE or SCHEME:CODE, see 'catalog list --regions'",
    )
    parser.add_argument("--side", choices=[str(side) for side in Side], help="R, L, B or M")
    parser.add_argument("--purpose", metavar="CODE", help="else the one of the procedure")
    parser.add_argument(
        "--keep", metavar="ID", help="else that of the procedure; needed for teaching and quality"
    )
    parser.add_argument("--device", metavar="ID", help="the device that took them, see settings")
    parser.add_argument(
        "--wait", action="store_true", help="until the archive has proven that it holds them all"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=120.0, metavar="S", help="the longest wait (120 s)"
    )
    by_option(parser, "the service account of this account of the system")
    json_option(parser)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT_S:  # nan is neither
        message = tr("not a number from 0 to {most}", most=_LONGEST_WAIT_S)
        raise argparse.ArgumentTypeError(message)
    return seconds


def run(args: argparse.Namespace) -> int:
    """Exit 0: queued (with --wait: confirmed). 1: not confirmed in time. 3: refused."""
    settings = start(args, "import")
    with open_rooms(settings, CLOCK) as rooms:
        if not settings.archives:
            importing.refuse(tr("No archive is set up: add one to the settings first."))
        if behind := seconds_behind(rooms.outbox.spool):
            sys.stderr.write(_clock_words(behind) + "\n")
        operator = _operator(args, rooms)
        description = importing.described(
            rooms.catalog,
            procedure=args.procedure,
            region_code=args.region,
            side=Side(args.side) if args.side else None,
            purpose_id=args.purpose,
            keep_id=args.keep,
        )
        device = importing.device_that_took(args.device, settings.devices, description)
        pictures = [
            importing.picture_of_file(path, rooms.decoder, now=CLOCK.now()) for path in args.files
        ]
        entry = importing.entry_named(
            importing.NamedPatient(args.patient_id, args.issuer, args.birth_date, args.visit),
            rooms.census.lookup,
            ask_again=partial(ask_worklists, rooms),
            failed=lambda patient: rooms.exams.identity_check_failed(patient, operator),
        )
        exam = rooms.exams.open(entry, operator, IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER)
        capture_ids: list[str] = []
        try:
            for picture in pictures:
                capture_id = rooms.exams.keep(
                    exam,
                    picture,
                    device=device,
                    description=description,
                    on_safe=partial(_tell_safe, sys.stderr if args.json else sys.stdout),
                )
                capture_ids.append(capture_id)
            sent = rooms.exams.send(
                exam,
                dict.fromkeys(capture_ids, description),
                shown=exam.patient,
                release_now=True,
            )
            if isinstance(sent, Stopped):
                raise RuleError(tr("Something is missing to send the pictures."))
        except CaptureAppError:
            if capture_ids:  # they were promised: they stay, and the window shows what they lack
                said = trn(
                    "{n} picture is kept as a draft and was not sent.",
                    "{n} pictures are kept as drafts and were not sent.",
                    len(capture_ids),
                )
                sys.stderr.write(said + "\n")
            raise
        with Background(rooms, program="import") if args.wait else nullcontext():
            if args.wait:
                _wait(rooms, capture_ids, args.timeout)
        statuses = _statuses(rooms, capture_ids)
    _report(args.files, capture_ids, statuses, as_json=args.json)
    confirmed = all(status is not None and status.state in _CONFIRMED for status in statuses)
    return EXIT_DONE if confirmed or not args.wait else EXIT_FAILED


def _clock_words(behind: float) -> str:
    return trn(
        "The clock of this computer is {n} day behind what it has said before, at least. "
        "Put it right: images get their dates from it.",
        "The clock of this computer is {n} days behind what it has said before, at least. "
        "Put it right: images get their dates from it.",
        int(behind // 86_400),
    )


def _operator(args: argparse.Namespace, rooms: Rooms) -> Operator:
    """Who imports. Raises SignInError; RuleError where that is nobody whom this computer knows."""
    if rooms.settings.practice and not args.by:
        return PRACTICE_OPERATOR
    operator = operator_of(args, rooms.users, Act.TAKE_PICTURES)
    if operator is None:
        importing.refuse(
            tr(
                "Who imports? Sign in with --by USER, or let an administrator make a service "
                "account for the account {account} of this computer: capture-app users add "
                "importer --service {account} --by ADMINISTRATOR.",
                account=os_account(),
            )
        )
    return operator


def _tell_safe(told: TextIO, uid: str) -> None:
    # The promise holds whoever reads it: a reader who has gone must not stop the rest.
    with suppress(BrokenPipeError):
        told.write(f"SAFE {uid}\n")
        told.flush()


# --------------------------------------------------------------------------- waiting and telling


def _wait(rooms: Rooms, capture_ids: Sequence[str], seconds: float) -> None:
    """Until each is confirmed or needs a person, or the time is over."""
    changed = threading.Event()
    unsubscribe = rooms.outbox.on_change(lambda _: changed.set())
    end = CLOCK.monotonic() + seconds
    try:
        while not all(
            one is None or one.state in _SETTLED for one in _statuses(rooms, capture_ids)
        ):
            if not changed.wait(max(0.0, end - CLOCK.monotonic())):
                return
            changed.clear()
    finally:
        unsubscribe()


def _statuses(rooms: Rooms, capture_ids: Sequence[str]) -> list[ImageStatus | None]:
    """Where each picture stands, in the order of the files; None where a person has deleted it."""
    wanted = StatusFilter(capture_ids=tuple(capture_ids), limit=len(capture_ids))
    found = {status.capture_id: status for status in rooms.outbox.statuses(wanted)}
    return [found.get(capture_id) for capture_id in capture_ids]


def _report(
    files: Sequence[Path],
    capture_ids: Sequence[str],
    statuses: Sequence[ImageStatus | None],
    *,
    as_json: bool,
) -> None:
    rows = [
        (status.sop_instance_uid, str(status.state), str(status.proof or ""), status.last_error)
        if status
        else (capture_id, "deleted", "", "")
        for capture_id, status in zip(capture_ids, statuses, strict=True)
    ]
    if as_json:
        print_json(
            [
                {
                    "file": os.fsencode(file).decode(errors="replace"),
                    "sop_instance_uid": uid,
                    "state": state,
                    "proof": proof,
                    "reason": reason,
                }
                for file, (uid, state, proof, reason) in zip(files, rows, strict=True)
            ]
        )
        return
    for uid, *said in rows:
        sys.stdout.write(f"{uid} {' '.join(filter(None, said))}\n")
