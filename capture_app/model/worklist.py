"""The rows of the patient list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from capture_app.model.encounter import Encounter
from capture_app.model.order import Order
from capture_app.model.patient import Patient


class FeedSource(StrEnum):
    """Which feed a row came from."""

    ADT = "adt"
    WORKLIST = "worklist"


class IdentifiedBy(StrEnum):
    """By what the patient was identified: what really happened; audited and shown in the banner."""

    SCAN = "scan"
    """The wristband."""
    INITIALS_AND_YEAR = "initials-and-year"
    """Initials and year of birth were said and fitted; likewise those that follow."""
    INITIALS_AND_NUMBER = "initials-and-number"
    """Initials, and the end of the record number."""
    INITIALS_YEAR_AND_NUMBER = "initials-year-and-number"
    YEAR_AND_NUMBER = "year-and-number"
    NUMBER = "number"
    """The end of the record number alone: nothing else was known to ask for."""
    KNOWN = "known"
    """Nobody was asked: the same patient had been identified here some minutes before."""
    NOTHING = "nothing"
    """Picked from the list, and nobody was asked: the settings do not want it."""
    SLATE = "slate"
    """A slate before the camera, and a person who looked at the pictures that follow it."""
    COMMAND_AND_SECOND_IDENTIFIER = "command-and-second-identifier"
    LIST_AND_SECOND_IDENTIFIER = "list-and-second-identifier"
    """Of exams of before, picked from the list: whether somebody was asked is not known."""
    DRAFT_REOPENED = "draft-reopened"
    """Likewise, from drafts."""


class Doubt(StrEnum):
    """Why a row may not be what it seems: shown as a badge, and told to IT."""

    SHARED_BED = "shared-bed"
    """Another patient's open visit is in the same bed."""
    SHARED_VISIT_NUMBER = "shared-visit-number"
    """Another patient has a visit of the same number: pictures do not carry it."""
    SHARED_STUDY_UID = "shared-study-uid"
    """An order of another patient has the same Study Instance UID (0020,000D)."""
    MERGE_REFUSED = "merge-refused"
    """The feed merged this patient with another one, or deleted it: that a person has to do."""
    NUMBER_RETIRED = "number-retired"
    """The feed speaks of a number that it had put another one in place of (A47)."""
    NUMBER_OF_TWO = "number-of-two"
    """Worklists give the number to two persons who cannot be one: it opens neither."""
    NUMBER_OF_ANOTHER = "number-of-another"
    """The admissions feed gives the number of this worklist row to somebody else: it opens nobody.
    """
    NUMBER_ON_WORKLIST = "number-on-worklist"
    """A worklist gives the number to somebody else than the admissions feed does."""


@dataclass(frozen=True, slots=True)
class PatientListEntry:
    """A patient who may be chosen: who, which visit, which orders, from where and how fresh."""

    patient: Patient
    encounter: Encounter | None
    orders: tuple[Order, ...]
    source: FeedSource
    as_of: datetime
    """When the feed last spoke of this patient."""
    doubts: frozenset[Doubt] = frozenset()
    shared_studies: frozenset[str] = frozenset()
    """Study Instance UIDs of its orders that an order of another patient has too."""

    @property
    def is_of_another(self) -> bool:
        """Whether somebody else has the number by the admissions feed."""
        return Doubt.NUMBER_OF_ANOTHER in self.doubts

    @property
    def person(self) -> str:
        """What tells the row from those of other people with the same number, where there are."""
        shares = Doubt.NUMBER_OF_TWO in self.doubts or self.is_of_another
        return self.patient.wording if shares else ""


@dataclass(frozen=True, slots=True)
class PersonNow:
    """What the feeds say of one patient at this moment, whether listed or not."""

    patient: Patient
    visits: tuple[Encounter, ...]
    """All that are known: open, closed and cancelled ones."""
    entries: tuple[PatientListEntry, ...]
    """The rows of the list."""
    doubts: frozenset[Doubt] = frozenset()
    shared_visits: frozenset[str] = frozenset()
    """Numbers of these visits, listed or not, that another patient has a visit of."""
    by_former_number: tuple[tuple[str, str, Encounter], ...] = ()
    """Numbers, each with its issuer, by which a visit may have been known before, with the visit:
    its account (PID-18), and those that it had (A50)."""
