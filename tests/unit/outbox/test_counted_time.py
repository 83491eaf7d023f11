"""A wall clock can be set; time that is kept is counted by what nobody sets."""

from datetime import timedelta

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState
from capture_app.outbox.clock_watch import ClockWatch
from capture_app.outbox.counted_time import count, is_damaged, seconds_behind
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.steps.retain import clean_deleted, purge_due
from tests import sealing
from tests.outboxes import begin, keep
from tests.unit.outbox.rig import Rig

DAY, YEAR = 86_400.0, 365 * 86_400.0


def counted(outbox: Outbox) -> float:
    with outbox.spool.database.transaction() as connection:
        return count(connection, outbox.spool)


def jumps(outbox: Outbox) -> list[str]:
    rows = read_trail(outbox.spool.database.read())
    return [r.event.details["seconds"] for r in rows if r.event.action is AuditAction.CLOCK_JUMPED]


def deleted(outbox: Outbox, clock: FixedClock) -> str:
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.delete([capture_id], sealing.NURSE)
    return capture_id


def test_a_wall_clock_set_forward_deletes_no_undo(outbox: Outbox, clock: FixedClock) -> None:
    clock.confirmed = False
    capture_id = deleted(outbox, clock)
    clock.at += timedelta(days=365)
    assert clean_deleted(outbox.spool) == 0
    outbox.restore([capture_id], sealing.NURSE)
    outbox.delete([capture_id], sealing.NURSE)
    clock.advance(DAY - 60)
    assert clean_deleted(outbox.spool) == 0
    clock.advance(120)
    assert clean_deleted(outbox.spool) == 1
    with pytest.raises(RuleError):
        outbox.restore([capture_id], sealing.NURSE)


def test_a_wall_clock_set_forward_purges_nothing_early(rig: Rig) -> None:
    clock, spool = rig.clock, rig.outbox.spool
    clock.confirmed = False
    rig.start()
    sent = rig.send(2)
    rig.until(ImageState.CONFIRMED, *sent)
    rig.engines.pop().stop()
    clock.at += timedelta(days=365)
    assert purge_due(spool) == 0
    days = rig.outbox.rules.capture.retention_days
    clock.advance(days * DAY - 60)
    assert purge_due(spool) == 0
    clock.advance(120)
    assert purge_due(spool) == 2
    (left,) = spool.database.read().execute("SELECT count(*) FROM waiting_since").fetchone()
    assert left == 0


def test_a_clock_that_was_behind_at_the_proof_purges_nothing_when_it_is_put_right(rig: Rig) -> None:
    """An empty battery: the year is 2001 until a time server answers."""
    clock = rig.clock
    right, clock.at, clock.confirmed = clock.at, clock.at.replace(year=2001), False
    rig.start()
    sent = rig.send()
    rig.until(ImageState.CONFIRMED, *sent)
    rig.engines.pop().stop()
    clock.at, clock.confirmed = right, True
    assert purge_due(rig.outbox.spool) == 0


def test_time_off_counts_only_when_confirmed_before_and_after(
    outbox: Outbox, clock: FixedClock
) -> None:
    start = counted(outbox)
    clock.at += timedelta(days=3)
    clock.elapsed = 40.0  # the computer was started 40 s ago
    clock.confirmed = False
    assert counted(outbox) - start == pytest.approx(40)
    clock.confirmed = True
    assert counted(outbox) - start == pytest.approx(3 * DAY)


@pytest.mark.parametrize("confirmed_after", [True, False])
def test_time_off_counts_for_nothing_where_nobody_confirmed_it(
    outbox: Outbox, clock: FixedClock, *, confirmed_after: bool
) -> None:
    clock.confirmed = False
    start = counted(outbox)
    clock.at += timedelta(days=3)
    clock.elapsed = 40.0
    clock.confirmed = confirmed_after
    assert counted(outbox) - start == pytest.approx(40)


def test_time_on_counts_whatever_the_wall_clock_does(outbox: Outbox, clock: FixedClock) -> None:
    clock.confirmed = False
    start = counted(outbox)
    clock.elapsed += 500
    clock.at -= timedelta(days=400)
    assert counted(outbox) - start == pytest.approx(500)


@pytest.mark.expects_log("counted-time-damaged")
@pytest.mark.parametrize("change", ["seconds = seconds + 1e9", "reference = 'soon'", "mac = ''"])
def test_who_has_the_file_hurries_nothing(outbox: Outbox, clock: FixedClock, change: str) -> None:
    clock.confirmed = False
    deleted(outbox, clock)
    with outbox.spool.database.transaction() as connection:
        connection.execute(f"UPDATE counted_time SET {change}")  # noqa: S608 - of this test
    assert is_damaged(outbox.spool.database.read(), outbox.spool)
    clock.at += timedelta(days=365)
    assert clean_deleted(outbox.spool) == 0
    clock.advance(DAY + 60)
    assert clean_deleted(outbox.spool) == 1


