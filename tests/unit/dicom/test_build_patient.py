"""Who stands in an image: the patient, the operator, the referrer, as the feed told."""

from dataclasses import replace
from datetime import date

import pytest
from pydicom.dataset import Dataset

from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.errors import ConformanceError
from capture_app.model.patient import NameGroup, PartialDate, PatientId, PersonName
from tests.sealing import (
    MAI,
    NURSE,
    ORDER,
    VISIT,
    exam,
    request,
)


def code(ds: Dataset) -> tuple[str, str, str]:
    return (ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning)


# ----------------------------------------------------------------------------------------- who


def test_the_patient_is_as_the_feed_told() -> None:
    ds = build(request())
    assert str(ds.PatientName) == "Nguyễn^Mai^Thị=阮^氏梅=グエン^マイ"
    assert (ds.PatientID, ds.IssuerOfPatientID) == ("0012345678", "ST_ANNE")
    qualifiers = ds.IssuerOfPatientIDQualifiersSequence[0]
    assert qualifiers.UniversalEntityID == "1.2.276.0.76.3.1"
    assert (qualifiers.UniversalEntityIDType, qualifiers.IdentifierTypeCode) == ("ISO", "MR")
    assert (ds.PatientBirthDate, ds.PatientSex, ds.PatientAge) == ("19560714", "F", "067Y")
    other = ds.OtherPatientIDsSequence[0]
    assert (other.PatientID, other.IssuerOfPatientID, other.TypeOfPatientID) == (
        "9434765919",
        "NHS",
        "TEXT",
    )
    assert (ds.AdmissionID, ds.IssuerOfAdmissionIDSequence[0].LocalNamespaceEntityID) == (
        "V9921",
        "ST_ANNE",
    )
    assert ds.ReasonForVisit == "Leg ulcer follow-up"


def test_a_number_without_its_authority_gets_that_of_the_house() -> None:
    patient = replace(MAI, patient_id=PatientId("7", ""), other_ids=())
    ds = build(request(exam=exam(patient=patient)))
    assert ds.IssuerOfPatientID == "ST_ANNE"
    assert "IssuerOfPatientIDQualifiersSequence" not in ds


def test_another_number_never_gets_the_authority_of_the_house() -> None:
    """A passport number that is somebody's record number here would name that patient."""
    patient = replace(MAI, other_ids=(PatientId("0099887766", "", type_code="PPN"),))
    (other,) = build(request(exam=exam(patient=patient))).OtherPatientIDsSequence
    assert other.PatientID == "0099887766"
    assert "IssuerOfPatientID" not in other


def test_delimiters_inside_a_name_cannot_shift_its_parts() -> None:
    name = PersonName(NameGroup("O^Brien=x\\y", "Ann\x0bMarie"))
    ds = build(request(exam=exam(patient=replace(MAI, name=name))))
    assert str(ds.PatientName) == "O Brien x/y^Ann Marie"
    verify(ds)


@pytest.mark.parametrize(
    "patient",
    [
        replace(MAI, patient_id=PatientId("1\\2", "X")),
        replace(MAI, patient_id=PatientId("1" * 65, "X")),
        replace(MAI, patient_id=PatientId("1\t2", "X")),
    ],
)
def test_an_identity_that_does_not_fit_is_never_cut(patient: object) -> None:
    with pytest.raises(ConformanceError) as caught:
        build(request(exam=exam(patient=patient)))
    assert "1\\2" not in str(caught.value)
    assert "111" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_group_of_a_name_that_does_not_fit_is_left_out_never_cut() -> None:
    name = PersonName(NameGroup("x" * 65), NameGroup("阮", "氏梅"))
    ds = build(request(exam=exam(patient=replace(MAI, name=name))))
    assert str(ds.PatientName) == "=阮^氏梅"
    verify(ds)


@pytest.mark.parametrize("name", [PersonName(NameGroup()), PersonName(NameGroup("x" * 65))])
def test_a_patient_without_a_name_that_an_image_can_hold_has_an_empty_one(name: PersonName) -> None:
    ds = build(request(exam=exam(patient=replace(MAI, name=name))))
    assert str(ds.PatientName) == ""
    assert ds.PatientID == "0012345678"
    verify(ds)


