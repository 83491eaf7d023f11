"""A clip that is sent arrives as it was recorded, and is proven."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames

from capture_app.clock import FixedClock
from capture_app.errors import RuleError
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Turn
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.store.sealed import open_sealed
from tests import sealing
from tests.filming import jpeg, record
from tests.outboxes import PACS, DirectoryArchive, begin
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


def test_a_clip_that_is_said_to_be_turned_is_not_sent(outbox: Outbox, clock: FixedClock) -> None:
    capture_id = record(outbox, begin(outbox, clock), 12).finish()
    said = replace(sealing.description(), turn=Turn.RIGHT)
    outbox.describe([capture_id], said, sealing.NURSE)
    with pytest.raises(RuleError, match="turned"):
        outbox.seal([capture_id], sealing.NURSE)
    assert len(outbox.drafts()) == 1
    assert list(outbox.spool.instances.iterdir()) == []
