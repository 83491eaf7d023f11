"""Whatever a feed says of a patient: refused in words, or listed and then a picture can be made."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pynetdicom.dsutils import decode, encode

from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.dicom.request import first_study_values
from capture_app.errors import FeedError, MessageError
from capture_app.model.encounter import Encounter
from capture_app.model.order import Order
from capture_app.model.patient import Patient
from capture_app.patients.census.fold import entries, fold
from capture_app.patients.sources.adt.reading import MessageReader
from capture_app.patients.sources.worklist.items import ItemReader
from capture_app.settings.feeds import AdtFeed, HtmlEntities, Worklist
from capture_app.settings.schema import Institution
from tests.sealing import STARTED_AT, description, exam, request
from tests.worklists import an_item

NOW = datetime(2024, 7, 2, 9, 30, tzinfo=UTC)
HOSP = Institution(issuer_of_patient_id="HOSP")
READERS = (
    MessageReader.of(AdtFeed(), HOSP),
    MessageReader.of(AdtFeed(html_entities=HtmlEntities.REPAIR), HOSP),
)
ITEMS = ItemReader.of(Worklist("ris", "127.0.0.1", 104, "RIS", charset_when_absent="ISO_IR 192"))

SEGMENTS = {
    "EVN": ["EVN", "A01", "20240702080000"],
    "PID": ["PID", "1", "", "7^^^HOSP^MR~9^^^NHS&2.16&ISO^NI", "", "Doe^Jane", "", "19560714", "F"],
    "PV1": [
        "PV1",
        "1",
        "I",
        "4B^12^A^HOSP",
        *[""] * 4,
        "77^House^Greg",
        "",
        "SUR",
        *[""] * 8,
        "V1",
    ],
    "PV2": ["PV2", "", "", "9^Burn"],
}
hostile = st.one_of(
    st.text(max_size=90),
    st.text(alphabet='^~&\\=|"\t\n\x0b\x85\u200b\u202e\ufffdÄ王ـm7.*;#XCESF39', max_size=90),
    st.sampled_from(
        [
            *('""', "1956", "1956-07-14", "00000000", "00010101", "20991231", "W", "Female"),
            *("99991231235959", "00010101000000+1400", "20240331020000", "20241027023000"),
            *("MÜDRZT", "7^^^HOSP^MR~77^^^AUSL^MÜDRZT", "7^^^HOSP&1\\E\\2&ISO^MR"),
            *("O&#39;Brien^Pat", "O&amp;#39;B", "A\\X0A\\B", "A\\X5C\\B^^^&1.2&ISO", "\\C2842\\"),
            *("x" * 65, "77^" + "G" * 80, "^^^^^^^^^^^", "~~~", "7^^^&" + "1" * 70 + "&ISO^MR"),
        ]
    ),
)


def picture_of(patient: Patient, visit: Encounter | None, order: Order | None = None) -> Dataset:
    """An image of the patient, as Send would make it; raises where it cannot be made."""
    act, chosen = exam(patient=patient, encounter=visit, order=order), description()
    study = first_study_values(act, [chosen], started_at=STARTED_AT, study_id="1")
    ds = build(request(exam=act, description=chosen, study=study))
    verify(ds)
    return ds


@given(
    st.sampled_from(
        [("EVN", n) for n in (2, 6)]
        + [("PID", n) for n in (3, 5, 7, 8, 18)]
        + [("PV1", n) for n in (2, 3, 8, 10, 19, 44, 45)]
        + [("PV2", 3)]
    ),
    hostile,
    st.sampled_from(READERS),
)
def test_any_text_in_any_field_of_a_message(
    where: tuple[str, int], value: str, reader: MessageReader
) -> None:
    name, field = where
    segments = {key: list(fields) for key, fields in SEGMENTS.items()}
    fields = segments[name]
    fields += [""] * (field + 1 - len(fields))
    fields[field] = value
    msh = "MSH|^~\\&|ADT|HOSP|||20240702080100||ADT^A01|1|P|2.5.1||||||UNICODE UTF-8"
    text = "\r".join([msh, *("|".join(fields) for fields in segments.values())])
    try:
        events = reader.read(text.encode("utf-8", errors="surrogatepass"), NOW)
    except MessageError:
        return
    known = fold(events)
    assert known is not None
    rows = list(entries(known, NOW, timedelta(hours=1)))
    assert rows
    for row in rows:
        ds = picture_of(row.patient, row.encounter)
        assert ds.PatientID == row.patient.patient_id.value


KEYWORDS = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "ReferringPhysicianName", "StudyInstanceUID", "RequestedProcedureID"),
    *("RequestedProcedureDescription", "CurrentPatientLocation", "InstitutionalDepartmentName"),
    *("AdmissionID", "TimezoneOffsetFromUTC"),
)
OF_STEP = (
    *("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime", "Modality"),
    *("ScheduledProcedureStepID", "ScheduledProcedureStepDescription", "ScheduledStationAETitle"),
)


@given(st.sampled_from((*KEYWORDS, *OF_STEP)), hostile)
def test_any_text_in_any_element_of_a_worklist_item(keyword: str, value: str) -> None:
    ds = received(an_item("7", "Müller^Jörg"))
    _place(ds if keyword in KEYWORDS else ds.ScheduledProcedureStepSequence[0], keyword, value)
    try:
        item = ITEMS.read(ds, NOW)
    except FeedError:
        return
    picture_of(item.patient, item.encounter, item.order)


@given(
    st.sampled_from(
        [
            *("IssuerOfPatientIDQualifiersSequence", "IssuerOfAdmissionIDSequence"),
            *("IssuerOfAccessionNumberSequence", "RequestedProcedureCodeSequence"),
        ]
    ),
    st.sampled_from(
        [
            *("LocalNamespaceEntityID", "UniversalEntityID", "UniversalEntityIDType"),
            *("IdentifierTypeCode", "CodeValue", "CodingSchemeDesignator", "CodeMeaning"),
        ]
    ),
    hostile,
)
def test_any_text_in_any_item_of_its_sequences(sequence: str, keyword: str, value: str) -> None:
    item = Dataset()
    item.UniversalEntityID, item.UniversalEntityIDType = "1.2.3", "ISO"
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "W", "99X", "Wound"
    sent = an_item("7", "Müller^Jörg")
    setattr(sent, sequence, [item])
    ds = received(sent)
    _place(ds[sequence][0], keyword, value)
    read = ITEMS.read(ds, NOW)
    picture_of(read.patient, read.encounter, read.order)


def received(sent: Dataset) -> Dataset:
    data = encode(sent, is_implicit_vr=True, is_little_endian=True)
    assert data is not None
    return decode(BytesIO(data), is_implicit_vr=True, is_little_endian=True)


def _place(ds: Dataset, keyword: str, value: str) -> None:
    """Puts the bytes of a text into an element as they come off the wire."""
    raw = value.encode("utf-8", errors="surrogatepass")
    tag = Tag(keyword)
    ds[tag] = RawDataElement(
        tag, None, len(raw), raw, 0, is_implicit_VR=True, is_little_endian=True
    )
