"""The parts of the patient list."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from capture_app.model.worklist import PatientListEntry


class Tab(StrEnum):
    """Which part of the list."""

    WARD = "ward"
    """Patients of the wards of the settings; of all wards where none is set."""
    WORKLIST = "worklist"
    """Patients with an order."""
    RECENT = "recent"
    """Patients opened here not long ago, the last one first."""
    ALL = "all"


def tabs_of(entry: PatientListEntry, wards: frozenset[str]) -> Iterator[Tab]:
    """The parts that a row is in. `wards`: those of the settings; none: all are ours."""
    ward = entry.encounter.location.ward if entry.encounter else ""
    is_ours = ward in wards if wards else True
    if is_ours and entry.encounter is not None:
        yield Tab.WARD
    if entry.orders:
        yield Tab.WORKLIST
    if is_ours or entry.orders:
        yield Tab.ALL
