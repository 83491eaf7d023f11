"""What a slate says in words beside its code: enough to compare with the wristband, and no name.

The slate is photographed, and the card with it may be lost: initials, the year and the end of the
number are what a second identifier asks for.
"""

from __future__ import annotations

from capture_app.model.patient import Patient
from capture_app.model.slate import Slate
from capture_app.model.words import isolated
from capture_app.ui.words import wording

_DIVIDER = " \N{MIDDLE DOT} "


def whose_slate(patient: Patient) -> str:
    """NM, 1956, ...678: the first letters of family and given name, as the band has them."""
    year = str(patient.birth_date.year) if patient.birth_date is not None else ""
    name = patient.name.alphabetic if str(patient.name.alphabetic) else patient.name.ideographic
    initials = isolated(f"{name.family[:1]}{name.given[:1]}".upper())
    parts = (initials, year, wording.last_digits(patient.patient_id))
    return _DIVIDER.join(filter(None, parts))


def where_slate(slate: Slate) -> str:
    """4B, bed 12; empty where nobody knows."""
    return wording.place(slate.encounter.location if slate.encounter is not None else None)
