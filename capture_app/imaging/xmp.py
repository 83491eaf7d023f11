"""The facts of XMP that a picture's meaning hangs on (ISO 16684-1; in JPEG: XMP part 3, 1.1.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_VALUE: Final = rb"""\s{0,40}(?:=\s{0,40}["']([^"'<>]{0,40})["']|>([^<>]{0,40})<)"""
"""Of a property, as an attribute or as an element; bounded, so that no packet takes long."""
_ORIENTATION: Final = re.compile(rb":Orientation" + _VALUE)
_NAMES_ORIENTATION: Final = re.compile(rb":Orientation\b")
_CLOSES_ORIENTATION: Final = re.compile(rb"</[^<>:]{0,40}:Orientation\b")
_COLOR_SPACE: Final = re.compile(rb":ColorSpace" + _VALUE)
_SRGB: Final = b"1"


@dataclass(frozen=True, slots=True)
class XmpFacts:
    """What a packet states. A fact that it states twice, differently, is there twice."""

    orientations: frozenset[int] = frozenset()
    """1 (not turned) to 8; empty: not said."""
    is_readable: bool = True
    """False where it speaks of how the picture is turned, and not in a way that can be read."""
    is_other_color: bool = False
    """Whether it says that the colours are not those of sRGB."""


def read_xmp(packet: bytes) -> XmpFacts:
    """Reads a packet in any of its encodings, by the names of its properties under any prefix.

    JPEG asks for UTF-8; UTF-16 and UTF-32 are read with their zeros left out.
    """
    text = _without_comments(packet.replace(b"\x00", b""))
    said = _values(_ORIENTATION, text)
    closed = len(_CLOSES_ORIENTATION.findall(text))
    named = len(_NAMES_ORIENTATION.findall(text)) - closed
    values = {int(value) for value in said if re.fullmatch(rb"[1-8]", value)}
    colors = set(_values(_COLOR_SPACE, text))
    return XmpFacts(
        orientations=frozenset(values),
        is_readable=len(said) == named and all(re.fullmatch(rb"[0-9]+", value) for value in said),
        is_other_color=bool(colors - {_SRGB}) or (b":ICCProfile" in text and b"sRGB" not in text),
    )


def _without_comments(text: bytes) -> bytes:
    """What a comment says is not said. One that does not end is left: it may be no comment."""
    first, *rest = text.split(b"<!--")
    kept = [first]
    for part in rest:
        _, ended, after = part.partition(b"-->")
        kept.append(after if ended else part)
    return b"".join(kept)


def _values(pattern: re.Pattern[bytes], text: bytes) -> list[bytes]:
    return [(attribute or element).strip() for attribute, element in pattern.findall(text)]
