"""Frames of a film, for tests."""

from datetime import timedelta
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image

from capture_app.clock import Clock
from capture_app.model.clip import ClipFormat
from capture_app.model.device import DeviceInfo
from capture_app.model.exam import Exam
from capture_app.model.frame import Frame
from capture_app.outbox.keeping.clips import Recording
from capture_app.outbox.keeping.drafts import PictureIdentity
from capture_app.outbox.outbox import Outbox
from tests import sealing

ROWS, COLUMNS = 48, 64
SHAPE = ClipFormat(ROWS, COLUMNS)


@cache
def jpeg(number: int, size: int = 0) -> bytes:
    """A JPEG unlike those of other numbers; at least `size` bytes, behind its end mark."""
    pixels = np.full((ROWS, COLUMNS, 3), (number * 5 % 256, number * 11 % 256, 90), np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue().ljust(size, b"\x00")


def frame(
    clock: Clock,
    number: int,
    *,
    before_s: float = 0.0,
    device: DeviceInfo = sealing.CAMERA,
    data: bytes | None = b"",
    rows: int = ROWS,
) -> Frame:
    """A frame that was exposed so long ago; `data` None: of a device that gives pixels alone."""
    pixels = np.full((rows, COLUMNS, 3), number % 256, np.uint8)
    return Frame(
        device.device_id,
        number,
        clock.now() - timedelta(seconds=before_s),
        clock.monotonic() - before_s,
        pixels,
        jpeg(number) if data == b"" else data,
    )


def identity(exam: Exam, outbox: Outbox) -> PictureIdentity:
    return PictureIdentity(exam, sealing.CAMERA, outbox.spool.clock.now(), sealing.description())


def record(outbox: Outbox, exam: Exam, frames: int, *, sync_every: int = 5) -> Recording:
    """A recording that is under way, of frames 33 ms apart."""
    recording = outbox.record(identity(exam, outbox), SHAPE)
    for number in range(frames):
        recording.add(jpeg(number), number * 33_000)
        if number % sync_every == sync_every - 1:
            recording.sync()
    return recording
