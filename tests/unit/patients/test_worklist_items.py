"""What a worklist answer says, read from its bytes as they come off the wire."""

from datetime import UTC, date, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode, encode

from capture_app.errors import FeedError
from capture_app.model.coding import Code
from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.order import Order
from capture_app.model.patient import PartialDate, PatientId, Sex
from capture_app.patients.census.orders import WorklistItem
from capture_app.patients.sources.worklist.items import ItemReader, identifier_for
from capture_app.settings.feeds import HtmlEntities, PlaceComponents, Worklist
from tests.worklists import an_item

ZONE = timezone(timedelta(hours=2))


NOW = datetime(2024, 7, 2, 9, 30, tzinfo=ZONE)


def read(ds: Dataset, *, implicit: bool = False, **settings: Any) -> WorklistItem:
    return read_item(received(ds, implicit=implicit), **settings)


def read_item(ds: Dataset, absent: str = "ISO_IR 6", **settings: Any) -> WorklistItem:
    worklist = Worklist("ris", "127.0.0.1", 104, "RIS", charset_when_absent=absent, **settings)
    return ItemReader.of(worklist).read(ds, NOW)


def order_of(item: WorklistItem) -> Order:
    assert item.order is not None
    return item.order


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
    order = order_of(item)
    assert item.notes == ()
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
    assert order_of(item).scheduled_at == datetime(2024, 7, 2, 13, 15, tzinfo=UTC)


@pytest.mark.parametrize("time", ["0815-0900", "0815-"])
def test_a_time_that_is_none_leaves_the_day(time: str) -> None:
    ds = an_item("7", day=date(2024, 7, 2))
    ds.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime = time
    item = read(ds)
    assert order_of(item).scheduled_at == datetime(2024, 7, 2, tzinfo=ZONE)
    assert item.notes == (FeedNote("ScheduledProcedureStepStartTime", NoteCode.UNREADABLE),)


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
    assert (order_of(item).scheduled_at, order_of(item).requested_procedure_code) == (None, None)
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
    assert read_item(with_bytes(name, charset), absent).patient.name.pn == pn


@pytest.mark.parametrize(
    ("name", "charset", "absent"),
    [
        ("Müller".encode(), None, "ISO_IR 6"),
        ("Müller".encode("latin-1"), "ISO_IR 192", "ISO_IR 6"),
        ("王^小明".encode(), "ISO_IR 100", "ISO_IR 6"),  # wlmscpfs -cs1 labels everything so
        (b"Yamada=\x1b$B;3ED\x1b(B", "ISO_IR 192", "ISO_IR 6"),  # Orthanc leaves some inside
        (b"Yamada=\x1b$B;3ED\x1b(B", "ISO_IR 6", "ISO_IR 6"),
        (b"Doe\\Roe", "ISO_IR 6", "ISO_IR 6"),
        (b"A" * 257, "ISO_IR 6", "ISO_IR 6"),
    ],
)
def test_names_that_would_have_to_be_guessed_are_refused(
    name: bytes, charset: str | None, absent: str
) -> None:
    with pytest.raises(FeedError):
        read_item(with_bytes(name, charset), absent)


@pytest.mark.parametrize(
    "elements",
    [
        {"PatientID": ""},
        {"PatientID": "7\\8"},
        {"PatientID": "7" * 65},
        {"PatientID": "7\u200b8"},
        {"IssuerOfPatientID": "H" * 65},
    ],
)
def test_an_item_that_an_image_could_not_carry_is_refused(elements: dict[str, str]) -> None:
    with pytest.raises(FeedError):
        read(an_item("7", day=None, **elements))


@pytest.mark.parametrize("study", ["", "1.02.3", "1." + "2" * 64, "1.2\\1.3", "1.2.x"])
def test_without_a_usable_study_there_is_no_order_but_the_patient(study: str) -> None:
    item = read(an_item("7", StudyInstanceUID=study))
    assert (item.patient.patient_id.value, item.order) == ("7", None)
    assert FeedNote("StudyInstanceUID", NoteCode.LEFT_OUT) in item.notes


def test_a_character_set_that_is_not_known_is_refused() -> None:
    ds = received(an_item("7"))
    ds.SpecificCharacterSet = "EBCDIC"
    with pytest.raises(FeedError, match="character set"):
        read_item(ds)


def test_a_code_that_does_not_fit_is_no_code() -> None:
    ds = an_item("7")
    ds.RequestedProcedureCodeSequence[0].CodeMeaning = ""
    item = read(ds)
    assert order_of(item).requested_procedure_code is None
    assert item.notes == (FeedNote("RequestedProcedureCodeSequence", NoteCode.LEFT_OUT),)


