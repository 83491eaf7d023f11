"""The census on a real database: what it keeps, tells, shows and finds."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import NewerDatabaseError, SealBrokenError
from capture_app.hl7.build import build_adt
from capture_app.model.encounter import EncounterState, Location
from capture_app.model.patient import PatientId
from capture_app.model.worklist import FeedSource
from capture_app.patients.census.census import DATABASE
from capture_app.patients.census.reporting import ADT
from capture_app.patients.finding.tabs import Tab
from capture_app.store.cipher import Cipher
from tests.unit.patients.feeding import CIPHER, FEED, Feed, Opener, answer, item, shown
from tests.unit.patients.people import a_patient, a_visit


def test_an_admitted_patient_is_in_the_list_as_the_feed_said(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    patient = a_patient("Nguyễn", "Thị Mai", other_ids=(PatientId("N1", "NHS", "", "", "NI"),))
    visit = replace(a_visit(), department="SUR", reason="Wound", admitted_at=clock.now())
    Feed(census, clock).send("A01", patient, visit)
    (entry,) = census.find("ngu")
    assert entry.patient == patient
    assert entry.encounter == visit
    assert (entry.source, entry.as_of, entry.orders) == (FeedSource.ADT, clock.now(), ())


def test_what_was_acknowledged_is_there_after_a_restart(opened: Opener, clock: FixedClock) -> None:
    first = opened()
    feed = Feed(first, clock)
    feed.send("A01", a_patient(number="1"), a_visit("V1"))
    feed.send("A01", a_patient("Roe", number="2"), a_visit("V2"))
    feed.send("A04", a_patient("Roe", number="2"), a_visit("V3"))
    feed.send("A03", a_patient("Roe", number="2"), a_visit("V2"))
    feed.send("A28", a_patient("王", "小明", number="3", born=None), None)
    second = opened()
    assert second.find("") == first.find("")
    assert shown(second) == [("1", "V1"), ("2", "V2"), ("2", "V3"), ("3", "")]


def test_another_process_sees_it_after_a_refresh(opened: Opener, clock: FixedClock) -> None:
    writer, reader = opened(), opened()
    told: list[str] = []
    reader.on_change(lambda: told.append("changed"))
    assert not reader.refresh()
    Feed(writer, clock).send("A01", a_patient(), a_visit())
    assert shown(reader) == []
    assert reader.refresh()
    assert shown(reader) == [("7", "V1")]
    assert not reader.refresh()
    assert told == ["changed"]


def test_the_next_holder_of_the_feed_goes_on_where_the_last_one_ended(
    opened: Opener, clock: FixedClock
) -> None:
    first, second = opened(), opened()
    Feed(first, clock).send("A01", a_patient(), a_visit())
    Feed(second, clock).send("A08", a_patient(given="Joan"), a_visit())
    assert second.find("")[0].patient.name.pn == "Doe^Joan"
    assert second.find("")[0].encounter is not None
    assert first.refresh()
    assert first.find("") == second.find("")


def test_the_places_are_those_of_the_open_visits(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    feed = Feed(census, clock)
    somewhere = replace(a_visit("V2"), location=Location("5C", "7", "1", "HOSP"))
    feed.send("A01", a_patient(), a_visit())
    feed.send("A01", a_patient("Roe", number="2"), somewhere)
    feed.send("A01", a_patient("Poe", number="3"), replace(a_visit("V3"), location=Location()))
    assert census.places() == {Location("4B"), Location("5C", "7")}
    feed.send("A03", a_patient("Roe", number="2"), somewhere)
    assert census.places() == {Location("4B")}
    census.put_worklist(
        answer(item(a_patient("Lee", number="99"), visit=a_visit("V7", "Day clinic")))
    )
    assert census.places() == {Location("4B"), Location("Day clinic")}


def test_a_repeat_changes_nothing_and_is_accepted(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    feed = Feed(census, clock)
    message = feed.send("A01", a_patient(), a_visit())
    clock.advance(60)
    feed.send("A03", a_patient(), a_visit())
    before = census.find("")
    told: list[str] = []
    census.on_change(lambda: told.append("changed"))
    assert b"MSA|AA|M1" in feed.receiver.handle(message)
    assert census.find("") == before
    assert told == []


def test_a_control_id_that_is_used_again_is_another_message(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    for number in ("1", "2"):
        message = build_adt(
            "A01", a_patient(number=number), None, control_id="SAME", at=clock.now()
        )
        feed.receiver.handle(message)
    assert shown(census) == [("1", ""), ("2", "")]


def test_a_message_that_comes_late_takes_its_place_in_the_story(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A03", a_patient("Newer"), a_visit(), minutes_ago=10)
    feed.send("A01", a_patient("Older"), a_visit(), minutes_ago=60)
    (entry,) = census.find("")
    assert entry.patient.name.alphabetic.family == "Newer"
    assert entry.encounter is not None
    assert entry.encounter.state is EncounterState.CLOSED
    assert entry.encounter.admitted_at == clock.now() - timedelta(minutes=60)
    assert opened().find("") == (entry,)


def test_a_discharged_patient_leaves_the_list_in_time(opened: Opener, clock: FixedClock) -> None:
    census = opened(replace(FEED, closed_visible_hours=2))
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit())
    feed.send("A03", a_patient(), a_visit())
    clock.advance(2 * 3600 - 1)
    assert shown(census) == [("7", "V1")]
    clock.advance(1)
    assert shown(census) == []
    assert census.by_code("7") == ()
    assert census.count(Tab.WARD) == 0
    feed.send("A13", a_patient(), a_visit())
    assert shown(census) == [("7", "V1")]


def test_a_moved_patient_is_found_in_the_new_bed_alone(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit(ward="4B", bed="12"))
    feed.send("A02", a_patient(), a_visit(ward="Burns", bed="3"))
    assert shown(census, "4b") == []
    assert shown(census, "burns 3") == [("7", "V1")]
    assert census.count(Tab.ALL) == 1


def test_only_the_wards_of_the_settings_are_listed_but_a_scan_finds_all(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened(replace(FEED, wards=("4B",)))
    feed = Feed(census, clock)
    feed.send("A01", a_patient(number="1"), a_visit("V1", "4B"))
    feed.send("A01", a_patient(number="2"), a_visit("V2", "5C"))
    assert shown(census, tab=Tab.WARD) == shown(census, tab=Tab.ALL) == [("1", "V1")]
    assert [entry.patient.patient_id.value for entry in census.by_code("2")] == ["2"]
    feed.send("A02", a_patient(number="2"), a_visit("V2", "4B"))
    assert shown(census, tab=Tab.WARD) == [("1", "V1"), ("2", "V2")]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("7", ["7"]),
        ("7^^^HOSP^MR", ["7"]),
        ("]C07", ["7"]),
        ("7^^^OTHER", []),
        ("N1", []),  # another identifier of somebody, and of no authority that the bands carry
        ("N1^^^NHS", []),
        ("SHARED", []),
        ("8", []),
        ("07", []),
        ("", []),
    ],
)
def test_a_scanned_code_opens_the_holder_of_that_record_number_alone(
    opened: Opener, clock: FixedClock, code: str, found: list[str]
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send(
        "A01",
        a_patient(number="7", other_ids=(PatientId("N1", "NHS"), PatientId("SHARED", "A"))),
        a_visit("V1"),
    )
    feed.send("A01", a_patient(number="9", other_ids=(PatientId("SHARED", "B"),)), a_visit("V2"))
    assert [entry.patient.patient_id.value for entry in census.by_code(code)] == found


def test_a_band_of_somebody_not_listed_opens_no_holder_of_the_same_number_elsewhere(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    other = PatientId("1001", "CLINIC", "", "", "MR")
    Feed(census, clock).send("A01", a_patient(number="2002", other_ids=(other,)), a_visit())
    assert census.by_code("1001") == ()
    assert [e.patient.patient_id.value for e in census.by_code("2002")] == ["2002"]


def test_a_mothers_band_opens_the_mother_and_never_her_baby(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    mother = PatientId("M1", "HOSP", "", "", "MO")
    feed.send("A01", a_patient("Baby", "Girl", number="N1", other_ids=(mother,)), a_visit("VN"))
    assert census.by_code("M1") == ()
    feed.send("A01", a_patient("Doe", "Jane", number="M1"), a_visit("VM"))
    assert [e.patient.name.alphabetic.family for e in census.by_code("M1")] == ["Doe"]
    assert [e.patient.name.alphabetic.family for e in census.by_code("N1")] == ["Baby"]


def test_an_authority_is_known_by_its_namespace_or_its_oid(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened(replace(FEED, assigning_authority="1.2.3"))
    feed = Feed(census, clock, replace(FEED, assigning_authority="1.2.3"))
    number = PatientId("7", "HOSP", "1.2.3", "ISO", "MR")
    feed.send("A01", replace(a_patient(), patient_id=number), a_visit())
    assert len(census.by_code("7")) == len(census.by_code("7^^^HOSP&1.2.3&ISO^MR")) == 1
    assert census.by_code("7^^^HOSP&9.9.9&ISO^MR") == ()


def test_a_number_is_found_beside_the_record_number_until_it_is_taken_away(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(other_ids=(PatientId("OLD", "NHS"),)), a_visit())
    feed.send("A08", a_patient(other_ids=(PatientId("NEW", "NHS"),)), a_visit())
    assert census.lookup("OLD") == ()
    assert len(census.lookup("NEW")) == 1


def test_recent_patients_come_in_the_order_in_which_they_were_opened(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    for number in "123":
        feed.send("A01", a_patient(number=number), a_visit())
    assert shown(census, tab=Tab.RECENT) == []
    for number in "1321":
        census.note_opened(PatientId(number, "HOSP"))
    assert [number for number, _ in shown(census, tab=Tab.RECENT)] == ["1", "2", "3"]
    assert [number for number, _ in shown(census, "doe", tab=Tab.RECENT)] == ["1", "2", "3"]
    assert shown(census, "zz", tab=Tab.RECENT) == []
    assert census.count(Tab.RECENT) == 3


def test_the_status_tells_quiet_from_never_heard(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    begun = clock.now()
    (status,) = census.feed_status()
    assert (status.name, status.source, status.connected) == (ADT, FeedSource.ADT, None)
    assert (status.last_message_at, status.age_seconds, status.count) == (None, None, 0)
    assert status.incomplete_since == begun
    clock.advance(60)
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit())
    clock.advance(30)
    (status,) = opened().feed_status()
    assert (status.age_seconds, status.count, status.incomplete_since) == (30.0, 1, begun)


def test_without_a_feed_in_the_settings_there_are_no_patients_of_it(
    opened: Opener, clock: FixedClock
) -> None:
    Feed(opened(), clock).send("A01", a_patient(), a_visit())
    census = opened(None)
    assert shown(census) == []
    assert census.feed_status() == ()
    assert not census.refresh()


def test_other_settings_read_the_same_messages_anew(opened: Opener, clock: FixedClock) -> None:
    nhs = PatientId("N1", "NHS", "", "", "MR")
    feed = Feed(opened(), clock)
    feed.send("A01", a_patient(other_ids=(nhs,)), a_visit(), minutes_ago=30)
    by_nhs = replace(FEED, assigning_authority="NHS")
    census = opened(by_nhs)
    assert shown(census) == [("N1", "V1")]
    Feed(census, clock, by_nhs).send("A02", a_patient(other_ids=(nhs,)), a_visit(ward="5C"))
    late = Feed(census, clock, by_nhs)
    late.send("A08", a_patient("Late", other_ids=(nhs,)), a_visit(ward="9Z"), minutes_ago=20)
    (entry,) = opened(by_nhs).find("")
    assert entry.encounter is not None
    assert entry.encounter.location.ward == "5C"


def test_states_that_an_earlier_version_kept_are_made_anew_from_the_messages(
    opened: Opener, clock: FixedClock, tmp_path: Path
) -> None:
    Feed(opened(), clock).send("A01", a_patient(number="7"), a_visit("V7"))
    Feed(opened(), clock).send("A01", a_patient(number="8"), a_visit("V8"))
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        rows = connection.execute(
            "SELECT event_id, patient_key FROM events WHERE state IS NOT NULL"
        ).fetchall()
        assert len(rows) == 2
        for event_id, patient_key in rows:  # a layout that cannot be read any more
            sealed = CIPHER.seal_blob(b'["2024-07-02",[]]', b"census state " + patient_key)
            connection.execute("UPDATE events SET state = ? WHERE event_id = ?", (sealed, event_id))
        connection.execute("UPDATE census SET reading = 'of an earlier version'")
    assert shown(opened()) == [("7", "V7"), ("8", "V8")]
    assert shown(opened()) == [("7", "V7"), ("8", "V8")]  # from the states that were made


@pytest.mark.expects_log("stored-message-unreadable")
def test_messages_that_other_settings_cannot_read_are_told_not_dropped(
    opened: Opener, clock: FixedClock
) -> None:
    Feed(opened(), clock).send("A01", a_patient(), a_visit())
    census = opened(replace(FEED, assigning_authority="ELSEWHERE"))
    assert shown(census) == []
    assert census.feed_status()[0].problem.startswith("1 stored message cannot")
    assert shown(opened()) == [("7", "V1")]


def test_no_patient_stands_in_clear_on_disk(
    opened: Opener, clock: FixedClock, tmp_path: Path
) -> None:
    census = opened()
    feed = Feed(census, clock)
    patient = a_patient("Canary", "Carla", number="CANARYMRN", born=date(1901, 3, 4))
    feed.send("A01", patient, a_visit("CANARYVISIT", "CANARYWARD"))
    feed.receiver.handle(b"CANARY no message at all")
    feed.receiver.handle(b"MSH|^~\\&|A|B|||1||ADT^A99|CANARYID|P|2.5\rPID|||CANARYMRN")
    assert len(census.dead_letters()) == 2
    assert census.dead_letters()[1].message == b"CANARY no message at all"
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (b"anary", b"ANARY", b"Carla", b"19010304", b"1901-03-04"):
        assert secret not in on_disk


def test_another_key_opens_nothing(opened: Opener, clock: FixedClock) -> None:
    Feed(opened(), clock).send("A01", a_patient(), a_visit())
    with pytest.raises(SealBrokenError):
        opened(cipher=Cipher(b"x" * 32))


def test_a_census_of_a_later_version_is_left_alone(opened: Opener, tmp_path: Path) -> None:
    opened().close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(NewerDatabaseError):
        opened()


@pytest.mark.expects_log("feed-message-not-stored")
def test_what_cannot_be_stored_is_not_acknowledged(
    opened: Opener, clock: FixedClock, tmp_path: Path
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit())
    connection = census._db.read()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")  # a disk without room
    refused = [
        answer
        for number in range(100, 120)
        if b"MSA|AA" not in (answer := feed.receiver.handle(_message(str(number), clock)))
    ]
    assert refused
    assert all(b"|The disk is full" in answer and b"MSA|AE|" in answer for answer in refused)
    assert len(opened().find("")) == len(census.find("")) == 21 - len(refused)


def _message(number: str, clock: FixedClock) -> bytes:
    patient = a_patient("Roe" * 19, number=number)
    return build_adt("A01", patient, a_visit(), control_id=number, at=clock.now())


@pytest.mark.expects_log("census-listener-failed")
def test_a_listener_that_fails_stops_nobody(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    told: list[str] = []

    def fails() -> None:
        told.append("first")
        raise ValueError

    census.on_change(fails)
    end = census.on_change(lambda: told.append("second"))
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit())
    end()
    feed.send("A03", a_patient(), a_visit())
    assert told == ["first", "second", "first"]


def test_a_patient_who_left_but_is_expected_is_listed(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit())
    feed.send("A11", a_patient(given="Joan"), a_visit())
    assert census.find("") == ()
    census.put_worklist(answer(item(a_patient(given="J."))))
    (entry,) = census.find("")
    assert entry.patient.name.pn == "Doe^Joan"  # the admissions feed knows better
    assert entry.source is FeedSource.WORKLIST


def test_patients_who_left_long_ago_are_forgotten_with_all_that_was_said(
    opened: Opener, clock: FixedClock, tmp_path: Path
) -> None:
    census = opened()
    feed = Feed(census, clock)
    shared = (PatientId("N1", "NHS"),)
    feed.send("A01", a_patient(number="gone", other_ids=shared), a_visit())
    feed.send("A03", a_patient(number="gone", other_ids=shared), a_visit())
    feed.send("A01", a_patient(number="here", given="Joan"), a_visit())
    feed.send("A28", a_patient(number="person"))
    feed.receiver.handle(b"noise")
    clock.advance(80 * 86_400)
    assert census.forget_long_gone() == 0
    clock.advance(11 * 86_400)
    feed.send("A28", a_patient(number="new", family="Zed"))  # the first of a day tidies up
    assert shown(census) == shown(opened()) == [("here", "V1"), ("new", "")]
    assert census.lookup("N1") == ()
    assert census.dead_letters() == ()
    assert census.feed_status()[0].count == 2
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        (events,) = connection.execute("SELECT count(*) FROM events").fetchone()
    connection.close()
    assert events == 3  # the last of then stays as the place of the next


def test_a_clock_that_was_set_forward_forgets_nobody(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(number="here"), a_visit())
    feed.send("A03", a_patient(number="here"), a_visit())
    clock.confirmed = False
    clock.advance(400 * 86_400)
    feed.send("A28", a_patient(number="new", family="Zed"))
    assert census.feed_status()[0].count == 2
    clock.confirmed = True
    clock.advance(86_400)
    feed.send("A28", a_patient(number="newer", family="Zet"))
    assert census.feed_status()[0].count == 2


def test_a_number_of_half_the_hospital_chooses_nobody_and_does_not_flood(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    filler = (PatientId("999999999", "NHS"),)
    for number in range(150):
        feed.send("A28", a_patient(number=str(number), other_ids=filler))
    assert 1 < len(census.lookup("999999999")) <= 100
    assert census.by_code("999999999") == ()


def test_each_patient_has_one_state_and_every_message_is_kept(
    opened: Opener, clock: FixedClock, tmp_path: Path
) -> None:
    feed = Feed(opened(), clock)
    for number in "12":
        for event in ("A01", "A08", "A02"):
            feed.send(event, a_patient(number=number), a_visit())
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        counts = connection.execute("SELECT count(*), count(state) FROM events").fetchone()
    connection.close()
    assert counts == (6, 2)
