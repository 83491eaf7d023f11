"""One damaged cell stops its own row: every list, the engine and a start go on without it."""

from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import SealBrokenError, SignInError
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Description
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import DamagedCell, inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps.tasks import open_tasks, read_instance
from capture_app.security.pins import PinCost
from capture_app.security.users import FIRST_ROLES, Users
from capture_app.ui.outbox.rows import group_sends, row_of
from tests import outboxes, sealing
from tests.outboxes import PACS, DirectoryArchive, begin, keep
from tests.waiting import Eventually

UNREADABLE_TEXT = "CAST(x'ff' AS TEXT)"


def damage(outbox: Outbox, table: str, column: str, key: str, value: str = "x'00'") -> None:
    """What a bad sector or a slip with an SQLite shell leaves."""
    database = outbox.spool.database
    name = {"exam": "exam_id", "study": "study_instance_uid", "capture": "capture_id"}.get(
        table, "sop_instance_uid"
    )
    database.read().execute("PRAGMA ignore_check_constraints = ON")
    with database.transaction() as connection:
        changed = connection.execute(
            f"UPDATE {table} SET {column} = {value} WHERE {name} = ?",  # noqa: S608 - names of this test
            (key,),
        )
        assert changed.rowcount
    database.read().execute("PRAGMA ignore_check_constraints = OFF")


def file_of(outbox: Outbox, table: str, uid: str) -> Path:
    key = {"capture": "capture_id", "instance": "sop_instance_uid"}[table]
    (name,) = (
        outbox.spool.database.read()
        .execute(f"SELECT file FROM {table} WHERE {key} = ?", (uid,))  # noqa: S608 - names of this test
        .fetchone()
    )
    folder = outbox.spool.captures if table == "capture" else outbox.spool.instances
    return Path(folder / name)


