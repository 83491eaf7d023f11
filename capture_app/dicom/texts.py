"""Texts made to fit the value representations that carry them. Needs no DICOM library."""

from __future__ import annotations

from typing import Final

from capture_app.model.patient import NameGroup, PersonName

LO_LENGTH: Final = 64
_PN_GROUP_LENGTH: Final = 64
_NAME_DELIMITERS: Final = str.maketrans({"\\": "/", "^": " ", "=": " "})


def person_name(name: PersonName) -> str:
    """The value for a PN element (PS3.5 6.2.1.2).

    Backslash, caret and equals sign are delimiters there and cannot be written: a backslash becomes
    a slash, the others a blank, and control characters go.
    """
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    return "=".join(_group(group) for group in groups).rstrip("=")


def person_name_that_fits(name: PersonName | None) -> str:
    """As `person_name`, without the groups that are too long to be written whole; empty for none.

    Part of a name is worse than none: a group is never cut.
    """
    groups = person_name(name).split("=") if name is not None else []
    fitting = (group if len(group) <= _PN_GROUP_LENGTH else "" for group in groups)
    return "=".join(fitting).rstrip("=")


def descriptive(text: str, longest: int = LO_LENGTH) -> str:
    """Text from elsewhere that only describes, made to fit: one line, no backslash, cut at the end.

    Never for an identifier or for the name of the patient.
    """
    return " ".join(_printable(text).replace("\\", "/").split())[:longest].rstrip()


def _group(group: NameGroup) -> str:
    parts = (group.family, group.given, group.middle, group.prefix, group.suffix)
    return "^".join([_of_a_name(part) for part in parts]).rstrip("^")


def _of_a_name(part: str) -> str:
    if part.isalnum() or not part:  # most are
        return part
    return " ".join(_printable(part).translate(_NAME_DELIMITERS).split())


def _printable(text: str) -> str:
    """Control characters as blanks; joiners of Arabic and Indic scripts stay."""
    if text.isprintable():
        return text
    return "".join(" " if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 else c for c in text)