def test_a_plain_item_needs_no_note() -> None:
    assert read(an_item("7", "Müller^Jörg", day=date(2024, 7, 2))).notes == ()


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("RequestedProcedureID", "R" * 17, NoteCode.LEFT_OUT),
        ("RequestedProcedureID", "R\t1", NoteCode.LEFT_OUT),
        ("AccessionNumber", "A" * 17, NoteCode.LEFT_OUT),
        ("RequestedProcedureDescription", "D" * 65, NoteCode.LEFT_OUT),
        ("AdmissionID", "V\n1", NoteCode.LEFT_OUT),
        ("ReferringPhysicianName", "A" * 65, NoteCode.LEFT_OUT),
        ("ReferringPhysicianName", "A\\B", NoteCode.UNREADABLE),
        ("InstitutionalDepartmentName", "D" * 65, NoteCode.LEFT_OUT),
        ("PatientName", "A" * 65, NoteCode.LEFT_OUT),
        ("PatientBirthDate", "1956", NoteCode.PARTIAL),
        ("PatientBirthDate", "1956-07-14", NoteCode.UNREADABLE),
        ("PatientBirthDate", "00010101", NoteCode.UNKNOWN),
        ("PatientBirthDate", "20991231", NoteCode.UNKNOWN),
        ("PatientSex", "W", NoteCode.UNREADABLE),
        ("PatientSex", "M\\F", NoteCode.UNREADABLE),
    ],
)
def test_what_an_image_could_not_carry_is_left_out_and_noted(
    keyword: str, value: str, code: NoteCode
) -> None:
    elements: dict[str, Any] = {keyword: value}
    item = read(an_item("7", **elements))
    assert item.patient.patient_id.value == "7"
    assert FeedNote(keyword, code) in item.notes


def test_a_patient_without_a_name_is_there() -> None:
    assert read(an_item("7", PatientName="")).patient.name.pn == ""


def test_the_tables_of_the_worklist_are_used() -> None:
    item = read(
        an_item("7", PatientSex="W", PatientBirthDate="19000101", CurrentPatientLocation="^3^^4B"),
        sex_codes=("W=F",),
        unknown_birth_dates=("19000101",),
        place=PlaceComponents(ward=4, facility=0),
    )
    assert (item.patient.sex, item.patient.birth_date) == (Sex.FEMALE, None)
    assert item.encounter is not None
    assert item.encounter.location == Location("4B", "3")
    assert item.notes == (FeedNote("PatientBirthDate", NoteCode.UNKNOWN),)


def test_a_partial_birth_date_and_an_old_spelling() -> None:
    assert read(an_item("7", PatientBirthDate="195607")).patient.partial_birth_date == PartialDate(
        1956, 7
    )
    assert read(an_item("7", PatientBirthDate="1956.07.14")).patient.birth_date == date(1956, 7, 14)


def test_who_issued_a_number_stands_in_elements_of_its_own() -> None:
    ds = an_item("7")
    del ds.IssuerOfPatientID
    for keyword in ("IssuerOfAdmissionIDSequence", "IssuerOfAccessionNumberSequence"):
        setattr(ds, keyword, [_authority()])
    ds.IssuerOfPatientIDQualifiersSequence = [_authority()]
    ds.IssuerOfPatientIDQualifiersSequence[0].IdentifierTypeCode = "MR"
    item = read(ds)
    assert item.patient.patient_id == PatientId("7", "", "1.2.3", "ISO", "MR")
    assert item.encounter is not None
    assert (item.encounter.issuer, item.encounter.universal_id) == ("", "1.2.3")
    assert (order_of(item).accession_issuer, order_of(item).accession_universal_id_type) == (
        "",
        "ISO",
    )


def _authority() -> Dataset:
    issuer = Dataset()
    issuer.UniversalEntityID = "1.2.3"
    issuer.UniversalEntityIDType = "ISO"
    return issuer


@pytest.mark.parametrize(
    ("name", "codec"), [("³ukasz", None), ("Иванов", "iso8859_5"), ("محمد", "iso8859_6")]
)
def test_letters_under_the_label_of_another_set_are_doubted(name: str, codec: str | None) -> None:
    """As `wlmscpfs -cs1` does, which calls every worklist ISO_IR 100."""
    raw = name.encode(codec or "iso8859_1")
    item = read_item(with_bytes(raw, "ISO_IR 100"))
    assert FeedNote("PatientName", NoteCode.DOUBTED) in item.notes


@pytest.mark.parametrize("name", ["Müller^Jörg", "Éloïse", "O´Brien", "Gal·la", "Mª José", "Åse"])
def test_names_of_western_europe_are_not(name: str) -> None:
    assert read_item(with_bytes(name.encode("iso8859_1"), "ISO_IR 100")).notes == ()


def test_the_site_says_what_a_wrong_label_means() -> None:
    raw = "Łukasz".encode("iso8859_2")
    item = read_item(with_bytes(raw, "ISO_IR 100"), charsets=("ISO_IR 100=ISO_IR 101",))
    assert (item.patient.name.pn, item.notes) == ("Łukasz", ())


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


def test_html_in_a_name_is_refused_or_read_never_shown_raw() -> None:
    ds = an_item("7", "O&#39;Brien^Pat", ReferringPhysicianName="O&apos;Neill")
    with pytest.raises(FeedError, match="html_entities"):
        read(ds)
    item = read(ds, html_entities=HtmlEntities.REPAIR)
    assert item.patient.name.pn == "O'Brien^Pat"
    assert FeedNote("PatientName", NoteCode.REPAIRED) in item.notes
    ds.PatientName = "Doe^Pat"
    item = read(ds)
    assert order_of(item).referring_physician is None
    assert item.notes == (FeedNote("ReferringPhysicianName", NoteCode.UNREADABLE),)
