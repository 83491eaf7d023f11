"""One damaged cell of census.db stops itself only: the list, the start and the feed go on."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import SealBrokenError
from capture_app.model.patient import PatientId
from capture_app.patients.census.census import DATABASE, Census, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Institution, Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.adt_said import ADMITTED, DOE, NOW, ROE, said

FEED = AdtFeed(assigning_authority="HOSP", port=1, zone="UTC")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def opened(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Census]]:
    made: list[Census] = []

    def open_one(key: bytes = b"k" * 32) -> Census:
        settings = Settings(data_dir=tmp_path, adt=FEED)
        made.append(open_census(tmp_path, Cipher(key), clock, settings))
        return made[-1]

    yield open_one
    for census in made:
        census.close()


def tell(census: Census, clock: FixedClock, *messages: bytes) -> None:
    receiver = AdtReceiver(census, FEED, clock)
    for message in messages:
        assert b"MSA|A" in receiver.handle(message)


def spoil(folder: Path, table: str, cell: str, row: int, value: object = b"spoilt") -> None:
    with sqlite3.connect(folder / DATABASE) as connection:
        name = "event_id" if table == "events" else "dead_letter_id"
        connection.execute(f"UPDATE {table} SET {cell} = ? WHERE {name} = ?", (value, row))  # noqa: S608 - names are ours
    connection.close()


def numbers(census: Census) -> list[str]:
    return [entry.patient.patient_id.value for entry in census.find("")]


@pytest.mark.expects_log("census-state-damaged", "row-put-right")
def test_a_damaged_state_is_made_again_from_its_messages(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path
) -> None:
    first = opened()
    tell(first, clock, ADMITTED, said("A01", "0900", pid=ROE, visit="V2"))
    spoil(tmp_path, "events", "state", 1)
    second = opened()
    assert second.find("") == first.find("")
    assert second.feed_status()[0].problem == ""
    assert opened().find("") == first.find("")  # and it was mended: nothing more is logged


@pytest.mark.expects_log("row-put-right")
def test_a_lost_state_is_made_again_from_its_messages(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path
) -> None:
    first = opened()
    tell(first, clock, ADMITTED, said("A01", "0900", pid=ROE, visit="V2"))
    spoil(tmp_path, "events", "state", 1, None)
    assert opened().find("") == first.find("")
    assert opened().find("") == first.find("")


@pytest.mark.parametrize("row", [1, 2, 3])
@pytest.mark.expects_log("row-put-right")
def test_after_a_damaged_place_the_feed_goes_on_and_nobody_is_lost(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path, row: int
) -> None:
    """No other message could follow the largest number there is."""
    first = opened()
    moved = said("A02", "0930", place="9Z")
    tell(first, clock, ADMITTED, said("A01", "0900", pid=ROE, visit="V2"), moved)
    spoil(tmp_path, "events", "event_id", row, 2**63 - 1)
    second = opened()
    assert second.find("") == first.find("")
    tell(second, clock, said("A08", "1000", pid=ROE, visit="V2"), ADMITTED)
    assert sorted(numbers(second)) == sorted(numbers(first))
    assert opened().find("") == second.find("")


@pytest.mark.expects_log("census-state-damaged")
def test_a_state_that_another_process_wrote_damaged_is_made_here(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path
) -> None:
    writer, reader = opened(), opened()
    tell(writer, clock, ADMITTED)
    spoil(tmp_path, "events", "state", 1)
    assert reader.refresh()
    assert reader.find("") == writer.find("")


@pytest.mark.expects_log("census-row-damaged")
@pytest.mark.parametrize("row", [1, 2])
def test_a_state_that_says_more_than_the_messages_that_are_left_stays(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path, row: int
) -> None:
    """Of a number that was changed either message may be the one that is lost."""
    census = opened()
    change = said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
    tell(census, clock, said("A01", "0800", pid=DOE.replace("1001", "9999")), change)
    whole = census.find("")
    spoil(tmp_path, "events", "message", row)
    assert census.rebuild() == 1
    assert census.find("") == opened().find("") == whole
    tell(census, clock, said("A02", "1000", place="5C^1"))
    (entry,) = opened().find("")
    assert entry.patient == whole[0].patient
    assert entry.encounter is not None
    assert entry.encounter.location.ward == "5C"


@pytest.mark.expects_log("census-row-damaged", "census-state-damaged")
def test_a_damaged_message_is_set_apart_counted_and_named(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path
) -> None:
    census = opened()
    tell(census, clock, ADMITTED, said("A08", "0900"), said("A01", "0900", pid=ROE, visit="V2"))
    spoil(tmp_path, "events", "message", 3)
    assert numbers(census) == numbers(opened()) == ["1001", "1002"]
    whole = census.find("")
    assert census.rebuild() == 2  # the state of 1002 was made when the message was whole
    assert census.find("") == opened().find("") == whole
    spoil(tmp_path, "events", "state", 3)
    assert census.rebuild() == 1  # nothing else says who 1002 is
    assert numbers(census) == ["1001"]
    status = census.feed_status()[0]
    assert status.damaged == (("events", 3),)
    assert "events 3" in status.problem
    assert "Have the sender repeat its messages" in status.problem
    assert "Roe" not in status.problem


@pytest.mark.expects_log("census-row-damaged")
@pytest.mark.parametrize("cell", ["message", "received_at"])
def test_a_damaged_message_does_not_keep_a_late_one_out(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path, cell: str
) -> None:
    census = opened()
    tell(census, clock, said("A01", "0600"), said("A08", "0730"))
    spoil(tmp_path, "events", cell, 1, "no time" if cell == "received_at" else b"spoilt")
    tell(census, clock, said("A08", "0700", pid=DOE.replace("Jane", "Late")))
    assert numbers(census) == ["1001"]


@pytest.mark.expects_log("census-row-damaged")
def test_a_damaged_dead_letter_hides_no_other(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path
) -> None:
    census = opened()
    tell(census, clock, b"noise one", b"noise two")
    spoil(tmp_path, "dead_letters", "message", 1)
    assert [letter.message for letter in census.dead_letters()] == [b"noise two"]
    assert "dead_letters 1" in census.feed_status()[0].problem


@pytest.mark.expects_log("census-row-damaged")
@pytest.mark.parametrize(
    ("table", "letters"), [("events", [b"noise"]), ("events", []), ("dead_letters", [b"noise"])]
)
def test_a_damaged_time_of_arrival_leaves_the_age_of_the_feed(
    opened: Callable[..., Census],
    clock: FixedClock,
    tmp_path: Path,
    table: str,
    letters: list[bytes],
) -> None:
    tell(opened(), clock, ADMITTED, said("A01", "0900", pid=ROE, visit="V2"), *letters)
    spoil(tmp_path, table, "received_at", 2 if table == "events" else 1, "zz")
    (status,) = opened().feed_status()
    assert status.last_message_at == clock.now()
    assert status.count == 2


@pytest.mark.expects_log("census-row-damaged")
def test_a_census_whose_beginning_is_damaged_began_with_its_first_message(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path
) -> None:
    tell(opened(), clock, ADMITTED)
    began = clock.now()
    clock.advance(3600)
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("UPDATE census SET created_at = 'zz'")
    connection.close()
    for _ in range(2):
        (status,) = opened().feed_status()
        assert (status.incomplete_since, status.count) == (began, 1)


def test_a_damaged_check_of_the_key_is_put_right_by_what_the_key_opens(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path
) -> None:
    tell(opened(), clock, ADMITTED)
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("UPDATE census SET key_check = 'zz'")
    connection.close()
    with pytest.raises(SealBrokenError, match="another key"):
        opened(key=b"x" * 32)
    assert numbers(opened()) == ["1001"]
    with pytest.raises(SealBrokenError, match="another key"):
        opened(key=b"x" * 32)


def test_another_key_is_said_and_nothing_is_taken_for_damaged(
    opened: Callable[..., Census], clock: FixedClock
) -> None:
    tell(opened(), clock, ADMITTED)
    with pytest.raises(SealBrokenError, match="another key"):
        opened(key=b"x" * 32)
    assert numbers(opened()) == ["1001"]


def test_states_of_other_settings_are_never_believed(tmp_path: Path, clock: FixedClock) -> None:
    """One process has the wrong issuer until the evening, the other one the right one."""
    feed = AdtFeed(port=1)
    opened: list[Census] = []

    def open_with(issuer: str) -> Census:
        institution = Institution(issuer_of_patient_id=issuer)
        settings = Settings(data_dir=tmp_path, adt=feed, institution=institution)
        opened.append(open_census(tmp_path, Cipher(b"k" * 32), clock, settings))
        return opened[-1]

    def issuers(census: Census) -> list[str]:
        return [entry.patient.patient_id.issuer for entry in census.find("")]

    def bare(number: str) -> bytes:
        return said("A01", f"080{number}", pid=f"{number}^^^^MR||Doe^Jane||19560714|F")

    serving = open_with("WRONG")
    receiver = AdtReceiver(serving, feed, clock)
    assert b"MSA|AA" in receiver.handle(bare("1"))
    window = open_with("RIGHT")
    assert issuers(window) == ["RIGHT"]
    assert b"MSA|AA" in receiver.handle(bare("2"))
    assert window.refresh()
    assert issuers(window) == ["RIGHT", "RIGHT"]
    assert issuers(open_with("RIGHT")) == ["RIGHT", "RIGHT"]
    # What is said on of one patient stands under another key than what was said before.
    update = said("A31", "0900", pid="1^^^^MR||Roe^Janet||19560714|F", has_visit=False)
    assert b"MSA|AA" in receiver.handle(update)
    assert window.refresh()
    renamed = [entry for entry in window.find("") if entry.patient.name.pn == "Roe^Janet"]
    assert [entry.encounter and entry.encounter.location.ward for entry in renamed] == ["4B"]
    move = said("A02", "1000", pid="1^^^^MR||Roe^Janet||19560714|F", place="5C")
    assert b"MSA|AA" in AdtReceiver(window, feed, clock).handle(move)
    late = said("A02", "0830", pid="1^^^^MR||Roe^Janet||19560714|F", place="6D")
    assert b"MSA|AA" in AdtReceiver(window, feed, clock).handle(late)
    admitted = window.find("Roe")[0].encounter
    assert admitted is not None
    assert admitted.admitted_at is not None
    assert admitted.location.ward == "5C"
    assert open_with("RIGHT").find("") == window.find("")
    for census in opened:
        census.close()


def test_an_authority_is_the_same_by_its_oid_and_by_its_namespace(
    tmp_path: Path, clock: FixedClock
) -> None:
    feed = AdtFeed(assigning_authority="1.2.3", port=1)
    institution = Institution(same_authorities=("HOSP=1.2.3",))
    settings = Settings(data_dir=tmp_path, adt=feed, institution=institution)
    census = open_census(tmp_path, Cipher(b"k" * 32), clock, settings)
    receiver = AdtReceiver(census, feed, clock)
    for at, authority in (("0800", "&1.2.3&ISO"), ("0900", "HOSP&1.2.3&ISO"), ("1000", "HOSP")):
        message = said("A08", at, pid=f"1001^^^{authority}^MR||Doe^At{at}||19560714|F")
        assert b"MSA|AA" in receiver.handle(message)
    (entry,) = census.find("")
    census.close()
    number = entry.patient.patient_id
    assert (number.issuer, number.universal_id, number.universal_id_type) == (
        *("HOSP", "1.2.3"),
        "ISO",
    )
    assert entry.patient.name.alphabetic.given == "At1000"


_OF_THE_STATE = pytest.mark.expects_log("row-put-right", "census-state-damaged")
_OF_AN_EARLIER_ONE = pytest.mark.expects_log("row-put-right")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(1, marks=_OF_AN_EARLIER_ONE),
        pytest.param(2, marks=_OF_THE_STATE),
        pytest.param(3, marks=_OF_THE_STATE),
    ],
)
@pytest.mark.parametrize("value", [b"", b"spoilt"])
def test_a_message_that_is_nobodys_by_damage_finds_its_patient_again(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path, row: int, value: bytes
) -> None:
    first = opened()
    moved = said("A02", "0930", place="9Z")
    tell(first, clock, ADMITTED, said("A01", "0900", pid=ROE, visit="V2"), moved)
    spoil(tmp_path, "events", "patient_key", row, value)
    second = opened()
    assert second.find("") == first.find("")
    tell(second, clock, said("A08", "1000", pid=ROE, visit="V2"), ADMITTED)
    assert opened().find("") == second.find("")


LATE = {
    "an update before it": (
        (said("A01", "0800"),),
        said("A08", "0730", pid=DOE.replace("Jane", "Jo"), place="3A"),
        ("Doe^Jane", "open", "4B", True),
    ),
    "the cancel of it": ((said("A01", "0800"),), said("A11", "0900"), ("Doe^Jane", "", "", False)),
    "the cancel of the discharge that it was": (
        (said("A03", "0900"), said("A01", "0800")),
        said("A13", "1000"),
        ("Doe^Jane", "open", "4B", True),
    ),
    "a transfer before the discharge that it was": (
        (said("A03", "0900"), said("A01", "0800")),
        said("A02", "0830", place="5C"),
        ("Doe^Jane", "closed", "5C", True),
    ),
    "another number": (
        (said("A01", "0800", pid=DOE.replace("1001", "9999")),),
        said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR"),
        ("Doe^Jane", "open", "4B", True),
    ),
    "a visit of its own": (
        (said("A01", "0800"),),
        said("A03", "0730", visit="V2", place="DERM"),
        ("Doe^Jane", "open", "4B", True),
    ),
}


@pytest.mark.expects_log("census-row-damaged")
@pytest.mark.parametrize("name", LATE)
def test_a_late_message_takes_nothing_away_that_only_a_damaged_one_said(
    opened: Callable[..., Census], clock: FixedClock, tmp_path: Path, name: str
) -> None:
    messages, late, right = LATE[name]
    census = opened()
    tell(census, clock, *messages)
    spoil(tmp_path, "events", "message", 1)
    tell(census, clock, late)
    for again in (census, opened()):
        now = again.person(PatientId("1001", "HOSP"))
        assert now is not None
        visits = {visit.visit_number: visit for visit in now.visits if not visit.state.is_gone}
        visit = visits.get("V1")
        assert (
            now.patient.name.pn,
            str(visit.state) if visit else "",
            visit.location.ward if visit else "",
            bool(visit and visit.admitted_at),
        ) == right
        assert now.patient.birth_date is not None
        assert ("V2" in visits) == (b"V2" in late)
