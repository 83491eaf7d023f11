"""A clip that is sent arrives as it was recorded, and is proven."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from capture_app.clock import FixedClock
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import read
from capture_app.errors import RuleError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Turn
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps.tasks import read_instance
from capture_app.store.sealed import open_sealed
from tests import sealing
from tests.filming import SHAPE, identity, jpeg, record
from tests.outboxes import PACS, DirectoryArchive, begin, keep
from tests.unit.outbox.test_promises import deliver


def test_a_clip_is_sealed_frame_by_frame_and_delivered(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    capture_id = record(outbox, begin(outbox, clock), 12).finish()
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    (path,) = outbox.spool.instances.glob("*.sealed")
    ds = dcmread(BytesIO(open_sealed(path, outbox.spool.cipher, uid=capture_id).content))
    assert ds.NumberOfFrames == 12
    assert float(ds.FrameTime) == pytest.approx(33.0)
    frames = [bytes(one) for one in generate_frames(ds.PixelData, number_of_frames=12)]
    sent = [one if one[-1:] == b"\xd9" else one[:-1] for one in frames]
    # Its metadata is cut as a still's is; from the tables on each is the camera's own.
    assert [one[one.index(b"\xff\xdb") :] for one in sent] == [
        jpeg(n)[jpeg(n).index(b"\xff\xdb") :] for n in range(12)
    ]
    deliver(outbox, clock, DirectoryArchive(tmp_path / "archive"))
    assert [one.state for one in outbox.statuses()] == [ImageState.CONFIRMED]
    assert inspect(outbox.spool).whole


def test_a_clip_that_was_cut_off_is_sent_as_far_as_it_goes(
    outbox: Outbox, clock: FixedClock
) -> None:
    record(outbox, begin(outbox, clock), 13).leave()
    recover(outbox.spool, (PACS,))
    (draft,) = outbox.drafts()
    outbox.seal([draft.capture_id], sealing.NURSE)
    (path,) = outbox.spool.instances.glob("*.sealed")
    ds = dcmread(BytesIO(open_sealed(path, outbox.spool.cipher).content))
    assert draft.clip is not None
    assert ds.NumberOfFrames == draft.clip.frames


def test_a_clip_and_a_picture_of_one_act_are_in_series_of_their_own(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    uids = [record(outbox, exam, 3).finish(), keep(outbox, exam), record(outbox, exam, 3).finish()]
    outbox.seal(uids, sealing.NURSE)
    first, picture, second = (sent(outbox, uid) for uid in uids)
    assert first.SeriesInstanceUID == second.SeriesInstanceUID != picture.SeriesInstanceUID
    assert {first.InstanceNumber, second.InstanceNumber} == {1, 2}
    assert len({one.StudyInstanceUID for one in (first, picture, second)}) == 1


def test_a_clip_of_one_frame_is_sent_as_the_picture_that_it_is(
    outbox: Outbox, clock: FixedClock
) -> None:
    capture_id = record(outbox, begin(outbox, clock), 1).finish()
    outbox.seal([capture_id], sealing.NURSE)
    ds = sent(outbox, capture_id)
    verify(ds)
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.77.1.4"
    (frame,) = generate_frames(ds.PixelData, number_of_frames=1)
    assert frame.rstrip(b"\0") == prepare_jpeg(jpeg(0)).data


def test_the_shape_of_pixels_that_their_device_told_is_sent(
    outbox: Outbox, clock: FixedClock
) -> None:
    shape = replace(SHAPE, pixel_aspect=(16, 15))
    exam = begin(outbox, clock)
    uids = []
    for frames in (3, 1):
        recording = outbox.record(identity(exam, outbox), shape)
        for number in range(frames):
            recording.add(jpeg(number), number * 33_000)
        uids.append(recording.finish())
    outbox.seal(uids, sealing.NURSE)
    assert [sent(outbox, uid).PixelAspectRatio for uid in uids] == [[16, 15]] * 2


@pytest.mark.expects_log("film-frames-left-out")
def test_a_broken_frame_of_the_camera_holds_up_no_clip(outbox: Outbox, clock: FixedClock) -> None:
    recording = outbox.record(identity(begin(outbox, clock), outbox), SHAPE)
    recording.add(jpeg(0)[:200], 0)
    for number in (1, 2):
        recording.add(jpeg(number), number * 33_000)
    capture_id = recording.finish()
    assert outbox.poster_of(capture_id).data == prepare_jpeg(jpeg(1)).data
    outbox.seal([capture_id], sealing.NURSE)
    assert sent(outbox, capture_id).NumberOfFrames == 2


def sent(outbox: Outbox, uid: str) -> Dataset:
    _, file = read_instance(outbox.spool, uid)
    assert file is not None
    return read(open_sealed(outbox.spool.instances / file, outbox.spool.cipher).content)


def test_a_clip_that_is_said_to_be_turned_is_not_sent(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = record(outbox, begin(outbox, clock), 12).finish()
    said = replace(sealing.description(), turn=Turn.RIGHT)
    outbox.describe([capture_id], said, sealing.NURSE)
    with pytest.raises(RuleError, match="turned"):
        outbox.seal([capture_id], sealing.NURSE)
    assert len(outbox.drafts()) == 1
    assert list(outbox.spool.instances.iterdir()) == []
