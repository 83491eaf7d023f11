import json
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import code_stream, read
from capture_app.errors import (
    ChangedSinceSeenError,
    ConformanceError,
    DiskFullError,
    RuleError,
    SealBrokenError,
)
from capture_app.imaging import surgery
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import decode
from capture_app.imaging.turning import turned
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.patient import PatientId
from capture_app.model.procedure import Choice, Description, Turn
from capture_app.model.shown import ShownAtSend
from capture_app.outbox.keeping.drafts import open_capture
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing import seal
from capture_app.outbox.sealing.identity import read_identity
from capture_app.outbox.spool import Spool
from capture_app.outbox.steps.tasks import read_instance
from capture_app.settings.schema import Capture
from capture_app.store.record import to_record
from capture_app.store.sealed import Staged, open_identity, open_sealed, stage_sealed
from tests import outboxes, sealing
from tests.jpeg_parts import entropy_coded
from tests.outboxes import begin, keep


def states(outbox: Outbox) -> dict[str, ImageState]:
    return {status.capture_id: status.state for status in outbox.statuses()}


def part10(outbox: Outbox, uid: str) -> bytes:
    _, file = read_instance(outbox.spool, uid)
    assert file is not None
    return open_sealed(outbox.spool.instances / file, outbox.spool.cipher).content


