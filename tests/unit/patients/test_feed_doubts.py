"""Two patients in one story, and clocks that disagree: what is doubted, noted and told."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from capture_app.clock import FixedClock
from capture_app.model.encounter import EncounterState
from capture_app.model.worklist import Doubt
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.adt_said import ADMITTED, DOE, FEED, NOW, OPEN, ROE, said, send, told


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def opened(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[[str], Census]]:
    made: list[Census] = []

    def open_one(name: str = "one") -> Census:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        settings = Settings(data_dir=folder, adt=FEED)
        made.append(open_census(folder, Cipher(b"k" * 32), clock, settings))
        return made[-1]

    yield open_one
    for census in made:
        census.close()


# ---------------------------------------------------------------------------- two at once


def doubts(census: Census) -> dict[str, set[Doubt]]:
    return {entry.patient.patient_id.value: set(entry.doubts) for entry in census.find("")}


def test_one_visit_number_on_two_patients_is_doubted_until_the_feed_resolves_it(
    opened: Callable[[str], Census],
) -> None:
    census = opened("one")
    send(census, ADMITTED, said("A01", "0900", pid=ROE, place="5C^1"))
    both = {Doubt.SHARED_VISIT_NUMBER}
    assert doubts(census) == {"1001": both, "1002": both}
    assert doubts(opened("one")) == {"1001": both, "1002": both}
    assert census.feed_status()[0].doubts == ((Doubt.SHARED_VISIT_NUMBER, 2),)
    send(census, said("A11", "1000", pid=ROE))
    assert doubts(census) == {"1001": set()}
    assert census.feed_status()[0].doubts == ()


def test_a_shared_bed_is_a_badge_and_a_note_and_nothing_else(
    opened: Callable[[str], Census],
) -> None:
    census = opened("one")
    send(census, ADMITTED, said("A01", "0900", pid=ROE, visit="V2"))
    assert doubts(census) == {"1001": {Doubt.SHARED_BED}, "1002": {Doubt.SHARED_BED}}
    assert len(census.by_code("1001")) == 1
    send(census, said("A03", "1000"))
    assert doubts(census)["1002"] == set()


def test_a_refused_merge_marks_both_rows_also_in_another_process_and_after_a_restart(
    opened: Callable[[str], Census],
) -> None:
    unknown = DOE.replace("1001", "9999").replace("Doe^Jane||19560714|F", "UNKNOWN^MALE|||M")
    census, other = opened("one"), opened("one")
    send(census, said("A01", "0800", pid=unknown, visit="V9", place="ED"), ADMITTED)
    other.refresh()
    merge = said("A40", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
    send(census, merge, answer=b"MSA|AE")
    both = {"1001": {Doubt.MERGE_REFUSED}, "9999": {Doubt.MERGE_REFUSED}}
    assert doubts(census) == both
    assert other.refresh()
    assert doubts(other) == doubts(opened("one")) == both
    assert not other.refresh()
    status = census.feed_status()[0]
    assert status.doubts == ((Doubt.MERGE_REFUSED, 2),)
    assert (status.dead_letters, status.refused_today) == (1, 1)


def test_a_refused_merge_marks_for_as_long_as_somebody_whom_it_names_is_here(
    opened: Callable[[str], Census], clock: FixedClock
) -> None:
    unknown = DOE.replace("1001", "9999").replace("Doe^Jane||19560714|F", "UNKNOWN^MALE|||M")
    census = opened("one")
    send(census, said("A01", "0800", pid=unknown, visit="V9", place="ED"), ADMITTED)
    merge = said("A40", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
    send(census, said("A03", "0930", pid=unknown, visit="V9", place="ED"))
    send(census, merge, b"noise", answer=b"MSA|A")
    clock.advance(100 * 86_400)
    assert census.forget_long_gone() == 1  # who was discharged; the other still lies there
    assert doubts(census) == doubts(opened("one")) == {"1001": {Doubt.MERGE_REFUSED}}
    assert len(census.dead_letters()) == 1, "the noise went"
    send(census, said("A03", "0940"))
    clock.advance(100 * 86_400)
    assert census.forget_long_gone() == 1
    assert census.dead_letters() == ()


def test_a_merge_that_a_person_settled_marks_nobody_in_no_process(
    opened: Callable[[str], Census],
) -> None:
    census, other = opened("one"), opened("one")
    send(census, ADMITTED, said("A01", "0805", pid=ROE, visit="V2", place="5C"))
    merges = [
        said("A40", f"09{minute:02}", has_visit=False, more="MRG|1002^^^HOSP^MR")
        for minute in (0, 1)
    ]
    send(census, *merges, answer=b"MSA|AE")
    other.refresh()
    first, second = census.merges()
    send(census, b"noise", b"more noise", answer=b"MSA|A")
    listed = census.feed_messages(3)  # those that wait come first, however many came since
    assert [message.merge and message.merge.number for message in listed] == [second, first, None]
    assert all(
        {number.value for number in message.merge.named} == {"1001", "1002"}
        for message in listed
        if message.merge is not None
    )
    other.settle_merge(first)
    census.refresh()
    assert doubts(census)["1001"] == {Doubt.MERGE_REFUSED}, "the other merge waits"
    other.settle_merge(second)
    assert census.refresh()
    assert doubts(census) == doubts(other) == doubts(opened("one"))
    assert doubts(census) == {"1001": set(), "1002": set()}
    assert len(census.dead_letters()) == 4, "it was refused all the same"
    assert {message.merge for message in census.feed_messages()} == {None}
    send(census, merges[0], answer=b"MSA|AE")  # the sender repeats what it was told
    assert doubts(census)["1001"] == set()


def test_a_number_that_becomes_another_patients_is_a_merge(opened: Callable[[str], Census]) -> None:
    census = opened("one")
    send(census, ADMITTED, said("A01", "0805", pid=ROE, visit="V2", place="5C"))
    change = said("A47", "0900", has_visit=False, more="MRG|1002^^^HOSP^MR")
    send(census, change, answer=b"MSA|AE")
    both = {"1001": {Doubt.MERGE_REFUSED}, "1002": {Doubt.MERGE_REFUSED}}
    assert doubts(census) == both


def test_the_old_number_opens_nobody_and_its_new_use_is_doubted(
    opened: Callable[[str], Census],
) -> None:
    census, other = opened("one"), opened("one")
    change = said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
    send(census, said("A01", "0800", pid=DOE.replace("1001", "9999")))
    other.refresh()
    send(census, change, change, change.replace(b"0900A47", b"again"))
    assert census.by_code("9999") == ()
    assert len(census.by_code("1001")) == 1
    other.refresh()
    assert told(other) == told(census) == {("1001", "V1"): OPEN}
    send(census, said("A01", "1000", pid=ROE.replace("1002", "9999"), visit="V2", place="5C"))
    assert doubts(census) == {"1001": set(), "9999": {Doubt.NUMBER_RETIRED}}
    assert census.by_code("9999") == ()  # Doe may still wear the band
    assert doubts(opened("one")) == doubts(census)


def by_type_alone(folder: Path) -> tuple[Census, AdtReceiver]:
    """The feed of a site that says no authority: the type MR alone is the patient's number."""
    feed = replace(FEED, assigning_authority="", identifier_type="MR")
    settings = Settings(data_dir=folder, adt=feed)
    census = open_census(folder, Cipher(b"k" * 32), FixedClock(NOW), settings)
    return census, AdtReceiver(census, feed, FixedClock(NOW))