@pytest.mark.expects_log("draft-row-unreadable")
def test_a_draft_whose_description_is_damaged_is_described_anew(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    bad, good = keep(outbox, exam), keep(outbox, exam)
    damage(outbox, "capture", "description", bad)
    of_bad, of_good = outbox.drafts()
    assert (of_bad.capture_id, of_bad.description) == (bad, Description())
    assert of_bad.fault is not None
    assert of_bad.fault.code == "description-unreadable"
    assert "Choose procedure and site again." in str(of_bad.fault)
    assert (of_good.fault, of_good.description) == (None, sealing.description())
    assert outbox.description_of(bad) == Description()
    outbox.describe([bad], sealing.description(), sealing.NURSE, {bad: Description()})
    assert [draft.fault for draft in outbox.drafts()] == [None, None]
    outbox.seal([bad, good], sealing.NURSE)
    assert {status.state for status in outbox.statuses()} == {ImageState.HELD}


@pytest.mark.expects_log("draft-row-unreadable")
@pytest.mark.parametrize("column", ["taken_at", "kept_at"])
@pytest.mark.parametrize("value", ["'soon'", UNREADABLE_TEXT])
def test_a_draft_whose_time_is_damaged_takes_no_other_away(
    outbox: Outbox, clock: FixedClock, column: str, value: str
) -> None:
    exam = begin(outbox, clock)
    bad, good = keep(outbox, exam), keep(outbox, exam)
    damage(outbox, "capture", column, bad, value)
    found = {draft.capture_id: draft for draft in outbox.drafts(exam_id=exam.exam_id)}
    assert set(found) == {bad, good}
    assert str(found[bad].fault).startswith(f"A row of the database cannot be read: {bad}.")
    assert found[good].fault is None
    assert outbox.last_taken([exam.patient]) is not None


@pytest.mark.expects_log("status-row-unreadable")
@pytest.mark.parametrize(
    ("table", "column"),
    [("capture", "kept_at"), ("instance", "sealed_at"), ("task", "changed_at"), ("task", "due_at")],
)
def test_a_status_that_is_damaged_stands_in_the_list_with_its_row(
    outbox: Outbox, clock: FixedClock, table: str, column: str
) -> None:
    exam = begin(outbox, clock)
    bad, good = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([bad, good], sealing.NURSE, release_now=True)
    damage(outbox, table, column, bad, UNREADABLE_TEXT)
    found = {status.capture_id: status for status in outbox.statuses()}
    assert (found[bad].state, found[good].state) == (ImageState.IT_ASKED, ImageState.QUEUED)
    assert bad in found[bad].last_error
    assert "outbox --check" in found[bad].last_error
    assert outbox.counts().waiting == 2


@pytest.mark.expects_log("exam-row-put-right")
@pytest.mark.parametrize("sent", [False, True])
def test_an_exam_that_is_damaged_is_put_right_by_a_sealed_file(
    outbox: Outbox, clock: FixedClock, sent: bool
) -> None:
    exam = begin(outbox, clock)
    capture_id = keep(outbox, exam)
    if sent:
        outbox.seal([capture_id], sealing.NURSE, release_now=True)
        file_of(outbox, "capture", capture_id).unlink()
    damage(outbox, "exam", "sealed", exam.exam_id)
    assert outbox.exam(exam.exam_id) == exam
    assert outbox.exam_of(capture_id) == exam
    assert inspect(outbox.spool).damaged == ()


@pytest.mark.expects_log("exam-row-unreadable")
def test_an_exam_of_which_nothing_is_left_empties_no_list(
    outbox: Outbox, clock: FixedClock
) -> None:
    lost, other = begin(outbox, clock), begin(outbox, clock)
    sent = [keep(outbox, lost), keep(outbox, other)]
    outbox.seal(sent, sealing.NURSE, release_now=True)
    for table in ("capture", "instance"):
        file_of(outbox, table, sent[0]).unlink()
    damage(outbox, "exam", "sealed", lost.exam_id)
    with pytest.raises(SealBrokenError, match=lost.exam_id):
        outbox.exam(lost.exam_id)
    assert names(outbox, clock) == [other.patient.name.shown] * 2  # the instance says whose it is
    damage(outbox, "instance", "sealed", sent[0])
    assert set(names(outbox, clock)) == {"The patient cannot be read", other.patient.name.shown}
    assert inspect(outbox.spool).damaged == (
        DamagedCell("exam", lost.exam_id, "sealed"),
        DamagedCell("instance", sent[0], "sealed"),
    )


def names(outbox: Outbox, clock: FixedClock) -> list[str]:
    sends = group_sends(outbox, outbox.statuses())
    return [row_of(send, clock.now()).name for send in sends]


@pytest.mark.expects_log("exam-row-unreadable")
def test_a_draft_of_an_exam_of_which_nothing_is_left_is_shown_to_it(
    outbox: Outbox, clock: FixedClock
) -> None:
    lost, other = begin(outbox, clock), begin(outbox, clock)
    bad, good = keep(outbox, lost), keep(outbox, other)
    path = file_of(outbox, "capture", bad)
    path.write_bytes(b"damaged")
    damage(outbox, "exam", "sealed", lost.exam_id)
    assert set(outbox.readable_exams([lost.exam_id, other.exam_id])) == {other.exam_id}
    found = {status.capture_id: status for status in outbox.statuses()}
    assert found[bad].state is ImageState.IT_ASKED
    assert lost.exam_id in found[bad].last_error
    assert found[good].state is ImageState.DRAFT
    assert outbox.counts().it_asked == 1


@pytest.mark.expects_log("study-row-put-right")
def test_a_study_that_is_damaged_is_put_right_by_an_image_of_it(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    first, second = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([first], sealing.NURSE, release_now=True)
    study = read_instance(outbox.spool, first)[0].study_instance_uid
    damage(outbox, "study", "sealed", study)
    outbox.seal([second], sealing.NURSE, release_now=True)
    assert read_instance(outbox.spool, second)[0].study_instance_uid == study


@pytest.mark.expects_log("study-row-unreadable")
def test_a_study_of_which_nothing_is_left_takes_no_more_images(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    first, *later = [keep(outbox, exam) for _ in range(3)]
    outbox.seal([first], sealing.NURSE, release_now=True)
    study = read_instance(outbox.spool, first)[0].study_instance_uid
    file_of(outbox, "instance", first).unlink()
    damage(outbox, "study", "sealed", study)
    for capture_id in later:
        outbox.seal([capture_id], sealing.NURSE, release_now=True)
    another, same = (read_instance(outbox.spool, one)[0].study_instance_uid for one in later)
    assert another == same != study


@pytest.mark.expects_log("instance-row-unreadable")
def test_an_instance_whose_cell_is_damaged_is_sent_by_what_its_file_says(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, eventually: Eventually
) -> None:
    exam = begin(outbox, clock)
    sent = [keep(outbox, exam), keep(outbox, exam)]
    outbox.seal(sent, sealing.NURSE, release_now=True)
    whole = read_instance(outbox.spool, sent[0])
    damage(outbox, "instance", "sealed", sent[0])
    assert read_instance(outbox.spool, sent[0]) == whole, "whose it is, too"
    assert DamagedCell("instance", sent[0], "sealed") in inspect(outbox.spool).damaged
    archive = DirectoryArchive(tmp_path / "archive")
    engine = outboxes.open_engine(outbox, tmp_path, clock, archive)
    engine.start()
    try:
        eventually(lambda: {s.state for s in outbox.statuses()} == {ImageState.CONFIRMED})
    finally:
        assert engine.stop()
    assert sorted(archive.holds()) == sorted(sent)


@pytest.mark.expects_log("row-put-right")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("capture", "exam_id"),
        ("capture", "capture_id"),
        ("instance", "capture_id"),
        ("instance", "series_instance_uid"),
    ],
)
def test_a_row_that_names_another_wrongly_stops_no_neighbour_in_its_batch(
    outbox: Outbox,
    clock: FixedClock,
    tmp_path: Path,
    eventually: Eventually,
    table: str,
    column: str,
) -> None:
    exam = begin(outbox, clock)
    sent = [keep(outbox, exam) for _ in range(3)]
    outbox.seal(sent, sealing.NURSE, release_now=True)
    outbox.spool.database.read().execute("PRAGMA foreign_keys = OFF")
    damage(outbox, table, column, sent[1], "'zz'")
    archive = DirectoryArchive(tmp_path / "archive")
    engine = outboxes.open_engine(outbox, tmp_path, clock, archive)
    engine.start()
    try:
        eventually(lambda: sorted(archive.holds()) == sorted(sent))
        eventually(lambda: open_tasks(outbox.spool) == () and not running(outbox))
    finally:
        assert engine.stop()


def running(outbox: Outbox) -> list[str]:
    rows = outbox.spool.database.read().execute(
        "SELECT sop_instance_uid FROM task WHERE kind <> 'retain' AND state <> 'done'"
    )
    return [uid for (uid,) in rows]


@pytest.mark.expects_log("trail-broken")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_head SET rows_count = -7",
        "UPDATE audit_head SET last_hash = 'zz'",
        "UPDATE audit_head SET mac = 'zz'",
        "DELETE FROM audit_head",
    ],
)
def test_a_head_of_the_trail_that_is_damaged_stops_no_picture_and_is_not_healed(
    outbox: Outbox, clock: FixedClock, statement: str
) -> None:
    exam = begin(outbox, clock)
    keep(outbox, exam)
    with outbox.spool.database.transaction() as connection:
        connection.execute(statement)
    assert len({keep(outbox, exam) for _ in range(3)}) == 3
    trail = inspect(outbox.spool).trail
    assert (trail.first_broken, trail.head_holds, len(trail.breaks)) == (None, True, 1)
    assert trail.needs_attention


