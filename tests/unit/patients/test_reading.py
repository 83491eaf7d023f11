from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from capture_app.errors import MessageError
from capture_app.hl7.split import parse
from capture_app.model.encounter import Location
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.patient import PartialDate, PatientId, Sex
from capture_app.patients.sources.adt.facts import AdtEvent, Stated, VisitFacts
from capture_app.patients.sources.adt.numbers import Authority
from capture_app.patients.sources.adt.reading import MessageReader, read_event
from capture_app.settings.feeds import AdtFeed, HtmlEntities, PlaceComponents
from capture_app.settings.schema import Institution

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2024, 7, 2, 9, 30, tzinfo=ZONE)
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
    return read_event(parse(text.encode(), default_charset="ASCII"), authority, NOW, zone=ZONE)


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


@pytest.mark.parametrize(
    "number", ["7" * 65, r"7\E\8", r"7\X08\8", "7\u202e8", "7\u200b8", "7&#56;8", "7\ufffd"]
)
def test_a_number_that_dicom_cannot_hold_is_refused_not_changed(number: str) -> None:
    with pytest.raises(MessageError, match=r"identifier|no text"):
        read(f"PID|1||{number}^^^HOSP^MR||Doe^Jane")


@pytest.mark.parametrize(
    ("said", "sex"),
    [
        *[("M", Sex.MALE), ("f", Sex.FEMALE), ("O", Sex.OTHER), ("A", Sex.OTHER)],
        *[("N", Sex.OTHER), ("U", Sex.UNKNOWN), ('""', Sex.UNKNOWN)],
    ],
)
def test_sex(said: str, sex: Sex) -> None:
    assert read(f"PID|1||7^^^HOSP^MR||Doe^Jane||19560714|{said}").person.sex == Stated(sex)


@pytest.mark.parametrize(
    ("said", "born"),
    [
        ("19560714", Stated(date(1956, 7, 14))),
        ("195607141100", Stated(date(1956, 7, 14))),
        ("1956", Stated(PartialDate(1956))),
        ("195607", Stated(PartialDate(1956, 7))),
        ("19560700", Stated(PartialDate(1956, 7))),
        ("19560000", Stated(PartialDate(1956))),
        ("19561301", None),
        ("1956-07-14", None),
        ("00000000", None),
        ("00010101", None),
        ("20991231", None),
        ("18900101", None),
        ('""', Stated(None)),
        ("", None),
    ],
)
def test_a_birth_date_is_stated_whole_in_part_or_not_at_all_and_only_null_deletes(
    said: str, born: Stated[date | PartialDate | None] | None
) -> None:
    assert read(f"PID|1||7^^^HOSP^MR||Doe^Jane||{said}").person.birth_date == born


def test_a_name_is_not_deleted() -> None:
    event = read('PID|1||7^^^HOSP^MR||""')
    assert event.person.name is None
    assert event.notes == (FeedNote("PID-5", NoteCode.NOT_DELETED),)


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


NOT_ESCAPED = NoteCode.NOT_ESCAPED


@pytest.mark.parametrize(
    ("pv1_3", "place", "codes"),
    [
        ("A&E^1^2", Location("A&E", "1", "2"), [NOT_ESCAPED]),
        ("A & E", Location("A & E"), [NOT_ESCAPED]),
        ("T&O^^2", Location("T&O", "", "2"), [NOT_ESCAPED]),
        ("R&D", Location("R&D"), [NOT_ESCAPED]),
        ("ED&ACU^&3", Location("ED&ACU", "&3"), [NOT_ESCAPED]),
        ("A&B&C", Location("A&B&C"), [NOT_ESCAPED]),
        ("A&B&C&ISO", Location("A&B&C&ISO"), [NOT_ESCAPED]),
        (r"A\T\E", Location("A&E"), []),
        ("4B&1.2.3&ISO^12", Location("4B", "12"), []),
        ("4B&ward.hosp.example&DNS", Location("4B"), []),
        ("4B&1.2.3", Location("4B"), []),
        ("4B&6ba7b810-9dad-11d1-80b4-00c04fd430c8&", Location("4B"), []),
        ("4B&&", Location("4B"), []),
        ("4B^^^HOSP&1.2.3&ISO", Location("4B", facility="HOSP"), []),
    ],
)
def test_a_ward_with_an_ampersand_is_read_whole_and_one_with_an_oid_by_its_name(
    pv1_3: str, place: Location, codes: list[NoteCode]
) -> None:
    event = read("PID|1||7^^^HOSP^MR||Doe^Jane", f"PV1|1|I|{pv1_3}")
    assert event.visit is not None
    assert event.visit.location == Stated(place)
    assert [note.code for note in event.notes if note.field == "PV1-3"] == codes


