"""What one ADT message says, as values: facts of the person, facts of the visit, and when.

A fact that is None was not said: what is known of it stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Generic, TypeVar

from capture_app.model.encounter import Location
from capture_app.model.feed_note import FeedNote
from capture_app.model.patient import PartialDate, PatientId, PersonName, Sex
from capture_app.patients.sources.adt.order import EventOrder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """A value that a message states; None in its place means that the message says nothing."""

    value: T


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What PID says of the person."""

    patient_id: PatientId
    other_ids: tuple[PatientId, ...]
    name: PersonName | None
    birth_date: Stated[date | PartialDate | None] | None
    sex: Stated[Sex] | None
    identity_unknown: Stated[bool] | None = None
    """PID-31: the feed itself does not know who this is."""


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What PV1 and PV2 say of the visit. An empty number: the message names none. A number that
    cannot be read is none of these: such a message says nothing of a visit.
    """

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
    account_number: str = ""
    """PID-18: it may be all by which the visit is known so far."""
    account_issuer: str = ""
    is_account: bool = False
    """`visit_number` is the account's: PV1-19 is empty."""

    @property
    def number(self) -> PatientId:
        """The visit's number with who issued it."""
        return PatientId(self.visit_number, self.issuer, self.universal_id, self.universal_id_type)

    @property
    def account(self) -> PatientId:
        """The account with who issued it."""
        return PatientId(self.account_number, self.account_issuer)

    def numbered(self, number: PatientId, *, is_account: bool) -> VisitFacts:
        """The same facts of a visit under that number."""
        return replace(
            self,
            visit_number=number.value,
            issuer=number.issuer,
            universal_id=number.universal_id,
            universal_id_type=number.universal_id_type,
            is_account=is_account,
        )


NO_FACTS: Final = VisitFacts("", "", None, None, None, None, None, None, None)
"""A visit of which nothing is said."""


@dataclass(frozen=True, slots=True)
class AdtEvent:
    """One message, read. `arrival` orders what happened at the same time."""

    event: str
    person: PersonFacts
    visit: VisitFacts | None
    order: EventOrder
    """Its place among the other messages."""
    received_at: datetime
    arrival: int = 0
    part: int = 0
    """Its place among the events of one message: one for each patient of whom it speaks."""
    prior: PatientId | None = None
    """The number that the patient's is put in place of (A47, MRG-1)."""
    prior_visit: VisitFacts | None = None
    """The visit by the number that it had (MRG-5), or all visits by the account that they had
    (MRG-3): what is changed, or taken from this patient."""
    leaves: bool = False
    """What `prior_visit` names is another patient's from now on (A44, A45)."""
    notes: tuple[FeedNote, ...] = ()
    """What could not be taken as it stood, each once, sorted."""
