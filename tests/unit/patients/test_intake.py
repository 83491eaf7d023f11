"""What senders of the feed may put on the disk in a day, each and all; dead letters by bytes."""

import shutil
import sqlite3
from typing import Any

import pytest
from structlog.testing import capture_logs

from capture_app.clock import FixedClock
from capture_app.model.worklist import Doubt
from capture_app.patients.census import dead_letters, intake
from capture_app.patients.census.census import Census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from tests.unit.patients.feeding import Opener

FEED = AdtFeed(assigning_authority="HOSP", port=1, max_mb_per_day=2, max_mb_per_day_of_a_sender=1)
ENGINE, STRANGER = "10.0.0.5", "10.0.0.66"
TOO_MUCH = b"More was sent today than the settings allow"
LONG = "X" * 98_000
"""With the rest of its message and its share of the overhead: ten are more than a sender may."""


def admission(number: int, padding: str = "") -> bytes:
    return (
        f"MSH|^~\\&|ADT|HOSP|||20240702080000||ADT^A01|ID{number}|P|2.5.1||||||UNICODE UTF-8\r"
        f"EVN|A01|20240702080000\rPID|1||{number}^^^HOSP^MR||Doe^J||19560714|F\r"
        f"PV1|1|I|4B^12||||||||||||||||V{number}\rNTE|1||{padding}\r"
    ).encode()


def noise(number: int, size: int = 100_000) -> bytes:
    return f"noise {number} ".encode().ljust(size, b"x")


@pytest.fixture
def census(opened: Opener) -> Census:
    return opened(FEED)


@pytest.fixture
def receiver(census: Census, clock: FixedClock) -> AdtReceiver:
    return AdtReceiver(census, FEED, clock)


def rows(census: Census) -> int:
    return len(census.dead_letters(1000)) + len(census.find("", limit=1000))


@pytest.mark.parametrize("make", [lambda n: admission(n, LONG), noise])
def test_a_stranger_takes_no_more_of_the_disk_than_a_sender_may(
    receiver: AdtReceiver, census: Census, make: Any
) -> None:
    with capture_logs() as entries:
        answers = [receiver.handle(make(number), STRANGER) for number in range(30)]
    assert not any(TOO_MUCH in answer for answer in answers[:9])
    assert all(TOO_MUCH in answer and b"MSA|AE" in answer for answer in answers[10:])
    assert rows(census) <= 10
    (status,) = census.feed_status()
    assert STRANGER in status.problem
    said = [entry for entry in entries if entry["event"] == "feed-sender-sent-too-much"]
    assert [entry["peer"] for entry in said] == [STRANGER]  # once a day
    # The hospital's own sender goes on.
    assert b"MSA|AA" in receiver.handle(admission(999), ENGINE)


@pytest.mark.expects_log("feed-message-not-stored", "feed-sender-sent-too-much")
def test_small_messages_count_with_what_they_take_beside_their_bytes(
    receiver: AdtReceiver, census: Census
) -> None:
    answers = [receiver.handle(b"%d" % number, STRANGER) for number in range(600)]
    assert rows(census) == 1_000_000 // (intake.OVERHEAD_BYTES + 3)
    assert TOO_MUCH in answers[-1]


@pytest.mark.expects_log("feed-message-not-stored", "feed-sender-sent-too-much")
def test_all_strangers_together_have_a_total(receiver: AdtReceiver, census: Census) -> None:
    for stranger in range(6):
        for number in range(6):
            receiver.handle(noise(stranger * 100 + number), f"10.0.1.{stranger}")
    assert rows(census) == 19  # of 2 MB
    (status,) = census.feed_status()
    assert "More was sent than is taken in a day" in status.problem


@pytest.mark.expects_log("feed-message-not-stored", "feed-sender-sent-too-much")
def test_addresses_of_one_ipv6_network_are_one_sender(
    receiver: AdtReceiver, census: Census
) -> None:
    for number in range(30):
        receiver.handle(noise(number), f"fd00::{number + 1:x}")
    assert rows(census) == 9


def test_repeats_cost_nothing(receiver: AdtReceiver, census: Census) -> None:
    """A sender with a message that is refused sends it again and again: its others are taken."""
    for _ in range(30):
        receiver.handle(noise(1), ENGINE)
        assert b"MSA|AA" in receiver.handle(admission(1, LONG), ENGINE)
    assert b"MSA|AA" in receiver.handle(admission(2), ENGINE)
    assert rows(census) == 3


@pytest.mark.expects_log("feed-message-not-stored", "feed-sender-sent-too-much")
def test_neither_a_restart_nor_another_process_begins_anew_and_the_next_day_does(
    receiver: AdtReceiver, census: Census, opened: Opener, clock: FixedClock
) -> None:
    for number in range(12):
        receiver.handle(noise(number), STRANGER)
    again = AdtReceiver(opened(FEED), FEED, clock)
    assert TOO_MUCH in again.handle(noise(20), STRANGER)
    clock.advance(86_400)
    assert TOO_MUCH not in again.handle(noise(20), STRANGER)
    (status,) = census.feed_status()
    assert status.problem == ""


