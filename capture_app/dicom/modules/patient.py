"""Who: the Patient and Patient Study modules (PS3.3 C.7.1.1, C.7.2.2)."""

from __future__ import annotations

from datetime import date

from pydicom.dataset import Dataset

from capture_app.dicom.elements import (
    authority_item,
    put,
    put_fitting,
    put_known,
    put_universal_id,
)
from capture_app.dicom.request import StudyValues
from capture_app.dicom.texts import descriptive, person_name_that_fits
from capture_app.dicom.times import age_string, da
from capture_app.dicom.values import fits
from capture_app.model.exam import Exam
from capture_app.model.patient import Patient, PatientId


def patient_module(ds: Dataset, patient: Patient, default_issuer: str) -> None:
    """As the feed told it, unchanged. `default_issuer` is for a number that came without one.

    Patient's Name and Birth Date are Type 2: empty where no whole one is known.
    """
    put(ds, "PatientName", person_name_that_fits(patient.name))
    _identifier(ds, patient.patient_id, patient.patient_id.issuer or default_issuer)
    born = patient.birth_date
    put(ds, "PatientBirthDate", da(born) if born is not None else "")
    put(ds, "PatientSex", patient.sex.value)
    others = []
    for other in patient.other_ids:
        if not (fits("PatientID", other.value) and fits("IssuerOfPatientID", other.issuer)):
            continue
        others.append(entry := Dataset())
        # Never the default: another number without an issuer is not one of the house's.
        _identifier(entry, other, other.issuer)
        put(entry, "TypeOfPatientID", "TEXT")
    put_known(ds, "OtherPatientIDsSequence", others)


def patient_study_module(ds: Dataset, exam: Exam, study: StudyValues, on: date) -> None:
    """The visit and the age on the day of the study."""
    patient, encounter = exam.patient, exam.visit_to_record
    if patient.birth_date is not None:
        put_known(ds, "PatientAge", age_string(patient.birth_date, on))
    if encounter and encounter.visit_number and fits("AdmissionID", encounter.visit_number):
        put(ds, "AdmissionID", encounter.visit_number)
        issuer = authority_item(
            encounter.issuer, encounter.universal_id, encounter.universal_id_type
        )
        if len(issuer):
            put(ds, "IssuerOfAdmissionIDSequence", [issuer])
    put_known(ds, "ReasonForVisit", descriptive(study.reason_for_visit))


def _identifier(ds: Dataset, patient_id: PatientId, issuer: str) -> None:
    put(ds, "PatientID", patient_id.value)
    put_known(ds, "IssuerOfPatientID", issuer)
    qualifiers = Dataset()
    put_universal_id(qualifiers, patient_id.universal_id, patient_id.universal_id_type)
    put_fitting(qualifiers, "IdentifierTypeCode", patient_id.type_code.upper())
    if len(qualifiers):
        put(ds, "IssuerOfPatientIDQualifiersSequence", [qualifiers])
