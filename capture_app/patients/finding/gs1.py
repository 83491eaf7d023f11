"""GS1 element strings, as a scanner types them (GS1 General Specifications 7.8)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SEPARATOR: Final = "\x1d"
"""FNC1 between two elements arrives as GS."""
GSRN: Final = "8018"
"""Global Service Relation Number of a recipient: 17 digits and a check digit."""

_PREDEFINED: Final[Mapping[str, int]] = MappingProxyType(
    {
        "00": 20,
        **dict.fromkeys(("01", "02", "03"), 16),
        "04": 18,
        **dict.fromkeys((f"1{n}" for n in range(1, 10)), 8),
        "20": 4,
        **dict.fromkeys((f"3{n}" for n in range(1, 7)), 10),
        "41": 16,
    }
)
"""Elements of a predefined length, with their identifier, by its first two digits (figure 7.8.5-2).
Every other element ends with a separator or with the code.
"""


def element(code: str, identifier: str) -> str | None:
    """The value of the one element with this application identifier.

    None where there is none, where there are two, or where the code is no whole element string:
    an element that is cut short makes all of it unreadable.
    """
    found: list[str] = []
    rest = code.lstrip(SEPARATOR)
    while rest:
        if not rest[:2].isdecimal():
            return None
        length = _PREDEFINED.get(rest[:2])
        if length is None:
            head, _, rest = rest.partition(SEPARATOR)
        else:
            head, rest = rest[:length], rest[length:].removeprefix(SEPARATOR)
            if len(head) != length:
                return None
        if head.startswith(identifier):
            found.append(head[len(identifier) :])
    return found[0] if len(found) == 1 and found[0] else None