@pytest.mark.expects_log("task-row-unreadable", "step-given-again")
def test_a_task_that_is_damaged_waits_alone_until_a_start_puts_it_right(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, eventually: Eventually
) -> None:
    exam = begin(outbox, clock)
    bad, good = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([bad, good], sealing.NURSE, release_now=True)
    damage(outbox, "task", "kind", bad, "'stor'")
    assert [task.sop_instance_uid for task in open_tasks(outbox.spool)] == [good]
    (found, *_) = inspect(outbox.spool).damaged
    assert (found.table, found.cell) == ("task", "kind")
    engine = outboxes.open_engine(outbox, tmp_path, clock, DirectoryArchive(tmp_path / "archive"))
    engine.start()
    try:
        eventually(lambda: {s.state for s in outbox.statuses()} == {ImageState.CONFIRMED})
    finally:
        assert engine.stop()
    assert inspect(outbox.spool).whole


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("exam", "sealed", "x'00'"),
        ("exam", "opened_at", "'soon'"),
        ("study", "sealed", "x'00'"),
        ("capture", "description", "x'00'"),
        ("capture", "taken_at", "'soon'"),
        ("instance", "sealed", "x'00'"),
        ("instance", "sealed_at", UNREADABLE_TEXT),
        ("task", "changed_at", "'soon'"),
        ("task", "receipt", "'{'"),
    ],
)
def test_every_damaged_cell_is_named_and_a_start_goes_on(
    outbox: Outbox, clock: FixedClock, table: str, column: str, value: str
) -> None:
    exam = begin(outbox, clock)
    sent = keep(outbox, exam)
    outbox.seal([sent], sealing.NURSE, release_now=True)
    keys = {
        "exam": exam.exam_id,
        "study": read_instance(outbox.spool, sent)[0].study_instance_uid,
    }
    key = keys.get(table, sent)
    damage(outbox, table, column, key, value)
    (found,) = inspect(outbox.spool).damaged
    assert (found.table, found.cell) == (table, column)
    assert found.row in {key, "1"}, "a task goes by its number"
    assert not inspect(outbox.spool).whole
    assert recover(outbox.spool, [PACS]).alarms == []
    assert outbox.counts().waiting == 1