@pytest.mark.expects_log("feed-message-not-stored")
def test_the_feed_never_takes_the_room_that_the_shutter_needs(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nearly_full(_folder: object) -> Any:
        return shutil._ntuple_diskusage(10**12, 10**12 - 10**8, 10**8)

    monkeypatch.setattr(shutil, "disk_usage", nearly_full)
    for message in (admission(1), b"noise"):
        answer = receiver.handle(message, STRANGER)
        assert b"MSA|AE" in answer
        assert b"kept for pictures" in answer
    monkeypatch.undo()
    assert rows(census) == 0
    assert b"MSA|AA" in receiver.handle(admission(1), STRANGER)


def test_dead_letters_are_bounded_by_bytes_and_a_strangers_push_out_nobody_elses(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MOST_DEAD_BYTES", 200_000)
    receiver.handle(noise(0, 10_000), ENGINE)
    for number in range(1, 50):
        receiver.handle(noise(number, 15_000), STRANGER)
    kept = census.dead_letters(1000)
    assert sum(len(letter.message) for letter in kept) <= 200_000
    assert len(kept) > 10
    assert noise(0, 10_000) in [letter.message for letter in kept]
    assert noise(49, 15_000) in [letter.message for letter in kept]


def test_dead_letters_are_bounded_by_number_and_a_strangers_push_out_nobody_elses(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MOST_DEAD_LETTERS", 10)
    for number in range(3):
        receiver.handle(noise(number, 1_000), ENGINE)
    for number in range(100, 150):
        receiver.handle(noise(number, 20), STRANGER)
    kept = {letter.message[:9] for letter in census.dead_letters(1000)}
    assert len(kept) == 10
    assert {b"noise 0 x", b"noise 1 x", b"noise 2 x", b"noise 149"} <= kept


def test_a_full_box_is_not_gone_through_letter_by_letter_for_each_new_one(
    receiver: AdtReceiver, census: Census
) -> None:
    """Sorting ten thousand of them for each message would take the feed a tenth of a second."""
    receiver.handle(noise(0, 10), STRANGER)
    with census._db.transaction() as connection:
        for statement, given in (
            (dead_letters._OLDEST_OF, (STRANGER,)),
            (dead_letters._DELETE, (1,)),
        ):
            plan = connection.execute("EXPLAIN QUERY PLAN " + statement, given).fetchall()
            steps = [step for *_, step in plan]
            assert all(step.startswith("SEARCH dead_letters") for step in steps), steps


def test_what_is_in_the_box_is_counted_once_and_again_where_something_else_changed_it(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MOST_DEAD_LETTERS", 5)
    counted: list[int] = []
    count_anew = dead_letters._Held.count_anew

    def noted(held: dead_letters._Held, connection: sqlite3.Connection) -> None:
        counted.append(1)
        count_anew(held, connection)

    monkeypatch.setattr(dead_letters._Held, "count_anew", noted)
    for number in range(30):
        receiver.handle(noise(number, 10), STRANGER)
    assert (len(counted), len(census.dead_letters())) == (0, 5)
    census.forget_long_gone()
    receiver.handle(noise(31, 10), STRANGER)
    assert (len(counted), len(census.dead_letters())) == (1, 5)
    with census._db.transaction() as connection:  # another process, as this one did not lead
        connection.execute("DELETE FROM dead_letters")
    for number in range(40, 50):
        receiver.handle(noise(number, 10), STRANGER)
    assert len(census.dead_letters()) == 5


def test_each_refused_merge_is_read_once_however_many_follow(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    persons = type(census.reader).persons_of_merge

    def noted(reader: Any, raw: bytes) -> Any:
        read.append(raw)
        return persons(reader, raw)

    monkeypatch.setattr(type(census.reader), "persons_of_merge", noted)
    merges = [
        admission(number).replace(b"^A01|", b"^A43|") + b"MRG|%d^^^HOSP^MR\r" % (number + 500)
        for number in range(20)
    ]
    for number in (0, 19):
        receiver.handle(admission(number), ENGINE)
    for raw in merges:
        assert b"MSA|AE" in receiver.handle(raw, ENGINE)
    assert sorted(read) == sorted(merges)
    for number in (0, 19):
        (entry,) = census.lookup(str(number))
        assert Doubt.MERGE_REFUSED in entry.doubts


def test_a_merge_that_was_pushed_out_marks_nobody_any_more(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MOST_DEAD_LETTERS", 2)
    for number in range(4):
        receiver.handle(admission(number), ENGINE)
        receiver.handle(admission(number).replace(b"^A01|", b"^A43|"), ENGINE)
    marked = [Doubt.MERGE_REFUSED in census.lookup(str(n))[0].doubts for n in range(4)]
    assert marked == [False, False, True, True]


def test_no_noise_of_its_sender_pushes_out_a_merge_that_waits(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feed that sends what nobody here takes, such as the state of every bed, fills the box."""
    monkeypatch.setattr(dead_letters, "MOST_DEAD_LETTERS", 3)
    receiver.handle(admission(1), ENGINE)
    assert b"MSA|AE" in receiver.handle(admission(1).replace(b"^A01|", b"^A43|"), ENGINE)
    for number in range(2, 9):
        assert b"MSA|AR" in receiver.handle(admission(number).replace(b"^A01|", b"^A20|"), ENGINE)
    assert len(census.dead_letters()) == 3
    (waiting,) = census.merges()
    census.refresh()
    assert Doubt.MERGE_REFUSED in census.lookup("1")[0].doubts
    census.settle_merge(waiting)
    receiver.handle(admission(9).replace(b"^A01|", b"^A20|"), ENGINE)
    assert waiting not in {letter.dead_letter_id for letter in census.dead_letters()}


@pytest.mark.parametrize("damage", [2**63 - 1, -7])
def test_a_damaged_count_stops_no_sender_and_is_counted_anew(
    receiver: AdtReceiver, census: Census, damage: int
) -> None:
    receiver.handle(admission(1), ENGINE)
    with census._db.transaction() as connection:
        connection.execute("UPDATE intake SET bytes = ?", (damage,))
    assert b"MSA|AA" in receiver.handle(admission(2), ENGINE)
    counted = census._db.read().execute("SELECT bytes FROM intake").fetchall()
    assert all(0 < size < 10_000 for (size,) in counted)
