"""What a scanner or the camera read, as somebody's record number: by the site's patterns alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture_app.model.patient import PatientId
from capture_app.patients.finding.check_digits import is_proven
from capture_app.patients.finding.gs1 import GSRN, SEPARATOR, element
from capture_app.settings.scanning import Alphabet, CheckDigit, ScanPattern, Suffix
from capture_app.settings.schema import Settings

_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""A symbology identifier (ISO/IEC 15424)."""
_CAPITALS: Final = re.compile(r"[A-Z0-9]+")
_GSRN_LENGTH: Final = 18

DEFAULT_PATTERN: Final = ScanPattern(name="default")
"""Where the settings name none: a record number of the feed's own authority, whole, then Enter."""


@dataclass(frozen=True, slots=True)
class ScannedCode:
    """A code that was read whole, from its first character to its last."""

    text: str
    suffix: Suffix | None = None
    """The key after it; None for the camera, which presses none."""


@dataclass(frozen=True, slots=True)
class ScannedNumber:
    """A record number, and the authority whose number it is (namespace or universal ID)."""

    value: str
    authority: str
    named: tuple[str, str] = ("", "")
    """Namespace and universal ID that the code itself names, where it is a CX."""

    def is_of(self, number: PatientId) -> bool:
        """Whether this is that record number."""
        known = (number.issuer, number.universal_id)
        pairs = [(said, ours) for said, ours in zip(self.named, known, strict=True) if said]
        if number.value != self.value or any(ours and said != ours for said, ours in pairs):
            return False
        if pairs and not any(said == ours for said, ours in pairs):
            return False  # it names somebody whom the feed does not name
        if not self.authority:  # of nobody named: only a number of nobody named can be the same
            return not any(known) and not any(self.named)
        return self.authority in known


class Unread(StrEnum):
    """Why a code is nobody's number."""

    NO_PATTERN = "no-pattern"
    """No pattern of the settings allows it."""
    TWO_AUTHORITIES = "two-authorities"
    """Patterns of several authorities allow it, or read several numbers out of it."""


class ScanRules:
    """The patterns of a site."""

    def __init__(self, patterns: Sequence[ScanPattern], own_authority: str) -> None:
        """`own_authority`: whose numbers a pattern without an authority means."""
        self.patterns = tuple(patterns) or (DEFAULT_PATTERN,)
        self.own_authority = own_authority

    @classmethod
    def of(cls, settings: Settings) -> ScanRules:
        """The patterns of the settings, or the default one."""
        named = settings.adt.assigning_authority if settings.adt is not None else ""
        return cls(settings.scan_patterns, named or settings.institution.issuer_of_patient_id)

    @property
    def tells_a_whole_code(self) -> bool:
        """Whether every code begins with a prefix or symbology, by which a tail of it is known for
        one however long the scanner paused.
        """
        return all(pattern.is_marked for pattern in self.patterns)

    def read(self, code: ScannedCode) -> ScannedNumber | Unread:
        """The record number of a code; or why it is none."""
        found = {number for pattern in self.patterns if (number := self._by(pattern, code))}
        if not found:
            return Unread.NO_PATTERN
        return found.pop() if len(found) == 1 else Unread.TWO_AUTHORITIES

    def is_marked(self, code: ScannedCode) -> bool:
        """Whether the code proves by its first characters that it was read from the beginning."""
        return any(p.is_marked and self._by(p, code) is not None for p in self.patterns)

    def _by(self, pattern: ScanPattern, code: ScannedCode) -> ScannedNumber | None:
        if code.suffix not in (None, pattern.suffix):
            return None
        read = _number_in(pattern, code.text)
        authority = pattern.authority or self.own_authority
        return ScannedNumber(read.value, authority, read.named) if read is not None else None


@dataclass(frozen=True, slots=True)
class _Read:
    value: str
    named: tuple[str, str]


def _number_in(pattern: ScanPattern, text: str) -> _Read | None:
    """What the pattern cuts out of a code; None where the code does not fit it."""
    rest = _without_symbology(pattern, text.strip(" \r\n"))
    if rest is not None and pattern.gs1_element:
        rest = element(rest, pattern.gs1_element)
        if rest is not None and pattern.gs1_element == GSRN and not _is_gsrn(rest):
            return None
    if rest is None:
        return None
    rest = rest.strip(SEPARATOR).strip()
    if not rest.isprintable():
        return None
    number, *cx = (part.strip() for part in rest.split("^"))  # number^check digit^scheme^authority
    if pattern.alphabet is Alphabet.CAPITALS:
        number = number.upper()  # a caps lock turns what a scanner types
    if not number.startswith(pattern.prefix):
        return None
    number = number[len(pattern.prefix) :]
    is_right = pattern.shortest <= len(number) <= pattern.longest and _is_made_of(pattern, number)
    if not is_right or not is_proven(number, pattern.check_digit):
        return None
    if pattern.check_digit is not CheckDigit.NONE and not pattern.check_digit_is_part:
        number = number[:-1]
    if pattern.prefix_is_part:
        number = pattern.prefix + number
    namespace, universal_id, *_ = [*cx[2].split("&"), ""] if len(cx) > 2 else ("", "")
    return _Read(number, (namespace, universal_id))


def _without_symbology(pattern: ScanPattern, text: str) -> str | None:
    marked = _AIM.match(text)
    if pattern.symbologies and (marked is None or marked[0] not in pattern.symbologies):
        return None
    return text[marked.end() :] if marked else text


def _is_gsrn(value: str) -> bool:
    return len(value) == _GSRN_LENGTH and is_proven(value, CheckDigit.GS1)


def _is_made_of(pattern: ScanPattern, number: str) -> bool:
    if pattern.alphabet is Alphabet.DIGITS:
        return number.isascii() and number.isdecimal()
    if pattern.alphabet is Alphabet.CAPITALS:
        return _CAPITALS.fullmatch(number) is not None
    return True
