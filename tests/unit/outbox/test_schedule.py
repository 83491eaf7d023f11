from dataclasses import replace

import pytest

from capture_app.clock import FixedClock
from capture_app.model.delivery import TaskKind
from capture_app.outbox.delivery.schedule import Schedule, backoff
from capture_app.outbox.steps.tasks import Task


def task(task_id: int, **changes: object) -> Task:
    plain = Task(
        task_id=task_id,
        kind=TaskKind.STORE,
        sop_instance_uid=f"2.25.{task_id}",
        destination="pacs",
        is_held=False,
        held_by_person=False,
        failures=0,
        resends=0,
        nudges=0,
        send_id="2.25.1000",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def schedule(clock: FixedClock) -> Schedule:
    return Schedule(clock, hold_seconds=10)


def ids(tasks: tuple[Task, ...]) -> list[int]:
    return [each.task_id for each in tasks]


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (999, 600)]
)
def test_retries_come_at_30_s_doubling_to_10_minutes_for_ever(
    failures: int, seconds: float
) -> None:
    assert backoff(failures) == seconds


def test_at_start_all_is_due_oldest_first_in_batches_of_one_kind(schedule: Schedule) -> None:
    proof = task(2, kind=TaskKind.PROVE)
    schedule.see([task(3), proof, task(1), task(4), task(5, destination="other")])
    assert ids(schedule.take("pacs", 2)) == [1, 3]
    assert ids(schedule.take("pacs", 2)) == [2]
    assert ids(schedule.take("pacs", 2)) == [4]
    assert ids(schedule.take("pacs", 2)) == []
    assert ids(schedule.take("other", 2)) == [5]
    assert sorted(schedule.in_flight()) == [1, 2, 3, 4, 5]


def test_what_is_held_for_undo_is_timed_from_when_it_is_first_seen(
    schedule: Schedule, clock: FixedClock
) -> None:
    held, kept_back = task(1, is_held=True), task(2, is_held=True, held_by_person=True)
    assert schedule.see([held, kept_back]) == ()
    assert schedule.seconds_to_next(60) == 10
    clock.advance(9.9)
    assert schedule.see([held, kept_back]) == ()
    assert not schedule.take("pacs", 9)
    clock.advance(0.1)
    assert schedule.see([held, kept_back]) == (1,)
    schedule.see([task(1), kept_back])
    assert ids(schedule.take("pacs", 9)) == [1]


def test_the_wall_clock_neither_stops_nor_hurries_a_retry(
    schedule: Schedule, clock: FixedClock
) -> None:
    schedule.see([task(1)])
    (first,) = schedule.take("pacs", 1)
    schedule.again(first, 30)
    for year in (1994, 2054):
        clock.at = clock.at.replace(year=year)
        schedule.see([task(1, failures=1)])
        assert not schedule.take("pacs", 1)
    assert schedule.seconds_to_next(60) == 30
    clock.advance(30)
    assert ids(schedule.take("pacs", 1)) == [1]


def test_a_silent_archive_is_tried_with_one_batch_at_a_time(
    schedule: Schedule, clock: FixedClock
) -> None:
    schedule.see([task(n) for n in range(1, 4)])
    (first,) = schedule.take("pacs", 1)
    schedule.silent("pacs", TaskKind.STORE)
    schedule.again(first, 600, by_outage=True)
    assert not schedule.take("pacs", 9)
    clock.advance(30)
    (second,) = schedule.take("pacs", 1)
    assert second.task_id == 2
    schedule.answered("pacs", TaskKind.STORE)
    assert ids(schedule.take("pacs", 9)) == [1, 3], "what waited for the archive is due"


def test_one_image_that_fails_by_itself_waits_by_itself(
    schedule: Schedule, clock: FixedClock
) -> None:
    schedule.see([task(1), task(2)])
    (first,) = schedule.take("pacs", 1)
    schedule.again(first, 60)
    assert ids(schedule.take("pacs", 9)) == [2]
    schedule.answered("pacs", TaskKind.STORE)
    assert not schedule.take("pacs", 9)
    clock.advance(60)
    assert ids(schedule.take("pacs", 9)) == [1]


