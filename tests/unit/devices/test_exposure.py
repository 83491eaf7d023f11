"""No picture is taken for an exam that began after its exposure, whatever the network does."""

from statistics import median

import pytest

from capture_app.devices.exposure import ExposureClock
from tests.late_pictures import Link, switch_patients

CALM = 1e9
LINKS = {
    "own clock": Link(),
    "own clock, fast": Link(drift=1e-4),
    "own clock, slow": Link(drift=-1e-4),
    "own clock, pictures dropped": Link(holds=20),
    "own clock, slow link": Link(catch_up=0.03),
    "counted": Link(has_clock=False),
    "counted, pictures dropped": Link(has_clock=False, holds=20),
    "counted, slow link": Link(has_clock=False, catch_up=0.03),
    "counted, 60 a second": Link(has_clock=False, interval=1 / 60, jitter=0.03),
    "counted, 5 a second": Link(has_clock=False, interval=0.2),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_thousand_patients_in_stalls_of_five_seconds(name: str) -> None:
    said = switch_patients(LINKS[name], 1000, seed=sorted(LINKS).index(name))
    assert (said.exams, said.crossed) == (1000, 0), said.worst
    assert len(said.waits) > 300  # the others ended within a stall, or before it was made up for


CONGESTED = {
    "own clock, congested": Link(stall_every=CALM, congested=0.05),
    "own clock, a little congested": Link(stall_every=CALM, congested=0.042),
    "counted, congested": Link(has_clock=False, stall_every=CALM, congested=0.05),
    "counted, a little congested": Link(has_clock=False, stall_every=CALM, congested=0.042),
}


@pytest.mark.parametrize("name", CONGESTED)
def test_a_link_that_is_slower_than_the_camera_for_a_while(name: str) -> None:
    said = switch_patients(CONGESTED[name], 300, seed=7)
    assert (said.exams, said.crossed) == (300, 0), said.worst
    assert len(said.waits) > 200


@pytest.mark.parametrize("has_clock", [True, False])
def test_a_calm_network_makes_nobody_wait_and_is_never_opened_again(has_clock: bool) -> None:
    said = switch_patients(Link(has_clock=has_clock, stall_every=CALM), 1000, seed=5)
    assert said.crossed == 0
    assert said.openings == 1
    assert len(said.waits) > 990
    assert median(said.waits) < 0.25


def told(pictures: list[tuple[float, float | None]], declared: float = 0.0) -> ExposureClock:
    clock = ExposureClock(0.0, declared)
    for arrival, stamp in pictures:
        clock.arrived(arrival, stamp)
    return clock


def steady(seconds: float, begins: float = 0.1) -> list[tuple[float, float | None]]:
    return [(begins + n * 0.04, 50 + n * 0.04) for n in range(round(seconds / 0.04))]


def test_a_declared_latency_counts_for_every_picture() -> None:
    seen = told(steady(4), declared=0.3).arrived(4.1, 54.0)
    assert seen.delay == pytest.approx(0.3, abs=0.001)
    assert seen.not_before < 4.1 - 0.3


def test_until_the_pace_is_known_a_picture_is_only_later_than_the_opening() -> None:
    seen = told([(0.1, None), (0.14, None)]).arrived(0.18, None)
    assert seen.not_before == 0.0
    assert seen.delay == 0.0


def test_a_picture_that_was_held_up_says_by_how_much() -> None:
    seen = told(steady(4)).arrived(5.3, 54.0)
    assert seen.late == pytest.approx(1.2, abs=0.01)
    assert seen.not_before < 5.3 - 1.2


def test_pictures_that_stay_late_are_not_waited_for() -> None:
    clock = told(steady(4))
    for n in range(100, 140):
        clock.arrived(0.1 + n * 0.04 + 1.2, 50 + n * 0.04)
    assert clock.must_reopen


def test_a_gap_before_the_pace_is_known_opens_it_again() -> None:
    pictures: list[tuple[float, float | None]] = [(0.1 + n * 0.04, None) for n in range(10)]
    pictures += [(2.0 + n * 0.04, None) for n in range(40)]
    assert told(pictures).must_reopen


def test_a_clock_of_the_device_that_is_set_opens_it_again() -> None:
    clock = told(steady(4))
    clock.arrived(4.1, 54.0 + 3.0)
    assert clock.must_reopen


def test_times_that_stand_still_are_none() -> None:
    assert not told([(0.1 + n * 0.04, 7.0) for n in range(200)]).must_reopen


def test_times_that_stop_opens_it_again() -> None:
    assert told([*steady(4), *((4.1 + n * 0.04, 60.0) for n in range(5))]).must_reopen


def test_what_was_held_up_at_the_opening_is_late_though_the_link_stays_slow() -> None:
    """Opened while others use the link: each picture comes later than the one before."""
    behind: list[tuple[float, float | None]] = [
        (1.0 + n * 0.05, 50.02 + n * 0.04) for n in range(100)
    ]
    clock = told(behind)
    assert not clock.is_settled
    worked_off = [(6.0 + n * 0.02, 54.02 + n * 0.04) for n in range(95)]
    level = [(7.86 + n * 0.04, 57.82 + n * 0.04) for n in range(60)]
    for arrival, stamp in (*worked_off, *level):
        clock.arrived(arrival, stamp)
    assert clock.is_settled


def test_a_camera_that_is_slower_than_before_is_not_believed() -> None:
    """Without times of its own a slow link looks like it; a picture is later than the opening."""
    known = told([(0.1 + n * 0.04, None) for n in range(400)]).pace
    assert known == pytest.approx(0.04, rel=0.01)
    clock = ExposureClock(100.0, pace=known)
    seen = [clock.arrived(100.1 + n * 0.05) for n in range(400)]
    assert not clock.is_settled
    assert {one.not_before for one in seen} == {100.0}
    assert clock.pace == known
    as_before = ExposureClock(100.0, pace=known)
    for n in range(200):
        as_before.arrived(100.1 + n * 0.04)
    assert as_before.is_settled
