"""Identifiers with their authority (CX, HD)."""

from __future__ import annotations

import re
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.split import Composite
from capture_app.model.patient import PatientId
from capture_app.model.words import tr

MAX_IDENTIFIER: Final = 64
"""Characters of an LO value (PS3.5 6.2)."""

_NOT_IN_AN_IDENTIFIER: Final = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def patient_id(value: Composite) -> PatientId | None:
    """The identifier of a CX: CX-1, its authority CX-4 (HD.1 to .3) and its type CX-5.

    None where CX-1 is empty. Raises MessageError for what DICOM cannot hold: cut or changed it
    would be another identifier.
    """
    number = value.text(1)
    if not number:
        return None
    return PatientId(
        value=identifier(number),
        issuer=identifier(value.text(4, 1)),
        universal_id=identifier(value.text(4, 2)),
        universal_id_type=value.text(4, 3),
        type_code=value.text(5),
    )


def identifier(text: str) -> str:
    """The text, if it can stand in an LO value; else MessageError."""
    if len(text) > MAX_IDENTIFIER or (not text.isalnum() and _NOT_IN_AN_IDENTIFIER.search(text)):
        raise MessageError(tr("An identifier has more characters or others than DICOM can hold."))
    return text
