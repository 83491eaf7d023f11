"""Whether an object that a scanner sent is of a patient of ours. Where in doubt it is not."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from capture_app.model.patient import NameGroup, Patient, Sex
from capture_app.model.received import Contradiction, StatedPatient


def contradictions(stated: StatedPatient, patient: Patient) -> tuple[Contradiction, ...]:
    """What speaks against it; empty where Patient ID and issuer are equal and nothing else
    contradicts them.

    An issuer is equal by its name or by its universal id, and one that is not said is not. What
    the object, or the feed, does not say of name, birth date and sex contradicts nothing.
    """
    found = []
    if stated.is_unreadable:
        found.append(Contradiction.UNREADABLE)
    number = patient.patient_id
    if not number.value or stated.patient_id != number.value:
        found.append(Contradiction.NUMBER)
    if not _is_issuer(stated, patient):
        found.append(Contradiction.ISSUER)
    if not _is_name(stated.name, patient):
        found.append(Contradiction.NAME)
    if not _is_birth_date(stated.birth_date, patient):
        found.append(Contradiction.BIRTH_DATE)
    if stated.sex and patient.sex is not Sex.UNKNOWN and stated.sex != patient.sex:
        found.append(Contradiction.SEX)
    return tuple(found)


def _is_issuer(stated: StatedPatient, patient: Patient) -> bool:
    number = patient.patient_id
    said, ours = {stated.issuer, stated.universal_id}, {number.issuer, number.universal_id}
    if stated.universal_id and number.universal_id:  # they name it beyond doubt
        return stated.universal_id == number.universal_id
    return not (said - {""}).isdisjoint(ours - {""})


def _is_name(stated: str, patient: Patient) -> bool:
    """Of family and given name each, in any script that both have: equal without case and accents.
    Middle names, titles and what one side leaves out contradict nothing.
    """
    groups = [_parts(group) for group in stated.split("=")]
    name = patient.name
    ours = [_parts(str(group)) for group in (name.alphabetic, name.ideographic, name.phonetic)]
    pairs = [(said, own) for said, own in zip(groups, ours, strict=False) if any(said) and any(own)]
    return all(_is_same(a, b) for said, own in pairs for a, b in zip(said, own, strict=True))


def _parts(group: str) -> tuple[str, str]:
    family, _, rest = group.partition("^")
    parts = NameGroup(family, rest.partition("^")[0])
    return _plain(parts.family), _plain(parts.given)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if one.isalnum())


def _is_same(said: str, own: str) -> bool:
    return not said or not own or said == own


def _is_birth_date(stated: str, patient: Patient) -> bool:
    if not stated:
        return True
    try:
        day = datetime.strptime(stated, "%Y%m%d").date()  # noqa: DTZ007 - a date, of no zone
    except ValueError:
        return False
    if patient.birth_date is not None:
        return day == patient.birth_date
    return patient.partial_birth_date is None or patient.partial_birth_date.agrees_with(day)
