"""Text of worklist answers: decoded strictly, in the set that the answer or the site names.

pydicom reads a set that is missing as Latin-1 and what it cannot read as question marks; a name
that is wrong once is wrong in the archive for ever. Here such an item is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from capture_app.errors import FeedError
from capture_app.model.strict_text import decode
from capture_app.model.words import tr

_CODECS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "": "ascii",
        "ISO_IR 6": "ascii",
        "ISO_IR 13": "shift_jis",
        "ISO_IR 100": "iso8859_1",
        "ISO_IR 101": "iso8859_2",
        "ISO_IR 109": "iso8859_3",
        "ISO_IR 110": "iso8859_4",
        "ISO_IR 126": "iso8859_7",
        "ISO_IR 127": "iso8859_6",
        "ISO_IR 138": "iso8859_8",
        "ISO_IR 144": "iso8859_5",
        "ISO_IR 148": "iso8859_9",
        "ISO_IR 166": "iso8859_11",
        "ISO_IR 192": "utf_8",
        "ISO_IR 203": "iso8859_15",
        "GB18030": "gb18030",
        "GBK": "gbk",
    }
)
"""Specific Character Set (PS3.3 C.12.1.1.2) without code extensions."""

_ESCAPE: Final = b"\x1b"
_UNREADABLE: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_NAME_DELIMITERS: Final = {0x0D, 0x0A, 0x09, 0x0C, ord("^"), ord("=")}
"""After one of these a value with code extensions begins anew (PS3.5 6.1.2.5.3)."""


class WorklistText:
    """Reads the text elements of one answer."""

    def __init__(self, ds: Dataset, charset_when_absent: str) -> None:
        """Raises FeedError for a character set that is not known."""
        named = ds.get("SpecificCharacterSet")
        terms: Sequence[str] = [named] if isinstance(named, str) else list(named or ())
        self._terms = [str(term).strip() for term in terms] or [charset_when_absent]
        first = self._terms[0].replace("ISO 2022 IR", "ISO_IR")
        if first not in _CODECS:
            raise FeedError(tr("The character set of the item is not known here."))
        self._codec = _CODECS[first]

    def of(self, ds: Dataset, keyword: str) -> str:
        """The value of an element of one value; empty where it is absent.

        Raises FeedError for bytes that are not of the character set, and for several values.
        """
        values = self.all_of(ds, keyword)
        if len(values) > 1:
            raise FeedError(tr("An element of the item has several values."))
        return values[0]

    def all_of(self, ds: Dataset, keyword: str) -> list[str]:
        """The values of an element that may have several; one empty one where it is absent."""
        element = ds.get_item(keyword)
        if element is None:
            return [""]
        if not isinstance(element, RawDataElement):
            # pydicom makes elements without a value at once, others only when they are asked for.
            if element.value:
                raise FeedError(tr("An element of the item is no text."))
            return [""]
        text = self._decoded(bytes(element.value or b"")).strip(" \x00")
        if _UNREADABLE.search(text):  # escape sequences that a peer left behind, for instance
            raise FeedError(tr("The item holds text that cannot be read."))
        return [value.strip() for value in text.split("\\")]

    def _decoded(self, value: bytes) -> str:
        value = value.rstrip(b" \x00")
        if _ESCAPE in value and len(self._terms) > 1:
            return str(decode_bytes(value, convert_encodings(self._terms), _NAME_DELIMITERS))
        return decode(value, self._codec)


def first_item(ds: Dataset, keyword: str) -> Dataset:
    """The first item of a sequence; an empty one where there is none."""
    items = ds.get(keyword)
    return items[0] if items else Dataset()
