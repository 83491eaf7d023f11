"""What a feed said and could not be taken as it stood: by field, never by value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture_app.model.words import tr


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
    NOT_ESCAPED = "not-escaped"
    """It holds a divider that should have been escaped, and was read as one text with it."""
    CONTRADICTED = "contradicted"
    """A birth date in part that cannot be the whole one that is known, which stays."""
    AUTHORITY_DOUBTED = "authority-doubted"
    """The authority of the patient's number has another universal ID than the last time."""
    DOUBTED = "doubted"
    """It can be read, and looks like text of another character set than the one that is named."""
    SEVERAL_VISITS = "several-visits"
    """No visit is named and several could be meant: none was changed."""
    NO_VISIT = "no-visit"
    """No visit is named and none is open: none was changed."""
    NOTHING_TO_CANCEL = "nothing-to-cancel"
    """It cancels what was never told of, or was cancelled before."""
    IN_THE_FUTURE = "in-the-future"
    """An end that is still to come: the visit stays open."""
    BEFORE_ADMISSION = "before-admission"
    """An end that is before the admission: it is none."""
    OLDER_PLACE = "older-place"
    """Where the patient was before the place that is known: nobody was moved."""
    NUMBER_TAKEN = "number-taken"
    """The number that is put in place of another one is that of somebody else, as is known now."""
    NUMBER_NOT_KNOWN = "number-not-known"
    """The number that another one is put in place of was never told of."""
    NUMBER_OF_ANOTHER = "number-of-another"
    """The number of a worklist item is that of somebody else by the admissions feed: its row opens
    nobody, and no picture goes under its order.
    """
    NUMBER_OF_OTHERS = "number-of-others"
    """The number that another one is put in place of is of another authority than the patient's."""


@dataclass(frozen=True, slots=True, order=True)
class FeedNote:
    """One remark on one field of a message or of a worklist item."""

    field: str
    """As its standard names it: PID-7, PV1-3; PatientBirthDate. Never a value."""
    code: NoteCode


WITHOUT_EFFECT: Final = frozenset(
    {
        NoteCode.SEVERAL_VISITS,
        NoteCode.NO_VISIT,
        NoteCode.NOTHING_TO_CANCEL,
        NoteCode.IN_THE_FUTURE,
        NoteCode.BEFORE_ADMISSION,
        NoteCode.OLDER_PLACE,
        NoteCode.NUMBER_NOT_KNOWN,
        NoteCode.NUMBER_OF_OTHERS,
        NoteCode.NUMBER_TAKEN,
    }
)
"""A message that was accepted, and did not do what its sender meant by it."""

OF_A_VALUE: Final = frozenset(NoteCode) - WITHOUT_EFFECT
"""A message that did what was meant, with a value in it that could not be taken as it stood."""


def words_of(note: FeedNote) -> str:
    """What became of a value or of a message, in a sentence for IT."""
    said = {
        NoteCode.UNREADABLE: tr("cannot be read; what was known stays"),
        NoteCode.UNKNOWN: tr("stands for not known; what was known stays"),
        NoteCode.PARTIAL: tr("a birth date in part; no picture carries it"),
        NoteCode.LEFT_OUT: tr("cannot stand in a picture; left out"),
        NoteCode.NOT_DELETED: tr("would delete what no patient can be without; it stays"),
        NoteCode.REPAIRED: tr("read otherwise than it stood, as the settings say"),
        NoteCode.NOT_ESCAPED: tr("holds a divider that was not escaped; read as one text"),
        NoteCode.CONTRADICTED: tr("a part that contradicts the whole birth date; that one stays"),
        NoteCode.AUTHORITY_DOUBTED: tr("its authority has another universal ID than before"),
        NoteCode.DOUBTED: tr("looks like another character set than the one that is named"),
        NoteCode.SEVERAL_VISITS: tr("no visit is named and several could be meant; none changed"),
        NoteCode.NO_VISIT: tr("no visit is named and none is open; none changed"),
        NoteCode.NOTHING_TO_CANCEL: tr("cancels what was never told, or cancelled before"),
        NoteCode.IN_THE_FUTURE: tr("an end that is still to come; not taken"),
        NoteCode.BEFORE_ADMISSION: tr("an end before the admission; not taken"),
        NoteCode.OLDER_PLACE: tr("older than the place that is known; nobody was moved"),
        NoteCode.NUMBER_TAKEN: tr("the new number is somebody else's; a merge, not carried out"),
        NoteCode.NUMBER_NOT_KNOWN: tr("the number that is changed was never told"),
        NoteCode.NUMBER_OF_ANOTHER: tr(
            "by the admissions feed the number is somebody else's; the item opens nobody"
        ),
        NoteCode.NUMBER_OF_OTHERS: tr("a number of another authority; the patient's is the same"),
    }[note.code]
    return f"{note.field}: {said}"
