from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from capture_app.errors import MessageError
from capture_app.hl7.split import parse
from capture_app.model.encounter import Location
from capture_app.model.patient import PatientId, Sex
from capture_app.patients.sources.adt.reading import (
    AdtEvent,
    Authority,
    Stated,
    VisitFacts,
    read_event,
)

NOW = datetime(2024, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=2)))
HOSP = Authority("HOSP", "MR")


def read(
    pid: str = "PID|1||7^^^HOSP^MR||Doe^Jane||19560714|F",
    *others: str,
    authority: Authority = HOSP,
    evn: str = "EVN|A01|20240702080000",
    msh_7: str = "20240702080100",
) -> AdtEvent:
    msh = rf"MSH|^~\&|ADT|HOSP|||{msh_7}||ADT^A01^ADT_A01|1|P|2.5.1||||||UNICODE UTF-8"
    text = "\r".join((msh, evn, pid, *others))
    return read_event(parse(text.encode(), default_charset="ASCII"), authority, NOW)


def visit(*segments: str, pid: str = "PID|1||7^^^HOSP^MR||Doe^Jane") -> VisitFacts:
    facts = read(pid, *segments).visit
    assert facts is not None
    return facts


@pytest.mark.parametrize(
    ("pid_3", "authority", "value"),
    [
        ("7^^^HOSP^MR", HOSP, "7"),
        ("1^^^NHS^NI~7^^^HOSP^MR~3^^^HOSP^PI", HOSP, "7"),
        ("1^^^OTHER^MR~7^^^HOSP^MR", HOSP, "7"),
        ("1^^^NHS~7^^^HOSP", HOSP, "7"),
        ("7^^^HOSP^MR~7^^^HOSP^MR", HOSP, "7"),
        ("1^^^NHS^NI~7^^^^MR", Authority("", "MR"), "7"),
        ("1^^^NHS^NI~7^^^HOSP^XX", Authority("HOSP", ""), "7"),
        ("1^^^NHS^NI~7^^^&1.2.3&ISO^MR", Authority("1.2.3", "MR"), "7"),
        ("7", Authority("", ""), "7"),
        ("~~7^^^HOSP^MR", HOSP, "7"),
    ],
)
def test_the_repetition_of_the_configured_authority_is_the_patients_number(
    pid_3: str, authority: Authority, value: str
) -> None:
    event = read(f"PID|1||{pid_3}||Doe^Jane", authority=authority)
    assert event.person.patient_id.value == value


@pytest.mark.parametrize(
    ("pid_3", "authority"),
    [
        ("1^^^NHS^NI", HOSP),
        ("1^^^OTHER^MR", HOSP),
        ("7^^^HOSP^PI", HOSP),
        ("7", HOSP),
        ("7", Authority("", "MR")),
        ("", HOSP),
        ("^^^HOSP^MR", HOSP),
        ('""', HOSP),
    ],
)
def test_without_one_nobody_is_meant(pid_3: str, authority: Authority) -> None:
    with pytest.raises(MessageError, match="No identifier of the configured authority"):
        read(f"PID|1||{pid_3}||Doe^Jane", authority=authority)


@pytest.mark.parametrize(
    ("pid_3", "authority"),
    [
        ("7^^^HOSP^MR~8^^^HOSP^MR", HOSP),
        ("7^^^A^MR~8^^^B^MR", Authority("", "MR")),
        ("7~8", Authority("", "")),
    ],
)
def test_of_two_neither_is_chosen(pid_3: str, authority: Authority) -> None:
    with pytest.raises(MessageError, match="More than one identifier"):
        read(f"PID|1||{pid_3}||Doe^Jane", authority=authority)


def test_all_other_repetitions_are_kept_as_other_ids() -> None:
    person = read("PID|1||1^^^NHS&2.16&ISO^NI~7^^^HOSP^MR~3^^^HOSP^PI||Doe^Jane").person
    assert person.patient_id == PatientId("7", "HOSP", type_code="MR")
    assert person.other_ids == (
        PatientId("1", "NHS", "2.16", "ISO", "NI"),
        PatientId("3", "HOSP", type_code="PI"),
    )


def test_the_site_names_the_issuer_of_a_number_that_comes_without() -> None:
    authority = Authority("", "MR", issuer_when_absent="ST ANNE")
    person = read("PID|1||7^^^^MR||Doe^Jane", authority=authority).person
    assert person.patient_id.key == ("7", "ST ANNE")


@pytest.mark.parametrize("number", ["7" * 65, r"7\E\8", r"7\X08\8", "7\u202e8"])
def test_a_number_that_dicom_cannot_hold_is_refused_not_changed(number: str) -> None:
    with pytest.raises(MessageError, match="identifier"):
        read(f"PID|1||{number}^^^HOSP^MR||Doe^Jane")


