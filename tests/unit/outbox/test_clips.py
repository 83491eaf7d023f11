"""A film is a draft like any other, and what of it was promised outlives any end."""

from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import DiskFullError, RuleError, SealBrokenError, StoreError
from capture_app.model.audit_event import AuditAction
from capture_app.model.clip import ClipLength
from capture_app.outbox.keeping.clips import Film
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.store.record import to_record
from capture_app.store.sealed_pieces import GROWING_SUFFIX
from tests import filming, outboxes, sealing
from tests.filming import SHAPE, jpeg, record
from tests.outboxes import PACS, begin, keep
from tests.unit.outbox.test_recovery import lose_rows


def growing(outbox: Outbox) -> list[Path]:
    return list(outbox.spool.captures.glob(f"*{GROWING_SUFFIX}"))


def frames_of(outbox: Outbox, capture_id: str) -> list[tuple[bytes, int]]:
    with outbox.film_of(capture_id) as clip:
        return list(clip.frames())


def told(outbox: Outbox) -> list[dict[str, str]]:
    events = read_trail(outbox.spool.database.read())
    return [dict(one.event.details) for one in events if one.event.action is AuditAction.CAPTURED]


def test_a_recording_becomes_a_draft_with_every_frame(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    recording = record(outbox, exam, 12)
    assert outbox.drafts() == ()
    capture_id = recording.finish()
    (draft,) = outbox.drafts(exam_id=exam.exam_id)
    assert (draft.capture_id, draft.clip) == (capture_id, ClipLength(12, 11 * 33_000))
    assert frames_of(outbox, capture_id) == [(jpeg(n), n * 33_000) for n in range(12)]
    assert growing(outbox) == []
    assert told(outbox) == [
        {
            "device": sealing.CAMERA.device_id,
            "frames": "12",
            "seconds": "0.363",
            "partial": "no",
        }
    ]
    assert inspect(outbox.spool).whole


def test_a_film_that_is_all_there_is_kept_at_once(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    film = Film(SHAPE, tuple((jpeg(n), n * 33_000) for n in range(30)))
    capture_id = outbox.keep_film(filming.identity(exam, outbox), film)
    (draft,) = outbox.drafts()
    assert draft.clip == ClipLength(30, 29 * 33_000)
    assert frames_of(outbox, capture_id) == list(film.frames)


def test_a_picture_is_no_clip(outbox: Outbox, clock: FixedClock) -> None:
    keep(outbox, begin(outbox, clock))
    assert [draft.clip for draft in outbox.drafts()] == [None]


def test_a_recording_that_nobody_ended_comes_back_as_a_part(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    recording = record(outbox, exam, 13)  # ten are promised
    recording.leave()
    report = recover(outbox.spool, (PACS,))
    assert (report.adopted_captures, report.alarms) == (1, [])
    (draft,) = outbox.drafts(exam_id=exam.exam_id)
    assert draft.capture_id == recording.capture_id
    assert draft.clip is not None
    assert draft.clip.is_partial
    assert 10 <= draft.clip.frames <= 13
    assert draft.description == sealing.description()
    assert draft.fault is None
    found = frames_of(outbox, draft.capture_id)
    assert found == [(jpeg(n), n * 33_000) for n in range(len(found))]
    assert growing(outbox) == []
    assert told(outbox)[0]["partial"] == "yes"
    assert recover(outbox.spool, (PACS,)).adopted_captures == 0
    assert inspect(outbox.spool).whole


def test_a_recording_that_somebody_makes_is_left_alone(outbox: Outbox, clock: FixedClock) -> None:
    recording = record(outbox, begin(outbox, clock), 7)
    assert recover(outbox.spool, (PACS,)).adopted_captures == 0
    assert len(growing(outbox)) == 1
    recording.finish()
    assert len(outbox.drafts()) == 1


def test_one_of_which_nothing_was_promised_goes(outbox: Outbox, clock: FixedClock) -> None:
    record(outbox, begin(outbox, clock), 3).leave()
    assert recover(outbox.spool, (PACS,)).adopted_captures == 0
    assert growing(outbox) == []
    assert outbox.drafts() == ()


def test_one_that_had_its_end_and_not_its_name_is_whole(
    outbox: Outbox, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record(outbox, begin(outbox, clock), 12)
    with monkeypatch.context() as broken:
        broken.setattr("capture_app.store.sealed_pieces.give_name", _refuse)
        with pytest.raises(StoreError):
            recording.finish()
    assert outbox.drafts() == ()
    assert recover(outbox.spool, (PACS,)).adopted_captures == 1
    (draft,) = outbox.drafts()
    assert draft.clip == ClipLength(12, 11 * 33_000, is_partial=False)


def _refuse(_staged: object) -> None:
    raise StoreError("the disk refused")


def test_one_that_was_taken_in_before_is_not_taken_in_again(
    outbox: Outbox, clock: FixedClock
) -> None:
    """Killed between the draft and the end of the file that it was made from."""
    recording = record(outbox, begin(outbox, clock), 13)
    recording.leave()
    (path,) = growing(outbox)
    before = path.read_bytes()
    recover(outbox.spool, (PACS,))
    path.write_bytes(before)
    assert recover(outbox.spool, (PACS,)).adopted_captures == 0
    assert growing(outbox) == []
    assert len(outbox.drafts()) == 1


@pytest.mark.expects_log("stray-file-unreadable")
def test_one_whose_beginning_is_damaged_is_kept_and_told(outbox: Outbox, clock: FixedClock) -> None:
    record(outbox, begin(outbox, clock), 13).leave()
    (path,) = growing(outbox)
    raw = bytearray(path.read_bytes())
    raw[200] ^= 1  # its identity
    path.write_bytes(raw)
    report = recover(outbox.spool, (PACS,))
    assert report.set_apart == [path]
    assert len(report.alarms) == 1
    assert path.read_bytes() == bytes(raw)


def test_a_clip_without_a_row_gets_it_again(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = record(outbox, begin(outbox, clock), 12).finish()
    lose_rows(outbox, "capture", "exam", "change")
    assert recover(outbox.spool, (PACS,)).adopted_captures == 1
    (draft,) = outbox.drafts()
    assert (draft.capture_id, draft.clip) == (capture_id, ClipLength(12, 11 * 33_000))


def test_a_clip_never_passes_for_its_first_frame(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = record(outbox, begin(outbox, clock), 12).finish()
    with pytest.raises(RuleError):
        outbox.image_of(capture_id)
    # Nor where its row says that it is a picture.
    with outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE capture SET clip = ''")
    with pytest.raises(RuleError):
        outbox.image_of(capture_id)


def test_damage_is_written_down_when_a_frame_is_read(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = record(outbox, begin(outbox, clock), 12).finish()
    (path,) = outbox.spool.captures.glob("*.sealed")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(SealBrokenError):
        frames_of(outbox, capture_id)
    (draft,) = outbox.drafts()
    assert draft.fault is not None


@pytest.mark.expects_log("draft-row-unreadable")
def test_a_damaged_cell_takes_no_draft_away(outbox: Outbox, clock: FixedClock) -> None:
    record(outbox, begin(outbox, clock), 12).finish()
    with outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE capture SET clip = '{'")
    (draft,) = outbox.drafts()
    assert draft.fault is not None
    assert [cell.cell for cell in inspect(outbox.spool).damaged] == ["clip"]


def test_a_recording_ends_while_there_is_room_left(
    outbox: Outbox, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record(outbox, begin(outbox, clock), 4, sync_every=9)
    with monkeypatch.context() as full:
        full.setattr("capture_app.outbox.keeping.clips.free_bytes", lambda _folder: 0)
        with pytest.raises(DiskFullError):
            recording.sync()
    recording.finish(is_partial=True)
    (draft,) = outbox.drafts()
    assert draft.clip == ClipLength(4, 3 * 33_000, is_partial=True)


def test_a_deleted_clip_is_brought_back(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = record(outbox, begin(outbox, clock), 12).finish()
    outbox.delete([capture_id], sealing.NURSE)
    assert outbox.drafts() == ()
    outbox.restore([capture_id], sealing.NURSE)
    assert len(outboxes.sealed_files(outbox.spool.captures)) == 1
    assert len(outbox.drafts()) == 1


def test_a_row_that_takes_a_clip_for_a_picture_or_a_picture_for_a_clip_is_found(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    clip, picture = record(outbox, exam, 12).finish(), keep(outbox, exam)
    with outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE capture SET clip = '' WHERE capture_id = ?", (clip,))
        connection.execute(
            "UPDATE capture SET clip = ? WHERE capture_id = ?",
            (to_record(ClipLength(9, 7)).decode(), picture),
        )
    damaged = {(one.table, one.row, one.cell) for one in inspect(outbox.spool).damaged}
    assert damaged == {("capture", clip, "clip"), ("capture", picture, "clip")}
