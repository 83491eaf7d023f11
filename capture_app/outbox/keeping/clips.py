"""A film from its first second on: recorded, kept, read; a draft as any picture is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capture_app.errors import DiskFullError, ImageError, SealBrokenError
from capture_app.model.clip import NOTHING, ClipFormat, ClipLength, FrameOfClip
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.operator import Act, Operator, require
from capture_app.model.procedure import Description
from capture_app.model.words import tr
from capture_app.outbox.act_on_image import record_kept
from capture_app.outbox.keeping.drafts import (
    PictureIdentity,
    faults_noted,
    insert_capture,
    keep_picture,
    kind_of_capture,
    open_capture,
    require_room,
)
from capture_app.outbox.spool import Spool
from capture_app.store.clip import Clip, ClipWriter, clip_content, open_clip
from capture_app.store.record import from_record, to_record
from capture_app.store.sealed import free_bytes, stage_sealed

if TYPE_CHECKING:
    from capture_app.imaging.decoder import Decoder

_BROKEN_AT_MOST: Final = 30
"""Frames at the beginning of a clip that are passed over for one that can be shown."""


@dataclass(frozen=True, slots=True)
class Film:
    """Frames of one device that are all there: (JPEG, microseconds since the first)."""

    shape: ClipFormat
    frames: tuple[tuple[bytes, int], ...]


class Recording:
    """A film that is being recorded, durable by the second. For one thread."""

    def __init__(
        self,
        spool: Spool,
        kept: PictureIdentity,
        shape: ClipFormat,
        min_free_bytes: int,
        told: Callable[[], None],
    ) -> None:
        """`told` is called once it is a draft.

        Raises DiskFullError where less than `min_free_bytes` are free, StoreError.
        """
        require_room(spool.captures, min_free_bytes)
        self.capture_id = spool.clock.new_uid()
        self._spool = spool
        self._kept = kept
        self._least = min_free_bytes
        self._told = told
        self.length = NOTHING
        """How much there is of it, once it has ended."""
        with spool.database.transaction():  # recovery looks for what nobody writes under this lock
            self._writer = ClipWriter(
                spool.captures,
                uid=self.capture_id,
                identity=to_record(kept),
                cipher=spool.cipher,
                shape=shape,
            )

    def add(self, jpeg: bytes, at: int) -> None:
        """Adds a frame, of microseconds since the first. Raises DiskFullError, StoreError."""
        self._writer.add(jpeg, at)

    def sync(self) -> ClipLength:
        """What is promised from now on. Raises StoreError, and DiskFullError also where so little
        is free that the recording has to end: what was added is durable then.
        """
        length = self._writer.sync()
        if free_bytes(self._spool.captures) < self._least:
            raise DiskFullError(
                tr("There is too little room on the disk: the recording was ended. Ask for help.")
            )
        return length

    def finish(self, *, is_partial: bool = False) -> str:
        """Makes it a draft, and returns its capture id. `is_partial`: it was cut off.

        Raises DiskFullError, StoreError: what was promised stays, and recovery makes a draft of it.
        """
        length = self.length = self._writer.finish(is_partial=is_partial)
        with self._spool.database.transaction() as connection:
            staged = self._writer.name()
            write_clip(
                connection,
                self._spool,
                self.capture_id,
                self._kept,
                staged.path,
                length,
                self._spool.now(),
            )
        self._told()
        return self.capture_id

    def leave(self) -> None:
        """Lets it go as it is: recovery makes a draft of what was promised."""
        self._writer.close()

    def discard(self) -> None:
        """Removes it: nothing of it was promised."""
        self._writer.discard()


def keep_film(spool: Spool, kept: PictureIdentity, film: Film, *, min_free_bytes: int) -> str:
    """Puts a film that is all there on the disk, and returns its capture id. Raises as `keep`."""
    require_room(spool.captures, min_free_bytes + sum(len(jpeg) for jpeg, _ in film.frames))
    uid = spool.clock.new_uid()
    length = ClipLength(len(film.frames), film.frames[-1][1])
    staged = stage_sealed(
        spool.captures,
        uid=uid,
        identity=to_record(kept),
        content=clip_content(film.shape, film.frames),
        cipher=spool.cipher,
        kind="clip",
    )
    with spool.publishing((staged,)) as connection:
        write_clip(connection, spool, uid, kept, staged.path, length, spool.now())
    return uid


def write_clip(
    connection: sqlite3.Connection,
    spool: Spool,
    capture_id: str,
    kept: PictureIdentity,
    path: Path,
    length: ClipLength,
    kept_at: str,
) -> None:
    """The rows of a clip that has its name, and the trail, in the caller's transaction."""
    insert_capture(
        connection, spool, capture_id, kept, file=path.name, kept_at=kept_at, clip=length
    )
    record_kept(
        connection,
        spool,
        capture_id,
        kept.exam,
        {
            "device": kept.device.device_id,
            "frames": str(length.frames),
            "seconds": f"{length.seconds:.3f}",
            "partial": "yes" if length.is_partial else "no",
        },
    )


