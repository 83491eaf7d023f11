"""A still of a clip is the frame that it is, says which one, and is of the clip's own exam."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import read
from capture_app.errors import ImageError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.audit_event import AuditAction
from capture_app.model.clip import FrameOfClip
from capture_app.model.console import Area, ConsoleLayout
from capture_app.model.procedure import Side
from capture_app.outbox.keeping.drafts import open_kept
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.steps.tasks import read_instance
from capture_app.store.sealed import open_sealed
from tests import sealing
from tests.filming import SHAPE, identity, jpeg, record
from tests.outboxes import begin


@pytest.fixture
def clip(outbox: Outbox, clock: FixedClock) -> str:
    return record(outbox, begin(outbox, clock), 12).finish()


def still(outbox: Outbox, clip: str, number: int) -> str:
    return outbox.keep_still(FrameOfClip(clip, number), sealing.description(), sealing.NURSE)


def sent(outbox: Outbox, uid: str) -> Dataset:
    _, file = read_instance(outbox.spool, uid)
    assert file is not None
    ds = read(open_sealed(outbox.spool.instances / file, outbox.spool.cipher).content)
    verify(ds)
    return ds


def source(ds: Dataset) -> tuple[str, str, int]:
    (item,) = ds.SourceImageSequence
    assert item.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    return item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID, item.ReferencedFrameNumber


def test_it_is_the_frame_byte_for_byte_of_its_own_moment(outbox: Outbox, clip: str) -> None:
    capture_id = still(outbox, clip, 7)
    assert outbox.image_of(capture_id) == prepare_jpeg(jpeg(7))
    of_clip, kept = open_kept(outbox.spool, clip), open_kept(outbox.spool, capture_id)
    assert kept.taken_at - of_clip.taken_at == timedelta(microseconds=7 * 33_000)
    assert (kept.exam, kept.device, kept.place) == (of_clip.exam, of_clip.device, of_clip.place)
    events = [row.event for row in read_trail(outbox.spool.database.read())]
    event = [one for one in events if one.action is AuditAction.CAPTURED][-1]
    assert (event.details["clip"], event.details["frame"]) == (clip, "8")


def test_of_a_console_it_is_without_the_names_that_the_clip_keeps(
    outbox: Outbox, clock: FixedClock
) -> None:
    kept_area = Area(16, 16, 48, 32)
    console = ConsoleLayout(64, 48, kept_area, Area(0, 0, 64, 12))
    scanner = replace(sealing.SCANNER, burned_in_annotation=None, console=console)
    said = sealing.description("RH-US-KNEE", "72696002", Side.RIGHT)
    whole = replace(identity(begin(outbox, clock), outbox), device=scanner, description=said)
    recording = outbox.record(whole, SHAPE)
    for number in range(3):
        recording.add(jpeg(number), number * 33_000)
    clip = recording.finish()
    capture_id = outbox.keep_still(FrameOfClip(clip, 1), said, sealing.NURSE)
    image = outbox.image_of(capture_id)
    assert (image.columns, image.rows, image.cut_to) == (48, 32, kept_area)
    outbox.seal([capture_id, clip], sealing.NURSE)
    assert sent(outbox, capture_id).BurnedInAnnotation == "NO"
    assert sent(outbox, clip).BurnedInAnnotation == "YES"


def test_sent_with_its_clip_it_names_its_frame(outbox: Outbox, clip: str) -> None:
    capture_id = still(outbox, clip, 7)
    sending = outbox.seal([capture_id, clip], sealing.NURSE)
    assert sending.capture_ids == (capture_id, clip)
    ds = sent(outbox, capture_id)
    assert source(ds) == ("1.2.840.10008.5.1.4.1.1.7.4", clip, 8)
    frames = [*generate_frames(sent(outbox, clip).PixelData)]
    assert next(iter(generate_frames(ds.PixelData, number_of_frames=1))) == frames[7]


def test_sent_after_its_clip_it_names_it_under_the_uid_that_it_has_by_now(
    outbox: Outbox, clip: str
) -> None:
    first = outbox.seal([clip], sealing.NURSE)
    assert outbox.undo(first.send_id, sealing.NURSE)
    outbox.seal([clip], sealing.NURSE)
    (uid,) = [one.sop_instance_uid for one in outbox.statuses()]
    capture_id = still(outbox, clip, 0)
    outbox.seal([capture_id], sealing.NURSE)
    assert source(sent(outbox, capture_id))[1:] == (uid, 1)
    assert uid != clip


def test_without_its_clip_it_is_a_picture_like_any_other(outbox: Outbox, clip: str) -> None:
    capture_id = still(outbox, clip, 3)
    outbox.delete([clip], sealing.NURSE)
    outbox.seal([capture_id], sealing.NURSE)
    assert "SourceImageSequence" not in sent(outbox, capture_id)


@pytest.mark.expects_log("film-frames-left-out")
def test_frames_that_were_left_out_are_not_counted(outbox: Outbox, clock: FixedClock) -> None:
    recording = outbox.record(identity(begin(outbox, clock), outbox), SHAPE)
    for number in range(6):
        recording.add(jpeg(number)[: 200 if number in (1, 2) else None], number * 33_000)
    clip = recording.finish()
    with pytest.raises(ImageError):
        still(outbox, clip, 2)
    capture_id = still(outbox, clip, 4)
    outbox.seal([capture_id, clip], sealing.NURSE)
    ds = sent(outbox, capture_id)
    assert source(ds)[2] == 3
    frames = [*generate_frames(sent(outbox, clip).PixelData)]
    assert next(iter(generate_frames(ds.PixelData, number_of_frames=1))) == frames[2]
