"""The door through which every field of a feed comes in: taken, or left out and noted by name.

Nothing that stands in the model through this door makes an image impossible to build: each text
that an image repeats is held against the VR of the element that will carry it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from capture_app.dicom.texts import person_name
from capture_app.dicom.values import fits, fits_identifier
from capture_app.errors import FeedError
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.patient import PatientId, PersonName

T = TypeVar("T")


class Door:
    """Lets in the fields of one message or item, and keeps the notes on them."""

    def __init__(self) -> None:
        self._notes: set[FeedNote] = set()

    @property
    def notes(self) -> tuple[FeedNote, ...]:
        """What could not be taken as it stood, each once, sorted."""
        return tuple(sorted(self._notes))

    def note(self, field: str, code: NoteCode) -> None:
        """Keeps a note."""
        self._notes.add(FeedNote(field, code))

    def read(self, field: str, read: Callable[[], T]) -> T | None:
        """What `read` gives; None, with a note, where the field cannot be read."""
        try:
            return read()
        except FeedError:
            self.note(field, NoteCode.UNREADABLE)
            return None

    def text(self, field: str, keyword: str, value: str) -> str:
        """The text, if the element can hold it; else empty, with a note."""
        return value if fits(keyword, value) else self._left_out(field)

    def identifier(self, field: str, keyword: str, value: str) -> str:
        """The same for a number or a code by which something is known: it is never changed."""
        return value if fits_identifier(keyword, value) else self._left_out(field)

    def name(self, field: str, name: PersonName | None) -> PersonName | None:
        """The name of one who is not the patient; None, with a note, where no image can hold it."""
        if name is None or fits("PersonName", person_name(name)):
            return name
        self.note(field, NoteCode.LEFT_OUT)
        return None

    def other_id(self, field: str, number: PatientId) -> PatientId | None:
        """A further number of the patient; None, with a note, where no image can hold it."""
        if can_be_identifier(number):
            return self.typed(field, number)
        self.note(field, NoteCode.LEFT_OUT)
        return None

    def typed(self, field: str, number: PatientId) -> PatientId:
        """The number without the type and the universal authority that no image can hold."""
        universal, kind = number.universal_id, number.universal_id_type
        if universal or kind:
            universal = self.identifier(field, "UniversalEntityID", number.universal_id)
            kind = self.identifier(field, "UniversalEntityIDType", number.universal_id_type)
        return PatientId(
            number.value,
            number.issuer,
            universal if kind or not number.universal_id_type else "",
            kind if universal else "",
            number.type_code
            if self.identifier(field, "IdentifierTypeCode", number.type_code.upper())
            else "",
        )

    def _left_out(self, field: str) -> str:
        self.note(field, NoteCode.LEFT_OUT)
        return ""


def can_be_identifier(number: PatientId) -> bool:
    """Whether an image can hold the number and its issuer."""
    return fits_identifier("PatientID", number.value) and fits_identifier(
        "IssuerOfPatientID", number.issuer
    )
