"""What one ADT message says of a patient and a visit (ITI TF-2 3.30, 3.31; HL7 v2.5.1 3.4).

A field that is empty says nothing and keeps what is known; a field of two quotes deletes. One that
cannot be read does neither: what is known stays, and the event carries a note. Only what says who
is meant (PID-3 and, where it is there, the name) can make a message one that is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Final, TypeVar

from capture_app.clock import COMPUTERS_ZONE, zone_of
from capture_app.dicom.texts import person_name as person_name_value
from capture_app.dicom.values import fits
from capture_app.errors import MessageError
from capture_app.hl7.dates import moment_of
from capture_app.hl7.identifiers import is_hd
from capture_app.hl7.names import name_text, person_name, staff_name
from capture_app.hl7.split import NULL, Composite, Hl7Message, Segment, parse
from capture_app.model.encounter import Location
from capture_app.model.feed_note import NoteCode
from capture_app.model.patient import PartialDate, PatientId, PersonName, Sex
from capture_app.model.strict_text import is_doubtful
from capture_app.model.words import tr
from capture_app.patients.sources.adt.facts import AdtEvent, PersonFacts, Stated, VisitFacts
from capture_app.patients.sources.adt.moving import (
    person_who_loses,
    persons_named,
    portions,
    prior_visit,
    visit_here,
)
from capture_app.patients.sources.adt.numbers import (
    NO_NUMBER,
    Authority,
    is_of_others,
    number_in,
    numbers_in,
)
from capture_app.patients.sources.adt.order import fixed, order_of
from capture_app.patients.sources.authorities import SameAuthorities
from capture_app.patients.sources.conventions import USUAL, Conventions
from capture_app.patients.sources.door import Door
from capture_app.settings.feeds import AdtFeed, HtmlEntities
from capture_app.settings.schema import Institution

T = TypeVar("T")

_NOTHING: Final = (None, None)

READER_VERSION: Final = "10"
"""Raise it when something else may be read out of a stored message than before."""

_LATIN_1: Final = frozenset({"iso8859_1", "iso8859_15", "cp1252"})
_YES_NO: Final = {"Y": True, "N": False, NULL: False}
_NO_VISIT: Final = "N"
"""PV1-2 of the pseudo PV1 that ITI-30 sends where there is no visit."""


@dataclass(frozen=True, slots=True)
class MessageReader:
    """Reads messages as the settings of the feed say."""

    authority: Authority
    default_charset: str
    charsets: tuple[tuple[str, str], ...] = ()
    """What MSH-18 names, and what the sender writes."""
    repairs_entities: bool = False
    conventions: Conventions = USUAL
    zone: str = ""
    """IANA name of the zone of times without an offset; empty: this computer's."""

    @classmethod
    def of(cls, adt: AdtFeed, institution: Institution) -> MessageReader:
        """The reader for these settings."""
        authority = Authority(
            adt.assigning_authority,
            adt.identifier_type,
            institution.issuer_of_patient_id,
            SameAuthorities.of(institution.same_authorities),
        )
        named = (entry.partition("=") for entry in adt.charsets)
        return cls(
            authority,
            adt.default_charset,
            tuple((name.strip(), written) for name, _, written in named),
            adt.html_entities is HtmlEntities.REPAIR,
            Conventions.of(adt),
            adt.zone,
        )

    def split(self, raw: bytes) -> Hl7Message:
        """The message in parts; see `hl7.split.parse`."""
        return parse(
            raw,
            default_charset=self.default_charset,
            charsets=dict(self.charsets),
            repairs_entities=self.repairs_entities,
        )

    def read(self, raw: bytes, received_at: datetime) -> tuple[AdtEvent, ...]:
        """What the message says, an event for each patient of whom it speaks; see `read_event`."""
        return self.events_of(self.split(raw), received_at)

    def events_of(self, message: Hl7Message, received_at: datetime) -> tuple[AdtEvent, ...]:
        """The same of a message that was split here before."""
        zone = zone_of(self.zone)
        events = (
            read_event(
                *(portion.message, self.authority, received_at, self.conventions),
                zone=zone,
                leaves=portion.leaves,
            )
            for portion in portions(message)
        )
        return tuple(replace(event, part=part) for part, event in enumerate(events))

    def persons_of_merge(self, raw: bytes) -> tuple[PatientId, ...]:
        """Whom a message names that was refused: survivors (PID-3) and those who end (MRG-1)."""
        return persons_named(self.split(raw), self.authority)


