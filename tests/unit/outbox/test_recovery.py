import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Description, Side
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox import acts
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import RecoveryReport, recover
from capture_app.outbox.steps.tasks import claim, open_tasks, read_instance
from capture_app.store.sealed import open_sealed, write_sealed
from tests import outboxes, sealing
from tests.outboxes import PACS, begin, keep


def states(outbox: Outbox) -> dict[str, ImageState]:
    return {status.capture_id: status.state for status in outbox.statuses()}


def put_right(outbox: Outbox, *destinations: str, **more: object) -> RecoveryReport:
    return recover(outbox.spool, destinations or (PACS,), **more)  # type: ignore[arg-type]


def lose_rows(outbox: Outbox, *tables: str) -> None:
    """What a crash between the file's name and the commit leaves, or a lost database."""
    connection = outbox.spool.database.read()
    connection.execute("PRAGMA foreign_keys = OFF")
    with outbox.spool.database.transaction() as writing:
        for table in tables:
            writing.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours
    connection.execute("PRAGMA foreign_keys = ON")


def test_in_a_tidy_folder_nothing_is_done(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    keep(outbox, exam)
    outbox.seal([keep(outbox, exam)], sealing.NURSE, release_now=True)
    before, trail = states(outbox), list(read_trail(outbox.spool.database.read()))
    assert put_right(outbox) == RecoveryReport()
    assert states(outbox) == before
    assert list(read_trail(outbox.spool.database.read())) == trail


def test_a_picture_without_a_row_becomes_a_draft_of_its_exam(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    capture_id = keep(outbox, exam)
    lose_rows(outbox, "capture", "exam", "change")
    assert not outbox.drafts()
    assert put_right(outbox).adopted_captures == 1
    (draft,) = outbox.drafts()
    assert (draft.capture_id, draft.exam_id) == (capture_id, exam.exam_id)
    assert draft.description == sealing.description()
    assert outbox.exam(exam.exam_id) == exam
    assert outbox.image_of(capture_id) == sealing.photo()
    assert put_right(outbox).adopted_captures == 0


def test_a_file_that_was_imported_is_adopted_as_such(outbox: Outbox, clock: FixedClock) -> None:
    keep(outbox, begin(outbox, clock, identified_by=IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER))
    lose_rows(outbox, "capture", "exam", "change")
    assert put_right(outbox).adopted_captures == 1
    *_, adopted = read_trail(outbox.spool.database.read())
    assert adopted.event.action is AuditAction.IMPORTED
    assert adopted.event.details == {"adopted": "yes"}


@pytest.mark.expects_log("trail-broken")
def test_a_lost_database_is_rebuilt_from_the_files(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    exam = begin(outbox, clock)
    draft = keep(outbox, exam)
    sent = [
        keep(outbox, exam),
        keep(outbox, exam, description=sealing.description(side=Side.RIGHT)),
    ]
    outbox.seal(sent, sealing.NURSE, release_now=True)
    before = {uid: read_instance(outbox.spool, uid) for uid in sent}
    outboxes.close(outbox)
    for path in tmp_path.glob("outbox.db*"):
        path.unlink()
    again = outboxes.open_outbox(tmp_path, clock)
    report = put_right(again)
    assert (report.adopted_captures, report.adopted_instances, report.alarms) == (3, 2, [])
    assert states(again) == {
        draft: ImageState.DRAFT,
        sent[0]: ImageState.QUEUED,
        sent[1]: ImageState.QUEUED,
    }
    assert {uid: read_instance(again.spool, uid) for uid in sent} == before
    # Counters go on where they were: no number and no UID is used twice.
    clock.advance(1)
    again.seal([draft, keep(again, exam)], sealing.NURSE)
    numbers = again.spool.database.read().execute(
        "SELECT series_instance_uid, instance_number FROM instance"
    )
    found = numbers.fetchall()
    assert len(found) == len(set(found)) == 4
    assert len({uid for uid, _ in found}) == 2
    outboxes.close(again)


@pytest.mark.expects_log("trail-broken")
def test_what_was_sent_stays_sent_when_the_database_is_lost(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    """Described between the shutter and Send, as people do: only the sealed instance knows it."""
    capture_id = keep(outbox, begin(outbox, clock), description=Description())
    outbox.describe([capture_id], sealing.description(), sealing.NURSE)
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    before = read_instance(outbox.spool, capture_id)
    outboxes.close(outbox)
    for path in tmp_path.glob("outbox.db*"):
        path.unlink()
    again = outboxes.open_outbox(tmp_path, clock)
    put_right(again)
    assert states(again) == {capture_id: ImageState.QUEUED}
    assert read_instance(again.spool, capture_id) == before
    assert again.description_of(capture_id) == sealing.description()
    outboxes.close(again)


@pytest.mark.expects_log("trail-broken")
def test_a_lost_database_does_not_collide_with_what_came_since(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    """The command writes into the new database before the engine has read the old files."""
    old = keep(outbox, begin(outbox, clock))
    outbox.seal([old], sealing.NURSE, release_now=True)
    before = read_instance(outbox.spool, old)
    outboxes.close(outbox)
    for path in tmp_path.glob("outbox.db*"):
        path.unlink()
    again = outboxes.open_outbox(tmp_path, clock)
    new = keep(again, begin(again, clock))
    again.seal([new], sealing.NURSE, release_now=True)
    assert put_right(again).alarms == []
    assert states(again) == dict.fromkeys((old, new), ImageState.QUEUED)
    assert read_instance(again.spool, old) == before
    outboxes.close(again)


def test_an_older_database_does_not_collide_with_newer_files(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    """A copy was put back: the numbers that the files have were given out once more."""
    exam = begin(outbox, clock)
    first = keep(outbox, exam)
    outbox.seal([first], sealing.NURSE, release_now=True)
    with (
        closing(sqlite3.connect(tmp_path / "outbox.db")) as original,
        closing(sqlite3.connect(tmp_path / "copy.db")) as copy,
    ):
        original.backup(copy)
    left = sealing.description()
    right = sealing.description(side=Side.RIGHT)
    lost = [keep(outbox, exam, description=side) for side in (left, right)]
    outbox.seal(lost, sealing.NURSE, release_now=True)
    outboxes.close(outbox)
    for path in tmp_path.glob("outbox.db*"):
        path.unlink()
    (tmp_path / "copy.db").rename(tmp_path / "outbox.db")
    again = outboxes.open_outbox(tmp_path, clock)
    since = [keep(again, exam, description=side) for side in (left, right)]
    again.seal(since, sealing.NURSE, release_now=True)
    assert put_right(again).alarms == []
    assert states(again) == dict.fromkeys((first, *lost, *since), ImageState.QUEUED)
    outboxes.close(again)


def test_an_instance_without_its_row_is_queued_and_proved_again(
    outbox: Outbox, clock: FixedClock
) -> None:
    """The process ended between the names of the sealed files and the commit of Send."""
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE)
    lose_rows(outbox, "task", "instance")
    assert states(outbox) == {capture_id: ImageState.DRAFT}
    assert put_right(outbox).adopted_instances == 1
    assert states(outbox) == {capture_id: ImageState.QUEUED}
    assert [task.sop_instance_uid for task in open_tasks(outbox.spool)] == [capture_id]


@pytest.mark.parametrize("meanwhile", ["described", "deleted", "sent again"])
def test_what_a_person_changed_meanwhile_wins_over_a_stray_instance(
    outbox: Outbox, clock: FixedClock, meanwhile: str
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE)
    lose_rows(outbox, "task", "instance")
    match meanwhile:
        case "described":
            outbox.describe([capture_id], sealing.description(side=Side.RIGHT), sealing.NURSE)
            left, wanted = 0, {capture_id: ImageState.DRAFT}
        case "deleted":
            outbox.delete([capture_id], sealing.NURSE)
            left, wanted = 0, {}
        case _:
            outbox.seal([capture_id], sealing.NURSE, release_now=True)
            left, wanted = 1, {capture_id: ImageState.QUEUED}
    assert put_right(outbox).adopted_instances == 0
    assert states(outbox) == wanted
    assert len(list(outbox.spool.instances.iterdir())) == left


def test_what_was_undone_is_not_sent_after_all(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    sending = outbox.seal([capture_id], sealing.NURSE)
    (path,) = outbox.spool.instances.iterdir()
    copy = path.read_bytes()
    assert outbox.undo(sending.send_id, sealing.NURSE)
    path.write_bytes(copy)  # as if the process had ended before it removed the file
    put_right(outbox)
    assert states(outbox) == {capture_id: ImageState.DRAFT}
    assert not path.exists()


@pytest.mark.expects_log("file-missing")
def test_a_row_without_its_file_is_an_alarm_and_not_a_crash(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    lost, fine = keep(outbox, exam), keep(outbox, exam)
    (name,) = (
        outbox.spool.database.read()
        .execute("SELECT file FROM capture WHERE capture_id = ?", (lost,))
        .fetchone()
    )
    away = (outbox.spool.captures / name).rename(outbox.spool.captures.parent / "away")
    report = put_right(outbox)
    assert report.missing_files == 1
    assert len(report.alarms) == 1
    assert states(outbox) == {lost: ImageState.NEEDS_YOU, fine: ImageState.DRAFT}
    assert "missing" in {s.capture_id: s.last_error for s in outbox.statuses()}[lost]
    away.rename(outbox.spool.captures / name)
    assert put_right(outbox).missing_files == 0
    assert states(outbox) == {lost: ImageState.DRAFT, fine: ImageState.DRAFT}


def test_a_file_under_another_name_is_given_back_to_its_row(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    draft, sent = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([sent], sealing.NURSE, release_now=True)
    for folder in (outbox.spool.captures, outbox.spool.instances):
        for path in list(folder.iterdir()):
            path.rename(path.with_name(f"restored-{path.name}"))
    # The rows look for names that are gone, the files for rows that have them.
    put_right(outbox)
    assert outbox.image_of(draft) == outbox.image_of(sent) == sealing.photo()
    _, file = read_instance(outbox.spool, sent)
    assert file is not None
    assert (outbox.spool.instances / file).exists()


@pytest.mark.expects_log("stray-file-unreadable")
def test_a_file_that_cannot_be_read_is_kept_and_told(outbox: Outbox, clock: FixedClock) -> None:
    junk = outbox.spool.captures / f"{'0' * 32}.sealed"
    junk.write_bytes(b"not a sealed file")
    keep(outbox, begin(outbox, clock))
    report = put_right(outbox)
    assert report.alarms == [f"A sealed file cannot be read; it was kept: {junk.name}"]
    assert report.set_apart == [junk]
    assert junk.exists()


def test_temporary_files_go_once_nobody_can_be_writing_them(
    outbox: Outbox, clock: FixedClock
) -> None:
    old, young = (outbox.spool.captures / name for name in ("old.tmp", "young.tmp"))
    for path, age in ((old, timedelta(hours=1)), (young, timedelta(seconds=1))):
        path.touch()
        written = (clock.now() - age).timestamp()
        os.utime(path, (written, written))
    put_right(outbox)
    assert not old.exists()
    assert young.exists()


def test_after_a_restart_all_that_waits_is_queued(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    held, under_way, kept_back = (keep(outbox, exam) for _ in range(3))
    for capture_id in (held, under_way, kept_back):
        outbox.seal([capture_id], sealing.NURSE)
    acts.release(outbox.spool, [under_way], sealing.NURSE)
    acts.hold(outbox.spool, [kept_back], sealing.NURSE)
    claim(outbox.spool, [t for t in open_tasks(outbox.spool) if t.sop_instance_uid == under_way])
    assert states(outbox)[under_way] is ImageState.SENDING
    assert put_right(outbox).requeued == 2
    assert states(outbox) == {
        held: ImageState.QUEUED,
        under_way: ImageState.QUEUED,
        kept_back: ImageState.HELD,
    }


def test_what_this_process_may_still_undo_stays_held(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    capture_id = keep(outbox, exam)
    outbox.seal([capture_id], sealing.NURSE)
    put_right(outbox, live_sends=outbox.live_sends())
    assert states(outbox) == {capture_id: ImageState.HELD}
    clock.advance(10)
    put_right(outbox, live_sends=outbox.live_sends())
    assert states(outbox) == {capture_id: ImageState.QUEUED}


def test_what_another_process_may_still_undo_keeps_its_hold(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    """Another process took the role over: it would otherwise send at once what is being undone."""
    capture_id = keep(outbox, begin(outbox, clock))
    theirs = outboxes.open_outbox(tmp_path, clock)
    assert not theirs.others_may_undo()
    sending = outbox.seal([capture_id], sealing.NURSE)
    assert not outbox.others_may_undo()
    put_right(theirs, live_sends=theirs.live_sends(), others_may_undo=theirs.others_may_undo())
    assert states(theirs) == {capture_id: ImageState.HELD}
    assert outbox.undo(sending.send_id, sealing.NURSE)
    outbox.seal([capture_id], sealing.NURSE)
    outboxes.close(outbox)  # however it ended: the system gives its lock back
    put_right(theirs, others_may_undo=theirs.others_may_undo())
    assert list(states(theirs).values()) == [ImageState.QUEUED]
    outboxes.close(theirs)


def test_an_archive_that_left_the_settings_needs_a_person_until_it_is_back(
    outbox: Outbox, clock: FixedClock
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    put_right(outbox, "another")
    (status,) = outbox.statuses()
    assert status.state is ImageState.IT_ASKED
    assert "no longer name this archive" in status.last_error
    put_right(outbox, PACS)
    assert states(outbox) == {capture_id: ImageState.QUEUED}


@pytest.mark.expects_log("trail-broken")
def test_what_was_sent_is_for_the_archives_of_its_day(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    """Not for those of today: neither is one left out that was removed, nor is one added."""
    outboxes.close(outbox)
    before = outboxes.open_outbox(tmp_path, clock, destinations=("old", PACS))
    capture_id = keep(before, begin(before, clock))
    before.seal([capture_id], sealing.NURSE, release_now=True)
    outboxes.close(before)
    for path in tmp_path.glob("outbox.db*"):
        path.unlink()
    after = outboxes.open_outbox(tmp_path, clock, destinations=(PACS, "new"))
    put_right(after, PACS, "new")
    rows = after.spool.database.read().execute("SELECT destination, state FROM task")
    assert dict(rows.fetchall()) == {"old": "needs-you", PACS: "queued"}
    (status,) = after.statuses()
    assert (status.state, status.destination) == (ImageState.IT_ASKED, "old")
    assert "no longer name this archive" in status.last_error
    put_right(after, "old", PACS)  # put back, as the reason says
    assert states(after) == {capture_id: ImageState.QUEUED}
    outboxes.close(after)


@pytest.mark.expects_log("stray-file-unreadable")
def test_a_file_that_leaves_out_what_its_version_says_is_set_apart(
    outbox: Outbox, clock: FixedClock
) -> None:
    """Where no destination can be read none is made up from the settings."""
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    (path,) = outbox.spool.instances.iterdir()
    whole = open_sealed(path, outbox.spool.cipher)
    said = json.loads(whole.identity)
    del said["destinations"]
    lose_rows(outbox, "task", "instance")
    path.unlink()
    write_sealed(
        outbox.spool.instances, uid=capture_id, identity=json.dumps(said).encode(),
        content=whole.content, cipher=outbox.spool.cipher, kind="instance",
    )  # fmt: skip
    report = put_right(outbox)
    assert (report.adopted_instances, len(report.set_apart), len(report.alarms)) == (0, 1, 1)
    assert not open_tasks(outbox.spool)


def test_an_instance_that_outlived_its_picture_is_not_undone(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    """Nothing would be left of it: the instance is all there is."""
    capture_id = keep(outbox, begin(outbox, clock))
    sending = outbox.seal([capture_id], sealing.NURSE)
    lose_rows(outbox, "task", "instance", "capture")
    for path in outbox.spool.captures.iterdir():
        path.unlink()
    assert put_right(outbox).adopted_instances == 1
    outbox.hold([capture_id], sealing.NURSE)
    assert not outbox.undo(sending.send_id, sealing.NURSE)
    assert states(outbox) == {capture_id: ImageState.HELD}
    assert len(outboxes.sealed_files(tmp_path)) == 1
