"""Whose image it is to the archive: Patient ID, its issuer and Study Instance UID equal to ours."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from capture_app.errors import RefusedDeliveryError
from capture_app.model.delivery import Instance
from capture_app.model.reason import IDENTITY_MISMATCH, STUDY_MISMATCH, Reason


@dataclass(frozen=True, slots=True)
class HeldIdentity:
    """Under which patient and study an archive holds an instance."""

    patient_id: str
    issuer_of_patient_id: str
    study_instance_uid: str

    @classmethod
    def of(cls, ds: Dataset) -> HeldIdentity:
        """What a dataset says; an attribute that is not there counts as empty."""
        return cls(
            str(ds.get("PatientID") or "").strip(),
            str(ds.get("IssuerOfPatientID") or "").strip(),
            str(ds.get("StudyInstanceUID") or "").strip(),
        )


def contradiction(name: str, instance: Instance, held: HeldIdentity) -> RefusedDeliveryError | None:
    """The refusal where the archive holds it for someone else or in another study; else None.

    An issuer on one side only is no contradiction: many archives keep none, or add their own to
    a number that came without. Two different ones are: number 1 of two hospitals is two people.
    """
    issuers = {instance.issuer_of_patient_id.strip(), held.issuer_of_patient_id} - {""}
    if held.patient_id != instance.patient_id.strip() or len(issuers) > 1:
        return RefusedDeliveryError(Reason.of(IDENTITY_MISMATCH, name=name))
    if held.study_instance_uid != instance.study_instance_uid:
        return RefusedDeliveryError(Reason.of(STUDY_MISMATCH, name=name))
    return None
