"""What rows say of people goes after the files, and the database gives its room back."""

import sqlite3
from datetime import timedelta

import pytest

from capture_app.clock import FixedClock
from capture_app.model.delivery import ImageState
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.status import StatusFilter
from capture_app.outbox.steps.forget import forget_over
from capture_app.outbox.steps.retain import clean_deleted, purge_due
from tests import sealing
from tests.outboxes import PACS, begin, keep
from tests.unit.outbox.rig import Rig, prove_at

DAY = 86_400.0
CELLS = {"capture": "description", "instance": "sealed", "exam": "sealed"}


def confirmed(outbox: Outbox, clock: FixedClock, n: int = 2) -> list[str]:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(n)]
    outbox.seal(kept, sealing.NURSE, release_now=True)
    prove_at(outbox, [PACS])
    return kept


def purged(outbox: Outbox, clock: FixedClock, n: int = 2) -> list[str]:
    kept = confirmed(outbox, clock, n)
    clock.advance((outbox.rules.capture.retention_days + 1) * DAY)
    assert purge_due(outbox.spool) == n
    return kept


def in_words(outbox: Outbox) -> dict[str, int]:
    """How many rows of each table still say something of a person."""
    found = {}
    for table, cell in CELLS.items():
        question = f"SELECT count(*) FROM {table} WHERE length({cell}) > 0"  # noqa: S608 - of this test
        (found[table],) = outbox.spool.database.read().execute(question).fetchone()
    return found


def test_purged_pictures_say_whose_they_were_for_one_more_day(
    outbox: Outbox, clock: FixedClock
) -> None:
    kept = purged(outbox, clock)
    assert forget_over(outbox.spool) == 0
    assert outbox.sent_patients(kept).keys() == {*kept}
    clock.advance(DAY + 60)
    assert forget_over(outbox.spool) == 3
    assert in_words(outbox) == {"capture": 0, "instance": 0, "exam": 0}
    assert forget_over(outbox.spool) == 0


def test_an_emptied_picture_is_still_told_of_and_is_no_damage(
    outbox: Outbox, clock: FixedClock
) -> None:
    kept = purged(outbox, clock)
    clock.advance(2 * DAY)
    forget_over(outbox.spool)
    told = outbox.statuses(StatusFilter(states=frozenset({ImageState.PURGED})))
    assert {one.sop_instance_uid for one in told} == {*kept}
    assert all(one.proof for one in told)
    found = inspect(outbox.spool)
    assert found.whole, found.damaged
    report = recover(outbox.spool, [PACS])
    assert (report.alarms, report.requeued, outbox.drafts()) == ([], 0, ())
    assert outbox.last_taken([sealing.exam().patient])


def test_what_is_here_keeps_its_words_however_old(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    draft, waiting = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([waiting], sealing.NURSE, release_now=True)
    (other,) = confirmed(outbox, clock, 1)
    clock.advance(400 * DAY)
    assert forget_over(outbox.spool) == 0
    assert outbox.description_of(draft) == sealing.description()
    assert outbox.exam(exam.exam_id) == exam
    assert outbox.sent_patients([waiting, other]).keys() == {waiting, other}


def test_an_exam_keeps_its_words_while_one_of_its_pictures_is_here(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    draft, sent = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([sent], sealing.NURSE, release_now=True)
    prove_at(outbox, [PACS])
    clock.advance(400 * DAY)
    assert purge_due(outbox.spool) == 1
    clock.advance(2 * DAY)
    assert forget_over(outbox.spool) == 1
    assert outbox.exam_of(draft) == exam


def test_a_deleted_draft_keeps_its_words_while_it_can_come_back(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    first, second = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([first], sealing.NURSE)
    (told,) = outbox.statuses(StatusFilter(states=frozenset({ImageState.HELD})))
    assert outbox.undo(told.send_id, sealing.NURSE)
    outbox.delete([first, second], sealing.NURSE)
    assert forget_over(outbox.spool) == 0
    clock.advance(2 * DAY)
    assert forget_over(outbox.spool) == 0  # the files are here still
    assert clean_deleted(outbox.spool) == 2
    assert forget_over(outbox.spool) == 2
    assert in_words(outbox) == {"capture": 0, "instance": 0, "exam": 1}
    assert inspect(outbox.spool).whole


def test_an_exam_without_pictures_is_forgotten_after_a_week_and_takes_pictures_all_the_same(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    clock.advance(6 * DAY)
    assert forget_over(outbox.spool) == 0
    clock.advance(2 * DAY)
    assert forget_over(outbox.spool) == 1
    draft = keep(outbox, exam)
    assert outbox.exam_of(draft) == exam
    assert inspect(outbox.spool).whole


@pytest.mark.parametrize(("table", "cell"), CELLS.items())
def test_an_empty_cell_of_what_is_here_is_damage(
    outbox: Outbox, clock: FixedClock, table: str, cell: str
) -> None:
    confirmed(outbox, clock, 1)
    with outbox.spool.database.transaction() as connection:
        connection.execute(f"UPDATE {table} SET {cell} = x''")  # noqa: S608 - of this test
    assert [(one.table, one.cell) for one in inspect(outbox.spool).damaged] == [(table, cell)]


def test_the_database_is_smaller_after_its_pictures_are_over(rig: Rig) -> None:
    outbox, clock, database = rig.outbox, rig.clock, rig.outbox.spool.database
    kept = [one for _ in range(20) for one in confirmed(outbox, clock, 3)]
    database.shrink()
    before = database.path.stat().st_size
    rig.start()
    clock.advance((outbox.rules.capture.retention_days + 1) * DAY)
    rig.passing(60, ImageState.PURGED, kept[0])

    def is_smaller() -> bool:
        rig.pass_time(DAY)
        return database.path.stat().st_size < 0.7 * before

    rig.eventually(is_smaller)
    rows = database.read().execute("SELECT count(*) FROM audit").fetchone()
    assert rows[0] >= 60 * 5


def test_many_are_purged_a_few_at_a_time(
    outbox: Outbox, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes a picture meanwhile waits for a few of them alone."""
    monkeypatch.setattr("capture_app.outbox.steps.retain._AT_ONCE", 2)
    confirmed(outbox, clock, 5)
    clock.advance(400 * DAY)
    begun = []
    connection = outbox.spool.database._connection()
    connection.set_trace_callback(lambda s: begun.append(s) if s == "BEGIN IMMEDIATE" else None)
    assert purge_due(outbox.spool) == 5
    connection.set_trace_callback(None)
    assert len(begun) == 1 + 3  # the count of time, and three times two at most


def test_a_wall_clock_set_forward_costs_one_look(outbox: Outbox, clock: FixedClock) -> None:
    clock.confirmed = False
    confirmed(outbox, clock, 5)
    clock.at += timedelta(days=365)
    begun = []
    connection: sqlite3.Connection = outbox.spool.database._connection()
    connection.set_trace_callback(lambda s: begun.append(s) if s == "BEGIN IMMEDIATE" else None)
    assert purge_due(outbox.spool) == 0
    connection.set_trace_callback(None)
    assert len(begun) == 1
