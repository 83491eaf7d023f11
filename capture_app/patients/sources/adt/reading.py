"""What one ADT message says of a patient and a visit (ITI TF-2 3.30, 3.31; HL7 v2.5.1 3.4).

A field that is empty says nothing and keeps what is known; a field of two quotes deletes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Generic, TypeVar

from capture_app.errors import MessageError
from capture_app.hl7.dates import date_of, moment_of
from capture_app.hl7.identifiers import identifier, patient_id
from capture_app.hl7.names import name_text, person_name, staff_name
from capture_app.hl7.split import NULL, Hl7Message, Segment, parse
from capture_app.model.encounter import Location
from capture_app.model.feed_note import FeedNote
from capture_app.model.patient import PartialDate, PatientId, PersonName, Sex
from capture_app.model.words import tr
from capture_app.settings.schema import AdtFeed, Institution

T = TypeVar("T")

READER_VERSION: Final = "1"
"""Raise it when something else may be read out of a stored message than before."""

_SEX: Final = {"M": Sex.MALE, "F": Sex.FEMALE, "O": Sex.OTHER, "A": Sex.OTHER, "N": Sex.OTHER}
_NO_VISIT: Final = "N"
"""PV1-2 of the pseudo PV1 that ITI-30 sends where there is no visit."""


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """A value that a message states; None in its place means that the message says nothing."""

    value: T


@dataclass(frozen=True, slots=True)
class Authority:
    """Which repetition of PID-3 is the patient's number here."""

    assigning_authority: str
    """CX-4, namespace or universal ID; empty: the type alone decides."""
    identifier_type: str
    """CX-5; empty: the authority alone decides."""
    issuer_when_absent: str = ""
    """Issuer of Patient ID where the chosen repetition has no namespace of its own."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What PID says of the person."""

    patient_id: PatientId
    other_ids: tuple[PatientId, ...]
    name: PersonName | None
    birth_date: Stated[date | PartialDate | None] | None
    sex: Stated[Sex] | None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What PV1 and PV2 say of the visit. An empty number: the message names none."""

    visit_number: str
    issuer: str
    patient_class: Stated[str] | None
    location: Stated[Location] | None
    admitted_at: Stated[datetime | None] | None
    discharged_at: Stated[datetime | None] | None
    referring_physician: Stated[PersonName | None] | None
    department: Stated[str] | None
    reason: Stated[str] | None
    universal_id: str = ""
    """Who issued the number, known everywhere (CX-4 HD.2)."""
    universal_id_type: str = ""


@dataclass(frozen=True, slots=True)
class AdtEvent:
    """One message, read. `arrival` orders what happened at the same time."""

    event: str
    person: PersonFacts
    visit: VisitFacts | None
    recorded_at: datetime
    """EVN-2, else MSH-7, else when it came: the order of what is said of a person."""
    occurred_at: datetime
    """EVN-6, else `recorded_at`: the order of what happened to a visit."""
    received_at: datetime
    arrival: int = 0
    notes: tuple[FeedNote, ...] = ()
    """What could not be taken as it stood, each once, sorted."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads messages as the settings of the feed say."""

    authority: Authority
    default_charset: str

    @classmethod
    def of(cls, adt: AdtFeed, institution: Institution) -> Reader:
        """The reader for these settings."""
        authority = Authority(
            adt.assigning_authority, adt.identifier_type, institution.issuer_of_patient_id
        )
        return cls(authority, adt.default_charset)

    def split(self, raw: bytes) -> Hl7Message:
        """The message in parts; see `hl7.split.parse`."""
        return parse(raw, default_charset=self.default_charset)

    def read(self, raw: bytes, received_at: datetime) -> AdtEvent:
        """What the message says; see `read_event`."""
        return read_event(self.split(raw), self.authority, received_at)


def read_event(message: Hl7Message, authority: Authority, received_at: datetime) -> AdtEvent:
    """Reads an ADT message. `received_at` is aware; its offset holds for times that name none.

    Raises MessageError for a message without exactly one patient of the configured authority, and
    for values that a DICOM image could not carry. A time in the future counts as the time of
    arrival, so that one wrong clock cannot make later messages look old.
    """
    pid = message.one("PID")
    if pid is None:
        raise MessageError(tr("The message has no PID segment."))
    evn, pv1 = message.one("EVN"), message.one("PV1")
    recorded = _moment(evn, 2, received_at) or _moment(message.msh, 7, received_at) or received_at
    occurred = _moment(evn, 6, received_at) or recorded
    return AdtEvent(
        event=message.event,
        person=_person(pid, authority),
        visit=_visit(pid, pv1, message.one("PV2"), received_at),
        recorded_at=min(recorded, received_at),
        occurred_at=min(occurred, received_at),
        received_at=received_at,
    )


