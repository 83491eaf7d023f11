"""Of which frame of which sent clip a still was taken."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from capture_app.dicom.request import SourceFrame
from capture_app.errors import ImageError, SealBrokenError, StoreError
from capture_app.model.clip import FrameOfClip
from capture_app.model.delivery import Instance
from capture_app.outbox.keeping.clips import open_film, still_of
from capture_app.outbox.sealing.identity import instance_context
from capture_app.outbox.spool import Spool


def source_frame(
    spool: Spool, frame: FrameOfClip | None, sealed: Mapping[str, Instance]
) -> SourceFrame | None:
    """The frame as the clip that is sent has it; None where no such clip is, or was, sent.

    `sealed`: what is being sent along with the still, by capture ids. A still whose clip was
    deleted, or cannot be read any more, is a picture like any other.
    """
    if frame is None:
        return None
    with suppress(SealBrokenError, StoreError):
        clip = sealed.get(frame.capture_id) or _sent(spool, frame.capture_id)
        if clip is not None and clip.pixel_layout is not None and clip.is_clip:
            number = _number(spool, frame, clip.pixel_layout.frames)
            return SourceFrame(clip.sop_class_uid, clip.sop_instance_uid, number)
    return None


def _sent(spool: Spool, capture_id: str) -> Instance | None:
    row = (
        spool.database.read()
        .execute(
            "SELECT sop_instance_uid, sealed FROM instance WHERE capture_id = ? AND withdrawn = 0",
            (capture_id,),
        )
        .fetchone()
    )
    return None if row is None else spool.unseal(Instance, row[1], instance_context(row[0]))


def _number(spool: Spool, frame: FrameOfClip, sent_frames: int) -> int:
    """What is no whole picture was left out: the frames after it have moved up."""
    with open_film(spool, frame.capture_id) as clip:
        if clip.length.frames == sent_frames:
            return frame.number + 1
        broken = 0
        for number in range(frame.number):
            try:
                still_of(clip, number)
            except ImageError:
                broken += 1
        return frame.number + 1 - broken