def test_a_partial_birth_date_is_in_no_image() -> None:
    born = replace(MAI, birth_date=None, partial_birth_date=PartialDate(1956, 7))
    ds = build(request(exam=exam(patient=born)))
    assert ds.PatientBirthDate == ""
    assert "PatientAge" not in ds
    verify(ds)


def test_no_number_beside_the_patients_own_holds_up_an_image() -> None:
    """Drafts of an earlier version may hold what no feed brings in any more."""
    patient = replace(
        MAI,
        patient_id=replace(MAI.patient_id, type_code="MÜDRZT"),
        other_ids=(PatientId("77\t", "AUSL"), PatientId("78", "AUSL", "1\\2", "ISO", "ÄÖ")),
    )
    order = replace(
        ORDER,
        requested_procedure_id="R\tP",
        scheduled_procedure_step_id="x" * 17,
        accession_number="A" * 17,
    )
    visit = replace(VISIT, visit_number="V\n1")
    ds = build(request(exam=exam(patient=patient, order=order, encounter=visit)))
    verify(ds)
    assert "IdentifierTypeCode" not in ds.IssuerOfPatientIDQualifiersSequence[0]
    assert [other.PatientID for other in ds.OtherPatientIDsSequence] == ["78"]
    assert (ds.AccessionNumber, ds.StudyID) == ("", "1")
    assert "AdmissionID" not in ds
    assert "RequestedProcedureID" not in ds.RequestAttributesSequence[0]


def test_who_issued_a_number_by_its_oid_stands_in_its_elements() -> None:
    visit = replace(VISIT, issuer="", universal_id="1.2.3", universal_id_type="ISO")
    order = replace(
        ORDER,
        accession_issuer="",
        accession_universal_id="1.2.4",
        accession_universal_id_type="ISO",
    )
    ds = build(request(exam=exam(encounter=visit, order=order)))
    (issuer,) = ds.IssuerOfAdmissionIDSequence
    assert (issuer.UniversalEntityID, issuer.UniversalEntityIDType) == ("1.2.3", "ISO")
    assert "LocalNamespaceEntityID" not in issuer
    assert ds.IssuerOfAccessionNumberSequence[0].UniversalEntityID == "1.2.4"
    verify(ds)


def test_a_referrer_who_does_not_fit_is_left_out_and_a_reason_is_cut() -> None:
    visit = exam().encounter
    assert visit is not None
    visit = replace(
        visit,
        referring_physician=PersonName(NameGroup("x" * 65)),
        reason="a\\b" + "c" * 100,
    )
    ds = build(request(exam=exam(encounter=visit)))
    verify(ds)
    assert ds.ReferringPhysicianName == ""
    assert ds.ReasonForVisit == ("a/b" + "c" * 100)[:64]


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2024, 7, 2), "000D"),
        (date(2024, 4, 2), "091D"),
        (date(2024, 4, 1), "003M"),
        (date(2022, 7, 3), "023M"),
        (date(2022, 7, 2), "002Y"),
        (date(1924, 7, 3), "099Y"),
        (date(1900, 1, 1), "124Y"),
        (date(2024, 7, 3), ""),
    ],
)
def test_age_is_in_days_months_or_years(born: date, age: str) -> None:
    ds = build(request(exam=exam(patient=replace(MAI, birth_date=born))))
    assert ds.get("PatientAge", "") == age


def test_the_operator_is_the_user() -> None:
    ds = build(request())
    assert str(ds.OperatorsName) == "Okafor^Ada"
    person = ds.OperatorIdentificationSequence[0]
    assert code(person.PersonIdentificationCodeSequence[0]) == (
        "aokafor",
        "99CAPTURE",
        "A. Okafor, RN",
    )


def test_a_user_without_the_name_of_a_person_is_no_operators_name() -> None:
    ward = replace(NURSE, display_name="Ward 4B", name=PersonName(NameGroup()))
    ds = build(request(exam=exam(operator=ward)))
    assert "OperatorsName" not in ds
    person = ds.OperatorIdentificationSequence[0]  # who signed in is still told
    assert code(person.PersonIdentificationCodeSequence[0]) == ("aokafor", "99CAPTURE", "Ward 4B")
    ds = build(request(exam=exam(operator=replace(ward, user_id="u" * 17))))
    assert "OperatorsName" not in ds
    assert "OperatorIdentificationSequence" not in ds