@contextmanager
def open_film(
    spool: Spool, capture_id: str, told: Callable[[], None] = lambda: None
) -> Iterator[Clip]:
    """A kept clip, to be read in parts. `told` is called where a fault was found.

    Raises SealBrokenError where the file is missing or fails its check, which is written down, as
    for a picture; StoreError after the purge.
    """
    try:
        with (
            faults_noted(spool, capture_id) as path,
            open_clip(path, spool.cipher, uid=capture_id) as clip,
        ):
            yield clip
    except SealBrokenError:
        told()
        raise


def poster_of(spool: Spool, capture_id: str) -> EncodedImage:
    """A picture as it was kept; of a clip the first frame that is whole, to be looked at.

    Raises as `open_film`, and ImageError for a clip that begins with nothing but broken frames.
    """
    if kind_of_capture(spool, capture_id) != "clip":
        return open_capture(spool, capture_id)
    with open_film(spool, capture_id) as clip:
        last = min(_BROKEN_AT_MOST, clip.length.frames) - 1
        for number in range(last):
            with suppress(ImageError):
                return still_of(clip, number)
        return still_of(clip, last)


def keep_still(
    spool: Spool,
    source: FrameOfClip,
    description: Description,
    operator: Operator,
    decoder: Decoder,
    min_free_bytes: int,
) -> str:
    """Keeps one frame of a clip as a picture of its own, of the same exam and device and of the
    moment of that frame, without the console's names as any still; returns its capture id.
    Raises as `keep`, `open_film` and `still_of`.
    """
    from capture_app.imaging.cutting import cut  # noqa: PLC0415 - not needed at the start

    require(operator, Act.TAKE_PICTURES)
    with open_film(spool, source.capture_id) as clip:
        image, at = still_of(clip, source.number), clip.places[source.number].at
        whole = from_record(PictureIdentity, clip.identity)
    image = cut(image, whole.device.console, decoder)
    kept = replace(
        whole,
        taken_at=whole.taken_at + timedelta(microseconds=at),
        description=description,
        source=source,
    )
    details = {
        "device": kept.device.device_id,
        "clip": source.capture_id,
        "frame": str(source.number + 1),
    }
    return keep_picture(
        spool, kept, image, details, by=operator.user_id, min_free_bytes=min_free_bytes
    )


def still_of(clip: Clip, number: int) -> EncodedImage:
    """One frame of a clip as a picture. Raises SealBrokenError, IndexError, ImageError."""
    from capture_app.imaging.jpeg import prepare_jpeg  # noqa: PLC0415 - not needed at the start

    return shaped(prepare_jpeg(clip.frame(number)), clip.format)


def shaped(frame: EncodedImage, shape: ClipFormat) -> EncodedImage:
    """A frame of a clip with the shape of its pixels, which the coded frame need not say."""
    if frame.pixel_aspect != (1, 1):
        return frame
    return replace(frame, pixel_aspect=shape.pixel_aspect)


def length_of(spool: Spool, path: Path) -> ClipLength:
    """How much of a clip is in its file. Raises SealBrokenError, OSError."""
    with open_clip(path, spool.cipher) as clip:
        return clip.length