@pytest.mark.parametrize("cell", [-1.0, 1e300, 0.0])
def test_a_time_of_waiting_that_is_damaged_hurries_nothing_alone(
    outbox: Outbox, clock: FixedClock, cell: float
) -> None:
    clock.advance(DAY)
    deleted(outbox, clock)
    with outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE waiting_since SET counted = ?", (cell,))
    clock.advance(3600)
    assert clean_deleted(outbox.spool) == 0
    gone = 0
    for _ in range(2):  # what cannot be begins anew when it is missed
        clock.advance(2 * DAY)
        gone += clean_deleted(outbox.spool)
    assert gone == 1


def test_days_that_were_never_noted_begin_when_they_are_missed(
    outbox: Outbox, clock: FixedClock
) -> None:
    deleted(outbox, clock)
    with outbox.spool.database.transaction() as connection:
        connection.execute("DELETE FROM waiting_since")
    clock.advance(2 * DAY)
    assert clean_deleted(outbox.spool) == 0
    clock.advance(2 * DAY)
    assert clean_deleted(outbox.spool) == 1


@pytest.mark.expects_log("clock-jumped")
@pytest.mark.parametrize("moved", [YEAR, -YEAR, 90.0])
def test_a_clock_that_is_set_while_we_run_is_told_once(
    outbox: Outbox, clock: FixedClock, moved: float
) -> None:
    first, second = ClockWatch(outbox.spool), ClockWatch(outbox.spool)
    for watch in (first, second):
        assert watch.look() == 0
    clock.advance(60)
    clock.at += timedelta(seconds=moved)
    assert first.look() == pytest.approx(moved)
    assert second.look() == 0  # another process told of it
    clock.advance(60)
    assert first.look() == 0
    assert jumps(outbox) == [f"{moved:+.0f}"]


@pytest.mark.expects_log("clock-jumped")
def test_a_clock_that_was_set_back_meanwhile_is_told_at_the_next_start(
    outbox: Outbox, clock: FixedClock
) -> None:
    ClockWatch(outbox.spool).look()
    clock.at -= timedelta(days=365)
    assert ClockWatch(outbox.spool).look() == pytest.approx(-YEAR)
    assert jumps(outbox) == [f"{-YEAR:.0f}"]


@pytest.mark.expects_log("clock-jumped")
@pytest.mark.parametrize("moved", [YEAR, 90.0, -YEAR])
def test_a_clock_that_was_set_while_nothing_ran_is_told_where_the_computer_was_on(
    outbox: Outbox, clock: FixedClock, moved: float
) -> None:
    ClockWatch(outbox.spool).look()
    clock.advance(3600)
    clock.at += timedelta(seconds=moved)
    assert ClockWatch(outbox.spool).look() == pytest.approx(moved)
    assert ClockWatch(outbox.spool).look() == 0
    assert jumps(outbox) == [f"{moved:+.0f}"]


@pytest.mark.expects_log("counted-time-damaged")
def test_a_start_that_was_changed_is_damage(outbox: Outbox) -> None:
    counted(outbox)
    with outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE counted_time SET start = 'x'")
    assert is_damaged(outbox.spool.database.read(), outbox.spool)


def test_a_count_of_an_earlier_version_goes_on(outbox: Outbox, clock: FixedClock) -> None:
    clock.started = ""
    begun = counted(outbox)
    clock.started = "a start"
    clock.advance(500)
    assert counted(outbox) - begun == pytest.approx(500)


def test_a_clock_that_goes_on_is_not_told(outbox: Outbox, clock: FixedClock) -> None:
    watch = ClockWatch(outbox.spool)
    for seconds in (60.0, 60.0, 8 * 3600.0):  # and it slept a night
        clock.advance(seconds)
        assert watch.look() == 0
    clock.at += timedelta(days=3)
    clock.elapsed, clock.started = 5.0, "another start"
    assert ClockWatch(outbox.spool).look() == 0  # switched off for three days
    clock.at += timedelta(days=3)
    clock.elapsed, clock.started = 9e6, "a third start"
    assert ClockWatch(outbox.spool).look() == 0  # and on for longer than ever, unwatched
    assert jumps(outbox) == []


def test_how_far_the_clock_is_certainly_behind(outbox: Outbox, clock: FixedClock) -> None:
    assert seconds_behind(outbox.spool) == 0
    counted(outbox)
    clock.advance(DAY)
    clock.at -= timedelta(hours=20)
    assert seconds_behind(outbox.spool) == 0
    clock.at -= timedelta(days=365)
    assert seconds_behind(outbox.spool) == pytest.approx(YEAR + 20 * 3600)
