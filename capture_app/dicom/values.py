"""Which text an element can hold: decided once, for what feeds send and for what images say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from capture_app.errors import ConformanceError

TEXT: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""VRs that the Specific Character Set is for."""
_PARAGRAPHS: Final = frozenset({"LT", "ST", "UT"})
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_UID: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_OF_A_NAME: Final = r"[ -<>-\[\]_-~]*"
_USUAL: Final = {
    vr: re.compile(pattern)
    for vr, pattern in {
        "CS": "[A-Z0-9 _]{0,16}",
        "SH": r"[ -\[\]-~]{0,16}",
        "LO": r"[ -\[\]-~]{0,64}",
        "ST": r"[ -\[\]-~]{0,1024}",
        "UC": r"[ -\[\]-~]*",
        "UT": r"[ -\[\]-~]*",
        "PN": rf"(?!.{{65}}){_OF_A_NAME}(\^{_OF_A_NAME}){{0,4}}",
    }.items()
}
"""Values without a fault, by VR: of plain ASCII, as nearly all are. A feed brings so many that each
cannot be looked at as closely as the others are."""

# Marks that are not seen, and could make one identifier look like another.
_UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffc\ufffd]"
)


def fits(keyword: str, text: str) -> bool:
    """Whether an element can hold the text from elsewhere, whole, as one value on one line
    (PS3.5 6.2). The keyword may be that of any text element of the data dictionary.
    """
    if not text:
        return True
    vr = _vr(keyword)
    if _is_usual(vr, text):
        return True
    if "\\" in text or _CONTROL.search(text):
        return False
    return next(faults_of(vr, text), None) is None


def fits_identifier(keyword: str, text: str) -> bool:
    """As `fits`, and no mark is in it that nobody sees."""
    return fits(keyword, text) and (text.isascii() or _UNSEEN.search(text) is None)


def faults_of(vr: str, text: str) -> Iterator[str]:
    """What is wrong with one value of a VR, each as the end of a sentence without the value."""
    if _is_usual(vr, text):
        return
    if not _is_valid(vr, text):
        yield f"is not allowed by its VR {vr}"
    allowed = "\r\n\t\f" if vr in _PARAGRAPHS else ""
    if any(found[0] not in allowed for found in _CONTROL.finditer(text)):
        yield "holds a control character"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        yield "cannot be written in UTF-8"
    if vr not in TEXT and not text.isascii():
        yield f"holds a character that its VR {vr} does not allow"
    if vr == "UI" and text and not (_UID.fullmatch(text) and len(text) <= 64):
        yield "is not a UID"
    if vr == "PN" and any(group.count("^") > 4 for group in text.split("=")):
        yield "has more than five components"


def _is_usual(vr: str, text: str) -> bool:
    usual = _USUAL.get(vr)
    return usual is not None and usual.fullmatch(text) is not None


# pydicom is read where it is first needed: the list of patients does not wait for it.


def _is_valid(vr: str, text: str) -> bool:
    from pydicom import config  # noqa: PLC0415 - see above
    from pydicom.valuerep import validate_value  # noqa: PLC0415

    try:
        validate_value(vr, text, config.RAISE)
    except (ValueError, TypeError):
        return False
    return True


@cache
def _vr(keyword: str) -> str:
    from pydicom.datadict import dictionary_VR  # noqa: PLC0415 - see above

    try:
        return dictionary_VR(keyword)
    except (KeyError, ValueError):
        message = f"no such attribute: {keyword}"
        raise ConformanceError(message) from None
