"""The frames of a clip, looked at one by one before they are wrapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import structlog

from capture_app.dicom.modules.multi_frame import vector_is_too_long
from capture_app.dicom.part10 import clip_sha256
from capture_app.errors import ImageError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.coded_clip import CodedClip
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.words import tr

Frames = Callable[[], Iterator[tuple[bytes, int]]]
"""Gives a clip's frames from the beginning: each a JPEG, and when it was taken, in microseconds."""

MOST_BYTES: Final = 3_900_000_000
"""Of the frames of one instance: offsets and lengths of Pixel Data are 32 bits wide (PS3.5 A.4)."""
MOST_FRAMES: Final = 16_000
"""Of a film that is recorded: so many times fit one instance, however uneven they are."""

_log = structlog.get_logger(__name__)


def coded_clips(frames: Frames, *, most_bytes: int = MOST_BYTES) -> tuple[CodedClip, ...]:
    """What wraps a clip: one, or as many in a row as its length needs, each to be an instance.

    The coded picture of each frame stays byte for byte, its metadata is cut as a still's is. One
    that is no whole picture (a camera's broken frame) is left out and counted in the log: its time
    then shows as a gap. Reads all frames, once where one instance holds them. Raises ImageError for
    fewer than two frames, and for one of another size or other colours than the first.
    """
    whole = _Whole(frames)
    looking = _Looking()
    digest = clip_sha256(looking.through(whole()))
    if whole.left_out:
        _log.warning("film-frames-left-out", count=whole.left_out)
    if len(looking.lengths) < 2:
        raise ImageError(tr("This clip has less than two frames. Take a picture instead."))
    everything = range(len(looking.lengths))
    parts = [*_parts(looking, everything, most_bytes)]
    if parts == [everything]:
        return (_part(whole, looking, everything, digest),)
    return tuple(_part(whole, looking, part, clip_sha256(_streams(whole, part))) for part in parts)


@dataclass(slots=True)
class _Whole:
    """The frames that are whole pictures, prepared."""

    frames: Frames
    left_out: int = 0
    """When they were last gone through."""

    def __call__(self) -> Iterator[tuple[EncodedImage, int]]:
        self.left_out = 0
        for frame, taken_us in self.frames():
            try:
                one = prepare_jpeg(frame)
            except ImageError:
                self.left_out += 1
                continue
            yield one, taken_us


@dataclass(slots=True)
class _Looking:
    first: EncodedImage | None = None
    lengths: list[int] = field(default_factory=list)
    taken_us: list[int] = field(default_factory=list)

    def through(self, frames: Iterator[tuple[EncodedImage, int]]) -> Iterator[bytes]:
        for one, taken_us in frames:
            self.first = self.first or one
            if _common(one) != _common(self.first):
                raise ImageError(
                    tr("The frames of this clip are not all of one size. It cannot be sent.")
                )
            self.lengths.append(len(one.data))
            self.taken_us.append(taken_us)
            yield one.data


def _parts(looking: _Looking, frames: range, most_bytes: int) -> Iterator[range]:
    """Halves, and halves of those, until each fits an instance. None has a frame alone."""
    lengths = looking.lengths[frames.start : frames.stop]
    size = sum(8 + length + length % 2 for length in lengths)
    taken_us = looking.taken_us[frames.start : frames.stop]
    if len(frames) < 4 or (size <= most_bytes and not vector_is_too_long(taken_us)):
        yield frames
        return
    middle = frames.start + len(frames) // 2
    yield from _parts(looking, range(frames.start, middle), most_bytes)
    yield from _parts(looking, range(middle, frames.stop), most_bytes)


def _part(frames: _Whole, looking: _Looking, part: range, digest: str) -> CodedClip:
    taken_us: Sequence[int] = looking.taken_us[part.start : part.stop]
    first, _ = next(islice(frames(), part.start, None))
    return CodedClip(
        first=first,
        lengths=tuple(looking.lengths[part.start : part.stop]),
        taken_us=tuple(at - taken_us[0] for at in taken_us),
        pixel_sha256=digest,
        frames=lambda: _streams(frames, part),
    )


def _streams(frames: _Whole, part: range) -> Iterator[bytes]:
    return (one.data for one, _taken_us in islice(frames(), part.start, part.stop))


def _common(one: EncodedImage) -> tuple[object, ...]:
    return (
        one.rows,
        one.columns,
        one.grey,
        one.is_rgb_jpeg,
        one.icc_profile,
        one.color_space,
        one.pixel_aspect,
    )
