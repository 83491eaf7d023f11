"""capture-app import FILE...: queues picture files for a patient of the census.

For integrators. All is checked before anything is kept: an unknown patient, procedure, region or
side, or a file that is no picture we may keep, ends with exit 3 and a sentence, and nothing queued.
"""

from __future__ import annotations

import argparse
import getpass
import os
import stat
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, NoReturn, TextIO

from capture_app.bootstrap import Background, Services, ask_worklists, open_services
from capture_app.catalog.catalog import Catalog
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import CLOCK, json_option, print_json, start
from capture_app.devices.opening import device_info
from capture_app.dicom.kinds import KindMismatch, object_kind
from capture_app.errors import CaptureAppError, ImageError, RuleError
from capture_app.exam.rules import Missing, MissingPart, allowed_sides, gate
from capture_app.exam.session import Stopped
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.operator import Operator, Role
from capture_app.model.procedure import Choice, Description, ProcedureEntry, Region, Side
from capture_app.model.words import tr, trn
from capture_app.model.worklist import IdentifiedBy, PatientListEntry
from capture_app.outbox.status import StatusFilter

_SETTLED: Final = frozenset({ImageState.CONFIRMED, ImageState.PURGED, ImageState.NEEDS_YOU})
_CONFIRMED: Final = frozenset({ImageState.CONFIRMED, ImageState.PURGED})
_LONGEST_FILE: Final = 200_000_000
_LONGEST_WAIT_S: Final = 86_400


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="baseline JPEG files")
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
    parser.add_argument("--device", metavar="ID", help="the device that took them, see settings")
    parser.add_argument(
        "--wait", action="store_true", help="until the archive has proven that it holds them all"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=120.0, metavar="S", help="the longest wait (120 s)"
    )
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
    with open_services(settings, CLOCK) as services:
        if not settings.archives:
            _refuse(tr("No archive is set up: add one to the settings first."))
        operator = Operator(f"command:{_user()}", "capture-app import", Role.CAPTURE)
        description = _description(args, services.catalog)
        device = _device(args, services, description)
        pictures = [_picture(path) for path in args.files]
        entry = _patient(args, services, operator)
        exam = services.exams.open(entry, operator, IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER)
        capture_ids: list[str] = []
        try:
            for picture in pictures:
                capture_id = services.exams.keep(
                    exam,
                    picture,
                    device=device,
                    taken_at=CLOCK.now(),
                    description=description,
                    on_safe=partial(_tell_safe, sys.stderr if args.json else sys.stdout),
                )
                capture_ids.append(capture_id)
            sent = services.exams.send(exam, capture_ids, release_now=True)
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
        with Background(services, program="import") if args.wait else nullcontext():
            if args.wait:
                _wait(services, capture_ids, args.timeout)
        statuses = _statuses(services, capture_ids)
    _report(args.files, statuses, as_json=args.json)
    confirmed = all(status.state in _CONFIRMED for status in statuses)
    return EXIT_DONE if confirmed or not args.wait else EXIT_FAILED


def _user() -> str:
    """Who runs the command, for the trail and Operators' Name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a number without a name, in a container
        if sys.platform == "win32":
            return "unknown"
        return f"uid{os.getuid()}"


def _tell_safe(told: TextIO, uid: str) -> None:
    # The promise holds whoever reads it: a reader who has gone must not stop the rest.
    with suppress(BrokenPipeError):
        told.write(f"SAFE {uid}\n")
        told.flush()


# ------------------------------------------------------------------------------- what is checked


def _refuse(*reasons: str) -> NoReturn:
    raise RuleError("\n".join((*reasons, tr("Nothing was queued."))))


def _description(args: argparse.Namespace, catalog: Catalog) -> Description:
    """The description that the options name, or a refusal that says all that is wrong with it."""
    faults: list[str] = []
    entry = catalog.procedure(args.procedure)
    if entry is None or not entry.selectable:
        faults.append(
            tr(
                "There is no procedure {id}. Allowed: the ids of 'capture-app catalog list'.",
                id=args.procedure,
            )
        )
    scheme, _, code = args.region.rpartition(":")
    region = catalog.region(code, scheme or None)
    if region is None:
        faults.append(
            tr(
                "There is no region {code}. Allowed: 'capture-app catalog list --regions'.",
                code=args.region,
            )
        )
    purpose = next(
        (one for one in catalog.purposes if args.purpose in {one.choice_id, _value(one)}), None
    )
    if args.purpose is not None and purpose is None:
        allowed = ", ".join(choice.choice_id for choice in catalog.purposes)
        faults.append(
            tr("There is no purpose {id}. Allowed: {allowed}.", id=args.purpose, allowed=allowed)
        )
    if faults or entry is None or region is None:
        _refuse(*faults)
    side = Side(args.side) if args.side else None
    verdict = gate(Description(entry, region, side))
    if isinstance(verdict, Missing):
        _refuse(*_words_of(verdict, entry, region))
    return Description(entry, region, side, purpose)


def _value(choice: Choice) -> str:
    return choice.code.value if choice.code else choice.choice_id


def _words_of(missing: Missing, entry: ProcedureEntry, region: Region) -> list[str]:
    """What is missing, and what is allowed there."""
    said = []
    if MissingPart.REGION in missing.parts:
        said.append(
            tr(
                "{procedure} is not done at {region}. Allowed: {allowed}.",
                procedure=entry.display_name,
                region=region.label,
                allowed=", ".join(":".join(key) for key in entry.region_choices),
            )
        )
    elif MissingPart.SIDE in missing.parts:
        sides = ", ".join(map(str, allowed_sides(entry, region))) or tr("none")
        said.append(
            tr("{region} needs a side. Allowed: --side {sides}.", region=region.label, sides=sides)
            if allowed_sides(entry, region)
            else tr("{region} has no side. Leave out --side.", region=region.label)
        )
    return said


def _device(args: argparse.Namespace, services: Services, description: Description) -> DeviceInfo:
    """What took the pictures: a device of the settings, else a camera that nothing is known of."""
    device = DeviceInfo("import", tr("Imported file"), DeviceKind.FILE)
    if args.device is not None:
        known = {one.id: one for one in services.settings.devices}
        if args.device not in known:
            allowed = ", ".join(known) or tr("none is configured")
            _refuse(
                tr("There is no device {id}. Allowed: {allowed}.", id=args.device, allowed=allowed)
            )
        device = replace(device_info(known[args.device]), kind=DeviceKind.FILE)
    if description.procedure is not None:
        kind = object_kind(device, description.procedure)
        if isinstance(kind, KindMismatch):
            _refuse(
                tr("{problem} Name the device that took them: --device ID.", problem=kind.words)
            )
    return device


def _picture(path: Path) -> EncodedImage:
    """A file as a picture that we may keep, or a refusal. The file's name is the caller's own."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe or a device may have no end
            _refuse(tr("{file}: It is not a file.", file=path))
        if found.st_size > _LONGEST_FILE:
            _refuse(tr("{file}: The file is longer than 200 MB.", file=path))
        return prepare_jpeg(path.read_bytes())
    except OSError as error:
        _refuse(tr("{file}: It cannot be read: {reason}.", file=path, reason=error.strerror))
    except ImageError as error:
        _refuse(f"{path}: {error}")


