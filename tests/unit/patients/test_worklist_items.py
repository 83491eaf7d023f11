"""What a worklist answer says, read from its bytes as they come off the wire."""

from datetime import UTC, date, datetime, timedelta, timezone
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode, encode

from capture_app.errors import FeedError
from capture_app.model.coding import Code
from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.patient import PatientId, Sex
from capture_app.patients.census.orders import WorklistItem
from capture_app.patients.sources.worklist.items import identifier_for, read_item
from capture_app.settings.schema import Worklist
from tests.worklists import an_item

ZONE = timezone(timedelta(hours=2))


def read(ds: Dataset, *, absent: str = "ISO_IR 6", implicit: bool = False) -> WorklistItem:
    return read_item(received(ds, implicit=implicit), absent, ZONE)


def received(ds: Dataset, *, implicit: bool = False) -> Dataset:
    data = encode(ds, implicit, is_little_endian=True)
    assert data is not None
    return decode(BytesIO(data), implicit, is_little_endian=True)


def with_bytes(name: bytes, charset: str | None) -> Dataset:
    """An item whose Patient's Name is these bytes, whatever the character set says."""
    ds = an_item("7", charset=charset, PatientName="x" * len(name))
    data = encode(ds, is_implicit_vr=True, is_little_endian=True)
    assert data is not None
    placed = data.replace(b"x" * len(name), name)
    return decode(BytesIO(placed), is_implicit_vr=True, is_little_endian=True)


@pytest.mark.parametrize("implicit", [True, False])
def test_a_whole_item(implicit: bool) -> None:
    item = read(an_item("7", "Müller^Jörg^^Dr^Jr", day=date(2024, 7, 2)), implicit=implicit)
    assert item.patient.patient_id == PatientId("7", "HOSP")
    assert item.patient.name.pn == "Müller^Jörg^^Dr^Jr"
    assert (item.patient.birth_date, item.patient.sex) == (date(1956, 7, 14), Sex.FEMALE)
    assert item.encounter == Encounter(
        "V7", "HOSP", "", Location("4B", "", "12"), EncounterState.OPEN, department="Surgery"
    )
    order = item.order
    assert (order.accession_number, order.requested_procedure_id) == ("A1", "RA1")
    assert order.requested_procedure_code == Code("WNDPHOTO", "99TEST", "Wound photography")
    assert order.scheduled_protocol_codes == (Code("P1", "99TEST", "Wound protocol"),)
    assert order.scheduled_procedure_step_id == "SA1"
    assert (order.modality, order.scheduled_station_ae_title) == ("XC", "CAPTURE")
    assert order.scheduled_at == datetime(2024, 7, 2, 8, 15, tzinfo=ZONE)
    assert order.referring_physician is not None
    assert order.referring_physician.pn == "Haddad^Rania^^Dr"


def test_times_are_in_the_zone_that_the_item_names() -> None:
    item = read(an_item("7", day=date(2024, 7, 2), TimezoneOffsetFromUTC="-0500"))
    assert item.order.scheduled_at == datetime(2024, 7, 2, 13, 15, tzinfo=UTC)


def test_an_item_may_leave_out_what_is_optional() -> None:
    ds = an_item("7")
    for keyword in (
        *("AccessionNumber", "AdmissionID", "CurrentPatientLocation", "PatientBirthDate"),
        *("PatientSex", "IssuerOfPatientID", "RequestedProcedureCodeSequence"),
        *(
            "IssuerOfAdmissionIDSequence",
            "ReferringPhysicianName",
            "ScheduledProcedureStepSequence",
        ),
    ):
        delattr(ds, keyword)
    item = read(ds)
    assert (item.encounter, item.patient.birth_date, item.patient.sex) == (None, None, Sex.UNKNOWN)
    assert (item.order.scheduled_at, item.order.requested_procedure_code) == (None, None)
    assert item.patient.patient_id.issuer == ""