def read_event(
    message: Hl7Message,
    authority: Authority,
    received_at: datetime,
    conventions: Conventions = USUAL,
    *,
    zone: tzinfo = COMPUTERS_ZONE,
    leaves: bool = False,
) -> AdtEvent:
    """Reads an ADT message about one patient. `received_at` is aware; `zone` holds for times that
    name no offset. `leaves`: what it says of the patient of MRG-1, who loses the visit.

    Raises MessageError for a message without exactly one patient of the configured authority, for
    a number that a DICOM image could not carry, and for a name that cannot be read. A time in the
    future counts as the time of arrival, so that one wrong clock cannot make later messages look
    old.
    """
    pid = message.one("PID")
    if pid is None:
        raise MessageError(tr("The message has no PID segment."))
    event, pv1, mrg = message.event, message.one("PV1"), message.one("MRG")
    door = Door()
    for field in message.repaired:
        door.note(field, NoteCode.REPAIRED)
    person = _person(pid, authority, conventions, received_at.date(), door)
    visit = _visit(pid, pv1, message.one("PV2"), zone, conventions, door, authority.same)
    before = prior_visit(event, mrg, pv1, visit, person, authority, door)
    if leaves:
        person, visit = person_who_loses(mrg, authority, door), None
    elif before is not None:
        visit = visit_here(event, pid, visit, before, authority, door)
    order = order_of(message, zone, received_at, lambda f: door.note(f, NoteCode.UNREADABLE))
    return AdtEvent(
        event=event,
        person=person,
        visit=visit,
        order=order,
        received_at=received_at,
        prior=_number_before(mrg, person, authority, door) if event == "A47" else None,
        prior_visit=before,
        leaves=leaves,
        notes=door.notes,
    )


def _number_before(
    mrg: Segment | None, person: PersonFacts, authority: Authority, door: Door
) -> PatientId | None:
    """MRG-1 of an A47; None, with a note, where a number of other authorities changes."""
    if mrg is None:
        raise MessageError(tr("The message does not say which number is changed (MRG-1)."))
    if is_of_others(mrg, 1, authority, person.other_ids):
        door.note("MRG-1", NoteCode.NUMBER_OF_OTHERS)
        return None
    return numbers_in(mrg, 1, authority, door)[0]


def _person(
    pid: Segment, authority: Authority, conventions: Conventions, today: date, door: Door
) -> PersonFacts:
    number, others = numbers_in(pid, 3, authority, door)
    return PersonFacts(
        patient_id=number,
        other_ids=others,
        name=_name(pid, door),
        birth_date=_birth_date(pid, 7, conventions, today, door),
        sex=_sex(pid, 8, conventions, door),
        identity_unknown=_identity_unknown(pid, door),
    )


def _identity_unknown(pid: Segment, door: Door) -> Stated[bool] | None:
    """PID-31 (table 0136). What is neither yes nor no changes nothing."""
    if not pid.is_valued(31):
        return None
    is_deleted = pid.raw(31) == NULL
    text = NULL if is_deleted else door.read("PID-31", lambda: pid.only(31)) or ""
    said = _YES_NO.get(text.upper())
    if said is None:
        door.note("PID-31", NoteCode.UNREADABLE)
        return None
    return Stated(said)


def _name(pid: Segment, door: Door) -> PersonName | None:
    if pid.raw(5) == NULL:
        door.note("PID-5", NoteCode.NOT_DELETED)
    name = person_name(pid.repetitions(5))
    pn = name.pn
    if not pn:
        return None
    if "\n" in pid.raw(5):  # read as a space
        door.note("PID-5", NoteCode.NOT_ESCAPED)
    if not fits("PatientName", person_name_value(name)):
        door.note("PID-5", NoteCode.LEFT_OUT)
    if is_doubtful(pn, is_latin_1=pid.codec in _LATIN_1):
        door.note("PID-5", NoteCode.DOUBTED)
    return name


