"""Writes ADT messages (ITI-30, ITI-31): what a hospital's admission system sends us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from capture_app.hl7.charset import codec_of
from capture_app.hl7.dates import ts
from capture_app.model.encounter import Encounter
from capture_app.model.patient import NameGroup, Patient, PatientId

_STRUCTURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("A01", "A04", "A08", "A13"), "ADT_A01"),
        **dict.fromkeys(("A28", "A31"), "ADT_A05"),
        **dict.fromkeys(("A09", "A10", "A11"), "ADT_A09"),
        "A02": "ADT_A02",
        "A03": "ADT_A03",
    }
)
_ESCAPES: Final = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": " "}
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message is from and how it is written."""

    application: str = "ADT"
    facility: str = "HOSPITAL"
    processing_id: str = "P"
    version: str = "2.5.1"
    charset: str = "UNICODE UTF-8"


def build_adt(
    event: str,
    patient: Patient,
    encounter: Encounter | None,
    *,
    control_id: str,
    at: datetime,
    sender: Sender = Sender(),
) -> bytes:
    """One ADT message of a trigger event (A01, A03, ...), recorded at the time `at`.

    Raises UnicodeEncodeError where the sender's character set cannot hold the patient's name.
    """
    kind = "^".join(part for part in ("ADT", event, _STRUCTURES.get(event, "")) if part)
    msh = [
        *("MSH", "^~\\&", sender.application, sender.facility, "CAPTURE_APP", "", ts(at), "", kind),
        *(control_id, sender.processing_id, sender.version, "", "", "", "", "", sender.charset),
    ]
    segments = [msh, ["EVN", event, ts(at)], _pid(patient)]
    segments.append(_pv1(encounter) if encounter else ["PV1", "1", "N"])
    if encounter and encounter.reason:
        segments.append(["PV2", "", "", "^" + _escaped(encounter.reason)])
    text = "\r".join("|".join(fields) for fields in segments) + "\r"
    return text.encode(codec_of(sender.charset))


def _pid(patient: Patient) -> list[str]:
    groups = {
        "A": patient.name.alphabetic,
        "I": patient.name.ideographic,
        "P": patient.name.phonetic,
    }
    names = [_xpn(group, script) for script, group in groups.items() if str(group)]
    fields = [""] * 9
    fields[0], fields[1] = "PID", "1"
    fields[3] = "~".join(_cx(number) for number in (patient.patient_id, *patient.other_ids))
    fields[5] = "~".join(names)
    fields[7] = str(patient.birth_date or patient.partial_birth_date or "").replace("-", "")
    fields[8] = patient.sex or "U"
    return fields


def _pv1(encounter: Encounter) -> list[str]:
    place = encounter.location
    fields = [""] * 46
    fields[0], fields[1], fields[2] = "PV1", "1", _escaped(encounter.patient_class)
    fields[3] = _joined("^", (place.ward, place.room, place.bed, place.facility))
    doctor = encounter.referring_physician
    fields[8] = "^" + _xcn(doctor.alphabetic) if doctor else ""
    fields[10] = _escaped(encounter.department)
    issuer = PatientId(
        encounter.visit_number,
        encounter.issuer,
        encounter.universal_id,
        encounter.universal_id_type,
    )
    fields[19] = _cx(issuer) if encounter.visit_number else ""
    fields[44] = ts(encounter.admitted_at) if encounter.admitted_at else ""
    fields[45] = ts(encounter.discharged_at) if encounter.discharged_at else ""
    return fields


def _cx(number: PatientId) -> str:
    authority = _joined("&", (number.issuer, number.universal_id, number.universal_id_type))
    start = "^".join((_escaped(number.value), "", "", authority))
    return "^".join((start, _escaped(number.type_code))).rstrip("^")


def _xcn(group: NameGroup) -> str:
    return _joined("^", (group.family, group.given, group.middle, group.suffix, group.prefix))


def _xpn(group: NameGroup, script: str) -> str:
    name = (group.family, group.given, group.middle, group.suffix, group.prefix, "", "L", script)
    return _joined("^", name)


def _joined(divider: str, parts: Iterable[str]) -> str:
    return divider.join(map(_escaped, parts)).rstrip(divider)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