def _patient(args: argparse.Namespace, services: Services, operator: Operator) -> PatientListEntry:
    """The one entry that both identifiers name, or a refusal. Says nothing of anybody else."""
    entries = services.census.lookup(args.patient_id, args.issuer)
    if not entries:
        ask_worklists(services)
        entries = services.census.lookup(args.patient_id, args.issuer)
    patients = {entry.patient.patient_id.key: entry.patient for entry in entries}
    if not patients:
        _refuse(tr("The census has no patient with this number. Allowed: 'capture-app patients'."))
    if len(patients) > 1:
        issuers = ", ".join(sorted(issuer or tr("(none)") for _, issuer in patients))
        _refuse(
            tr(
                "This number belongs to more than one. Say whose: --issuer {allowed}",
                allowed=issuers,
            )
        )
    (patient,) = patients.values()
    if args.visit is not None:
        named = args.visit.strip()  # a visit without a number is not named by nothing
        chosen = [e for e in entries if named and e.encounter and e.encounter.visit_number == named]
        said = tr("The patient with this number has no such visit.")
    else:
        born = _birth_date(args.birth_date)
        chosen = list(entries) if born == patient.birth_date else []
        said = tr("The number and the birth date are not of one patient.")
    if not chosen:
        services.exams.identity_check_failed(patient, operator)
        _refuse(said)
    if len(chosen) > 1:
        _refuse(tr("The patient has several visits. Say which: --visit instead of --birth-date."))
    return chosen[0]


def _birth_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _refuse(tr("The birth date cannot be read. Allowed: YYYY-MM-DD."))


# --------------------------------------------------------------------------- waiting and telling


def _wait(services: Services, capture_ids: Sequence[str], seconds: float) -> None:
    """Until each is confirmed or needs a person, or the time is over."""
    changed = threading.Event()
    unsubscribe = services.outbox.on_change(lambda _: changed.set())
    end = CLOCK.monotonic() + seconds
    try:
        while not all(one.state in _SETTLED for one in _statuses(services, capture_ids)):
            if not changed.wait(max(0.0, end - CLOCK.monotonic())):
                return
            changed.clear()
    finally:
        unsubscribe()


def _statuses(services: Services, capture_ids: Sequence[str]) -> list[ImageStatus]:
    """Where each picture stands, in the order of the files."""
    wanted = StatusFilter(capture_ids=tuple(capture_ids), limit=len(capture_ids))
    found = {status.capture_id: status for status in services.outbox.statuses(wanted)}
    return [found[capture_id] for capture_id in capture_ids]


def _report(files: Sequence[Path], statuses: Sequence[ImageStatus], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "file": os.fsencode(file).decode(errors="replace"),
                    "sop_instance_uid": status.sop_instance_uid,
                    "state": str(status.state),
                    "proof": str(status.proof or ""),
                    "reason": status.last_error,
                }
                for file, status in zip(files, statuses, strict=True)
            ]
        )
        return
    for status in statuses:
        said = [str(status.state), str(status.proof or ""), status.last_error]
        sys.stdout.write(f"{status.sop_instance_uid} {' '.join(filter(None, said))}\n")
