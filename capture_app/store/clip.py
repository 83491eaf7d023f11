"""A clip in a sealed file: JPEG frames byte for byte, one after another, and where each one lies.

The content of the file (kind *clip*) is a row of records, all numbers big-endian: one byte what it
is, eight bytes microseconds since the first frame, four bytes the length of what follows. First a
*format* (JSON, `ClipFormat`), then the *frames*, each the bytes of one JPEG. A zero byte where a
record would begin: the rest of that chunk is empty. Then the *index* (for each frame its offset in
the content, 8 bytes, its length, 4, its time, 8), and the *end*, 13 bytes: the index's offset, the
number of frames, and one byte that is 1 where the recording was cut off.

`ClipWriter` makes one, durable by the second; `open_clip` reads one:

    with open_clip(path, cipher, uid=capture_id) as clip:
        clip.format                      # ClipFormat: rows, columns, whether coded here
        clip.places                      # tuple[FramePlace, ...]: offset, length, time of each
        for jpeg, at in clip.frames():   # byte for byte, microseconds since the first
            ...
        clip.frame(17)                   # one of them
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from capture_app.model.clip import ClipFormat, ClipLength, FramePlace
from capture_app.store.cipher import Cipher
from capture_app.store.record import from_record, to_record
from capture_app.store.sealed import Staged
from capture_app.store.sealed_form import CHUNK_BYTES, SealedHeader, broken
from capture_app.store.sealed_pieces import GrowingFile, SealedReader, opened_pieces, reading

_RECORD: Final = struct.Struct(">BQI")
_PLACE: Final = struct.Struct(">QIQ")
_END: Final = struct.Struct(">QIB")
_EMPTY, _FORMAT, _FRAME, _INDEX = range(4)
_LONGEST_RECORD: Final = 256 * 1024 * 1024


class ClipWriter:
    """Writes one clip. For one thread."""

    def __init__(
        self, folder: Path, *, uid: str, identity: bytes, cipher: Cipher, shape: ClipFormat
    ) -> None:
        """Raises DiskFullError, StoreError: then nothing is left behind."""
        self._file = GrowingFile(folder, uid=uid, identity=identity, cipher=cipher, kind="clip")
        self._index = _Index()
        self._file.write(_record(_FORMAT, 0, to_record(shape)))

    @property
    def staged(self) -> Staged:
        """Where it is, and where it will be once it has its name."""
        return self._file.staged

    @property
    def length(self) -> ClipLength:
        """What was added so far."""
        return self._index.length

    def add(self, jpeg: bytes, at: int) -> None:
        """Adds a frame; `at`: microseconds since the first. One that is not later than the one
        before it counts as the next moment. Raises DiskFullError, StoreError.
        """
        self._file.write(self._index.head(self._file.length, jpeg, at))
        self._file.write(jpeg)

    def sync(self) -> ClipLength:
        """What is durable when this returns. Raises DiskFullError, StoreError."""
        self._file.sync()
        return self.length

    def finish(self, *, is_partial: bool = False) -> ClipLength:
        """Ends it, durably; it still needs its name. Raises DiskFullError, StoreError: then what
        was synced stays, for recovery.
        """
        try:
            self._file.write(self._index.tail(self._file.length, is_partial=is_partial))
        except BaseException:
            self.close()
            raise
        self._file.finish()
        return replace(self.length, is_partial=is_partial)

    def name(self) -> Staged:
        """Gives it its name once it is finished, durably. Raises StoreError: then it stays."""
        return self._file.name()

    def close(self) -> None:
        """Lets it go unfinished: what was synced stays, for recovery."""
        self._file.close()

    def discard(self) -> None:
        """Removes it: nothing was promised."""
        self._file.discard()


class _Index:
    """Where each frame lies that was written so far."""

    def __init__(self) -> None:
        self._places: list[FramePlace] = []

    @property
    def length(self) -> ClipLength:
        return ClipLength(len(self._places), self._places[-1].at if self._places else 0)

    def head(self, offset: int, jpeg: bytes, at: int) -> bytes:
        """What goes before a frame whose record begins there."""
        at = max(at, self._places[-1].at + 1) if self._places else 0
        self._places.append(FramePlace(offset + _RECORD.size, len(jpeg), at))
        return _RECORD.pack(_FRAME, at, len(jpeg))

    def tail(self, offset: int, *, is_partial: bool) -> bytes:
        """The index and the end, which begin there."""
        index = b"".join(_PLACE.pack(one.offset, one.length, one.at) for one in self._places)
        return _record(_INDEX, 0, index) + _END.pack(offset, len(self._places), is_partial)


def clip_content(
    shape: ClipFormat, frames: Iterable[tuple[bytes, int]], *, is_partial: bool = False
) -> Iterator[bytes]:
    """A clip whose frames are all there, as the content of a sealed file."""
    index = _Index()
    start = _record(_FORMAT, 0, to_record(shape))
    yield start
    offset = len(start)
    for jpeg, at in frames:
        head = index.head(offset, jpeg, at)
        yield head
        yield jpeg
        offset += len(head) + len(jpeg)
    yield index.tail(offset, is_partial=is_partial)


class Clip:
    """A kept clip, open to be read in parts; at most two chunks and one frame are in memory."""

    def __init__(self, reader: SealedReader) -> None:
        """Raises SealBrokenError."""
        self._reader = reader
        end = reader.length - _END.size
        index_at, count, is_partial = _END.unpack(reader.read(end, _END.size))
        kind, _, length = self._head(index_at)
        if kind != _INDEX or length != count * _PLACE.size or not count:
            raise broken()
        index = reader.read(index_at + _RECORD.size, length)
        self.places = tuple(FramePlace(*place) for place in _PLACE.iter_unpack(index))
        """Where each frame lies, and when it was."""
        kind, _, length = self._head(0)
        if kind != _FORMAT:
            raise broken()
        self.format = from_record(ClipFormat, reader.read(_RECORD.size, length))
        """What the frames have in common."""
        self.length = ClipLength(count, self.places[-1].at, bool(is_partial))
        """How much there is."""

    @property
    def uid(self) -> str:
        """The UID of the file."""
        return self._reader.header.uid

    @property
    def identity(self) -> bytes:
        """The identity of the file."""
        return self._reader.identity

    def frame(self, number: int) -> bytes:
        """One frame, byte for byte; the first is 0. Raises SealBrokenError, IndexError."""
        place = self.places[number]
        return self._reader.read(place.offset, place.length)

    def frames(self) -> Iterator[tuple[bytes, int]]:
        """Each frame, byte for byte, with its microseconds since the first. As `frame`."""
        for number, place in enumerate(self.places):
            yield self.frame(number), place.at

    def _head(self, offset: int) -> tuple[int, int, int]:
        kind, at, length = _RECORD.unpack(self._reader.read(offset, _RECORD.size))
        return kind, at, length


@contextmanager
def open_clip(path: Path, cipher: Cipher, *, uid: str | None = None) -> Iterator[Clip]:
    """A kept clip, to be read in parts. Raises SealBrokenError, OSError."""
    with reading(path, cipher, uid=uid) as reader:
        yield Clip(reader)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What is whole of a clip that nobody finished."""

    header: SealedHeader
    identity: bytes
    shape: ClipFormat
    frames: Iterator[tuple[bytes, int]]
    """Each whole frame with its microseconds since the first; to be read once."""


