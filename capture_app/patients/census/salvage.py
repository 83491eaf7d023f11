"""What a late message makes of a state, where a message that the state was folded from is damaged.

Folded anew from the messages that are left, the patient would lose what the damaged one alone said.
So what the late message changes among those is changed in the state, and all else in it stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, Final

from capture_app.model.encounter import Encounter, Location
from capture_app.model.patient import NameGroup, Patient, PersonName, Sex
from capture_app.patients.census.fold import CensusPatient, add
from capture_app.patients.census.sequence import CANCELS
from capture_app.patients.census.visits import Visit, VisitKey
from capture_app.patients.sources.adt.facts import AdtEvent

_OF_PARTS: Final = (CensusPatient, Patient, Visit, Encounter)
"""What is merged part by part; a name or a place is one thing."""
_SAYS_NOTHING: Final = ("", None, (), False, Sex.UNKNOWN, Location(), PersonName(NameGroup()))


def with_late(
    known: CensusPatient, event: AdtEvent, before: CensusPatient | None, after: CensusPatient
) -> CensusPatient:
    """The state `known` after one more event that came late, cancels or changes the number.

    `before` and `after` are folded from the messages that can be read, without and with the event.
    Where none can be but the event itself, the newer of it and the state is right.
    """
    is_newer = event.order.recorded.start >= known.recorded_at
    is_without_effect = before is not None and _encounters(before) == _encounters(after)
    if is_newer and event.event in CANCELS and is_without_effect:
        return add(known, event).known  # what it cancels may be what is damaged
    merged: CensusPatient = _merged(known, before, after, is_newer=is_newer)
    return replace(merged, recorded_at=max(known.recorded_at, after.recorded_at))


def _encounters(known: CensusPatient) -> dict[VisitKey, Encounter]:
    return {key: visit.encounter for key, visit in known.visits.items()}


def _merged(known: Any, before: Any, after: Any, *, is_newer: bool) -> Any:
    if before == after:
        return known
    if isinstance(known, Mapping):
        had = before or {}
        dropped = had.keys() - after.keys()
        lost = had.keys() - known.keys()
        kept = {key: value for key, value in known.items() if key not in dropped}
        for key in after.keys() - lost:
            kept[key] = (
                _merged(kept[key], had.get(key), after[key], is_newer=is_newer)
                if key in kept
                else after[key]
            )
        return MappingProxyType(kept)
    if isinstance(known, _OF_PARTS):
        parts = {
            each.name: _merged(
                getattr(known, each.name),
                getattr(before, each.name, None),
                getattr(after, each.name),
                is_newer=is_newer,
            )
            for each in fields(known)
        }
        if parts.get("birth_date") is not None:
            parts["partial_birth_date"] = None
        return replace(known, **parts)
    if before is not None:
        return after
    return after if known in _SAYS_NOTHING or (is_newer and after not in _SAYS_NOTHING) else known
