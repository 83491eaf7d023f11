"""The orders of the simulated hospital: a few patients have one, most have none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydicom import Dataset

from capture_app.demo.people import ADMISSIONS

if TYPE_CHECKING:
    from capture_app.clock import Clock
    from capture_app.demo.people import Admission

_ORDERED: Final = (
    (4, "A-2026-0417", "Wound photograph", "XC"),
    (6, "A-2026-0421", "Lesion photograph", "XC"),
    (3, "A-2026-0433", "Ultrasound of knee", "US"),
)


def worklist_items(clock: Clock) -> tuple[Dataset, ...]:
    """Worklist items (PS3.4 Table K.6-1) for today, with the EBIW keys filled."""
    now = clock.now()
    return tuple(
        _item(ADMISSIONS[who], accession, description, modality, now + timedelta(minutes=20), clock)
        for who, accession, description, modality in _ORDERED
    )


def _item(
    admission: Admission,
    accession: str,
    description: str,
    modality: str,
    at: datetime,
    clock: Clock,
) -> Dataset:
    patient, encounter = admission.patient, admission.encounter
    step = Dataset()
    step.Modality = modality
    step.ScheduledStationAETitle = "CAPTURE"
    step.ScheduledProcedureStepStartDate = f"{at:%Y%m%d}"
    step.ScheduledProcedureStepStartTime = f"{at:%H%M%S}"
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = description
    step.ScheduledProcedureStepID = f"S{accession[-4:]}"

    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 192"
    item.AccessionNumber = accession
    item.InstitutionName = "St Anne"
    item.InstitutionalDepartmentName = encounter.location.ward
    item.ReferringPhysicianName = (
        encounter.referring_physician.pn if encounter.referring_physician else ""
    )
    item.PatientName = patient.name.pn
    item.PatientID = patient.patient_id.value
    item.IssuerOfPatientID = patient.patient_id.issuer
    item.PatientBirthDate = f"{patient.birth_date:%Y%m%d}" if patient.birth_date else ""
    item.PatientSex = str(patient.sex)
    item.StudyInstanceUID = clock.new_uid()
    item.RequestedProcedureDescription = description
    item.RequestedProcedureID = f"R{accession[-4:]}"
    item.AdmissionID = encounter.visit_number
    item.CurrentPatientLocation = encounter.location.ward
    item.ScheduledProcedureStepSequence = [step]
    return item
