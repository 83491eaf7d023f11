"""The one translator: every string that a person reads goes through `tr` or `trn`.

The English text is the key. A catalogue for another language is a mapping from that text to its
translation, put in place once at start by `use`. Values are named, so that a translation may
reorder them. Nothing here knows where catalogues are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_EMPTY: Final[Mapping[str, str]] = MappingProxyType({})
_catalogue: Mapping[str, str] = _EMPTY

# Wrapped round every value that must keep its own direction in a right-to-left sentence
# (dates, record numbers, beds): FIRST STRONG ISOLATE would guess; these are always left to right.
LEFT_TO_RIGHT_ISOLATE: Final = "\u2066"
POP_DIRECTIONAL_ISOLATE: Final = "\u2069"


def use(catalogue: Mapping[str, str]) -> None:
    """Puts the translations of one language in place for the whole process."""
    global _catalogue  # noqa: PLW0603 - one language per process is the point
    _catalogue = MappingProxyType(dict(catalogue))


def tr(text: str, /, **values: object) -> str:
    """The text in the language of the user, with its named values filled in."""
    return _catalogue.get(text, text).format(**values) if values else _catalogue.get(text, text)


def trn(one: str, many: str, n: int, /, **values: object) -> str:
    """The text for a count: `one` where n is 1, else `many`; `{n}` is filled in."""
    return tr(one if n == 1 else many, n=n, **values)


def isolated(value: str) -> str:
    """The value in bidirectional isolates, so that a right-to-left sentence cannot scramble it."""
    return f"{LEFT_TO_RIGHT_ISOLATE}{value}{POP_DIRECTIONAL_ISOLATE}"


def pseudo(text: str) -> str:
    """A longer, accented stand-in translation: shows what is not translated or will not fit."""
    swaps = str.maketrans("aeiounAEIOU", "åéîøüñÅÉÎØÜ")
    out, depth = [], 0
    for character in text:  # the names inside {braces} must stay as they are
        depth += (character == "{") - (character == "}")
        out.append(character if depth else character.translate(swaps))
    return "".join(out) + " " + "~" * max(2, len(text) * 3 // 10)
