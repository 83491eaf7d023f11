"""Text of worklist answers: decoded strictly, in the set that the answer or the site names.

pydicom reads a set that is missing as Latin-1 and what it cannot read as question marks; a name
that is wrong once is wrong in the archive for ever. Here such a value is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from capture_app.dicom.code_extensions import (
    ESCAPE,
    KATAKANA,
    codec_without_escapes,
    decode_extended,
    registry_number,
)
from capture_app.errors import FeedError
from capture_app.model.strict_text import decode, is_readable
from capture_app.model.words import tr

_WHOLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ISO_IR 192": "utf_8",
        "GB18030": "gb18030",
        "GBK": "gbk",
        "ISO 2022 GBK": "gbk",
    }
)
"""Sets without code extensions (PS3.3 C.12.1.1.2)."""
_OF_WINDOWS: Final[Mapping[str, str]] = MappingProxyType(
    {f"CP{page}": f"cp{page}" for page in range(1250, 1259)}
)
"""Code pages that no answer may name, but that a site may know of."""

_AS_NAMED: Final[Mapping[str, str]] = MappingProxyType({})
_LATIN_1: Final = frozenset({"iso8859_1", "iso8859_15", "cp1252"})


class WorklistText:
    """Reads the text elements of one answer."""

    def __init__(
        self, ds: Dataset, charset_when_absent: str, charsets: Mapping[str, str] = _AS_NAMED
    ) -> None:
        """`charsets`: in which set the sender really writes where it names another.

        Raises FeedError for a character set that is not known.
        """
        named = ds.get("SpecificCharacterSet")
        terms: Sequence[str] = [named] if isinstance(named, str) else list(named or ())
        stated = [str(term).strip() for term in terms]
        by_site = charsets.get(stated[0]) if any(stated) else charset_when_absent
        used = [by_site] if by_site is not None else stated
        whole = _WHOLE.get(used[0]) or (_OF_WINDOWS.get(by_site) if by_site else None)
        self._numbers = () if whole else tuple(map(registry_number, used))
        if not all(self._numbers):
            raise FeedError(tr("The character set of the item is not known here."))
        self._codec = whole or codec_without_escapes(self._numbers[0])

    @property
    def is_latin_1(self) -> bool:
        """Whether the text is said to be in the set of Western Europe."""
        return self._codec in _LATIN_1 and len(self._numbers) < 2

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
        text = self._decoded(bytes(element.value or b""), is_name=keyword.endswith("Name"))
        text = text.strip(" \x00")
        if not is_readable(text):  # escape sequences that a peer left behind, for instance
            raise FeedError(tr("The item holds text that cannot be read."))
        return [value.strip(" ") for value in text.split("\\")]

    def _decoded(self, value: bytes, *, is_name: bool) -> str:
        value = value.rstrip(b" \x00")
        if self._numbers and (ESCAPE in value or self._numbers[0] == KATAKANA):
            return decode_extended(value, self._numbers, is_name=is_name)
        return decode(value, self._codec)


def first_item(ds: Dataset, keyword: str) -> Dataset:
    """The first item of a sequence; an empty one where there is none."""
    items = ds.get(keyword)
    return items[0] if items else Dataset()