def test_a_line_end_of_the_other_kind_within_a_name_is_noted() -> None:
    event = read("PID|1||7^^^HOSP^MR||van\nDam^Jane", "PV1|1|I")
    assert event.person.name is not None
    assert event.person.name.alphabetic.family == "van Dam"
    assert list(event.notes) == [FeedNote("PID-5", NOT_ESCAPED)]


def test_a_department_and_a_reason_with_an_ampersand_are_read_whole() -> None:
    pv1 = "|".join(["PV1", "1", "I", *[""] * 7, "T&O"])
    event = read("PID|1||7^^^HOSP^MR||Doe^Jane", pv1, "PV2|1||9^Cuts & burns")
    assert event.visit is not None
    assert (event.visit.department, event.visit.reason) == (Stated("T&O"), Stated("Cuts & burns"))
    noted = [FeedNote("PV1-10", NOT_ESCAPED), FeedNote("PV2-3", NOT_ESCAPED)]
    assert list(event.notes) == noted


@pytest.mark.parametrize("number", ["12&34", "&34", "12&&34"])
def test_a_number_with_a_divider_in_it_is_nobodys(number: str) -> None:
    if not number.startswith("&"):
        with pytest.raises(MessageError, match="cut by a character"):
            read(f"PID|1||{number}^^^HOSP^MR||Doe^Jane")
    event = read(f"PID|1||7^^^HOSP^MR~{number}^^^AUSL^NI||Doe^Jane", f"PV1|1|I{'|' * 17}{number}")
    assert (event.person.other_ids, event.visit) == ((), None)


def test_a_plain_message_needs_no_note() -> None:
    pv1 = "|".join(
        ["PV1", "1", "I", "4B^12^A^HOSP", *[""] * 15, "V9^^^ADM", *[""] * 24, "20240701"]
    )
    assert read("PID|1||7^^^HOSP^MR||Doe^Jane||19560714|F", pv1).notes == ()


LONG = "Gemeinschaftspraxis fuer Innere Medizin und Allgemeinmedizin Muster und Partner"


@pytest.mark.parametrize(
    ("segment", "field", "value", "code"),
    [
        ("PID", 7, "1956", NoteCode.PARTIAL),
        ("PID", 7, "1956-07-14", NoteCode.UNREADABLE),
        ("PID", 7, "195607141", NoteCode.UNREADABLE),
        ("PID", 7, r"\C2842\ ", NoteCode.UNREADABLE),
        ("PID", 7, "00000000", NoteCode.UNKNOWN),
        ("PID", 7, "00010101", NoteCode.UNKNOWN),
        ("PID", 7, "20240704", NoteCode.UNKNOWN),
        ("PID", 8, "W", NoteCode.UNREADABLE),
        ("PID", 8, "Female", NoteCode.UNREADABLE),
        ("PID", 5, "A" * 65 + "^Jane", NoteCode.LEFT_OUT),
        ("PID", 3, "7^^^HOSP^MR~77^^^AUSL^MÜDRZT", NoteCode.LEFT_OUT),
        ("PID", 3, "7^^^HOSP^MR~" + "7" * 65 + "^^^AUSL^NI", NoteCode.LEFT_OUT),
        ("PID", 3, "7^^^HOSP^MR~8&#56;^^^AUSL^NI", NoteCode.UNREADABLE),
        ("PV1", 44, "yesterday", NoteCode.UNREADABLE),
        ("PV1", 45, "2024-07-02", NoteCode.UNREADABLE),
        ("PV1", 8, "77^" + LONG, NoteCode.LEFT_OUT),
        ("PV1", 8, "77^O&#39;Brien", NoteCode.UNREADABLE),
        ("PV1", 10, "D" * 65, NoteCode.LEFT_OUT),
        ("PV1", 3, "A&amp;E^1^2", NoteCode.UNREADABLE),
        ("PV1", 3, "W" * 65, NoteCode.LEFT_OUT),
        ("PV1", 19, "V" * 65, NoteCode.LEFT_OUT),
        ("PV1", 19, r"V\C2842\1", NoteCode.UNREADABLE),
        ("EVN", 2, "soon", NoteCode.UNREADABLE),
        ("EVN", 6, "soon", NoteCode.UNREADABLE),
    ],
)
def test_what_cannot_be_taken_is_noted_and_the_patient_is_there(
    segment: str, field: int, value: str, code: NoteCode
) -> None:
    parts = {
        "EVN": ["EVN", "A01", "20240702080000"],
        "PID": ["PID", "1", "", "7^^^HOSP^MR", "", "Doe^Jane", "", "19560714", "F"],
        "PV1": ["PV1", "1", "I", "4B^12^1"],
    }
    fields = parts[segment]
    fields += [""] * (field + 1 - len(fields))
    fields[field] = value
    event = read("|".join(parts["PID"]), "|".join(parts["PV1"]), evn="|".join(parts["EVN"]))
    assert event.person.patient_id.value == "7"
    assert FeedNote(f"{segment}-{field}", code) in event.notes