def salvage(file: BinaryIO, cipher: Cipher) -> LeftOver | None:
    """What is whole of a growing file; None where not even its format is, so that nothing of it can
    have been promised. Raises SealBrokenError where header or identity are damaged.
    """
    header, identity, chunks = opened_pieces(file, cipher)
    records = _records(chunk for chunk, _ in chunks)
    first = next(records, None)
    if first is None or first[0] != _FORMAT:
        return None
    frames = ((content, at) for kind, at, content in records if kind == _FRAME)
    return LeftOver(header, identity, from_record(ClipFormat, first[2]), frames)


def _record(kind: int, at: int, content: bytes) -> bytes:
    return _RECORD.pack(kind, at, len(content)) + content


def _records(chunks: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """The whole records of a stream of chunks: what it is, its time, its content."""
    pending, passed = bytearray(), 0
    for chunk in chunks:
        pending += chunk
        while pending:
            if pending[0] == _EMPTY:  # to the end of this chunk
                skipped = -passed % CHUNK_BYTES or CHUNK_BYTES
                del pending[:skipped]
                passed += skipped
                continue
            if len(pending) < _RECORD.size:
                break
            kind, at, length = _RECORD.unpack_from(pending)
            if kind > _INDEX or length > _LONGEST_RECORD:
                return
            size = _RECORD.size + length
            if len(pending) < size:
                break
            yield kind, at, bytes(pending[_RECORD.size : size])
            del pending[:size]
            passed += size
            if kind == _INDEX:
                return
