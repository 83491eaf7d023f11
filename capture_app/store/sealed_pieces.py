"""A sealed file that is not held in memory: written while it grows, and read where one looks.

A file that grows has whole chunks only, each opened by itself; so whatever `sync` returned for is
there after a kill at any later moment. It has its last chunk, and its name, once it is finished.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EIO
from pathlib import Path
from typing import BinaryIO, Final

from capture_app.errors import SealBrokenError
from capture_app.settings.file_lock import HELD_BY_ANOTHER, lock
from capture_app.settings.write_once import fsync_folder
from capture_app.store.cipher import Cipher
from capture_app.store.sealed import BINARY, SUFFIX, Staged, write_all
from capture_app.store.sealed_form import (
    CHUNK_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    ChunkOpener,
    ChunkSealer,
    Kind,
    SealedHeader,
    broken,
    refusals_said,
)

GROWING_SUFFIX: Final = ".growing"
"""Of a file that somebody still writes, or was kept from finishing."""
_ON_DISK: Final = CHUNK_BYTES + TAG_BYTES


class GrowingFile:
    """One sealed file being written, locked for as long as its writer lives. For one thread.

    Once a write has failed every other fails: nothing may follow a chunk that is not whole. What
    was synced before stays, for recovery.
    """

    def __init__(
        self, folder: Path, *, uid: str, identity: bytes, cipher: Cipher, kind: Kind
    ) -> None:
        """Makes the file, durably. Raises DiskFullError, StoreError: then none is left behind."""
        name = secrets.token_hex(16)
        self.staged = Staged(folder / f"{name}{GROWING_SUFFIX}", folder / f"{name}{SUFFIX}")
        self._sealer = ChunkSealer(cipher, uid=uid, identity=identity, kind=kind)
        self._pending = bytearray()
        self._written = 0
        self._has_failed = False
        with refusals_said():
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY
            descriptor = os.open(self.staged.temporary, flags, 0o600)
            self._file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
            try:
                lock(descriptor)
                write_all(self._file, self._sealer.start())
                os.fsync(descriptor)
                fsync_folder(folder)
            except BaseException:
                self.discard()
                raise

    @property
    def length(self) -> int:
        """Bytes of content so far, with those that are not on the disk yet."""
        return self._written + len(self._pending)

    def write(self, content: bytes) -> None:
        """Adds to the content; whole chunks go to the disk. Raises DiskFullError, StoreError."""
        self._pending += content
        while len(self._pending) > CHUNK_BYTES:  # never the last: that is for `finish`
            self._put(bytes(self._pending[:CHUNK_BYTES]), last=False)
            del self._pending[:CHUNK_BYTES]

    def sync(self) -> None:
        """Fills the last chunk with zeros; when this returns, all of it is durable. As `write`."""
        if self._pending:
            self._put(bytes(self._pending).ljust(CHUNK_BYTES, b"\x00"), last=False)
            self._pending.clear()
        with refusals_said():
            os.fsync(self._file.fileno())

    def finish(self) -> None:
        """Writes the last chunk, durably; it stays locked, and still needs its name.

        Raises DiskFullError, StoreError: the file is let go as it was synced last.
        """
        try:
            self._put(bytes(self._pending), last=True)
            with refusals_said():
                os.fsync(self._file.fileno())
        except BaseException:
            self.close()
            raise

    def name(self) -> Staged:
        """Gives a finished file its name, durably, and lets it go. Raises StoreError: it stays."""
        self.close()  # Windows names no file that is open
        give_name(self.staged)
        return self.staged

    def close(self) -> None:
        """Lets the file go as it is: whoever recovers it may have it."""
        with suppress(OSError):
            self._file.close()

    def discard(self) -> None:
        """Removes the file: nothing of it was promised."""
        self.close()
        with suppress(OSError):
            self.staged.temporary.unlink()

    def _put(self, chunk: bytes, *, last: bool) -> None:
        with refusals_said():
            if self._has_failed:
                raise OSError(EIO, os.strerror(EIO))
            self._has_failed = True
            write_all(self._file, self._sealer.chunk(chunk, last=last))
            self._has_failed = False
        self._written += len(chunk)


def give_name(staged: Staged) -> None:
    """As `publish_sealed`, of one file that was promised: nothing is removed where it fails.

    Raises DiskFullError, StoreError.
    """
    with refusals_said():
        staged.temporary.rename(staged.path)
        fsync_folder(staged.path.parent)


class SealedReader:
    """The content of a sealed file, read where one looks: at most two chunks are in memory."""

    def __init__(self, file: BinaryIO, cipher: Cipher, uid: str | None) -> None:
        """Proves header, identity and that the end is there; a chunk is proved as it is read.

        Raises SealBrokenError.
        """
        self._file = file
        opener = self._opener = ChunkOpener(file.read(HEADER_BYTES), cipher, uid)
        self.header: SealedHeader = opener.header
        self.identity = opener.identity(file.read(opener.identity_bytes))
        self._start = HEADER_BYTES + opener.identity_bytes
        on_disk = file.seek(0, os.SEEK_END) - self._start
        self._last, rest = divmod(on_disk, _ON_DISK)
        if not rest:
            self._last, rest = self._last - 1, _ON_DISK
        if self._last < 0 or rest < TAG_BYTES:
            raise broken()
        self.length = self._last * CHUNK_BYTES + rest - TAG_BYTES
        """Bytes of content."""
        self._number, self._chunk = -1, b""
        self._load(self._last)

    def read(self, offset: int, length: int) -> bytes:
        """That part of the content. Raises SealBrokenError, also where it is not all there."""
        if offset < 0 or length < 0 or offset + length > self.length:
            raise broken()
        parts = []
        while length:
            number, start = divmod(offset, CHUNK_BYTES)
            self._load(number)
            part = self._chunk[start : start + length]
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)

    def _load(self, number: int) -> None:
        if number == self._number:
            return
        self._file.seek(self._start + number * _ON_DISK)
        sealed = self._file.read(_ON_DISK)
        self._chunk = self._opener.chunk(number + 1, sealed, last=number == self._last)
        self._number = number


@contextmanager
def reading(path: Path, cipher: Cipher, *, uid: str | None = None) -> Iterator[SealedReader]:
    """A sealed file, open to be read in parts by one thread. Raises SealBrokenError, OSError."""
    with path.open("rb") as file:
        yield SealedReader(file, cipher, uid)


@contextmanager
def left_over(path: Path) -> Iterator[BinaryIO | None]:
    """A growing file that nobody writes any more, locked; None where somebody does.

    Raises OSError.
    """
    with path.open("r+b") as file:
        try:
            lock(file.fileno())
        except OSError as error:
            if error.errno not in HELD_BY_ANOTHER:
                raise
            yield None
            return
        file.seek(0)
        yield file


def opened_pieces(
    file: BinaryIO, cipher: Cipher
) -> tuple[SealedHeader, bytes, Iterator[tuple[bytes, bool]]]:
    """Header and identity of a growing file, and its chunks as far as they are whole.

    Each chunk with whether it is the last of a finished file. Ends where a write was cut short.
    Raises SealBrokenError where header or identity are not whole.
    """
    opener = ChunkOpener(file.read(HEADER_BYTES), cipher, None)
    identity = opener.identity(file.read(opener.identity_bytes))
    return opener.header, identity, _whole_chunks(file, opener)


def _whole_chunks(file: BinaryIO, opener: ChunkOpener) -> Iterator[tuple[bytes, bool]]:
    counter = 1
    while sealed := file.read(_ON_DISK):
        for last in (False, True):
            with suppress(SealBrokenError):
                chunk = opener.chunk(counter, sealed, last=last)
                break
        else:
            return
        yield chunk, last
        counter += 1