def _person(pid: Segment, authority: Authority) -> PersonFacts:
    number, others = _numbers(pid, authority)
    if pid.raw(5) == NULL:
        raise MessageError(tr("The message deletes the patient's name (PID-5)."))
    name = person_name(pid.repetitions(5))
    return PersonFacts(
        patient_id=number,
        other_ids=others,
        name=name if name.pn else None,
        birth_date=_said(pid, 7, lambda field: date_of(pid.text(field))),
        sex=_said(pid, 8, lambda field: _SEX.get(pid.text(field).upper(), Sex.UNKNOWN)),
    )


def _numbers(pid: Segment, authority: Authority) -> tuple[PatientId, tuple[PatientId, ...]]:
    """The repetition of PID-3 that the settings ask for, and all others. Never simply the first."""
    numbers = [number for cx in pid.repetitions(3) if (number := patient_id(cx)) is not None]
    wanted = authority.assigning_authority
    ours = [n for n in numbers if not wanted or wanted in {n.issuer, n.universal_id}]
    if authority.identifier_type:
        typed = [n for n in ours if n.type_code == authority.identifier_type]
        # A sender that gives no types is known by the authority alone.
        ours = typed or [n for n in ours if wanted and not n.type_code]
    distinct = {n.key: n for n in ours}
    if not distinct:
        raise MessageError(
            tr("No identifier of the configured authority and type in PID-3 (setting adt).")
        )
    if len(distinct) > 1:
        raise MessageError(
            tr("More than one identifier of the configured authority and type in PID-3.")
        )
    chosen = next(iter(distinct.values()))
    others = tuple(n for n in numbers if n.key != chosen.key)
    if not chosen.issuer and authority.issuer_when_absent:
        chosen = PatientId(
            chosen.value,
            authority.issuer_when_absent,
            chosen.universal_id,
            chosen.universal_id_type,
            chosen.type_code,
        )
    return chosen, others


def _visit(
    pid: Segment, pv1: Segment | None, pv2: Segment | None, received_at: datetime
) -> VisitFacts | None:
    if pv1 is None or pv1.text(2) == _NO_VISIT:
        return None
    holder, field = (pv1, 19) if pv1.text(19) else (pid, 18)
    return VisitFacts(
        visit_number=identifier(holder.text(field, 1)),
        issuer=identifier(holder.text(field, 4, 1)),
        patient_class=_said(pv1, 2, pv1.text),
        location=_said(pv1, 3, lambda f: _location(pv1, f)),
        admitted_at=_said(pv1, 44, lambda f: _moment(pv1, f, received_at)),
        discharged_at=_said(pv1, 45, lambda f: _moment(pv1, f, received_at)),
        referring_physician=_said(pv1, 8, lambda f: staff_name(pv1.composite(f))),
        department=_said(pv1, 10, lambda f: name_text(pv1.text(f))),
        reason=_said(pv2, 3, lambda f: _words(pv2, f)) if pv2 else None,
    )


def _location(pv1: Segment, field: int) -> Location:
    """PL: point of care, room, bed, facility."""
    place = pv1.composite(field)
    return Location(*(name_text(place.text(component)) for component in (1, 2, 3, 4)))


def _words(segment: Segment | None, field: int) -> str:
    """The text of a coded element: CE-2, else CE-1."""
    if segment is None:
        return ""
    return name_text(segment.text(field, 2) or segment.text(field, 1))


def _said(segment: Segment, field: int, read: Callable[[int], T]) -> Stated[T] | None:
    return Stated(read(field)) if segment.is_valued(field) else None


def _moment(segment: Segment | None, field: int, received_at: datetime) -> datetime | None:
    zone = received_at.tzinfo
    if segment is None or zone is None or not segment.is_valued(field):
        return None
    return moment_of(segment.text(field), zone)