def test_a_sealed_picture_is_the_kept_one_under_the_uid_of_the_shutter(
    outbox: Outbox, clock: FixedClock
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    sending = outbox.seal([capture_id], sealing.NURSE)
    assert sending.capture_ids == (capture_id,)
    assert (sending.hold_until - clock.now()).total_seconds() == 10
    (status,) = outbox.statuses()
    assert (status.sop_instance_uid, status.state) == (capture_id, ImageState.HELD)
    assert not outbox.drafts()
    written = part10(outbox, capture_id)
    verify(read(written))
    assert entropy_coded(sealing.jpeg()) in written
    instance, _ = read_instance(outbox.spool, capture_id)
    assert (instance.patient_id, instance.issuer_of_patient_id) == sealing.MAI.patient_id.key
    assert instance.size == len(written)


@pytest.mark.parametrize("size", [(48, 64), (45, 61)], ids=["whole blocks", "part blocks"])
def test_a_turned_picture_is_sent_turned_and_kept_as_it_came(
    outbox: Outbox, clock: FixedClock, size: tuple[int, int]
) -> None:
    image = prepare_jpeg(sealing.jpeg(*size))
    capture_id = keep(outbox, begin(outbox, clock), image=image)
    said = replace(sealing.description(), turn=Turn.LEFT)
    outbox.describe([capture_id], said, sealing.NURSE)
    sending = outbox.seal([capture_id], sealing.NURSE, seen={capture_id: said})
    ds = read(part10(outbox, capture_id))
    verify(ds)
    assert (ds.Rows, ds.Columns) == size[::-1]
    assert ds.ImageType[0] == "DERIVED"
    assert "without loss" in ds.DerivationDescription
    wanted = decode(turned(image, Turn.LEFT, surgery))
    found = open_capture(outbox.spool, capture_id)
    assert found == image
    np.testing.assert_array_equal(_pixels_of(ds), wanted)
    events = [row.event for row in read_trail(outbox.spool.database.read())]
    (described,) = [one for one in events if one.action is AuditAction.DESCRIBED]
    assert described.details["turn"] == "270"
    # Taken back and turned back: the very bytes of the camera.
    assert outbox.undo(sending.send_id, sealing.NURSE)
    assert outbox.description_of(capture_id).turn is Turn.LEFT
    outbox.describe([capture_id], sealing.description(), sealing.NURSE)
    outbox.seal([capture_id], sealing.NURSE)
    again = next(s.sop_instance_uid for s in outbox.statuses() if s.sop_instance_uid != capture_id)
    assert entropy_coded(sealing.jpeg(*size)) in part10(outbox, again)


def test_a_picture_turned_under_the_eyes_of_who_sends_is_not_sent(
    outbox: Outbox, clock: FixedClock
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    seen = {capture_id: sealing.description()}
    outbox.describe([capture_id], replace(sealing.description(), turn=Turn.HALF), sealing.NURSE)
    with pytest.raises(ChangedSinceSeenError):
        outbox.seal([capture_id], sealing.NURSE, seen=seen)
    assert [draft.capture_id for draft in outbox.drafts()] == [capture_id]


def _pixels_of(ds: Dataset) -> NDArray[np.uint8]:
    image = replace(
        prepare_jpeg(sealing.jpeg()), rows=ds.Rows, columns=ds.Columns, data=bytes(code_stream(ds))
    )
    is_jpeg = ds.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    return decode(image if is_jpeg else replace(image, coding=PixelCoding.JPEG_LS))


def test_released_at_once_is_queued(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    sending = outbox.seal([capture_id], sealing.NURSE, release_now=True)
    assert sending.hold_until == clock.now()
    assert states(outbox) == {capture_id: ImageState.QUEUED}


def test_undo_makes_drafts_again_and_sealing_again_mints_a_new_uid(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam), keep(outbox, exam)]
    first = outbox.seal(kept, sealing.NURSE)
    assert outbox.undo(first.send_id, sealing.NURSE)
    assert not outbox.undo(first.send_id, sealing.NURSE)
    assert [draft.capture_id for draft in outbox.drafts()] == kept
    assert len(outboxes.sealed_files(tmp_path)) == len(kept)
    outbox.seal(kept, sealing.NURSE)
    uids = {status.sop_instance_uid for status in outbox.statuses()}
    assert len(uids) == 2
    assert uids.isdisjoint(kept)
    events = [row.event for row in read_trail(outbox.spool.database.read())]
    undone = [e.sop_instance_uid for e in events if e.action is AuditAction.SEND_UNDONE]
    assert sorted(undone) == sorted(kept)


def test_undo_is_too_late_once_it_is_queued(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    sending = outbox.seal([keep(outbox, exam), keep(outbox, exam)], sealing.NURSE)
    (first, second) = [status.sop_instance_uid for status in outbox.statuses()]
    outbox.release([first], sealing.NURSE)
    assert not outbox.undo(sending.send_id, sealing.NURSE)
    assert set(states(outbox).values()) == {ImageState.QUEUED, ImageState.HELD}
    assert not outbox.undo("2.25.404", sealing.NURSE)
    assert outbox.hold([first, second], sealing.NURSE) == 2


def test_all_or_nothing(outbox: Outbox, clock: FixedClock, tmp_path: Path) -> None:
    exam = begin(outbox, clock)
    good, bare = keep(outbox, exam), keep(outbox, exam, description=Description())
    files = outboxes.sealed_files(tmp_path)
    with pytest.raises(RuleError, match="procedure and the region"):
        outbox.seal([good, bare], sealing.NURSE)
    with pytest.raises(RuleError, match="nothing to send"):
        outbox.seal([], sealing.NURSE)
    long_name = replace(
        sealing.MAI, patient_id=PatientId("x" * 65, "ST_ANNE")
    )  # LO takes 64: found when the dataset is verified
    unsound = keep(outbox, begin(outbox, clock, patient=long_name))
    files = outboxes.sealed_files(tmp_path)
    with pytest.raises(ConformanceError):
        outbox.seal([good, unsound], sealing.NURSE)
    assert set(states(outbox).values()) == {ImageState.DRAFT}
    assert outboxes.sealed_files(tmp_path) == files
    assert not list(tmp_path.rglob("*.tmp"))


def test_without_an_archive_nothing_is_sent(tmp_path: Path, clock: FixedClock) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock, destinations=())
    capture_id = keep(outbox, begin(outbox, clock))
    with pytest.raises(RuleError, match="No archive is set up"):
        outbox.seal([capture_id], sealing.NURSE)
    assert states(outbox) == {capture_id: ImageState.DRAFT}
    outboxes.close(outbox)


def test_what_changes_while_it_is_sealed_is_not_sent(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    other = outboxes.open_outbox(tmp_path, clock)
    real = stage_sealed

    def stage_while_somebody_describes(*args: object, **more: object) -> Staged:
        other.describe([capture_id], sealing.description(purpose=1), sealing.NURSE)
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(seal, "stage_sealed", stage_while_somebody_describes)
    with pytest.raises(ChangedSinceSeenError):
        outbox.seal([capture_id], sealing.NURSE)
    assert states(outbox) == {capture_id: ImageState.DRAFT}
    assert len(outboxes.sealed_files(tmp_path)) == 1
    outboxes.close(other)


def test_a_full_disk_at_send_leaves_the_drafts(
    outbox: Outbox, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam), keep(outbox, exam)]
    real, calls = stage_sealed, list[object]()

    def full_at_the_second(*args: object, **more: object) -> Staged:
        calls.append(args)
        if len(calls) == 2:
            raise DiskFullError("no room")
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(seal, "stage_sealed", full_at_the_second)
    with pytest.raises(DiskFullError):
        outbox.seal(kept, sealing.NURSE)
    assert set(states(outbox).values()) == {ImageState.DRAFT}
    assert len(outboxes.sealed_files(tmp_path)) == 2
    assert not list(tmp_path.rglob("*.tmp"))


def test_days_of_keeping_come_from_the_choice_else_from_the_settings(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    month = replace(sealing.description(), keep=Choice("month", "One month", None, days=31))
    plain = replace(sealing.description(), keep=None)
    kept = [keep(outbox, exam, description=one) for one in (month, plain)]
    outbox.seal(kept, sealing.NURSE)
    rows = outbox.spool.database.read().execute("SELECT capture_id, keep_days FROM instance")
    assert dict(rows) == {kept[0]: 31, kept[1]: Capture().retention_days}


def test_a_sealed_file_says_what_was_shown_who_sent_and_where_to(
    outbox: Outbox, clock: FixedClock
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    shown = ShownAtSend(
        name="NGUYỄN, Mai Thị", native_name="阮氏梅", birth_date="14-Jul-1956", sex="Female",
        record_number="0012 345 678", place="4B, bed 12", procedure="Leg ulcer",
        site="Left lower leg", side="L",
    )  # fmt: skip
    colleague = replace(sealing.NURSE, user_id="rlee", display_name="R. Lee")
    outbox.seal([capture_id], colleague, shown={capture_id: shown})
    instance, file = read_instance(outbox.spool, capture_id)
    assert file is not None
    spool = outbox.spool
    whole = open_sealed(spool.instances / file, spool.cipher)
    identity = read_identity(whole.header, whole.identity)
    assert identity.shown == shown
    assert (identity.sender, identity.user_id) == (colleague, "rlee")
    assert identity.kept.exam.operator == sealing.NURSE
    assert identity.destinations == (outboxes.PACS,)
    (pixels,) = instance.fragments
    assert whole.content[pixels.offset : pixels.offset + pixels.length] == sealing.photo().data
    # The trail can tell whether a file says what was shown, and says none of it.
    (sent,) = [
        row.event
        for row in read_trail(spool.database.read())
        if row.event.action is AuditAction.SEND_ASKED
    ]
    assert sent.details["shown"] == seal.shown_hash(spool, shown) != ""
    assert sent.details["shown"] != seal.shown_hash(spool, replace(shown, side="R"))
    assert not any(word in str(sent.details) for word in astuple(shown) if len(word) > 1)


def test_an_identity_comes_back_whole_or_not_at_all(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE)
    (path,) = outbox.spool.instances.iterdir()
    header, record = open_identity(path, outbox.spool.cipher)
    assert to_record(read_identity(header, record)) == record
    for name in (said := json.loads(record)):
        rest = {other: value for other, value in said.items() if other != name}
        with pytest.raises(SealBrokenError):
            read_identity(header, json.dumps(rest).encode())
    later = json.dumps(said | {"of_a_later_version": [1]}).encode()
    assert read_identity(header, later) == read_identity(header, record)


def test_a_sealed_file_says_all_that_its_rows_say(outbox: Outbox, clock: FixedClock) -> None:
    raw = EncodedImage(PixelCoding.RGB, 4, 4, bytes(48))
    capture_id = keep(outbox, begin(outbox, clock), image=raw)
    sending = outbox.seal([capture_id], sealing.NURSE)
    _, file = read_instance(outbox.spool, capture_id)
    assert file is not None
    spool: Spool = outbox.spool
    header, record = open_identity(spool.instances / file, spool.cipher)
    identity = read_identity(header, record)
    assert (header.kind, header.uid) == ("instance", capture_id)
    assert identity.capture_id == capture_id
    assert identity.send_id == sending.send_id
    assert identity.kept.exam == outbox.exam_of(capture_id)
    assert identity.kept.description == sealing.description()