@pytest.mark.parametrize("comes_first", [True, False])
def test_a_number_without_an_authority_marks_whoever_has_it(
    tmp_path: Path, comes_first: bool
) -> None:
    census, receiver = by_type_alone(tmp_path)
    change = said("A47", "0900", pid=ROE, has_visit=False, more="MRG|1001")
    for message in (ADMITTED, change) if comes_first else (change, ADMITTED):
        receiver.handle(message)
    (entry,) = census.find("")
    assert Doubt.MERGE_REFUSED in entry.doubts
    now = census.person(entry.patient.patient_id)
    assert now is not None
    assert Doubt.MERGE_REFUSED in now.doubts
    census._clock.advance(100 * 86_400)  # type: ignore[attr-defined]
    assert census.forget_long_gone() == 0
    assert doubts(census) == {"1001": {Doubt.MERGE_REFUSED}}, "for as long as the patient is here"
    census.close()


def test_one_person_under_two_names_of_the_authority_swaps_no_bed_and_loses_no_visit(
    tmp_path: Path,
) -> None:
    census, receiver = by_type_alone(tmp_path)
    known = said("A01", "0800", pid=DOE.replace("^HOSP", "^HOSP&1.2.3&ISO"))
    assert b"MSA|AA" in receiver.handle(known)
    before = told(census)
    other = DOE.replace("^HOSP", "^&1.2.3&ISO")
    moved = said("A45", "0900", pid=other, more="MRG|1001^^^HOSP^MR||||V1")
    second = said("A17", "1000", pid=other, place="5C^1").decode().split("\r")[2:]
    for message in (moved, said("A17", "1000", more="\r".join(second))):
        assert b"names one of them twice" in receiver.handle(message)
    assert told(census) == before
    census.close()


# ---------------------------------------------------------------------------- clocks and zones


def test_a_cancel_of_another_sender_whose_clock_is_a_little_slow(
    opened: Callable[[str], Census],
) -> None:
    census = opened("one")
    at_once(
        census,
        [
            (datetime(2026, 11, 27, 8, 0, 5, tzinfo=UTC), ADMITTED),
            (datetime(2026, 11, 27, 14, 0, 5, tzinfo=UTC), said("A03", "1400")),
            (datetime(2026, 11, 27, 14, 2, 5, tzinfo=UTC), said("A13", "1357", sender="ED")),
        ],
    )
    assert told(census) == {("1001", "V1"): OPEN}


