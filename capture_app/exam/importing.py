"""What an import must say before a picture is kept: whose, what it shows, and what took it.

All is checked before anything is kept. A refusal says what is allowed there, and nothing of
anybody else.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

from capture_app.catalog.catalog import Catalog
from capture_app.devices.opening import device_info
from capture_app.dicom.kinds import KindMismatch, object_kind
from capture_app.errors import ImageError, RuleError
from capture_app.exam.encoding import Picture, picture_in
from capture_app.exam.rules import Missing, MissingPart, allowed_sides, gate, is_about
from capture_app.imaging.decoder import Decoder
from capture_app.imaging.decoding import LONGEST_FILE
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.patient import Patient
from capture_app.model.procedure import Choice, Description, ProcedureEntry, Region, Side
from capture_app.model.words import tr
from capture_app.model.worklist import PatientListEntry
from capture_app.settings.schema import Device


@dataclass(frozen=True, slots=True)
class NamedPatient:
    """Whose pictures they are: a number, and a second identifier (a birth date, else a visit)."""

    number: str
    issuer: str | None
    birth_date: str | None
    visit: str | None


def refuse(*reasons: str) -> NoReturn:
    """Raises RuleError with the reasons."""
    raise RuleError("\n".join((*reasons, tr("Nothing was queued."))))


def described(
    catalog: Catalog,
    *,
    procedure: str,
    region_code: str,
    side: Side | None,
    purpose_id: str | None,
    keep_id: str | None = None,
) -> Description:
    """The description that the codes name. Raises RuleError that says all that is wrong with it."""
    faults: list[str] = []
    entry = catalog.procedure(procedure)
    if entry is None or not entry.selectable:
        faults.append(
            tr(
                "There is no procedure {id}. Allowed: the ids of 'capture-app catalog list'.",
                id=procedure,
            )
        )
    scheme, _, code = region_code.rpartition(":")
    region = catalog.region(code, scheme or None)
    if region is None:
        faults.append(
            tr(
                "There is no region {code}. Allowed: 'capture-app catalog list --regions'.",
                code=region_code,
            )
        )
    purpose = next(
        (one for one in catalog.purposes if purpose_id in {one.choice_id, _value(one)}), None
    )
    if purpose_id is not None and purpose is None:
        allowed = ", ".join(choice.choice_id for choice in catalog.purposes)
        faults.append(
            tr("There is no purpose {id}. Allowed: {allowed}.", id=purpose_id, allowed=allowed)
        )
    keep = next((one for one in catalog.keeps if one.choice_id == keep_id), None)
    keeps = ", ".join(choice.choice_id for choice in catalog.keeps)
    if keep_id is not None and keep is None:
        faults.append(
            tr("There is no keeping {id}. Allowed: {allowed}.", id=keep_id, allowed=keeps)
        )
    if faults or entry is None or region is None:
        refuse(*faults)
    description = Description(entry, region, side, purpose, keep)
    verdict = gate(description)
    if isinstance(verdict, Missing):
        refuse(*_words_of(verdict, entry, region, keeps))
    return description


def _value(choice: Choice) -> str:
    return choice.code.value if choice.code else choice.choice_id


def _words_of(missing: Missing, entry: ProcedureEntry, region: Region, keeps: str) -> list[str]:
    """What is missing, and what is allowed there."""
    said = []
    if not is_about(entry, region):
        said.append(
            tr(
                "{procedure} is not done at {region}. Allowed: the regions of 'capture-app catalog "
                "list --regions --procedure {id}'.",
                procedure=entry.display_name,
                region=region.label,
                id=entry.entry_id,
            )
        )
    elif MissingPart.REGION in missing.parts:
        said.append(tr("{region} has no side. Leave out --side.", region=region.label))
    elif MissingPart.SIDE in missing.parts:
        sides = ", ".join(map(str, allowed_sides(entry, region)))
        said.append(
            tr("{region} needs a side. Allowed: --side {sides}.", region=region.label, sides=sides)
        )
    if MissingPart.KEEP in missing.parts:
        said.append(tr("This purpose needs a keeping. Allowed: --keep {allowed}.", allowed=keeps))
    return said


def device_that_took(
    device_id: str | None, devices: Sequence[Device], description: Description
) -> DeviceInfo:
    """What took the pictures: a device of the settings, else a camera that nothing is known of.

    Raises RuleError for a device that is not known or does not make such pictures.
    """
    device = DeviceInfo("import", tr("Imported file"), DeviceKind.FILE)
    if device_id is not None:
        known = {one.id: one for one in devices}
        if device_id not in known:
            allowed = ", ".join(known) or tr("none is configured")
            refuse(
                tr("There is no device {id}. Allowed: {allowed}.", id=device_id, allowed=allowed)
            )
        device = replace(device_info(known[device_id]), kind=DeviceKind.FILE)
    if description.procedure is not None:
        kind = object_kind(device, description.procedure)
        if isinstance(kind, KindMismatch):
            refuse(tr("{problem} Name the device that took them: --device ID.", problem=kind.words))
    return device


def picture_of_file(path: Path, decoder: Decoder, *, now: datetime) -> Picture:
    """A file as a picture that we may keep. Raises RuleError; the file's name is the caller's."""
    try:
        return picture_in(bytes_of_file(path), decoder, now=now)
    except ImageError as error:
        refuse(f"{path}: {error}")


def bytes_of_file(path: Path) -> bytes:
    """What is in a file that may be imported. Raises RuleError as `picture_of_file`."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe or a device may have no end
            refuse(tr("{file}: It is not a file.", file=path))
        if found.st_size > LONGEST_FILE:
            refuse(tr("{file}: The file is longer than 200 MB.", file=path))
        return path.read_bytes()
    except OSError as error:
        refuse(tr("{file}: It cannot be read: {reason}.", file=path, reason=error.strerror))


def entry_named(
    named: NamedPatient,
    lookup: Callable[[str, str | None], Sequence[PatientListEntry]],
    *,
    ask_again: Callable[[], None],
    failed: Callable[[Patient], None],
) -> PatientListEntry:
    """The one entry that both identifiers name. Says nothing of anybody else.

    `ask_again` fetches what `lookup` does not know yet; `failed` records a second identifier that
    is another's. Raises RuleError.
    """
    entries = lookup(named.number, named.issuer)
    if not entries:
        ask_again()
        entries = lookup(named.number, named.issuer)
    patients = {entry.patient.patient_id.key: entry.patient for entry in entries}
    if not patients:
        refuse(tr("The census has no patient with this number. Allowed: 'capture-app patients'."))
    if len(patients) > 1:
        issuers = ", ".join(sorted(issuer or tr("(none)") for _, issuer in patients))
        refuse(
            tr(
                "This number belongs to more than one. Say whose: --issuer {allowed}",
                allowed=issuers,
            )
        )
    (patient,) = patients.values()
    if named.visit is not None:
        visit = named.visit.strip()  # a visit without a number is not named by nothing
        chosen = [e for e in entries if visit and e.encounter and e.encounter.visit_number == visit]
        said = tr("The patient with this number has no such visit.")
    else:
        born = _birth_date(named.birth_date or "")
        chosen = list(entries) if born == patient.birth_date else []
        said = tr("The number and the birth date are not of one patient.")
    if not chosen:
        failed(patient)
        refuse(said)
    if len(chosen) > 1:
        refuse(tr("The patient has several visits. Say which: --visit instead of --birth-date."))
    return chosen[0]


def _birth_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse(tr("The birth date cannot be read. Allowed: YYYY-MM-DD."))