def _birth_date(
    pid: Segment, field: int, conventions: Conventions, today: date, door: Door
) -> Stated[date | PartialDate | None] | None:
    if not pid.is_valued(field):
        return None
    if pid.raw(field) == NULL:
        return Stated(None)
    said, remark = (
        door.read("PID-7", lambda: conventions.birth_date_of(pid.only(field), today)) or _NOTHING
    )
    if remark is not None:
        door.note("PID-7", remark)
    return Stated(said) if said is not None else None


def _sex(pid: Segment, field: int, conventions: Conventions, door: Door) -> Stated[Sex] | None:
    if not pid.is_valued(field):
        return None
    if pid.raw(field) == NULL:
        return Stated(Sex.UNKNOWN)
    said = door.read("PID-8", lambda: conventions.sex_of(pid.only(field)))
    if said is None:
        door.note("PID-8", NoteCode.UNREADABLE)
        return None
    return Stated(said)


def _visit(
    pid: Segment,
    pv1: Segment | None,
    pv2: Segment | None,
    zone: tzinfo,
    conventions: Conventions,
    door: Door,
    same: SameAuthorities,
) -> VisitFacts | None:
    if pv1 is None or pv1.raw(2) == _NO_VISIT:
        return None
    own, account = number_in(pv1, 19, door, same), number_in(pid, 18, door, same)
    number = own if own is None or own.value else account
    if number is None:
        return None
    account = account or NO_NUMBER
    return VisitFacts(
        visit_number=number.value,
        issuer=number.issuer,
        universal_id=number.universal_id,
        universal_id_type=number.universal_id_type,
        patient_class=_said(pv1, 2, pv1.text, door),
        location=_said(pv1, 3, lambda f: _location(pv1, f, conventions, door), door),
        admitted_at=_moment(pv1, 44, zone, door),
        discharged_at=_moment(pv1, 45, zone, door),
        referring_physician=_said(
            pv1, 8, lambda f: door.name("PV1-8", staff_name(pv1.composite(f))), door
        ),
        department=_said(
            pv1,
            10,
            lambda f: door.text(
                "PV1-10", "InstitutionalDepartmentName", _whole("PV1-10", pv1.composite(f), 1, door)
            ),
            door,
        ),
        reason=_said(pv2, 3, lambda f: _words(pv2.composite(f), door), door) if pv2 else None,
        account_number=account.value,
        account_issuer=account.issuer,
        is_account=bool(account.value) and number is account,
    )


def _location(pv1: Segment, field: int, conventions: Conventions, door: Door) -> Location:
    """PL, its components as the settings say. Each is a text, or an HD of which the namespace is
    taken (PL-1 to PL-4 in later versions).
    """
    place = pv1.composite(field)

    def named(component: int) -> str:
        if is_hd(place, component):
            return name_text(place.text(component))
        return _whole("PV1-3", place, component, door)

    return conventions.place_of(
        lambda component: door.text("PV1-3", "CurrentPatientLocation", named(component))
    )


def _words(coded: Composite, door: Door) -> str:
    """The text of a coded element: CE-2, else CE-1."""
    return _whole("PV2-3", coded, 2, door) or _whole("PV2-3", coded, 1, door)


def _whole(name: str, value: Composite, component: int, door: Door) -> str:
    """A text that has no parts, with a note where a divider of parts in it was not escaped."""
    if any(value.parts(component)[1:]):
        door.note(name, NoteCode.NOT_ESCAPED)
    return name_text(value.whole(component))


def _said(segment: Segment, field: int, read: Callable[[int], T], door: Door) -> Stated[T] | None:
    """What a field states; None where it is empty and, with a note, where it cannot be read."""
    if not segment.is_valued(field):
        return None
    return door.read(f"{segment.name}-{field}", lambda: Stated(read(field)))


def _moment(
    segment: Segment, field: int, zone: tzinfo, door: Door
) -> Stated[datetime | None] | None:
    """A time that a field states; None where it is empty and, with a note, where it is no time."""
    if segment.raw(field) == NULL:
        return Stated(None)
    name = f"{segment.name}-{field}"
    if not segment.is_valued(field):
        return None
    found = door.read(name, lambda: moment_of(segment.only(field), zone))
    if found is None:
        door.note(name, NoteCode.UNREADABLE)
        return None
    return Stated(fixed(found))
