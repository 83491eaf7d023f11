"""The sealed file: what was promised, on disk, encrypted, self-describing.

Layout, byte by byte, and why: docs/decisions/0003-sealed-file.md. In short: a clear header (magic,
version, kind, UID, salt, keyed hash of the identity), then AES-256-GCM chunks in the STREAM
construction: the first holds the identity, the others the content. No patient data stands in clear,
and the database can be rebuilt from these files alone.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from capture_app.model.part10_file import Part10File
from capture_app.settings.write_once import fsync_folder
from capture_app.store.cipher import Cipher
from capture_app.store.sealed_form import (
    CHUNK_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    ChunkOpener,
    ChunkSealer,
    Kind,
    SealedHeader,
    refusals_said,
)

SUFFIX: Final = ".sealed"
TEMPORARY_SUFFIX: Final = ".tmp"
_HELD_BYTES: Final = 32 * 1024 * 1024
"""A file of no more than that is read once and held while it is sent."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An opened sealed file."""

    header: SealedHeader
    identity: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Staged:
    """A sealed file that is written and fsynced, but not yet under its name."""

    temporary: Path
    path: Path


def write_sealed(
    folder: Path,
    *,
    uid: str,
    identity: bytes,
    content: bytes | Iterable[bytes],
    cipher: Cipher,
    kind: Kind,
) -> Path:
    """Writes a sealed file under a random name of its own and returns its path.

    When it returns, file and name are on the disk: temporary file (O_EXCL, 0600), write, fsync,
    rename, fsync of the folder. When it raises, nothing is left behind. Raises DiskFullError
    (ENOSPC, EDQUOT, EFBIG), StoreError for other refusals of the disk, ValueError for a UID
    that is none or an identity over 1 MiB.
    """
    staged = stage_sealed(
        folder, uid=uid, identity=identity, content=content, cipher=cipher, kind=kind
    )
    publish_sealed((staged,))
    return staged.path


def stage_sealed(
    folder: Path,
    *,
    uid: str,
    identity: bytes,
    content: bytes | Iterable[bytes],
    cipher: Cipher,
    kind: Kind,
) -> Staged:
    """The slow half of `write_sealed`: encrypts, writes and fsyncs under a temporary name.

    A caller who holds a lock stages before it and publishes inside it. Raises as `write_sealed`.
    """
    sealer = ChunkSealer(cipher, uid=uid, identity=identity, kind=kind)
    name = secrets.token_hex(16)
    staged = Staged(folder / f"{name}{TEMPORARY_SUFFIX}", folder / f"{name}{SUFFIX}")
    with refusals_said():
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY
            descriptor = os.open(staged.temporary, flags, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                write_all(file, sealer.start())
                for chunk in _sealed_chunks(sealer, content):
                    write_all(file, chunk)
                os.fsync(descriptor)
        except BaseException:
            discard_staged((staged,))
            raise
    return staged


def publish_sealed(staged: Sequence[Staged]) -> None:
    """The quick half of `write_sealed`: gives staged files of one folder their names, durably.

    All or nothing: when it raises, none of them is left behind.
    """
    with refusals_said():
        try:
            for file in staged:
                # Never onto another file: the name is random, and Windows refuses to replace.
                file.temporary.rename(file.path)
            for folder in {file.path.parent for file in staged}:
                fsync_folder(folder)
        except BaseException:
            discard_staged(staged)  # not promised: do not leave what the caller is told has failed
            raise


def discard_staged(staged: Sequence[Staged]) -> None:
    """Removes staged files, published or not. Harmless where they are gone."""
    for file in staged:
        for path in (file.temporary, file.path):
            with suppress(OSError):
                path.unlink()


def open_identity(
    path: Path, cipher: Cipher, *, uid: str | None = None
) -> tuple[SealedHeader, bytes]:
    """Header and identity, proven; the content is not read. Raises as `open_sealed`."""
    with path.open("rb") as file:
        header, identity, _chunks = _open(file, cipher, uid)
        return header, identity


def open_sealed(path: Path, cipher: Cipher, *, uid: str | None = None) -> Sealed:
    """The whole file, proven to be what was written. Raises SealBrokenError on any change.

    `uid` is the one that the caller's row expects: two whole files that changed their names are
    each good in themselves, and only this tells them apart.
    """
    with path.open("rb") as file:
        header, identity, chunks = _open(file, cipher, uid)
        return Sealed(header, identity, b"".join(chunks))


def proved_content(path: Path, cipher: Cipher, *, uid: str | None = None) -> Part10File:
    """The content of a file that was proved to its end: held where it is small, else read anew,
    a chunk at a time, each time it is gone through. Raises as `open_sealed`, then as well.
    """
    if path.stat().st_size <= _HELD_BYTES:
        return Part10File.of(open_sealed(path, cipher, uid=uid).content)
    size = 0
    with path.open("rb") as file:
        _header, _identity, chunks = _open(file, cipher, uid)
        for chunk in chunks:
            size += len(chunk)

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            _header, _identity, chunks = _open(file, cipher, uid)
            yield from chunks

    return Part10File(size, pieces)


def verify_sealed(path: Path, cipher: Cipher, *, uid: str | None = None) -> SealedHeader:
    """Proves the whole file without holding it in memory. Raises as `open_sealed`."""
    with path.open("rb") as file:
        header, _identity, chunks = _open(file, cipher, uid)
        for _chunk in chunks:
            pass
        return header


def free_bytes(folder: Path) -> int:
    """How much this user may still write to the disk of the folder."""
    return shutil.disk_usage(folder).free


def remove_unfinished(folder: Path, *, before: datetime) -> int:
    """Removes temporary files last written before that moment; returns how many.

    They were never promised: whoever wrote them was killed. A file of a living process is younger.
    """
    removed = 0
    for path in folder.glob(f"*{TEMPORARY_SUFFIX}"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                removed += 1
    return removed


if sys.platform == "win32":
    BINARY: Final = os.O_BINARY
else:
    BINARY: Final = 0


def _sealed_chunks(sealer: ChunkSealer, content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    pending: bytes | None = None
    for chunk in _rechunked(content):
        if pending is not None:
            yield sealer.chunk(pending, last=False)
        pending = chunk
    # There is always a last chunk, if an empty one: its flag is what shows that nothing is missing.
    yield sealer.chunk(pending or b"", last=True)


def _rechunked(content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(content, bytes):
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]
        return
    gathered = bytearray()
    for part in content:
        gathered += part
        while len(gathered) >= CHUNK_BYTES:
            yield bytes(gathered[:CHUNK_BYTES])
            del gathered[:CHUNK_BYTES]
    if gathered:
        yield bytes(gathered)


def write_all(file: BinaryIO, data: bytes) -> None:
    """Writes all of it to an unbuffered file."""
    view = memoryview(data)
    while view:
        written = file.write(view)
        view = view[written:]


def _open(
    file: BinaryIO, cipher: Cipher, uid: str | None
) -> tuple[SealedHeader, bytes, Iterator[bytes]]:
    opener = ChunkOpener(file.read(HEADER_BYTES), cipher, uid)
    identity = opener.identity(file.read(opener.identity_bytes))
    return opener.header, identity, _opened_chunks(file, opener)


def _opened_chunks(file: BinaryIO, opener: ChunkOpener) -> Iterator[bytes]:
    size = CHUNK_BYTES + TAG_BYTES
    counter, chunk = 1, file.read(size)
    while True:
        following = file.read(size)
        yield opener.chunk(counter, chunk, last=not following)
        if not following:
            return
        counter, chunk = counter + 1, following
