"""Numbers of patients and visits in a message, each with who issued it (PID, PV1-19, MRG)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.identifiers import patient_id
from capture_app.hl7.split import NULL, Composite, Segment
from capture_app.model.patient import PatientId
from capture_app.model.words import tr
from capture_app.patients.sources.adt.naming import LearntNames, pairs_in
from capture_app.patients.sources.authorities import NONE_ARE_THE_SAME, SameAuthorities
from capture_app.patients.sources.door import Door, can_be_identifier

NO_NUMBER: Final = PatientId("", "")
"""What is not told."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Which repetition of PID-3 is the patient's number here."""

    assigning_authority: str
    """CX-4, namespace or universal ID; empty: the type alone decides."""
    identifier_type: str
    """CX-5; empty: the authority alone decides."""
    issuer_when_absent: str = ""
    """Issuer of Patient ID where the chosen repetition has no namespace of its own."""
    same: SameAuthorities = NONE_ARE_THE_SAME
    """Authorities that are named in two ways."""


def numbers_in(
    segment: Segment, field: int, authority: Authority, door: Door
) -> tuple[PatientId, tuple[PatientId, ...]]:
    """The repetition of PID-3 (or MRG-1) that the settings ask for, and all others. Never simply
    the first.

    A repetition of another authority that cannot be read is left out.
    """
    name = f"{segment.name}-{field}"
    numbers = []
    for cx in segment.repetitions(field):
        if _may_be_ours(cx, authority):
            number = patient_id(cx)
        else:
            number = door.read(name, partial(patient_id, cx))
        if number is not None:
            numbers.append(authority.same.named(number))
    wanted = authority.assigning_authority
    ours = [n for n in numbers if not wanted or wanted in {n.issuer, n.universal_id}]
    if authority.identifier_type:
        typed = [n for n in ours if n.type_code == authority.identifier_type]
        # A sender that gives no types is known by the authority alone.
        ours = typed or [n for n in ours if wanted and not n.type_code]
    names = LearntNames.of(pairs_in(numbers))
    distinct = {n.key: n for n in map(names.named, ours)}
    if not distinct:
        raise MessageError(
            tr("No identifier of the configured authority and type in PID-3 (setting adt).")
        )
    if len(distinct) > 1:
        raise MessageError(
            tr("More than one identifier of the configured authority and type in PID-3.")
        )
    chosen = next(iter(distinct.values()))
    if not can_be_identifier(chosen):
        raise MessageError(tr("An identifier has more characters or others than DICOM can hold."))
    others = [door.other_id(name, n) for n in numbers if names.named(n).key != chosen.key]
    chosen = door.typed(name, chosen)
    if not chosen.issuer and authority.issuer_when_absent:
        chosen = replace(chosen, issuer=authority.issuer_when_absent)
    return chosen, tuple(n for n in others if n is not None)


def possible_numbers_in(
    segment: Segment, field: int, authority: Authority, door: Door
) -> tuple[PatientId, ...]:
    """All repetitions that may be the patient's number here: of the authority and type that the
    settings ask for, or of no authority. What cannot be read is left out.
    """
    name = f"{segment.name}-{field}"
    numbers = [
        (cx, number)
        for cx in segment.repetitions(field)
        if (number := door.read(name, partial(patient_id, cx))) is not None
    ]
    return tuple(
        authority.same.named(number)
        for cx, number in numbers
        if _may_be_ours(cx, authority) or not (number.issuer or number.universal_id)
    )


def is_of_others(
    segment: Segment, field: int, authority: Authority, other_ids: Collection[PatientId]
) -> bool:
    """Whether all numbers in a field are of other authorities than the patient's is here, and are
    none that could be it under another name: the type says so, or a further number of the patient
    (`other_ids`) is of that authority. False where one cannot be read.
    """
    try:
        told = [patient_id(cx) for cx in segment.repetitions(field)]
    except MessageError:
        return False
    numbers = [authority.same.named(number) for number in told if number is not None]
    elsewhere = {name for n in other_ids for name in (n.issuer, n.universal_id)} - {""}

    def is_anothers(number: PatientId) -> bool:
        names = {number.issuer, number.universal_id} - {""}
        if not names or authority.assigning_authority in names:
            return False
        kind = authority.identifier_type
        return names <= elsewhere or bool(kind and number.type_code not in {"", kind})

    return bool(numbers) and all(map(is_anothers, numbers))


def _may_be_ours(cx: Composite, authority: Authority) -> bool:
    """Whether a repetition names the authority and the type that the settings ask for."""
    try:
        named = {cx.text(4, 1), cx.text(4, 2)}
        kind = cx.text(5)
    except MessageError:
        return False
    return (not authority.assigning_authority or authority.assigning_authority in named) and (
        not authority.identifier_type or kind in {"", authority.identifier_type}
    )


def number_in(
    holder: Segment, field: int, door: Door, same: SameAuthorities = NONE_ARE_THE_SAME
) -> PatientId | None:
    """A visit number (PV1-19, MRG-5) or account number (PID-18, MRG-3) with who issued it; empty
    where it is not there.

    None for a number that cannot be read or that no image can hold: which visit is meant is not
    known then, and another one must not be taken for it.
    """
    name = f"{holder.name}-{field}"
    if holder.raw(field) in {"", NULL}:
        return NO_NUMBER
    found = door.read(name, partial(_number_of, holder.composite(field)))
    if found is None or not found.value:
        return found
    if not door.identifier(name, "AdmissionID", found.value):
        return None
    found = same.named(found)
    issuer = door.identifier(name, "LocalNamespaceEntityID", found.issuer)
    universal_id = (found.universal_id, found.universal_id_type)
    return door.typed(name, PatientId(found.value, issuer, *universal_id))


def _number_of(cx: Composite) -> PatientId:
    return patient_id(cx) or NO_NUMBER