@pytest.mark.parametrize(
    ("said", "sex"),
    [
        *[("M", Sex.MALE), ("f", Sex.FEMALE), ("O", Sex.OTHER), ("A", Sex.OTHER)],
        *[("N", Sex.OTHER), ("U", Sex.UNKNOWN), ("X", Sex.UNKNOWN), ('""', Sex.UNKNOWN)],
    ],
)
def test_sex(said: str, sex: Sex) -> None:
    assert read(f"PID|1||7^^^HOSP^MR||Doe^Jane||19560714|{said}").person.sex == Stated(sex)


@pytest.mark.parametrize(
    ("said", "born"),
    [
        ("19560714", Stated(date(1956, 7, 14))),
        ("195607141100", Stated(date(1956, 7, 14))),
        ("1956", Stated(None)),
        ("19561301", Stated(None)),
        ('""', Stated(None)),
        ("", None),
    ],
)
def test_a_birth_date_that_cannot_be_is_none_and_one_not_said_is_not_said(
    said: str, born: Stated[date | None] | None
) -> None:
    assert read(f"PID|1||7^^^HOSP^MR||Doe^Jane||{said}").person.birth_date == born


def test_a_name_is_not_deleted() -> None:
    with pytest.raises(MessageError, match="PID-5"):
        read('PID|1||7^^^HOSP^MR||""')


def test_a_name_may_be_left_out() -> None:
    assert read("PID|1||7^^^HOSP^MR").person.name is None


def test_a_message_without_a_patient_is_refused() -> None:
    with pytest.raises(MessageError, match="no PID"):
        read("ZID|1")


def test_a_visit() -> None:
    pv1 = ["PV1", "1", "I", "4B^12^A^HOSP", *[""] * 15, "V9^^^ADM"]
    pv1[8] = "77^House^Greg^^^Dr"
    pv1[10] = "SUR"
    facts = visit(
        "|".join([*pv1, *[""] * 24, "20240701", '""']),
        r"PV2|1||9^Wound \T\ burn",
    )
    assert facts == VisitFacts(
        visit_number="V9",
        issuer="ADM",
        patient_class=Stated("I"),
        location=Stated(Location("4B", "12", "A", "HOSP")),
        admitted_at=Stated(datetime(2024, 7, 1, tzinfo=NOW.tzinfo)),
        discharged_at=Stated(None),
        referring_physician=facts.referring_physician,
        department=Stated("SUR"),
        reason=Stated("Wound & burn"),
    )
    assert facts.referring_physician is not None
    assert facts.referring_physician.value is not None
    assert facts.referring_physician.value.pn == "House^Greg^^Dr"


def test_a_visit_without_its_number_takes_the_account_number() -> None:
    pid = "PID|1||7^^^HOSP^MR||Doe^Jane" + "|" * 13 + "ACC1^^^BILL"
    assert (visit("PV1|1|O", pid=pid).visit_number, visit("PV1|1|O", pid=pid).issuer) == (
        *("ACC1", "BILL"),
    )


def test_what_a_visit_leaves_out_is_not_said() -> None:
    facts = visit("PV1|1")
    assert (facts.patient_class, facts.location, facts.reason) == (None, None, None)


def test_a_pseudo_visit_is_none() -> None:
    assert read("PID|1||7^^^HOSP^MR||Doe^Jane", "PV1|1|N").visit is None


def test_two_visits_in_one_message_are_not_ours_to_choose_from() -> None:
    with pytest.raises(MessageError, match="more than one PV1"):
        read("PID|1||7^^^HOSP^MR||Doe^Jane", "PV1|1|I", "PV1|2|O")


@pytest.mark.parametrize(
    ("evn", "msh_7", "recorded", "occurred"),
    [
        ("EVN|A01|20240702080000", "20240702080100", "08:00", "08:00"),
        ("EVN|A01|20240702080000||||20240702073000", "20240702080100", "08:00", "07:30"),
        ("EVN|A01", "20240702080100", "08:01", "08:01"),
        ("EVN|A01|soon", "", "09:30", "09:30"),
        ("EVN|A01|20240702060000+0000", "", "08:00", "08:00"),
        ("EVN|A01|20990101||||20990101", "", "09:30", "09:30"),  # a wrong clock counts as now
    ],
)
def test_when_it_was_recorded_and_when_it_happened(
    evn: str, msh_7: str, recorded: str, occurred: str
) -> None:
    event = read(evn=evn, msh_7=msh_7)
    assert f"{event.recorded_at.astimezone(NOW.tzinfo):%H:%M}" == recorded
    assert f"{event.occurred_at.astimezone(NOW.tzinfo):%H:%M}" == occurred
    assert event.recorded_at.astimezone(UTC) <= NOW
