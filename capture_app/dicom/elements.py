"""Puts values into a dataset, checked the moment they are put.

pydicom checks `ds.X = value` only loosely and says the value in a warning; here a value that breaks
its VR raises ConformanceError, which names the keyword and never the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from capture_app.errors import ConformanceError
from capture_app.model.coding import Code
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr

LO_LENGTH: Final = 64
_PN_GROUP_LENGTH: Final = 64
_NAME_DELIMITERS: Final = str.maketrans({"\\": "/", "^": " ", "=": " "})


def put(ds: Dataset, keyword: str, value: Any) -> None:
    """Sets an attribute by its keyword. Raises ConformanceError for what its VR does not allow.

    A backslash within a text would make two values of one, so it is refused.
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        message = f"no such attribute: {keyword}"
        raise ConformanceError(message)
    if isinstance(value, str) and "\\" in value:
        raise ConformanceError(_not_allowed(keyword))
    try:
        element = DataElement(tag, dictionary_VR(tag), value, validation_mode=config.RAISE)
    except (ValueError, TypeError, OverflowError):
        # the reason would carry the value
        raise ConformanceError(_not_allowed(keyword)) from None
    ds[tag] = element


def put_known(ds: Dataset, keyword: str, value: Any) -> None:
    """Sets an attribute that is left out where nothing is known (Type 3)."""
    if value not in (None, "", [], b""):
        put(ds, keyword, value)


def code_item(code: Code) -> Dataset:
    """An item of a code sequence (PS3.3 Table 8.8-1)."""
    item = Dataset()
    put(item, "CodeValue", code.value)
    put(item, "CodingSchemeDesignator", code.scheme)
    put(item, "CodeMeaning", code.meaning)
    return item


def put_codes(ds: Dataset, keyword: str, codes: Iterable[Code | None]) -> None:
    """Sets a code sequence, or leaves it out where no code is known."""
    put_known(ds, keyword, [code_item(code) for code in codes if code is not None])


def item(values: Sequence[tuple[str, Any]]) -> Dataset:
    """An item of a sequence, of what is known."""
    ds = Dataset()
    for keyword, value in values:
        put_known(ds, keyword, value)
    return ds


def person_name(name: PersonName) -> str:
    """The value for a PN element (PS3.5 6.2.1.2).

    Backslash, caret and equals sign are delimiters there and cannot be written: a backslash becomes
    a slash, the others a blank, and control characters go.
    """
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    return "=".join(_group(group) for group in groups).rstrip("=")


def person_name_that_fits(name: PersonName | None) -> str:
    """As `person_name`; empty where there is none or where it is too long to be written whole.

    For those who are not the patient: part of a name is worse than none.
    """
    value = person_name(name) if name is not None else ""
    fits = all(len(group) <= _PN_GROUP_LENGTH for group in value.split("="))
    return value if fits else ""


def descriptive(text: str, longest: int = LO_LENGTH) -> str:
    """Text from elsewhere that only describes, made to fit: one line, no backslash, cut at the end.

    Never for an identifier or for the name of the patient.
    """
    return " ".join(_printable(text).replace("\\", "/").split())[:longest].rstrip()


def _group(group: NameGroup) -> str:
    parts = (group.family, group.given, group.middle, group.prefix, group.suffix)
    cleaned = (
        " ".join(_printable(part).translate(_NAME_DELIMITERS).split()) if part else ""
        for part in parts
    )
    return "^".join(cleaned).rstrip("^")


def _printable(text: str) -> str:
    """Control characters as blanks; joiners of Arabic and Indic scripts stay."""
    return "".join(" " if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 else c for c in text)


def _not_allowed(keyword: str) -> str:
    return tr("DICOM does not allow the value of {keyword}.", keyword=keyword)
