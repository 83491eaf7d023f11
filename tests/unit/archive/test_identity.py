from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from capture_app.archive.identity import HeldIdentity, contradiction
from capture_app.model.delivery import Instance
from capture_app.model.patient import PatientId
from capture_app.model.reason import IDENTITY_MISMATCH, STUDY_MISMATCH
from tests import sealing

OURS = Instance("1.2.9", "1.2", "1.2.1", "1.2.3", "1.2.4", "900001", "HOSPITAL", "00", 10)


@pytest.mark.parametrize(
    ("held", "agrees"),
    [
        (HeldIdentity("900001", "HOSPITAL", "1.2.3"), True),
        (HeldIdentity("900001", "", "1.2.3"), True),
        (HeldIdentity("900001", "CLINIC", "1.2.3"), False),
        (HeldIdentity("900002", "HOSPITAL", "1.2.3"), False),
        (HeldIdentity("", "HOSPITAL", "1.2.3"), False),
        (HeldIdentity("90000", "HOSPITAL", "1.2.3"), False),
        (HeldIdentity("900001", "HOSPITAL", "1.2.33"), False),
        (HeldIdentity("900001", "HOSPITAL", ""), False),
    ],
)
def test_patient_issuer_and_study_must_agree(held: HeldIdentity, *, agrees: bool) -> None:
    refusal = contradiction("pacs", OURS, held)
    assert (refusal is None) is agrees
    if refusal is not None:
        of_study = held.patient_id == OURS.patient_id and held.issuer_of_patient_id == "HOSPITAL"
        assert refusal.code == (STUDY_MISMATCH if of_study else IDENTITY_MISMATCH)
        assert "900001" not in str(refusal)


def test_an_issuer_that_the_archive_added_is_no_contradiction() -> None:
    ours = Instance("1.2.9", "1.2", "1.2.1", "1.2.3", "1.2.4", "900001", "", "00", 10)
    assert contradiction("pacs", ours, HeldIdentity("900001", "DEFAULT", "1.2.3")) is None


@pytest.mark.parametrize(
    ("sent", "kind", "held", "agrees"),
    [
        ("1.2.3.4", "ISO", "1.2.3.4", True),
        ("1.2.3.4", "ISO", "", True),
        ("1.2.3.4", "ISO", "1.2.3.5", False),
        ("", "", "1.2.3.5", True),
        ("1.2.3.4", "L", "1.2.3.5", True),  # a type that DICOM has not: it was not sent
    ],
)
def test_the_universal_id_of_who_issued_it_must_not_differ(
    sent: str, kind: str, held: str, *, agrees: bool
) -> None:
    number = PatientId("900001", "HOSPITAL", sent, kind)
    ours = replace(OURS, patient=replace(sealing.MAI, patient_id=number))
    ds = Dataset()
    ds.PatientID, ds.IssuerOfPatientID, ds.StudyInstanceUID = "900001", "HOSPITAL", "1.2.3"
    ds.IssuerOfPatientIDQualifiersSequence = [Dataset()]
    ds.IssuerOfPatientIDQualifiersSequence[0].UniversalEntityID = held
    refusal = contradiction("pacs", ours, HeldIdentity.of(ds))
    assert (refusal is None) is agrees


def test_padding_and_absence_are_read_as_what_they_are() -> None:
    ds = Dataset()
    ds.PatientID = "900001 "
    assert HeldIdentity.of(ds) == HeldIdentity("900001", "", "")
