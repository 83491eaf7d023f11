"""Check digits of record numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import cycle
from types import MappingProxyType
from typing import Final

from capture_app.settings.scanning import CheckDigit


def is_proven(number: str, rule: CheckDigit) -> bool:
    """Whether the last character of a number is the one that the rule wants after the others.

    With CheckDigit.NONE nothing is asked. What is not digits alone is never proven by a rule; the
    NHS number's X does not occur.
    """
    if rule is CheckDigit.NONE:
        return True
    if len(number) < 2 or not (number.isascii() and number.isdecimal()):
        return False
    digits = [int(digit) for digit in reversed(number[:-1])]
    return _RULES[rule](digits) == int(number[-1])


def _weighted(digits: list[int], *weights: int) -> int:
    return sum(digit * weight for digit, weight in zip(digits, cycle(weights), strict=False))


def _gs1(digits: list[int]) -> int:
    """GS1 General Specifications 7.9: weights 3 and 1 from the right."""
    return -_weighted(digits, 3, 1) % 10


def _luhn(digits: list[int]) -> int:
    """ISO/IEC 7812-1 annex B. HL7's M10 (v2.5.1, 2.A.14.4) comes to the same digit."""
    doubled = (sum(divmod(digit * 2, 10)) for digit in digits[::2])
    return -(sum(doubled) + sum(digits[1::2])) % 10


def _mod11(digits: list[int]) -> int:
    """HL7's M11 (v2.5.1, 2.A.14.4): weights 2 to 7 from the right."""
    rest = _weighted(digits, 2, 3, 4, 5, 6, 7) % 11 or 1
    return (11 - rest) % 10


def _nhs(digits: list[int]) -> int | None:
    """The NHS number: nine digits weighted 2 to 10 from the right; a remainder of 10 is none."""
    if len(digits) != 9:
        return None
    check = -_weighted(digits, 2, 3, 4, 5, 6, 7, 8, 9, 10) % 11
    return check if check < 10 else None


_RULES: Final[Mapping[CheckDigit, Callable[[list[int]], int | None]]] = MappingProxyType(
    {
        CheckDigit.GS1: _gs1,
        CheckDigit.LUHN: _luhn,
        CheckDigit.MOD10: _luhn,
        CheckDigit.MOD11: _mod11,
        CheckDigit.NHS: _nhs,
    }
)
