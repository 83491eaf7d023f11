"""What damage cut loose is put right at the start by the sealed files, and hides nothing before."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState, StoreReceipt, TaskKind
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps.retain import clean_deleted
from capture_app.outbox.steps.tasks import claim, open_tasks, read_instance, settle_stored
from tests import outboxes, sealing
from tests.outboxes import PACS, DirectoryArchive, begin, keep
from tests.unit.outbox.test_damage import UNREADABLE_TEXT, damage, file_of
from tests.waiting import Eventually

FAR = 2**63 - 1


@pytest.fixture
def unbound(outbox: Outbox) -> Outbox:
    """On which rows can be made to name what is not there, as a bad sector would."""
    outbox.spool.database.read().execute("PRAGMA foreign_keys = OFF")
    return outbox


def deliver(
    outbox: Outbox, folder: Path, clock: FixedClock, until: Callable[[], bool], wait: Eventually
) -> DirectoryArchive:
    archive = DirectoryArchive(folder / "archive")
    engine = outboxes.open_engine(outbox, folder, clock, archive)
    engine.start()
    try:
        wait(until)
    finally:
        assert engine.stop()
    return archive


def forget_steps(outbox: Outbox, uid: str) -> None:
    with outbox.spool.database.transaction() as connection:
        connection.execute("DELETE FROM task WHERE sop_instance_uid = ?", (uid,))


# ------------------------------------------------------------------------------------------- exams


@pytest.mark.expects_log("exam-row-unreadable", "row-put-right")
@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize("is_gone", [False, True])
def test_a_picture_whose_exam_is_lost_is_listed_named_and_put_right(
    unbound: Outbox, clock: FixedClock, is_sent: bool, is_gone: bool
) -> None:
    exam, other = begin(unbound, clock), begin(unbound, clock)
    bad, good = keep(unbound, exam), keep(unbound, other)
    if is_sent:
        unbound.seal([bad], sealing.NURSE, release_now=True)
    if is_gone:
        file_of(unbound, "capture", bad).rename(unbound.spool.captures / "away")
        with unbound.spool.database.transaction() as connection:
            connection.execute("DELETE FROM exam WHERE exam_id = ?", (exam.exam_id,))
    else:
        damage(unbound, "capture", "exam_id", bad, "'zz'")
    if is_gone and is_sent:
        file_of(unbound, "instance", bad).rename(unbound.spool.instances / "away")
    named = {status.exam_id for status in unbound.statuses()}
    unbound.readable_exams(named)
    assert {status.capture_id for status in unbound.statuses()} == {bad, good}
    assert {draft.capture_id for draft in unbound.drafts()} >= ({good} if is_sent else {bad, good})
    assert ("capture", bad, "exam_id") in cells(unbound)
    for table in ("capture", "instance"):
        away = unbound.spool.captures.parent / f"{table}s" / "away"
        if away.exists():
            away.rename(file_of(unbound, table, bad))
    recover(unbound.spool, [PACS])
    assert unbound.exam_of(bad) == exam
    assert inspect(unbound.spool).whole


def cells(outbox: Outbox) -> set[tuple[str, str, str]]:
    return {(found.table, found.row, found.cell) for found in inspect(outbox.spool).damaged}


# ------------------------------------------------------------------------------------- deleted_at


@pytest.mark.expects_log("row-put-right")
@pytest.mark.parametrize(
    "value", ["'zz'", "'9999-12-31T00:00:00.000000+00:00'", "'+'", "'0001-01-01'"]
)
def test_what_cannot_be_read_is_no_deletion(outbox: Outbox, clock: FixedClock, value: str) -> None:
    exam = begin(outbox, clock)
    bad, deleted = keep(outbox, exam), keep(outbox, exam)
    outbox.delete([deleted], sealing.NURSE)
    damage(outbox, "capture", "deleted_at", bad, value)
    clock.advance(timedelta(days=2).total_seconds())
    assert clean_deleted(outbox.spool) == 1  # that which a person deleted
    assert ("capture", bad, "deleted_at") in cells(outbox)
    recover(outbox.spool, [PACS])
    assert [draft.capture_id for draft in outbox.drafts()] == [bad]
    assert outbox.image_of(bad) == sealing.photo()


@pytest.mark.parametrize("table", ["capture", "instance"])
def test_a_row_that_lost_the_name_of_its_file_gets_it_back_and_the_file_stays(
    outbox: Outbox, clock: FixedClock, table: str
) -> None:
    bad = keep(outbox, begin(outbox, clock))
    if table == "instance":
        outbox.seal([bad], sealing.NURSE, release_now=True)
    path = file_of(outbox, table, bad)
    damage(outbox, table, "file", bad, "NULL")
    recover(outbox.spool, [PACS])
    assert file_of(outbox, table, bad) == path
    assert path.exists()
    assert {s.capture_id for s in outbox.statuses()} == {bad}


# --------------------------------------------------------------------------------------- instances


@pytest.mark.expects_log("row-put-right")
@pytest.mark.parametrize(
    ("column", "value"), [("withdrawn", "-7"), ("withdrawn", "1"), ("capture_id", "'zz'")]
)
def test_a_sent_picture_shows_once_as_what_it_is(
    unbound: Outbox, clock: FixedClock, column: str, value: str
) -> None:
    exam = begin(unbound, clock)
    sent = keep(unbound, exam)
    unbound.seal([sent], sealing.NURSE, release_now=True)
    damage(unbound, "instance", column, sent, value)
    for _ in range(2):
        assert [(s.capture_id, s.state) for s in unbound.statuses()] == [(sent, ImageState.QUEUED)]
        assert unbound.drafts() == ()
        assert unbound.counts().queued == 1
        recover(unbound.spool, [PACS])
    assert inspect(unbound.spool).whole


@pytest.mark.expects_log("row-put-right")
@pytest.mark.parametrize("value", ["'zz'", UNREADABLE_TEXT])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("exam", "exam_id"),
        ("capture", "capture_id"),
        ("instance", "sop_instance_uid"),
        ("instance", "series_instance_uid"),
        ("series", "series_instance_uid"),
        ("study", "study_instance_uid"),
    ],
)
def test_a_row_under_another_name_gets_its_own_back(
    unbound: Outbox,
    clock: FixedClock,
    tmp_path: Path,
    eventually: Eventually,
    table: str,
    column: str,
    value: str,
) -> None:
    exam = begin(unbound, clock)
    sent, draft = keep(unbound, exam), keep(unbound, exam)
    unbound.seal([sent], sealing.NURSE, release_now=True)
    uids = read_instance(unbound.spool, sent)[0]
    spoil(unbound, table, f"{column} = {value}")
    assert not inspect(unbound.spool).whole
    deliver(
        unbound,
        tmp_path,
        clock,
        lambda: (
            [s.state for s in unbound.statuses() if s.capture_id == sent] == [ImageState.CONFIRMED]
        ),
        eventually,
    )
    assert inspect(unbound.spool).whole
    unbound.seal([draft], sealing.NURSE, release_now=True)
    again = read_instance(unbound.spool, draft)[0]
    assert again.study_instance_uid == uids.study_instance_uid
    assert again.series_instance_uid == uids.series_instance_uid


def spoil(outbox: Outbox, table: str, change: str) -> None:
    database = outbox.spool.database
    database.read().execute("PRAGMA ignore_check_constraints = ON")
    with database.transaction() as connection:
        one = " WHERE capture_id IN (SELECT capture_id FROM instance)" if table == "capture" else ""
        connection.execute(f"UPDATE {table} SET {change}{one}")  # noqa: S608 - names of this test
    database.read().execute("PRAGMA ignore_check_constraints = OFF")


# -------------------------------------------------------------------------------- study and series


@pytest.mark.parametrize(
    ("table", "change"),
    [
        pytest.param(*cell, marks=pytest.mark.expects_log(said) if said else ())
        for said, *cell in (
            ("study-row-unreadable", "study", "study_instance_uid = 'zz'"),
            ("study-row-put-right", "study", "study_key = 'zz'"),
            ("study-row-unreadable", "study", "study_number = -7"),
            ("study-row-unreadable", "study", f"study_number = {FAR}"),
            ("", "study", "last_series_number = 0"),
            ("", "study", f"last_series_number = {FAR}"),
            ("series-row-unreadable", "series", "series_instance_uid = 'zz'"),
            ("", "series", "series_key = 'zz'"),
            ("", "series", "study_instance_uid = 'zz'"),
            ("series-row-unreadable", "series", "series_number = -7"),
            ("", "series", "last_instance_number = 0"),
            ("", "series", f"last_instance_number = {FAR}"),
            ("", "exam", "study_instance_uid = 'zz'"),
        )
    ],
)
def test_a_damaged_study_or_series_stops_no_later_send_of_its_patient(
    unbound: Outbox, clock: FixedClock, table: str, change: str
) -> None:
    exam = begin(unbound, clock)
    first, second = keep(unbound, exam), keep(unbound, exam)
    unbound.seal([first], sealing.NURSE, release_now=True)
    spoil(unbound, table, change)
    third = keep(unbound, begin(unbound, clock))
    for capture_id in (second, third):
        unbound.seal([capture_id], sealing.NURSE, release_now=True)
    numbers = unbound.spool.database.read().execute(
        "SELECT series_instance_uid, instance_number FROM instance"
    )
    found = numbers.fetchall()
    assert len(found) == len(set(found)) == 3
    assert all(0 < number < 10 for _, number in found)


@pytest.mark.expects_log("study-row-put-right")
def test_a_study_whose_key_is_damaged_is_found_by_an_image_of_it(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    first, second = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([first], sealing.NURSE, release_now=True)
    study = read_instance(outbox.spool, first)[0].study_instance_uid
    spoil(outbox, "study", "study_key = 'zz'")
    outbox.seal([second], sealing.NURSE, release_now=True)
    assert read_instance(outbox.spool, second)[0].study_instance_uid == study


# ------------------------------------------------------------------------------------------- steps


@pytest.mark.expects_log("step-given-again")
def test_a_lost_step_is_proved_first_and_only_then_sent(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, eventually: Eventually
) -> None:
    exam = begin(outbox, clock)
    there, held = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([there, held], sealing.NURSE, release_now=True)
    deliver(outbox, tmp_path, clock, lambda: outbox.counts().confirmed_today == 2, eventually)
    forget_steps(outbox, there)
    assert ("task", there, "missing") in cells(outbox)
    archive = deliver(
        outbox, tmp_path, clock, lambda: outbox.counts().confirmed_today == 2, eventually
    )
    assert archive.asked == [("prove", (there,))]
    acts = [row.event for row in read_trail(outbox.spool.database.read())]
    (act,) = [event for event in acts if event.action is AuditAction.STEP_GIVEN_AGAIN]
    assert (act.sop_instance_uid, act.details) == (there, {"destination": PACS})
    assert inspect(outbox.spool).whole


@pytest.mark.expects_log("step-given-again")
def test_a_lost_step_of_an_image_that_is_not_there_sends_it(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    lost = keep(outbox, exam)
    outbox.seal([lost], sealing.NURSE, release_now=True)
    forget_steps(outbox, lost)
    recover(outbox.spool, [PACS])
    (task,) = open_tasks(outbox.spool)
    assert (task.kind, task.sop_instance_uid) == (TaskKind.PROVE, lost)
    recover(outbox.spool, [PACS])  # and once is enough
    assert open_tasks(outbox.spool) == (task,)


@pytest.mark.expects_log("step-given-again")
def test_only_the_destination_whose_step_is_lost_is_asked(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    sent = [keep(outbox, exam), keep(outbox, exam)]
    outbox.seal(sent, sealing.NURSE, release_now=True)
    forget_steps(outbox, sent[0])
    recover(outbox.spool, [PACS, "an archive that was added since"])
    found = [
        (task.kind, task.sop_instance_uid, task.destination) for task in open_tasks(outbox.spool)
    ]
    assert sorted(found) == sorted(
        [(TaskKind.PROVE, sent[0], PACS), (TaskKind.STORE, sent[1], PACS)]
    )


@pytest.mark.expects_log("step-given-again")
def test_a_lost_step_is_for_the_archive_that_the_file_names_and_the_settings_do_not(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    """The steps of a whole Send are lost: nothing but its files says where it was to go."""
    before = outboxes.open_outbox(tmp_path, clock, destinations=("removed", PACS))
    sent = keep(before, begin(before, clock))
    before.seal([sent], sealing.NURSE, release_now=True)
    outboxes.close(before)
    forget_steps(outbox, sent)
    recover(outbox.spool, [PACS, "an archive that was added since"])
    rows = outbox.spool.database.read().execute("SELECT destination, kind, state FROM task")
    assert {row for row in rows if row[1] == "prove"} == {
        (PACS, "prove", "queued"),
        ("removed", "prove", "needs-you"),
    }


@pytest.mark.expects_log("step-given-again")
def test_a_proof_that_is_lost_after_the_transfer_is_asked_for(
    outbox: Outbox, clock: FixedClock
) -> None:
    sent = keep(outbox, begin(outbox, clock))
    outbox.seal([sent], sealing.NURSE, release_now=True)
    (task,) = claim(outbox.spool, open_tasks(outbox.spool))
    settle_stored(outbox.spool, task, StoreReceipt(sent, 0))
    damage(outbox, "task", "state", sent, "iif(kind = 'prove', 'zz', state)")
    assert open_tasks(outbox.spool) == ()
    recover(outbox.spool, [PACS])
    (task,) = open_tasks(outbox.spool)
    assert task.kind is TaskKind.PROVE


@pytest.mark.expects_log("row-put-right")
@pytest.mark.parametrize(
    "column",
    [
        "attempts",
        *(
            pytest.param(one, marks=pytest.mark.expects_log("task-row-unreadable"))
            for one in ("failures", "resends", "nudges")
        ),
    ],
)
@pytest.mark.parametrize("value", [-7, FAR])
def test_a_count_that_is_damaged_stops_no_neighbour(
    outbox: Outbox,
    clock: FixedClock,
    tmp_path: Path,
    eventually: Eventually,
    column: str,
    value: int,
) -> None:
    exam = begin(outbox, clock)
    sent = [keep(outbox, exam), keep(outbox, exam)]
    outbox.seal(sent, sealing.NURSE, release_now=True)
    damage(outbox, "task", column, sent[0], str(value))
    assert sent[1] in {task.sop_instance_uid for task in open_tasks(outbox.spool)}
    assert [found.cell for found in inspect(outbox.spool).damaged] == [column]
    deliver(outbox, tmp_path, clock, lambda: outbox.counts().confirmed_today == 2, eventually)
