"""HL7 from anywhere: no bytes break the splitter, no name a DICOM name, no cut hides a frame."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from capture_app.clock import FixedClock
from capture_app.errors import MessageError
from capture_app.hl7.ack import AckOutcome, Refusal, build_ack
from capture_app.hl7.build import build_adt
from capture_app.hl7.names import person_name
from capture_app.hl7.split import Composite, Delimiters, Hl7Message, parse_header
from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.patient import NameGroup, PartialDate, Patient, PatientId, PersonName, Sex
from capture_app.net.mllp import Unframer, framed
from capture_app.patients.census.fold import entries, fold
from capture_app.patients.sources.adt.numbers import Authority
from capture_app.patients.sources.adt.reading import MessageReader

NOW = datetime(2024, 7, 2, 9, 30, tzinfo=UTC)
READER = MessageReader(Authority("HOSP", "MR"), "UNICODE UTF-8")
ADMIT = build_adt(
    "A01",
    Patient(
        PatientId("7", "HOSP", type_code="MR"),
        PersonName(NameGroup("Müller", "Jörg"), NameGroup("王", "小明")),
        date(1956, 7, 14),
        Sex.MALE,
        (PatientId("N1", "NHS", "1.2", "ISO", "NI"),),
    ),
    Encounter("V1", "HOSP", "I", Location("4B", "1", "A", "HOSP"), EncounterState.OPEN),
    control_id="1",
    at=NOW,
)

messy = st.one_of(
    st.binary(max_size=400),
    st.builds(bytes.__add__, st.just(b"MSH|^~\\&|"), st.binary(max_size=400)),
    st.text(alphabet='MSHPIDEVN|^~\\&\r\nX0123456789A" \x0b\x1c\x1bé王', max_size=300).map(
        lambda text: b"MSH|^~\\&|A|B|||1||ADT^A01|1|P|2.5\r" + text.encode()
    ),
    st.builds(
        lambda at, new, length: ADMIT[:at] + new + ADMIT[at + length :],
        st.integers(0, len(ADMIT)),
        st.binary(max_size=20),
        st.integers(0, 40),
    ),
)


@given(messy)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(MessageError):
        assert all(e.person.patient_id.value for e in READER.read(raw, NOW))


@given(messy, st.sampled_from(AckOutcome))
def test_every_answer_can_be_read_by_its_receiver(raw: bytes, outcome: AckOutcome) -> None:
    header: Hl7Message | None
    try:
        header = parse_header(raw)
    except MessageError:
        header = None
    answer = build_ack(header, outcome, Refusal("Because."), FixedClock(NOW))
    if answer:
        assert parse_header(answer).message_type == "ACK"
        assert answer.count(b"\rMSA") == 1


text_of_a_name = st.text(max_size=12)


@given(st.lists(text_of_a_name, min_size=1, max_size=8))
def test_no_name_breaks_a_dicom_name(parts: list[str]) -> None:
    field = "^".join(part.replace("^", r"\S\ ".strip()) for part in parts)
    try:
        name = person_name([Composite.of(field, Delimiters(), "utf_8")])
    except MessageError:
        return
    for group in (name.alphabetic, name.ideographic, name.phonetic):
        for value in (group.family, group.given, group.middle, group.prefix, group.suffix):
            assert not set(value) & set("^=\\\r\n\x00\x1b")
        assert len(str(group)) <= 64
    assert name.pn.count("=") <= 2


letters = st.text(
    alphabet=st.characters(codec="utf-8", categories=["L", "Nd"]), min_size=1, max_size=10
)
awkward = st.text(alphabet="abcÄ王م|&~ -'.", min_size=1, max_size=10).map(
    lambda text: " ".join(text.split()) or "x"
)
names = st.one_of(letters, awkward).filter(lambda text: text == " ".join(text.split()))
identifiers = st.text(alphabet="ABCabc0123456789-/|^&~", min_size=1, max_size=20)
moments = st.datetimes(
    min_value=NOW.replace(tzinfo=None, year=2020), max_value=NOW.replace(tzinfo=None, month=6)
).map(lambda moment: moment.replace(microsecond=0, tzinfo=UTC))
patients = st.builds(
    Patient,
    st.builds(PatientId, identifiers, st.just("HOSP"), type_code=st.just("MR")),
    st.builds(
        PersonName,
        st.builds(NameGroup, names, names, names, names, names),
        st.one_of(st.just(NameGroup()), st.builds(NameGroup, names, names)),
        st.one_of(st.just(NameGroup()), st.builds(NameGroup, names, names)),
    ),
    st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2024, 7, 1))),
    st.sampled_from(Sex),
    st.lists(
        st.builds(PatientId, identifiers, st.just("NHS"), type_code=st.just("NI")), max_size=2
    ).map(tuple),
).flatmap(
    lambda patient: st.one_of(
        st.just(patient),
        st.builds(PartialDate, st.integers(1900, 2023), st.none() | st.integers(1, 12))
        .map(patient.with_birth_date)
        .map(lambda partly: partly if partly.partial_birth_date else patient),
    )
)
visits = st.builds(
    Encounter,
    identifiers,
    st.sampled_from(["", "HOSP"]),
    st.sampled_from(["I", "O", "E"]),
    st.builds(Location, names, names, names, names),
    st.just(EncounterState.OPEN),
    moments,
    st.none(),
    st.one_of(st.none(), st.builds(PersonName, st.builds(NameGroup, names, names))),
    names,
    names,
    st.sampled_from(["", "1.2.840.1"]),
).map(lambda visit: replace(visit, universal_id_type="ISO" if visit.universal_id else ""))


@given(patients, visits)
def test_what_is_built_is_read_again(patient: Patient, visit: Encounter) -> None:
    raw = build_adt("A01", patient, visit, control_id="1", at=NOW - timedelta(hours=1))
    known = fold(READER.read(raw, NOW))
    assert known is not None
    (entry,) = entries(known, NOW, timedelta(hours=1))
    assert entry.patient == patient
    assert entry.encounter == visit


@given(st.lists(st.binary(max_size=30), max_size=5), st.lists(st.integers(1, 9), max_size=50))
def test_frames_are_found_however_the_stream_is_cut(contents: list[bytes], cuts: list[int]) -> None:
    messages = [content.translate(None, b"\x0b\x1c") for content in contents]
    stream = b"noise" + b"\n".join(map(framed, messages))
    unframer, found = Unframer(1000), []
    for size in [*cuts, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        found += [frame.content for frame in unframer.feed(piece)]
    assert found == messages
