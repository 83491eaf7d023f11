"""Identifiers with their authority (CX, HD)."""

from __future__ import annotations

import re
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.split import Composite
from capture_app.model.patient import PatientId
from capture_app.model.words import tr

_UNIVERSAL_TYPES: Final = frozenset(
    {"CLIA", "CLIP", "DNS", "EUI64", "GUID", "HCD", "HL7", "ISO", "URI", "UUID", "X400", "X500"}
)
"""Universal ID types (HL7 table 0301), without those that a site gives a meaning of its own."""
_UNIVERSAL_ID: Final = re.compile(r"[0-2](\.\d+)+|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4,12}){4}", re.ASCII)
"""An OID or a UUID."""


def patient_id(value: Composite) -> PatientId | None:
    """The identifier of a CX: CX-1, its authority CX-4 (HD.1 to .3) and its type CX-5.

    None where CX-1 is empty. Raises MessageError for what cannot be read, and for a number with a
    divider of parts in it, which has none: a part of a number is another number.
    """
    number = value.text(1)
    if any(value.parts(1)[1:]):
        raise MessageError(
            tr(
                "A number is cut by a character that divides its parts: the sender has to write it "
                "as an escape sequence."
            )
        )
    if not number:
        return None
    return PatientId(
        value=number,
        issuer=value.text(4, 1),
        universal_id=value.text(4, 2),
        universal_id_type=value.text(4, 3),
        type_code=value.text(5),
    )


def is_hd(value: Composite, component: int) -> bool:
    """Whether a component is an HD, namespace, universal ID and its type (HL7 v2.5.1 2.A.33), and
    not a text with dividers in it that were not escaped.
    """
    _, universal_id, kind, *rest = [*value.parts(component), "", ""]
    if any(rest):
        return False
    return not (universal_id or kind) or is_universal(universal_id, kind)


def is_universal(universal_id: str, kind: str) -> bool:
    """Whether HD.2 and HD.3 name an authority that is known everywhere."""
    if not universal_id:
        return False
    return kind.upper() in _UNIVERSAL_TYPES or _UNIVERSAL_ID.fullmatch(universal_id) is not None