def test_what_cannot_be_read_of_a_visit_deletes_nothing() -> None:
    pv1 = ["PV1", "1", "I", "A&amp;E", *[""] * 15, "V9"]
    facts = visit("|".join([*pv1, *[""] * 24, "yesterday", "2024-07-02"]))
    assert (facts.location, facts.admitted_at, facts.discharged_at) == (None, None, None)


def test_a_visit_whose_number_no_image_can_hold_is_not_taken_for_another() -> None:
    assert read("PID|1||7^^^HOSP^MR||Doe^Jane", "PV1|1|I" + "|" * 17 + "V" * 65).visit is None


def test_who_issued_the_visit_by_its_oid() -> None:
    facts = visit("PV1|1|I" + "|" * 17 + "V1^^^&1.2.3&ISO")
    assert (facts.visit_number, facts.issuer) == ("V1", "")
    assert (facts.universal_id, facts.universal_id_type) == ("1.2.3", "ISO")


@pytest.mark.parametrize(
    "name",
    [
        "O&#39;Brien^Pat",
        "O&#39Brien^Pat",
        "O&#x27Brien^Pat",
        "O&apos;Brien",
        r"O\T\#39;Brien",
        "O\ufffdBrien",
    ],
)
def test_a_name_with_what_is_no_text_is_refused_never_cut(name: str) -> None:
    with pytest.raises(MessageError, match="no text"):
        read(f"PID|1||7^^^HOSP^MR||{name}")


@pytest.mark.parametrize(
    "name",
    [
        *("Smith&Jones^Pat", "Smith & Sons^Pat", "&eacuteric^Pat", "Doe^Anne&Marie"),
        *("Doe^Anne^B&C", "Malm&ouml^Pat", "Tamp&amp^Pat"),
    ],
)
def test_a_name_that_a_bare_divider_cuts_is_refused(name: str) -> None:
    with pytest.raises(MessageError, match="is cut"):
        read(f"PID|1||7^^^HOSP^MR||{name}")


@pytest.mark.parametrize(
    ("name", "pn"),
    [
        ("van Dam&van&Dam^J", "van Dam^J"),
        ("Dam&van der^J", "Dam^J"),
        ("Jansen-de Vries&&Jansen&de&Vries^A", "Jansen-de Vries^A"),
        ("Jansen&&Jansen&de&Vries^A", "Jansen^A"),
        (r"Smith\T\Jones^Pat", "Smith&Jones^Pat"),
        ("Doe&^Jane", "Doe^Jane"),
        ("Doe^Jane^^^Dr&Prof", "Doe^Jane^^Dr Prof"),
        ("Unknown #39^X", "Unknown #39^X"),
    ],
)
def test_a_family_name_may_be_told_with_its_parts(name: str, pn: str) -> None:
    told = read(f"PID|1||7^^^HOSP^MR||{name}").person.name
    assert told is not None
    assert told.pn == pn


def reader(**settings: Any) -> MessageReader:
    return MessageReader.of(AdtFeed(assigning_authority="HOSP", **settings), Institution())


