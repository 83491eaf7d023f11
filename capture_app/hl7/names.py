"""Names in HL7 (XPN, XCN) as DICOM has them: components swapped, groups by script, bounded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.entities import is_bare_reference
from capture_app.hl7.split import Composite
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr

MAX_SHOWN: Final = 256
"""Characters of a name in one script: what is longer is no name. DICOM holds 64 of them
(PS3.5 6.2)."""

# What divides a PN (`^`, `=`) or its values (`\`) is no part of a name; controls and the marks that
# turn the direction of a line could make one name look like another.
_NOT_IN_A_NAME: Final = re.compile("[\\^=\\\\\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]+")

# What is not seen and would make two of one name. What joins letters or keeps them apart is part of
# names in other scripts than Latin (Persian, Indic).
_UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u2060-\u2064]"
    "|(?<![^\u0000-\u024f])[\u200c\u200d](?![^\u0000-\u024f])"
)

_PREFIX: Final = re.compile(r"(?:['’]?[a-zà-ÿ]{1,4}\b['’.]?\s*)+")
"""What stands before a family name: van der, de la, von, 't."""

# Table 0200, best first: legal, none said, display, current, as on the birth record. The others
# (alias, maiden, nickname, pseudonym, ...) are taken only where there is no better one.
_TYPE_RANK: Final = ("L", "", "D", "C", "B", "U")

_NO_GROUP: Final = NameGroup()


def name_text(text: str) -> str:
    """A part of a name that can stand in a PN: what would divide one becomes a space, and what is
    not seen goes.
    """
    if text.isalnum():  # most are
        return text
    return " ".join(_NOT_IN_A_NAME.sub(" ", _UNSEEN.sub("", text)).split())


def _family(value: Composite, component: int) -> str:
    """FN: the whole family name, and after it what it is made of (`van Dam&van&Dam`).

    Raises MessageError for one that is no FN, but a name that a bare divider cut (`Smith&Jones`,
    `Malm&ouml`).
    """
    whole, *parts = _parts(value, component)
    if any(map(is_bare_reference, parts[:1])):
        raise _cut()
    own = parts[1] if len(parts) > 1 else ""
    if own and own.casefold() in whole.casefold():
        return name_text(whole)
    for part in filter(None, parts):
        is_of_it = part.casefold() in whole.casefold() or _PREFIX.fullmatch(part)
        if not whole or not is_of_it:
            raise _cut()
    return name_text(whole)


def _given(value: Composite, component: int) -> str:
    """A given or middle name, which has no parts. Raises MessageError for one that was cut."""
    whole, *parts = _parts(value, component)
    if any(parts):
        raise _cut()
    return name_text(whole)


def _parts(value: Composite, component: int) -> list[str]:
    """A component in parts; one, empty, where it is absent."""
    count = len(value.parts(component))
    return [value.text(component, number) for number in range(1, count + 1)]


def _cut() -> MessageError:
    return MessageError(
        tr(
            "A name is cut by a character that divides its parts: the sender has to write it as "
            "an escape sequence."
        )
    )


def person_name(repetitions: Sequence[Composite]) -> PersonName:
    """The name that PID-5 gives (XPN).

    Its components are family, given, middle, suffix, prefix, degree, type, representation: the
    fourth and fifth change places in DICOM. Repetitions of representation I and P become the
    ideographic and the phonetic group (PS3.5 6.2.1.2). Raises MessageError for what cannot be read,
    and for a group of more than MAX_SHOWN characters.
    """
    alphabetic, ideographic, phonetic = _by_script(_ranked(repetitions))
    return PersonName(_group(alphabetic), _group(ideographic), _group(phonetic))


def staff_name(value: Composite) -> PersonName | None:
    """The name of a member of staff (XCN: `id^family^given^middle^suffix^prefix^degree`)."""
    group = _group(value, offset=1)
    return PersonName(group) if str(group) else None


def _ranked(repetitions: Sequence[Composite]) -> list[Composite]:
    """The repetitions that may be used, the best type of name first."""
    said = [repetition for repetition in repetitions if repetition.text(1) or repetition.text(2)]
    if len(said) < 2:
        return said
    worst = len(_TYPE_RANK)

    def rank(repetition: Composite) -> int:
        kind = repetition.text(7)
        return _TYPE_RANK.index(kind) if kind in _TYPE_RANK else worst

    real = [repetition for repetition in said if rank(repetition) < worst]
    return sorted(real or said, key=rank)


def _by_script(
    repetitions: Sequence[Composite],
) -> tuple[Composite | None, Composite | None, Composite | None]:
    """One repetition each: alphabetic, ideographic, phonetic. XPN-8 says which; where it is empty
    the first is the alphabetic one, and a later one in ideographs the ideographic.
    """
    slots: dict[str, Composite] = {}
    for repetition in repetitions:
        script = repetition.text(8)
        if script not in {"A", "I", "P"}:
            script = "I" if "A" in slots and _is_ideographic(repetition) else "A"
        slots.setdefault(script, repetition)
    return slots.get("A"), slots.get("I"), slots.get("P")


def _is_ideographic(repetition: Composite) -> bool:
    letters = [c for c in repetition.text(1) + repetition.text(2) if c.isalpha()]
    return bool(letters) and all(
        unicodedata.name(c, "").startswith(("CJK UNIFIED", "CJK COMPAT", "HANGUL")) for c in letters
    )


def _group(value: Composite | None, *, offset: int = 0) -> NameGroup:
    if value is None:
        return _NO_GROUP
    suffix, prefix, degree = (
        name_text(" ".join(filter(None, _parts(value, component + offset))))
        for component in (4, 5, 6)
    )
    group = NameGroup(
        family=_family(value, 1 + offset),
        given=_given(value, 2 + offset),
        middle=_given(value, 3 + offset),
        prefix=prefix,
        suffix=f"{suffix} {degree}".strip(),
    )
    if len(str(group)) > MAX_SHOWN:
        raise MessageError(tr("A name is too long to be one."))
    return group