@pytest.mark.parametrize(
    ("name", "charset", "absent", "pn"),
    [
        ("Müller".encode("latin-1"), "ISO_IR 100", "ISO_IR 6", "Müller"),
        ("Müller".encode("latin-1"), None, "ISO_IR 100", "Müller"),
        ("王^小明".encode(), None, "ISO_IR 192", "王^小明"),
        ("王^小明".encode("gb18030"), "GB18030", "ISO_IR 6", "王^小明"),
        ("Люкс".encode("iso8859_5"), None, "ISO_IR 144", "Люкс"),
        (b"Doe^Jane", None, "ISO_IR 6", "Doe^Jane"),
    ],
)
def test_names_in_the_set_of_the_item_or_of_the_site(
    name: bytes, charset: str | None, absent: str, pn: str
) -> None:
    assert read_item(with_bytes(name, charset), absent, ZONE).patient.name.pn == pn


@pytest.mark.parametrize(
    ("name", "charset", "absent"),
    [
        ("Müller".encode(), None, "ISO_IR 6"),
        ("Müller".encode("latin-1"), "ISO_IR 192", "ISO_IR 6"),
        ("王^小明".encode(), "ISO_IR 100", "ISO_IR 6"),  # wlmscpfs -cs1 labels everything so
        (b"Yamada=\x1b$B;3ED\x1b(B", "ISO_IR 192", "ISO_IR 6"),  # Orthanc leaves some inside
        (b"Yamada=\x1b$B;3ED\x1b(B", "ISO_IR 6", "ISO_IR 6"),
        (b"Doe\\Roe", "ISO_IR 6", "ISO_IR 6"),
        (b"A" * 65, "ISO_IR 6", "ISO_IR 6"),
        (b"^", "ISO_IR 6", "ISO_IR 6"),
    ],
)
def test_names_that_would_have_to_be_guessed_are_refused(
    name: bytes, charset: str | None, absent: str
) -> None:
    with pytest.raises(FeedError):
        read_item(with_bytes(name, charset), absent, ZONE)


@pytest.mark.parametrize(
    "elements",
    [
        {"PatientID": ""},
        {"PatientID": "7\\8"},
        {"PatientName": ""},
        {"StudyInstanceUID": ""},
        {"StudyInstanceUID": "1.02.3"},
        {"StudyInstanceUID": "1." + "2" * 64},
        {"RequestedProcedureID": "R" * 17},
    ],
)
def test_an_item_that_an_image_could_not_carry_is_refused(elements: dict[str, str]) -> None:
    with pytest.raises(FeedError):
        read(an_item("7", day=None, **elements))


def test_a_character_set_that_is_not_known_is_refused() -> None:
    ds = received(an_item("7"))
    ds.SpecificCharacterSet = "EBCDIC"
    with pytest.raises(FeedError, match="character set"):
        read_item(ds, "ISO_IR 6", ZONE)


def test_a_code_that_does_not_fit_is_no_code() -> None:
    ds = an_item("7")
    ds.RequestedProcedureCodeSequence[0].CodeMeaning = ""
    assert read(ds).order.requested_procedure_code is None


def test_the_question_has_every_key_and_three_local_days() -> None:
    worklist = Worklist("ris", "127.0.0.1", 104, "RIS", station_ae_title="CAPTURE", modality="XC")
    just_after_midnight = datetime(2024, 3, 1, 0, 5, tzinfo=ZONE)  # still February in UTC
    ds = identifier_for(worklist, just_after_midnight)
    step = ds.ScheduledProcedureStepSequence[0]
    assert step.ScheduledProcedureStepStartDate == "20240229-20240302"
    assert (step.ScheduledStationAETitle, step.Modality) == ("CAPTURE", "XC")
    for keyword in (
        *("InstitutionName", "InstitutionalDepartmentName", "AdmissionID"),
        *("InstitutionalDepartmentTypeCodeSequence", "IssuerOfAdmissionIDSequence"),
        *("PatientName", "PatientID", "IssuerOfPatientID", "StudyInstanceUID", "AccessionNumber"),
    ):
        assert keyword in ds
        assert not ds.get(keyword)
