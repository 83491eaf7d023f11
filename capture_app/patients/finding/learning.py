"""Learns from a few scans how a scanner types and what the wristbands carry."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture_app.patients.finding.check_digits import is_proven
from capture_app.patients.finding.gs1 import GSRN, element
from capture_app.patients.finding.keyboard_layouts import as_scanned
from capture_app.settings.scanning import (
    Alphabet,
    CheckDigit,
    KeyboardLayout,
    Scanner,
    ScanPattern,
    Suffix,
)

SCANS: Final = 3
_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_SLOWEST_S: Final = 0.110
_HEADROOM: Final = 1.3
_LEAST_MS, _MOST_MS = 30, 140
_RULES: Final = (CheckDigit.NHS, CheckDigit.GS1, CheckDigit.LUHN, CheckDigit.MOD11)


@dataclass(frozen=True, slots=True)
class ScanSample:
    """One code as it was typed: its characters, its suffix and the longest gap in it (seconds)."""

    text: str
    suffix: Suffix
    longest_gap_s: float


class CannotLearn(StrEnum):
    """Why the scans teach nothing that is safe."""

    SAME_CODE = "same-code"
    """A pattern cannot be seen in one code."""
    SUFFIXES_DIFFER = "suffixes-differ"
    TOO_SLOW = "too-slow"
    """A hand types as fast."""
    NOT_WHOLE = "not-whole"
    """There is no suffix, and nothing in the code says where it ends."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the settings should say."""

    scanner: Scanner
    pattern: ScanPattern

    @property
    def is_marked(self) -> bool:
        """Whether a code begins with what tells it from the rest of one: recommended."""
        return self.pattern.is_marked


def learn(samples: Sequence[ScanSample], is_known: Callable[[str], bool]) -> Learnt | CannotLearn:
    """What the scans of SCANS different wristbands have in common.

    `is_known`: whether a number is the record number of somebody listed; it settles what is part of
    the number, and which keyboard the computer has. Nothing needs to be known.
    """
    if len({sample.text for sample in samples}) < SCANS:
        return CannotLearn.SAME_CODE
    if len({sample.suffix for sample in samples}) > 1:
        return CannotLearn.SUFFIXES_DIFFER
    slowest = max(sample.longest_gap_s for sample in samples)
    if slowest > _SLOWEST_S:
        return CannotLearn.TOO_SLOW
    found = [
        _pattern([as_scanned(s.text, layout) for s in samples], samples[0].suffix, is_known)
        for layout in KeyboardLayout
    ]
    known = [found_in.score for found_in in found]
    best = known.index(max(known))  # the first of the best: as it is, rather than read back
    pattern = found[best].pattern
    if pattern.suffix is Suffix.NONE:
        proven = pattern.check_digit is not CheckDigit.NONE or pattern.gs1_element
        if pattern.shortest < pattern.longest or not (proven or pattern.is_marked):
            return CannotLearn.NOT_WHOLE
    gap_ms = min(_MOST_MS, max(_LEAST_MS, round(slowest * 1000 * _HEADROOM) + 5))
    return Learnt(Scanner(gap_ms, list(KeyboardLayout)[best]), pattern)


@dataclass(frozen=True, slots=True)
class _Found:
    pattern: ScanPattern
    score: tuple[int, bool, int]
    """Known numbers, a symbology before each, digits."""


def _pattern(codes: list[str], suffix: Suffix, is_known: Callable[[str], bool]) -> _Found:
    marks = [marked[0] if (marked := _AIM.match(code)) else "" for code in codes]
    has_marks = all(marks)
    rests = [
        code[len(mark) :] if has_marks else code for code, mark in zip(codes, marks, strict=True)
    ]
    elements = [element(rest, GSRN) or "" for rest in rests]
    is_gsrn = all(len(e) == 18 and is_proven(e, CheckDigit.GS1) for e in elements)
    if is_gsrn:
        rests = elements
    before = _prefix(rests) if not is_gsrn else ""
    numbers = [rest[len(before) :] for rest in rests]
    check = _check_digit(numbers) if not is_gsrn else CheckDigit.NONE
    whole = sum(map(is_known, rests))
    plain = sum(map(is_known, numbers))
    cut = sum(is_known(number[:-1]) for number in numbers) if check is not CheckDigit.NONE else 0
    lengths = [len(number) for number in numbers]
    pattern = ScanPattern(
        name="wristband",
        symbologies=tuple(sorted(set(marks))) if has_marks else (),
        gs1_element=GSRN if is_gsrn else "",
        prefix=before,
        prefix_is_part=bool(before) and whole > max(plain, cut),
        shortest=min(lengths),
        longest=max(lengths),
        alphabet=_alphabet(numbers),
        check_digit=check,
        check_digit_is_part=cut <= max(plain, whole),
        suffix=suffix,
    )
    digits = sum(character.isdigit() for code in codes for character in code)
    return _Found(pattern, (max(whole, plain, cut), has_marks, digits))


def _prefix(codes: list[str]) -> str:
    """What all of them begin with that is no digit: leading zeros are the number's."""
    length = 0
    for characters in zip(*codes, strict=False):
        if len(set(characters)) > 1 or characters[0].isdigit():
            break
        length += 1
    return codes[0][:length]


def _check_digit(numbers: list[str]) -> CheckDigit:
    proven = (rule for rule in _RULES if all(is_proven(number, rule) for number in numbers))
    return next(proven, CheckDigit.NONE)


def _alphabet(numbers: list[str]) -> Alphabet:
    if all(number.isascii() and number.isdecimal() for number in numbers):
        return Alphabet.DIGITS
    if all(re.fullmatch(r"[A-Z0-9]+", number) for number in numbers):
        return Alphabet.CAPITALS
    return Alphabet.ANY
