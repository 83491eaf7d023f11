"""Whose image it is to the archive: Patient ID, its issuer and Study Instance UID equal to ours."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from capture_app.dicom.elements import UNIVERSAL_ID_TYPES
from capture_app.errors import RefusedDeliveryError
from capture_app.model.delivery import Instance
from capture_app.model.reason import IDENTITY_MISMATCH, STUDY_MISMATCH, Reason


@dataclass(frozen=True, slots=True)
class HeldIdentity:
    """Under which patient and study an archive holds an instance."""

    patient_id: str
    issuer_of_patient_id: str
    study_instance_uid: str
    universal_entity_id: str = ""
    """Of Issuer of Patient ID Qualifiers Sequence (PS3.3 Table 10-18)."""

    @classmethod
    def of(cls, ds: Dataset) -> HeldIdentity:
        """What a dataset says; an attribute that is not there counts as empty."""
        return cls(
            str(ds.get("PatientID") or "").strip(),
            str(ds.get("IssuerOfPatientID") or "").strip(),
            str(ds.get("StudyInstanceUID") or "").strip(),
            _universal_entity_id(ds),
        )


def contradiction(name: str, instance: Instance, held: HeldIdentity) -> RefusedDeliveryError | None:
    """The refusal where the archive holds it for someone else or in another study; else None.

    An issuer on one side only is no contradiction: many archives keep none, or add their own to
    a number that came without. Two different ones are: number 1 of two hospitals is two people. The
    same holds of the universal ID of who issued it.
    """
    if (
        held.patient_id != instance.patient_id.strip()
        or _differ(held.issuer_of_patient_id, instance.issuer_of_patient_id)
        or _differ(held.universal_entity_id, _universal_id_sent(instance))
    ):
        return RefusedDeliveryError(Reason.of(IDENTITY_MISMATCH, name=name))
    if held.study_instance_uid != instance.study_instance_uid:
        return RefusedDeliveryError(Reason.of(STUDY_MISMATCH, name=name))
    return None


def _universal_id_sent(instance: Instance) -> str:
    number = instance.patient.patient_id if instance.patient else None
    is_sent = number is not None and number.universal_id_type in UNIVERSAL_ID_TYPES
    return number.universal_id if number is not None and is_sent else ""


def _differ(one: str, other: str) -> bool:
    return len({one.strip(), other.strip()} - {""}) > 1


def _universal_entity_id(ds: Dataset) -> str:
    qualifiers = ds.get("IssuerOfPatientIDQualifiersSequence") or ()
    return next((str(item.get("UniversalEntityID") or "").strip() for item in qualifiers), "")
