"""Text that switches its character set by escape sequences (ISO 2022; PS3.5 6.1.2.5).

Decoded strictly: a set that was not named, an escape sequence that is not known, or a byte that is
no character of the set in use makes the text unreadable. pydicom would put question marks there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from capture_app.errors import FeedError
from capture_app.model.words import tr

ESCAPE: Final = b"\x1b"
ASCII: Final = "6"
KATAKANA: Final = "13"
"""JIS X 0201: its bytes from A0 on are one character each, unlike those of Shift JIS."""


@dataclass(frozen=True, slots=True)
class _CodedSet:
    """A coded character set: how it is invoked, and how its bytes become text."""

    number: str
    """Of the ISO registry."""
    escape: bytes
    codec: str
    is_upper: bool
    """G1, for bytes from A0 on; else G0, for those below 80."""
    width: int = 1
    prefix: bytes = b""


def _upper(number: str, final: bytes, codec: str) -> _CodedSet:
    return _CodedSet(number, b"-" + final, codec, is_upper=True)


_ASCII_SET: Final = _CodedSet(ASCII, b"(B", "ascii", is_upper=False)
_SETS: Final = (
    _ASCII_SET,
    _CodedSet("14", b"(J", "ascii", is_upper=False),
    _CodedSet(KATAKANA, b")I", "shift_jis", is_upper=True),
    _CodedSet("87", b"$B", "euc_jp", is_upper=False, width=2),
    _CodedSet("159", b"$(D", "euc_jp", is_upper=False, width=2, prefix=b"\x8f"),
    _CodedSet("149", b"$)C", "euc_kr", is_upper=True, width=2),
    _CodedSet("58", b"$)A", "gb2312", is_upper=True, width=2),
    _upper("100", b"A", "iso8859_1"),
    _upper("101", b"B", "iso8859_2"),
    _upper("109", b"C", "iso8859_3"),
    _upper("110", b"D", "iso8859_4"),
    _upper("126", b"F", "iso8859_7"),
    _upper("127", b"G", "iso8859_6"),
    _upper("138", b"H", "iso8859_8"),
    _upper("144", b"L", "iso8859_5"),
    _upper("148", b"M", "iso8859_9"),
    _upper("166", b"T", "iso8859_11"),
    _upper("203", b"b", "iso8859_15"),
)
"""PS3.3 Tables C.12-3 and C.12-4."""
_BY_NUMBER: Final[Mapping[str, _CodedSet]] = MappingProxyType({one.number: one for one in _SETS})
_ALWAYS: Final = frozenset({ASCII, "14"})
"""May be switched to without having been named."""

_TERM: Final = re.compile(r"ISO[ _-]?(?:2022[ _-]?)?(?:IR[ _-]?)?(\d+)", re.IGNORECASE)
_RESETS: Final = frozenset(b"\t\n\f\r")
_DIVIDES_NAMES: Final = frozenset(b"^=")


def registry_number(term: str) -> str:
    """The number in `ISO_IR 100`, `ISO 2022 IR 100`; empty for a set that has none here."""
    found = _TERM.fullmatch(term.strip())
    number = (found[1] if found else ASCII) if found or not term.strip() else ""
    return number if number in _BY_NUMBER else ""


def codec_without_escapes(number: str) -> str:
    """How text is decoded in which no escape sequence stands, where this set is named first."""
    named = _BY_NUMBER[number]
    return named.codec if named.is_upper else "ascii"


def decode_extended(value: bytes, numbers: Iterable[str], *, is_name: bool) -> str:
    """The text of a value in the sets that are named, the first of which holds at its beginning.

    Raises FeedError for what cannot be read. In a name each component and each group begins anew.
    """
    named = list(numbers)
    known = {
        one.escape: one for number, one in _BY_NUMBER.items() if number in _ALWAYS.union(named)
    }
    first = _BY_NUMBER[named[0]]
    lower, upper = _ASCII_SET, first if first.is_upper else None
    out: list[str] = []
    position = 0
    while position < len(value):
        byte = value[position]
        if byte == ESCAPE[0]:
            invoked = _invoked(value[position + 1 : position + 5], known)
            position += 1 + len(invoked.escape)
            if invoked.is_upper:
                upper = invoked
            else:
                lower = invoked
            continue
        begins_anew = byte in _RESETS or (
            lower.width == 1 and (byte == ord("\\") or (is_name and byte in _DIVIDES_NAMES))
        )
        if begins_anew:
            lower, upper = _ASCII_SET, first if first.is_upper else None
        used = upper if byte >= 0x80 else lower
        if used is None:
            raise _unreadable()
        width = 1 if begins_anew or byte == ord(" ") else used.width
        out.append(_character(value[position : position + width], used, width))
        position += width
    return "".join(out)


def _invoked(after: bytes, known: Mapping[bytes, _CodedSet]) -> _CodedSet:
    for escape, one in known.items():
        if after.startswith(escape):
            return one
    raise _unreadable()


def _character(raw: bytes, used: _CodedSet, width: int) -> str:
    try:
        if width == 1:
            return raw.decode(used.codec)
        paired = raw if used.is_upper else bytes(byte | 0x80 for byte in raw)
        text = (used.prefix + paired).decode(used.codec)
    except UnicodeDecodeError:
        raise _unreadable() from None
    if len(raw) < width or len(text) != 1:
        raise _unreadable()
    return text


def _unreadable() -> FeedError:
    return FeedError(tr("The item holds text that cannot be read in its character sets."))
