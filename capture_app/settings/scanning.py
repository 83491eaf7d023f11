"""What a wristband may carry and how a scanner types it: the keys of `[scanner]` and
`[[scan_patterns]]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from capture_app.settings.rules import Between, Help, Items, Matching, Text


class Suffix(StrEnum):
    """The key that a scanner presses after a code."""

    ENTER = "enter"
    TAB = "tab"
    NONE = "none"


class Alphabet(StrEnum):
    """Of which characters a number is made."""

    DIGITS = "digits"
    CAPITALS = "capitals-and-digits"
    ANY = "any"


class CheckDigit(StrEnum):
    """By which rule the last character of a number proves the others."""

    NONE = "none"
    GS1 = "gs1"
    LUHN = "luhn"
    MOD10 = "mod10"
    MOD11 = "mod11"
    NHS = "nhs"


class KeyboardLayout(StrEnum):
    """For which keyboard the computer is set while the scanner types as a US one."""

    SAME = "same"
    DE = "de"
    FR = "fr"


@dataclass(frozen=True, slots=True)
class Scanner:
    """How the scanners of this computer type."""

    gap_ms: Annotated[
        int,
        Between(10, 140),
        Help(
            "Milliseconds within which a key follows the one before while a code is typed. The "
            "set-up page learns it; two keys a hand presses are rarely so close."
        ),
    ] = 50
    keyboard_layout: Annotated[
        KeyboardLayout,
        Help(
            "The layout of this computer's keyboard where the scanner types as a US keyboard: "
            "what arrives is read back by key. same: it arrives as it is in the code."
        ),
    ] = KeyboardLayout.SAME
    camera: Annotated[
        bool,
        Help("Whether a wristband may be held before the live camera on the list of patients."),
    ] = True


@dataclass(frozen=True, slots=True)
class ScanPattern:
    """One kind of code that may open a patient, and whose record numbers it carries."""

    name: Annotated[
        str,
        Matching(
            r"[a-z0-9][a-z0-9_-]{0,31}", "1 to 32 of a-z, 0-9, - and _, beginning with a-z or 0-9"
        ),
        Help("What messages and the log call it."),
    ]
    authority: Annotated[
        str,
        Text(64),
        Help(
            "Whose record numbers these are: the assigning authority (CX-4, namespace or universal "
            "ID). Empty: the authority of the admissions feed."
        ),
    ] = ""
    symbologies: Annotated[
        tuple[str, ...],
        Matching(r"\][A-Za-z][0-9A-Za-z]", "an AIM symbology identifier such as ]C1"),
        Items(32),
        Help(
            "AIM symbology identifiers (ISO/IEC 15424), one of which the scanner puts before the "
            "code. Empty: none is needed; one that is there is cut off."
        ),
    ] = ()
    gs1_element: Annotated[
        str,
        Matching(r"|[0-9]{2,4}", "empty, or 2 to 4 digits"),
        Help(
            "The GS1 application identifier whose element holds the number, such as 8018 (GSRN). "
            "Empty: the code is no GS1 code."
        ),
    ] = ""
    prefix: Annotated[
        str, Text(16), Help("Characters before the number. A code without them opens nobody.")
    ] = ""
    prefix_is_part: Annotated[
        bool, Help("Whether the prefix is part of the number as the feed gives it.")
    ] = False
    shortest: Annotated[
        int, Between(1, 64), Help("The fewest characters of the number, without the prefix.")
    ] = 1
    longest: Annotated[
        int, Between(1, 64), Help("The most characters of the number, without the prefix.")
    ] = 64
    alphabet: Annotated[
        Alphabet,
        Help("Of which characters the number is made, without the prefix."),
    ] = Alphabet.ANY
    check_digit: Annotated[
        CheckDigit,
        Help(
            "By which rule the last character proves the others: gs1 (weights 3 and 1), luhn, "
            "mod10 and mod11 (M10 and M11 of HL7 table 0061), nhs (the NHS number)."
        ),
    ] = CheckDigit.NONE
    check_digit_is_part: Annotated[
        bool, Help("Whether the check digit is part of the number as the feed gives it.")
    ] = True
    suffix: Annotated[
        Suffix,
        Help(
            "The key that the scanner presses after the code. none needs a number of one length, "
            "and a prefix, a symbology or a check digit."
        ),
    ] = Suffix.ENTER

    @property
    def is_marked(self) -> bool:
        """Whether its first character cannot be a later character of the same code: then a code
        that begins with it was read from its beginning.
        """
        if self.symbologies:
            return True
        first = self.prefix[:1]
        if self.alphabet is Alphabet.DIGITS:
            return bool(first) and not first.isdigit() and self.prefix.count(first) == 1
        return self.alphabet is Alphabet.CAPITALS and bool(first) and not first.isalnum()
