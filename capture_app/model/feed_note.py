"""What a feed said and could not be taken as it stood: by field, never by value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoteCode(StrEnum):
    """What became of a value. The codes are stored: a value here never changes its text."""

    UNREADABLE = "unreadable"
    """It cannot be read. What was known stays: only an explicit NULL deletes."""
    UNKNOWN = "unknown"
    """It stands for "not known" (a placeholder, an impossible birth date). What was known stays."""
    PARTIAL = "partial"
    """A birth date of a year, or of a year and a month. It is shown, and no image carries it."""
    LEFT_OUT = "left-out"
    """DICOM cannot hold it. No image carries it; the patient and the pictures are not held up."""
    NOT_DELETED = "not-deleted"
    """The feed deletes what no patient can be without. What was known stays."""
    REPAIRED = "repaired"
    """It was read otherwise than it stood, as the settings of the feed say."""
    DOUBTED = "doubted"
    """It can be read, and looks like text of another character set than the one that is named."""


@dataclass(frozen=True, slots=True, order=True)
class FeedNote:
    """One remark on one field of a message or of a worklist item."""

    field: str
    """As its standard names it: PID-7, PV1-3; PatientBirthDate. Never a value."""
    code: NoteCode