def test_a_cancel_that_a_sender_sent_before_its_discharge_does_not_undo_it(
    opened: Callable[[str], Census],
) -> None:
    census = opened("one")
    at_once(
        census,
        [
            (datetime(2026, 11, 27, 8, 0, 5, tzinfo=UTC), ADMITTED),
            (datetime(2026, 11, 27, 14, 0, 5, tzinfo=UTC), said("A03", "1400")),
            (datetime(2026, 11, 27, 14, 2, 5, tzinfo=UTC), said("A13", "1357")),  # overtaken
        ],
    )
    assert told(census) == {("1001", "V1"): ("closed", "4B 12 1")}


def at_once(census: Census, sent: list[tuple[datetime, bytes]]) -> None:
    """Each message comes at its own time."""
    for moment, message in sent:
        receiver = AdtReceiver(census, FEED, FixedClock(moment))
        assert b"MSA|AA" in receiver.handle(message)


@pytest.mark.parametrize("hours", [-3, 3])
def test_two_senders_whose_clocks_are_three_hours_apart(
    opened: Callable[[str], Census], hours: int
) -> None:
    def by(clock: int, event: str, at: str, sender: str, **more: Any) -> tuple[datetime, bytes]:
        told = f"{int(at[:2]) + clock:02}{at[2:]}"
        moment = datetime(2026, 11, 27, int(at[:2]), int(at[2:]), 5, tzinfo=UTC)
        return moment, said(event, told, sender=sender, **more)

    census = opened("one")
    at_once(
        census,
        [
            by(0, "A01", "0800", "ADT"),
            by(hours, "A08", "0830", "ED", pid=DOE.replace("Jane", "Old")),
            by(0, "A02", "0900", "ADT", place="5C^1"),
            by(hours, "A03", "1000", "ED", place="5C^1"),
        ],
    )
    assert told(census) == {("1001", "V1"): ("closed", "5C 1")}
    assert told(opened("one")) == told(census)
    at_once(census, [by(0, "A13", "1100", "ADT", place="5C^1")])
    assert told(census) == {("1001", "V1"): ("open", "5C 1")}


@pytest.mark.parametrize(
    ("admitted", "left", "came"),
    [
        # Spring: 01:40 and 01:55 of winter time; the discharge comes after the clocks went forward.
        ("20260329014000", "20260329015500", datetime(2026, 3, 29, 1, 5, tzinfo=UTC)),
        # Autumn: 02:50 of summer time, then 02:10 of winter time, twenty minutes later.
        ("20261025025000", "20261025021000", datetime(2026, 10, 25, 1, 10, 5, tzinfo=UTC)),
        ("20261025014000", "20261025025500", datetime(2026, 10, 25, 1, 55, 5, tzinfo=UTC)),
    ],
)
def test_the_zone_of_the_feed_counts_by_date(
    tmp_path: Path, admitted: str, left: str, came: datetime
) -> None:
    feed = replace(FEED, zone="Europe/Berlin")
    clock = FixedClock(came - timedelta(minutes=19))
    settings = Settings(data_dir=tmp_path, adt=feed)
    census = open_census(tmp_path, Cipher(b"k" * 32), clock, settings)
    receiver = AdtReceiver(census, feed, clock)
    for event, moment, wait in (("A01", admitted, 19 * 60), ("A03", left, 0)):
        message = said(event, "0000").replace(b"20261127000000", moment.encode())
        assert b"MSA|AA" in receiver.handle(message)
        clock.advance(wait)
    (entry,) = census.find("")
    census.close()
    assert entry.encounter is not None
    assert entry.encounter.state is EncounterState.CLOSED


def test_a_time_of_the_day_alone_neither_beats_nor_loses_to_a_finer_one(
    opened: Callable[[str], Census],
) -> None:
    def dated(name: str, evn_2: str, number: int) -> bytes:
        message = said("A08", "0900", pid=DOE.replace("Doe^Jane", name), evn_2=evn_2)
        head = message.replace(b"20261127090000", b"20261127", 1)
        return head.replace(b"0900A08ADT1001", str(number).encode())

    census = opened("one")
    wrong = said("A01", "1500", pid=DOE.replace("Doe^Jane", "Wrong^Name"))
    send(census, wrong, dated("Right^Name", "20261127", 1))
    assert census.find("")[0].patient.name.pn == "Right^Name"
    send(census, said("A08", "1400", pid=DOE.replace("Doe^Jane", "Late^Name")))
    assert census.find("")[0].patient.name.pn == "Right^Name"
    send(census, said("A08", "1501", pid=DOE.replace("Doe^Jane", "New^Name")))
    assert census.find("")[0].patient.name.pn == "New^Name"
    send(census, dated("Day^Before", "20261126", 2))
    assert census.find("")[0].patient.name.pn == "New^Name"
    assert opened("one").find("") == census.find("")
