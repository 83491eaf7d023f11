"""HTML's character references in text of a feed (`O&#39;Brien`): left by an interface engine.

HL7 has escape sequences of its own, and `&` divides subcomponents there: read as it stands, such a
name would be cut at the reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from html.entities import html5
from typing import Final

_ENTITY: Final = re.compile(r"(?:&|\\T\\)(#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]\w{1,31}(?=;));?")
"""A number needs no semicolon: browsers take `&#39` as well."""


def holds_entity(text: str) -> bool:
    """Whether the text, escaped or not, holds a character reference that HTML knows."""
    return ("#" in text or ";" in text) and any(
        _character(found) for found in _ENTITY.finditer(text)
    )


def is_bare_reference(text: str) -> bool:
    """Whether a text that a `&` divides from what stands before it is a character reference that
    HTML knows without a semicolon (`Malm&ouml`).
    """
    return text in html5


def without_entities(text: str, escapes: Mapping[str, str]) -> str:
    """The text with the character that each reference stands for.

    `escapes`: the characters that divide a value, and what is written for them. A reference to a
    control character stays as it is, and so does a hexadecimal one whose end nothing says.
    """

    def written(found: re.Match[str]) -> str:
        character = _character(found)
        if character.isspace():
            return " "
        if not character.isprintable() or _has_no_end(found[0]):
            return found[0]
        return "".join(escapes.get(part, part) for part in character) or found[0]

    return _ENTITY.sub(written, text) if "#" in text or ";" in text else text


def _has_no_end(reference: str) -> bool:
    """Whether a hexadecimal number may run into the letters after it (`O&#x27Brien`)."""
    return not reference.endswith(";") and "#x" in reference.lower()


def _character(found: re.Match[str]) -> str:
    """What the reference stands for; empty for one that HTML does not know."""
    reference = f"&{found[1]};"
    character = unescape(reference)
    return "" if character == reference else character
