"""One authority under its namespace and its OID: learnt from the messages that name both."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.model.feed_note import NoteCode
from capture_app.model.patient import PatientId
from capture_app.model.worklist import Doubt
from capture_app.patients.census.census import DATABASE, Census, open_census
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from capture_app.patients.sources.adt.naming import LearntNames
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.patients.sources.authorities import SameAuthorities
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Institution, Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.adt_said import DOE, NOW, ROE, said
from tests.unit.patients.people import a_patient, an_order

BY_OID = AdtFeed(assigning_authority="1.2.3", port=1, zone="UTC")
ANY = AdtFeed(identifier_type="MR", port=1, zone="UTC")
OID, BOTH, OTHER_OID = "&1.2.3&ISO", "HOSP&1.2.3&ISO", "HOSP&9.9.9&ISO"

Opened = Callable[..., Census]


def of(authority: str, pid: str = DOE, number: str = "") -> str:
    """The patient with a number of that authority."""
    said = pid.replace("HOSP", authority)
    return said.replace(pid[:4], number) if number else said


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made: list[Census] = []

    def open_one(name: str = "one", feed: AdtFeed = BY_OID, *same: str) -> Census:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        institution = Institution(same_authorities=same)
        settings = Settings(data_dir=folder, adt=feed, institution=institution)
        made.append(open_census(folder, Cipher(b"k" * 32), FixedClock(NOW), settings))
        return made[-1]

    yield open_one
    for census in made:
        census.close()


def send(
    census: Census, *messages: bytes, feed: AdtFeed = BY_OID, answer: bytes = b"MSA|AA"
) -> None:
    receiver = AdtReceiver(census, feed, FixedClock(NOW))
    for message in messages:
        assert answer in receiver.handle(message)


def rows(census: Census) -> set[tuple[str, str, str, frozenset[Doubt]]]:
    return {(*(e.patient.patient_id.key), e.patient.name.pn, e.doubts) for e in census.find("")}


JANET = frozenset({("1001", "HOSP", "Doe^Janet", frozenset[Doubt]())})
BY_OID_ALONE = said("A01", "0800", pid=of(OID))
BY_BOTH = said("A08", "0900", pid=of(BOTH).replace("Jane", "Janet"))


def test_one_patient_by_oid_and_by_both_names_is_one_person(opened: Opened) -> None:
    for number, messages in enumerate(permutations((BY_OID_ALONE, BY_BOTH))):
        census = opened(str(number))
        send(census, *messages)
        again = opened(str(number))
        for each in (census, again):
            assert rows(each) == JANET
            for code in ("1001", "1001^^^HOSP&1.2.3&ISO^MR", "1001^^^&1.2.3&ISO^MR"):
                assert len(each.by_code(code)) == 1
        again.rebuild()
        assert rows(again) == JANET
        assert again.feed_status()[0].problem == ""


def test_another_process_hears_of_it_and_of_what_is_said_under_either_name(
    opened: Opened,
) -> None:
    census, other = opened(), opened()
    send(census, BY_OID_ALONE)
    assert other.refresh()
    send(census, BY_BOTH)
    assert other.refresh()
    assert rows(other) == JANET
    send(other, said("A02", "1000", pid=of(OID).replace("Jane", "Janet"), place="5C^1"))
    census.refresh()
    (entry,) = census.find("")
    assert entry.encounter is not None
    assert entry.encounter.location.ward == "5C"


def test_what_was_opened_under_the_one_name_is_found_under_the_other(opened: Opened) -> None:
    census = opened()
    send(census, BY_OID_ALONE)
    (entry,) = census.find("")
    assert entry.patient.patient_id.issuer == ""
    census.note_opened(entry.patient.patient_id)
    send(census, BY_BOTH)
    now = census.person(entry.patient.patient_id)
    assert now is not None
    assert now.patient.name.pn == "Doe^Janet"


def test_one_message_may_say_the_number_under_both_names(opened: Opened) -> None:
    census = opened()
    send(census, said("A01", "0800", pid=f"1001^^^{OID}^MR~{of(BOTH)}"))
    (entry,) = census.find("")
    assert entry.patient.patient_id.key == ("1001", "HOSP")
    assert entry.patient.other_ids == ()
    two = said("A01", "0900", pid=f"1002^^^{OID}^MR~{of(BOTH)}")
    send(census, two, answer=b"MSA|AE")


def test_what_is_learnt_lets_in_no_message_that_would_have_been_refused_before(
    opened: Opened,
) -> None:
    census, bare = opened(), said("A08", "1000", pid=DOE)
    send(census, bare, answer=b"MSA|AE")
    send(census, BY_BOTH)
    send(census, bare, answer=b"MSA|AE")


@pytest.mark.expects_log("authority-named-in-two-ways")
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_oids_of_one_namespace_teach_nothing_and_it_is_told(
    opened: Opened, order: tuple[int, ...]
) -> None:
    messages = (
        said("A01", "0800", pid=of(OID)),
        said("A01", "0810", pid=of(BOTH, ROE), visit="V2", place="5C"),
        said("A01", "0820", pid=of(OTHER_OID, ROE, "1003"), visit="V3", place="6D"),
    )
    census = opened(feed=ANY)
    send(census, *(messages[number] for number in order), feed=ANY)
    for each in (census, opened(feed=ANY)):
        keys = {entry.patient.patient_id.key for entry in each.find("")}
        assert keys == {("1001", ""), ("1002", "HOSP"), ("1003", "HOSP")}
        assert "HOSP = 1.2.3, HOSP = 9.9.9" in each.feed_status()[0].problem
    settled = opened("one", ANY, "HOSP=1.2.3")
    assert ("1001", "HOSP") in {entry.patient.patient_id.key for entry in settled.find("")}
    assert "HOSP = 9.9.9" in settled.feed_status()[0].problem


@pytest.mark.expects_log("authority-named-in-two-ways")
def test_a_contradiction_takes_back_what_was_learnt(opened: Opened) -> None:
    census = opened(feed=ANY)
    one, two = said("A28", "0800", pid=of(OID)), said("A28", "0900", pid=of(BOTH))
    send(census, one, two, feed=ANY)
    assert {entry.patient.patient_id.key for entry in census.find("")} == {("1001", "HOSP")}
    send(census, said("A28", "1000", pid=of("KLINIK&1.2.3&ISO", ROE)), feed=ANY)
    for each in (census, opened(feed=ANY)):
        keys = {entry.patient.patient_id.key for entry in each.find("")}
        assert keys == {("1001", ""), ("1001", "HOSP"), ("1002", "KLINIK")}
        assert each.by_code("1001") == ()


@pytest.mark.expects_log("authority-named-in-two-ways")
def test_a_number_whose_authority_changes_its_oid_is_doubted_and_listed(opened: Opened) -> None:
    census = opened(feed=ANY)
    send(census, said("A01", "0800", pid=of(BOTH)), feed=ANY)
    send(census, said("A08", "0900", pid=of(OTHER_OID)), feed=ANY)
    (message,) = census.noted_messages(codes=frozenset({NoteCode.AUTHORITY_DOUBTED}))
    assert message.event == "A08"


def test_a_change_of_a_number_to_another_name_of_its_authority_changes_none(
    opened: Opened,
) -> None:
    census = opened()
    change = said("A47", "0900", pid=of(BOTH), has_visit=False, more=f"MRG|1001^^^{OID}^MR")
    send(census, BY_OID_ALONE, change)
    assert {entry.patient.patient_id.key for entry in census.find("")} == {("1001", "HOSP")}
    assert len(census.by_code("1001")) == 1


def test_a_change_to_a_number_that_is_somebody_elses_under_the_other_name_is_no_merge(
    opened: Opened,
) -> None:
    change = said(
        "A47", "0900", pid=of(BOTH, DOE, "1002"), has_visit=False, more=f"MRG|1001^^^{OID}^MR"
    )
    roe = said("A01", "0800", pid=of(OID, ROE), visit="V2", place="5C")
    census = opened()
    send(census, BY_OID_ALONE, roe)
    send(census, change, answer=b"MSA|AE")
    people = {(e.patient.patient_id.key, e.patient.name.pn) for e in census.find("")}
    assert people == {(("1001", "HOSP"), "Doe^Jane"), (("1002", "HOSP"), "Roe^Rick")}
    late = opened("late")  # the pair comes with a third message, after the change was taken
    bare = change.replace(b"HOSP&1.2.3&ISO", b"1.2.3")
    send(late, BY_OID_ALONE, roe, bare)
    send(late, said("A28", "1000", pid=of(BOTH, ROE, "1009"), has_visit=False))
    apart = {("1001", "Doe^Jane"), ("1002", "Roe^Rick"), ("1009", "Roe^Rick")}

    def people_of(census: Census) -> set[tuple[str, str]]:
        return {(e.patient.patient_id.value, e.patient.name.pn) for e in census.find("")}

    assert people_of(late) == people_of(opened("late")) == apart
    send(late, said("A13", "1100", pid=of(OID)), said("A13", "1101", pid=of(OID, ROE), visit="V2"))
    assert people_of(late) == people_of(opened("late")) == apart
    noted = [note.code for message in late.noted_messages() for note in message.notes]
    assert noted.count(NoteCode.NUMBER_TAKEN) == 1


@pytest.mark.expects_log("feed-message-failed")
def test_a_message_that_cannot_be_stored_teaches_nothing(opened: Opened, tmp_path: Path) -> None:
    census = opened()
    send(census, BY_OID_ALONE)
    with closing(sqlite3.connect(tmp_path / "one" / DATABASE)) as fault:
        fault.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON authorities"
            " BEGIN SELECT RAISE(ABORT, 'planted'); END"
        )
        send(census, BY_BOTH, answer=b"MSA|AE")
        assert {entry.patient.patient_id.key for entry in census.find("")} == {("1001", "")}
        fault.execute("DROP TRIGGER fault")
    send(census, BY_BOTH)
    assert rows(census) == JANET


def test_orders_by_the_oid_join_once_the_pair_is_learnt(opened: Opened) -> None:
    census = opened()
    who = replace(a_patient(number="1001"), patient_id=PatientId("1001", "", "1.2.3", "ISO"))
    item = WorklistItem(who, None, an_order())
    census.put_worklist(WorklistAnswer("mwl", (item,), NOW))
    send(census, BY_BOTH.replace(b"Janet", b"Jane"))
    (entry,) = census.find("")
    assert [order.accession_number for order in entry.orders] == ["ACC1"]
    assert entry.patient.patient_id.key == ("1001", "HOSP")


def test_the_settings_are_right_and_the_feed_is_told_where_it_differs() -> None:
    fixed = SameAuthorities((("HOSP", "1.2.3"),))
    names = LearntNames.of({("HOSP", "1.2.3"), ("CLINIC", "1.2.3"), ("NHS", "2.16")}, fixed)
    assert names.contradicting == (("CLINIC", "1.2.3"),)
    assert names.named(PatientId("1", "", "2.16", "ISO")).issuer == "NHS"
    assert names.named(PatientId("1", "2.16")) == PatientId("1", "NHS", "2.16", "ISO")
    assert names.named(PatientId("1", "OTHER", "2.16", "ISO")).issuer == "OTHER"
