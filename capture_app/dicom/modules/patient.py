"""Who: the Patient and Patient Study modules (PS3.3 C.7.1.1, C.7.2.2)."""

from __future__ import annotations

from datetime import date
from typing import Final

from pydicom.dataset import Dataset

from capture_app.dicom.elements import item, put, put_known
from capture_app.dicom.request import StudyValues
from capture_app.dicom.texts import descriptive, person_name
from capture_app.dicom.times import age_string, da
from capture_app.model.exam import Exam
from capture_app.model.patient import Patient, PatientId

_UNIVERSAL_ID_TYPES: Final = frozenset({"DNS", "EUI64", "ISO", "URI", "UUID", "X400", "X500"})
"""Universal Entity ID Type (0040,0033)."""
_IDENTIFIER_TYPE_LENGTH: Final = 16


def patient_module(ds: Dataset, patient: Patient, default_issuer: str) -> None:
    """As the feed told it, unchanged. `default_issuer` is for a number that came without one."""
    put(ds, "PatientName", person_name(patient.name))
    _identifier(ds, patient.patient_id, patient.patient_id.issuer or default_issuer)
    born = patient.birth_date
    put(ds, "PatientBirthDate", da(born) if born is not None else "")
    put(ds, "PatientSex", patient.sex.value)
    others = []
    for other in patient.other_ids:
        others.append(entry := Dataset())
        # Never the default: another number without an issuer is not one of the house's.
        _identifier(entry, other, other.issuer)
        put(entry, "TypeOfPatientID", "TEXT")
    put_known(ds, "OtherPatientIDsSequence", others)


def patient_study_module(ds: Dataset, exam: Exam, study: StudyValues, on: date) -> None:
    """The visit and the age on the day of the study."""
    patient, encounter = exam.patient, exam.encounter
    if patient.birth_date is not None:
        put_known(ds, "PatientAge", age_string(patient.birth_date, on))
    if encounter is not None and encounter.visit_number:
        put(ds, "AdmissionID", encounter.visit_number)
        if encounter.issuer:
            issuer = item([("LocalNamespaceEntityID", encounter.issuer)])
            put(ds, "IssuerOfAdmissionIDSequence", [issuer])
    put_known(ds, "ReasonForVisit", descriptive(study.reason_for_visit))


def _identifier(ds: Dataset, patient_id: PatientId, issuer: str) -> None:
    put(ds, "PatientID", patient_id.value)
    put_known(ds, "IssuerOfPatientID", issuer)
    qualifiers = []
    if patient_id.universal_id and patient_id.universal_id_type in _UNIVERSAL_ID_TYPES:
        qualifiers += [
            ("UniversalEntityID", patient_id.universal_id),
            ("UniversalEntityIDType", patient_id.universal_id_type),
        ]
    if 0 < len(patient_id.type_code) <= _IDENTIFIER_TYPE_LENGTH and patient_id.type_code.isalnum():
        qualifiers.append(("IdentifierTypeCode", patient_id.type_code.upper()))
    if qualifiers:
        put(ds, "IssuerOfPatientIDQualifiersSequence", [item(qualifiers)])