def sent(pid: str, *others: str, charset: str = "UNICODE UTF-8", codec: str = "utf-8") -> bytes:
    msh = rf"MSH|^~\&|ADT|HOSP|||20240702080100||ADT^A01|1|P|2.5.1||||||{charset}"
    return "\r".join((msh, "EVN|A01|20240702080000", pid, *others)).encode(codec)


@pytest.mark.parametrize(
    ("raw", "pn"),
    [
        ("O&#39;Brien^Pat", "O'Brien^Pat"),
        ("O&apos;Brien^Pat", "O'Brien^Pat"),
        ("O&#39Brien^Pat", "O'Brien^Pat"),
        (r"O\T\#x27;Brien^Pat", "O'Brien^Pat"),
        ("Smith&amp;Jones^Pat", "Smith&Jones^Pat"),
        ("M&uuml;ller&nbsp;Meier^Pat", "Müller Meier^Pat"),
        ("Doe&#94;Pat", "Doe Pat"),
        ("van Berg&van&Berg^Pat", "van Berg^Pat"),
    ],
)
def test_a_setting_reads_the_characters_that_html_stands_for(raw: str, pn: str) -> None:
    repairing = reader(html_entities=HtmlEntities.REPAIR)
    (event,) = repairing.read(sent(f"PID|1||7^^^HOSP^MR||{raw}"), NOW)
    assert event.person.name is not None
    assert event.person.name.pn == pn
    is_repaired = FeedNote("PID-5", NoteCode.REPAIRED) in event.notes
    assert is_repaired == ("van" not in raw)


def test_a_reference_whose_end_nothing_says_is_not_repaired() -> None:
    with pytest.raises(MessageError, match="no text"):
        reader(html_entities=HtmlEntities.REPAIR).read(sent("PID|1||7^^^HOSP^MR||O&#x27Brien"), NOW)


def test_the_site_says_which_set_a_sender_writes_in() -> None:
    raw = sent("PID|1||7^^^HOSP^MR||Šimek^Zoša", charset="8859/1", codec="cp1250")
    with pytest.raises(MessageError, match="character set"):
        reader().read(raw, NOW)
    (event,) = reader(charsets=("8859/1=CP1250",)).read(raw, NOW)
    assert event.person.name is not None
    assert event.person.name.pn == "Šimek^Zoša"


def test_the_tables_of_the_feed_are_used() -> None:
    feed = reader(
        sex_codes=("W=F", "Male=M"),
        unknown_birth_dates=("19000101",),
        place=PlaceComponents(ward=4, room=0, bed=3, facility=9),
    )
    (event,) = feed.read(
        sent(
            "PID|1||7^^^HOSP^MR||Doe^Jane||19000101|w",
            "PV1|1|I|x^y^12^4B^^^^^St Anne" + "|" * 16 + "V1",
        ),
        NOW,
    )
    assert event.person.sex == Stated(Sex.FEMALE)
    assert event.person.birth_date is None
    assert event.visit is not None
    assert event.visit.location == Stated(Location("4B", "", "12", "St Anne"))
    assert event.notes == (FeedNote("PID-7", NoteCode.UNKNOWN),)


def test_letters_under_the_label_of_another_set_are_doubted() -> None:
    raw = sent("PID|1||7^^^HOSP^MR||Иванов", charset="8859/1", codec="iso8859-5")
    assert FeedNote("PID-5", NoteCode.DOUBTED) in reader().read(raw, NOW)[0].notes


@pytest.mark.parametrize(
    ("pid_31", "stated"),
    [
        ("", None),
        ("Y", Stated(True)),
        ("y", Stated(True)),
        ("N", Stated(False)),
        ('""', Stated(False)),
        ("J", None),
        ("&#39;", None),
        ("Y~N", None),
    ],
)
def test_a_feed_may_say_that_it_does_not_know_who_it_is(
    pid_31: str, stated: Stated[bool] | None
) -> None:
    pid = "PID|1||7^^^HOSP^MR||Doe^Jane" + "|" * 26 + pid_31
    event = read(pid)
    assert event.person.identity_unknown == stated
    is_unreadable = bool(pid_31) and stated is None
    assert (FeedNote("PID-31", NoteCode.UNREADABLE) in event.notes) == is_unreadable