def test_an_instance_whose_steps_are_lost_is_named(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    lost, fine = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([lost, fine], sealing.NURSE, release_now=True)
    with outbox.spool.database.transaction() as connection:
        connection.execute("DELETE FROM task WHERE sop_instance_uid = ?", (lost,))
    assert inspect(outbox.spool).damaged == (DamagedCell("task", lost, "missing"),)


@pytest.mark.expects_log("database-cells-damaged")
@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        pytest.param(*cell, marks=pytest.mark.expects_log(said) if said else ())
        for said, *cell in (
            ("step-given-again", "task", "kind", "'zz'"),
            ("step-given-again", "task", "state", UNREADABLE_TEXT),
            ("", "task", "proof", "'zz'"),
            ("row-put-right", "task", "held_by_person", "-7"),
            ("row-put-right", "task", "is_suspect", "-7"),
            ("row-put-right", "instance", "withdrawn", "-7"),
        )
    ],
)
def test_a_value_that_its_column_does_not_allow_keeps_no_station_from_starting(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, table: str, column: str, value: str
) -> None:
    exam = begin(outbox, clock)
    bad, good = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([bad, good], sealing.NURSE, release_now=True)
    draft = keep(outbox, exam)
    damage(outbox, table, column, bad, value)
    outboxes.close(outbox)
    again = outboxes.open_outbox(tmp_path, clock)
    assert not inspect(again.spool).whole
    assert recover(again.spool, [PACS]).alarms == []
    assert {good, bad, draft} == {status.capture_id for status in again.statuses()}
    assert [one.capture_id for one in again.drafts()] == [draft]
    assert inspect(again.spool).whole == (column != "proof")
    outboxes.close(again)


@pytest.mark.parametrize("value", ["'zz'", None])
def test_a_draft_that_left_the_list_of_drafts_is_in_it_again(
    outbox: Outbox, clock: FixedClock, value: str | None
) -> None:
    exam = begin(outbox, clock)
    lost, sent = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([sent], sealing.NURSE)
    with outbox.spool.database.transaction() as connection:
        if value is None:
            connection.execute("DELETE FROM draft")
        else:
            connection.execute(f"UPDATE draft SET capture_id = {value}")  # noqa: S608 - a value of this test
    assert outbox.drafts() == ()
    recover(outbox.spool, [PACS])
    assert [one.capture_id for one in outbox.drafts()] == [lost]
    recover(outbox.spool, [PACS])  # and nothing is left to put right


@pytest.mark.expects_log("user-row-unreadable")
def test_a_user_whose_row_is_damaged_keeps_nobody_out(outbox: Outbox, clock: FixedClock) -> None:
    spool = outbox.spool
    users = Users(spool.database, spool.cipher, clock, cost=PinCost(8, 1))
    admin = users.add("ada", "Ada", FIRST_ROLES, "258047", None)
    users.add("bob", "Bob", FIRST_ROLES, "258047", admin)
    with spool.database.transaction() as connection:
        connection.execute("UPDATE users SET sealed = x'00' WHERE user_id = 'bob'")
    assert users.list() == (admin,)
    assert users.sign_in("ada", "258047") == admin
    with pytest.raises(SignInError, match="add the user anew"):
        users.sign_in("bob", "258047")
    assert inspect(spool).damaged == (DamagedCell("users", "bob", "sealed"),)
    bob = users.add("bob", "Bob", FIRST_ROLES, "836152", admin)
    assert users.sign_in("bob", "836152") == bob
    assert inspect(spool).damaged == ()
