"""Identifiers with their authority (CX, HD)."""

from __future__ import annotations

from capture_app.hl7.split import Composite
from capture_app.model.patient import PatientId


def patient_id(value: Composite) -> PatientId | None:
    """The identifier of a CX: CX-1, its authority CX-4 (HD.1 to .3) and its type CX-5.

    None where CX-1 is empty. Raises MessageError for what cannot be read.
    """
    number = value.text(1)
    if not number:
        return None
    return PatientId(
        value=number,
        issuer=value.text(4, 1),
        universal_id=value.text(4, 2),
        universal_id_type=value.text(4, 3),
        type_code=value.text(5),
    )
