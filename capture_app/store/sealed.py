"""The sealed file: what was promised, on disk, encrypted, self-describing.

Layout, byte by byte, and why: docs/decisions/0003-sealed-file.md. In short: a clear header (magic,
version, kind, UID, salt, keyed hash of the identity), then AES-256-GCM chunks in the STREAM
construction: the first holds the identity, the others the content. No patient data stands in clear,
and the database can be rebuilt from these files alone.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import BinaryIO, Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from capture_app.errors import DiskFullError, SealBrokenError, StoreError
from capture_app.model.words import tr
from capture_app.settings.write_once import fsync_folder
from capture_app.store.cipher import Cipher

Kind = Literal["capture", "instance"]

SUFFIX: Final = ".sealed"
TEMPORARY_SUFFIX: Final = ".tmp"
MAGIC: Final = b"CAPSEAL\x00"
VERSION: Final = 2
"""The version that is written. What identities hold by it: docs/decisions/0003-sealed-file.md."""
VERSIONS: Final = frozenset({1, VERSION})
"""What can be read."""
CHUNK_BYTES: Final = 1024 * 1024
IDENTITY_MAX_BYTES: Final = CHUNK_BYTES
TAG_BYTES: Final = 16

# magic, version, kind, UID, salt, identity hash, length of the identity chunk; all big-endian
_HEADER: Final = struct.Struct(">8sBB64s32s32sI")
HEADER_BYTES: Final = _HEADER.size
_KIND_BYTES: Final[dict[Kind, int]] = {"capture": 1, "instance": 2}
_KINDS: Final[dict[int, Kind]] = {byte: kind for kind, byte in _KIND_BYTES.items()}
_UID: Final = re.compile(rb"[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """What a sealed file says in clear."""

    version: int
    kind: Kind
    uid: str
    salt: bytes
    identity_hash: str
    """Keyed hash of the identity, hex: equal for equal identities, and tells nothing of them."""


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
    if len(uid) > 64 or not _UID.fullmatch(uid.encode()):
        message = "not a UID"
        raise ValueError(message)
    if len(identity) > IDENTITY_MAX_BYTES:
        message = "the identity is too long"
        raise ValueError(message)
    salt = os.urandom(32)
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        _KIND_BYTES[kind],
        uid.encode(),
        salt,
        _identity_hash(cipher, identity),
        len(identity),
    )
    name = secrets.token_hex(16)
    staged = Staged(folder / f"{name}{TEMPORARY_SUFFIX}", folder / f"{name}{SUFFIX}")
    with _refusals_said():
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
            descriptor = os.open(staged.temporary, flags, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                _write_all(file, header)
                for chunk in _sealed_chunks(header, salt, identity, content, cipher):
                    _write_all(file, chunk)
                os.fsync(descriptor)
        except BaseException:
            discard_staged((staged,))
            raise
    return staged


def publish_sealed(staged: Sequence[Staged]) -> None:
    """The quick half of `write_sealed`: gives staged files of one folder their names, durably.

    All or nothing: when it raises, none of them is left behind.
    """
    with _refusals_said():
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
    _BINARY: Final = os.O_BINARY
else:
    _BINARY: Final = 0


def _identity_hash(cipher: Cipher, identity: bytes) -> bytes:
    return bytes.fromhex(cipher.keyed_hash("sealed identity", identity.hex()))


def _nonce(counter: int, *, last: bool) -> bytes:
    # The key is of this file alone, so the prefix may be constant: 7 zero bytes, counter, flag.
    return bytes(7) + counter.to_bytes(4, "big") + bytes((last,))


def _file_aead(cipher: Cipher, salt: bytes) -> AESGCM:
    return AESGCM(cipher.subkey(b"capture-app sealed file 1", salt))


def _sealed_chunks(
    header: bytes, salt: bytes, identity: bytes, content: bytes | Iterable[bytes], cipher: Cipher
) -> Iterator[bytes]:
    aead = _file_aead(cipher, salt)
    yield aead.encrypt(_nonce(0, last=False), identity, header)
    counter = 1
    pending: bytes | None = None
    for chunk in _rechunked(content):
        if pending is not None:
            yield aead.encrypt(_nonce(counter, last=False), pending, header)
            counter += 1
        pending = chunk
    # There is always a last chunk, if an empty one: its flag is what shows that nothing is missing.
    yield aead.encrypt(_nonce(counter, last=True), pending or b"", header)


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


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = file.write(view)
        view = view[written:]


def _parse_header(raw: bytes) -> tuple[SealedHeader, int]:
    if len(raw) < HEADER_BYTES:
        raise _broken()
    magic, version, kind, uid, salt, identity_hash, identity_length = _HEADER.unpack(raw)
    if magic != MAGIC:
        raise _broken()
    if version not in VERSIONS:
        raise SealBrokenError(
            tr("A sealed file is damaged, or was written by a later version of Capture App.")
        )
    uid = uid.rstrip(b"\x00")
    if kind not in _KINDS or not _UID.fullmatch(uid) or identity_length > IDENTITY_MAX_BYTES:
        raise _broken()
    header = SealedHeader(version, _KINDS[kind], uid.decode("ascii"), salt, identity_hash.hex())
    return header, identity_length


def _open(
    file: BinaryIO, cipher: Cipher, uid: str | None
) -> tuple[SealedHeader, bytes, Iterator[bytes]]:
    raw = file.read(HEADER_BYTES)
    header, identity_length = _parse_header(raw)
    aead = _file_aead(cipher, header.salt)
    identity = _decrypt(aead, 0, file.read(identity_length + TAG_BYTES), raw, last=False)
    if _identity_hash(cipher, identity).hex() != header.identity_hash:
        raise _broken()
    if uid is not None and uid != header.uid:
        raise SealBrokenError(tr("A sealed file stands under the name of another."))
    return header, identity, _opened_chunks(file, aead, raw)


def _opened_chunks(file: BinaryIO, aead: AESGCM, header: bytes) -> Iterator[bytes]:
    size = CHUNK_BYTES + TAG_BYTES
    counter, chunk = 1, file.read(size)
    while True:
        following = file.read(size)
        yield _decrypt(aead, counter, chunk, header, last=not following)
        if not following:
            return
        counter, chunk = counter + 1, following


def _decrypt(aead: AESGCM, counter: int, chunk: bytes, header: bytes, *, last: bool) -> bytes:
    if len(chunk) < TAG_BYTES:
        raise _broken()
    try:
        return aead.decrypt(_nonce(counter, last=last), chunk, header)
    except InvalidTag:
        raise _broken() from None


def _broken() -> SealBrokenError:
    return SealBrokenError(
        tr("A sealed file was changed or cut short, or was sealed with another key.")
    )


@contextmanager
def _refusals_said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT, EFBIG):
            raise DiskFullError(
                tr("There is no room on the disk: the picture was not kept.")
            ) from error
        raise StoreError(
            tr("The disk refused to keep the picture ({reason}).", reason=error.strerror or "?")
        ) from error
