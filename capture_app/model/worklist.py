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
    """How the patient was identified when the exam was opened; audited and shown in the banner."""

    SCAN = "scan"
    LIST_AND_SECOND_IDENTIFIER = "list-and-second-identifier"
    COMMAND_AND_SECOND_IDENTIFIER = "command-and-second-identifier"
    DRAFT_REOPENED = "draft-reopened"


@dataclass(frozen=True, slots=True)
class PatientListEntry:
    """A patient who may be chosen: who, which visit, which orders, from where and how fresh."""

    patient: Patient
    encounter: Encounter | None
    orders: tuple[Order, ...]
    source: FeedSource
    as_of: datetime
    """When the feed last spoke of this patient."""
