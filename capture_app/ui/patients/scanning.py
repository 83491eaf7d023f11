"""Whom a scanned code opens: the band's patient, or nobody and the reason in words."""

from __future__ import annotations

from typing import Final

import structlog

from capture_app.errors import CaptureAppError
from capture_app.model.words import tr
from capture_app.model.worklist import Doubt, PatientListEntry
from capture_app.patients.census.census import Census
from capture_app.patients.finding.scan import ScannedCode, ScanRules, Unread
from capture_app.ui.patients.state import current_visit
from capture_app.ui.tasks import unexpected
from capture_app.ui.words.marks import Message, Tone

_log = structlog.get_logger(__name__)

_ICON: Final = "warning-circle"


def entry_of(code: ScannedCode, rules: ScanRules, census: Census) -> PatientListEntry | Message:
    """The listed patient whose record number was scanned, in the visit that is open; else why
    nobody is opened, also where an error was the reason.
    """
    try:
        return _found_by(code, rules, census)
    except CaptureAppError as error:
        return not_opened(error)
    except Exception as error:  # noqa: BLE001 - logged, and told as a scan that opened nobody
        return not_opened(unexpected(error))


def _found_by(code: ScannedCode, rules: ScanRules, census: Census) -> PatientListEntry | Message:
    number = rules.read(code)
    if isinstance(number, Unread):
        _log.info("scan-refused", reason=number.value)
        return _unread(number, rules)
    found = census.by_record_number(number)
    if any(Doubt.NUMBER_OF_TWO in entry.doubts for entry in found):
        _log.info("scan-refused", reason="two-people", count=2)
        return loud(
            tr("A worklist gives this record number to two people. Nobody was opened."),
            tr("Tell IT: it has to be put right in the worklist first."),
        )
    if any(Doubt.NUMBER_ON_WORKLIST in entry.doubts for entry in found):
        _log.info("scan-refused", reason="two-people", count=2)
        return loud(
            tr("A worklist gives this record number to somebody else. Nobody was opened."),
            tr("Ask the patient who they are, and open the right row in the list. Tell IT."),
        )
    people = {entry.patient.patient_id.key for entry in found}
    if len(people) == 1:
        return current_visit(found)
    if people:
        _log.info("scan-refused", reason="two-people", count=len(people))
        return loud(
            tr("Two listed patients have this record number. Nobody was opened."),
            tr("Ask admissions to settle it. Until then open the right row in the list."),
        )
    _log.info("scan-refused", reason="not-listed")
    return loud(
        tr("This code names nobody in the lists. Nobody was opened."),
        tr("Look in All, or ask admissions to register the patient."),
    )


def _unread(why: Unread, rules: ScanRules) -> Message:
    nobody = tr("This is no code that opens a patient here. Nobody was opened.")
    if why is Unread.TWO_AUTHORITIES:
        return loud(
            tr("This code may be a number of two hospitals. Nobody was opened."),
            tr("IT must say in the scan patterns whose numbers these are."),
        )
    if not rules.own_authority and not any(pattern.authority for pattern in rules.patterns):
        return loud(nobody, tr("IT must say in the settings whose record numbers the bands carry."))
    return loud(nobody, tr("Scan the code with the record number on the wristband."))


def not_opened(error: CaptureAppError) -> Message:
    """Somebody was asked for and is not open, and why."""
    return loud(tr("The patient was not opened."), str(error))


def scan_again() -> Message:
    """A scan that did not come whole."""
    return loud(
        tr("Scan again. The code did not come whole; nobody was opened."),
        tr("One scan, without a key before it. Press keys one at a time."),
    )


def scanner_is_slow() -> Message:
    """A scanner slower than the settings say."""
    return loud(
        tr("Scan again. The scanner types too slowly; nobody was opened."),
        tr("If it happens again, an administrator sets the scanner up."),
    )


def key_too_soon() -> Message:
    """A digit so soon after a scan that it may be the rest of one."""
    return Message(
        tr("The key was not taken: it came too soon after a scan. Press it again."),
        icon="info",
    )


def loud(what: str, todo: str) -> Message:
    """In the colour of a stop: nobody must believe that the scanned patient is open."""
    return Message(what, todo, _ICON, Tone.BAD, is_loud=True)