def test_a_silent_proof_does_not_stop_sending(schedule: Schedule) -> None:
    schedule.see([task(1, kind=TaskKind.PROVE), task(2)])
    (proof,) = schedule.take("pacs", 9)
    schedule.silent("pacs", TaskKind.PROVE)
    schedule.again(proof, 30, by_outage=True)
    assert ids(schedule.take("pacs", 9)) == [2]


def test_who_asks_opens_the_way_at_once(schedule: Schedule) -> None:
    schedule.see([task(1)])
    (first,) = schedule.take("pacs", 1)
    schedule.silent("pacs", TaskKind.STORE)
    schedule.again(first, 600, by_outage=True)
    schedule.see([task(1, nudges=1)])
    assert ids(schedule.take("pacs", 1)) == [1]


def test_what_is_settled_or_gone_is_forgotten(schedule: Schedule) -> None:
    schedule.see([task(1), task(2)])
    (first, _) = schedule.take("pacs", 9)
    schedule.settled(first)
    assert schedule.in_flight() == (2,)
    schedule.see([])
    assert schedule.seconds_to_next(7) == 7


def test_a_reading_that_is_older_than_what_was_agreed_takes_nothing_back(
    schedule: Schedule, clock: FixedClock
) -> None:
    """The scheduler reads while the step runs; a worker puts it off; then the reading comes in."""
    schedule.see([task(1)])
    (running,) = schedule.take("pacs", 20)
    stale: list[Task] = []
    schedule.again(running, 30.0)
    schedule.see(stale)
    assert schedule.take("pacs", 20) == (), "what is not in the last reading is nobody's work"
    schedule.see([task(1, failures=1)])
    assert schedule.take("pacs", 20) == ()
    clock.advance(29.9)
    assert schedule.take("pacs", 20) == ()
    clock.advance(0.2)
    assert schedule.take("pacs", 20) == (task(1, failures=1),)


def test_a_reading_from_before_the_claim_takes_nothing_back_either(
    schedule: Schedule, clock: FixedClock
) -> None:
    schedule.see([task(1)])
    (running,) = schedule.take("pacs", 20)
    schedule.again(running, 30.0)
    schedule.see([task(1)])
    schedule.see([task(1, failures=1)])
    assert schedule.take("pacs", 20) == ()
    clock.advance(30.1)
    assert schedule.take("pacs", 20) == (task(1, failures=1),)


def test_what_two_readings_do_not_have_is_forgotten(schedule: Schedule, clock: FixedClock) -> None:
    schedule.see([task(1)])
    (running,) = schedule.take("pacs", 20)
    schedule.again(running, 600.0)
    schedule.see([])
    schedule.see([])
    schedule.see([task(1)])
    assert schedule.take("pacs", 20) == (task(1),), "another step under this number is due"


def test_a_person_who_asks_is_not_kept_waiting_by_an_older_reading(
    schedule: Schedule, clock: FixedClock
) -> None:
    schedule.see([task(1)])
    (running,) = schedule.take("pacs", 20)
    schedule.again(running, 600.0)
    schedule.see([])
    schedule.see([task(1, nudges=1)])
    assert schedule.take("pacs", 20) == (task(1, nudges=1),)


def test_one_at_which_the_archive_fell_silent_goes_alone_after_all_others(
    schedule: Schedule, clock: FixedClock
) -> None:
    rows = [task(n) for n in range(1, 5)]
    schedule.see(rows)
    suspects = schedule.take("pacs", 2)
    for suspect in suspects:
        schedule.again(suspect, 30, is_suspect=True)
    clock.advance(30)
    assert ids(schedule.take("pacs", 9)) == [3, 4]
    assert ids(schedule.take("pacs", 9)) == [1]
    # A person who asks for it now does not make it less suspect.
    schedule.see([task(1), task(2, nudges=1), task(3), task(4), task(5)])
    assert ids(schedule.take("pacs", 9)) == [5]
    assert ids(schedule.take("pacs", 9)) == [2]


def test_one_that_a_person_held_and_let_go_is_as_suspect_as_before(
    schedule: Schedule, clock: FixedClock
) -> None:
    schedule.see([task(1)])
    (suspect,) = schedule.take("pacs", 9)
    schedule.again(suspect, 30, is_suspect=True)
    schedule.see([task(1, is_held=True, held_by_person=True)])
    schedule.see([task(1), task(2), task(3)])
    assert ids(schedule.take("pacs", 9)) == [2, 3]
    assert ids(schedule.take("pacs", 9)) == [1]
