"""The form of a sealed file: its clear header, and the encryption of its chunks.

Byte by byte, and why: docs/decisions/0003-sealed-file.md.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, EFBIG, ENOSPC
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from capture_app.errors import DiskFullError, SealBrokenError, StoreError
from capture_app.model.words import tr
from capture_app.store.cipher import Cipher

Kind = Literal["capture", "instance", "clip", "received"]

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
_KIND_BYTES: Final[dict[Kind, int]] = {"capture": 1, "instance": 2, "clip": 3, "received": 4}
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


class ChunkSealer:
    """Header and chunks of one new file, under a key of its own."""

    def __init__(self, cipher: Cipher, *, uid: str, identity: bytes, kind: Kind) -> None:
        """Raises ValueError for a UID that is none or an identity over 1 MiB."""
        if len(uid) > 64 or not _UID.fullmatch(uid.encode()):
            message = "not a UID"
            raise ValueError(message)
        if len(identity) > IDENTITY_MAX_BYTES:
            message = "the identity is too long"
            raise ValueError(message)
        salt = os.urandom(32)
        digest = _identity_hash(cipher, identity)
        self._header = _HEADER.pack(
            MAGIC, VERSION, _KIND_BYTES[kind], uid.encode(), salt, digest, len(identity)
        )
        self._aead = _file_aead(cipher, salt)
        self._counter = 0
        self._identity = identity

    def start(self) -> bytes:
        """The header and the identity: what a file begins with. Called once, and first."""
        return self._header + self.chunk(self._identity, last=False)

    def chunk(self, content: bytes, *, last: bool) -> bytes:
        """The next chunk, encrypted. All but the last hold CHUNK_BYTES."""
        sealed = self._aead.encrypt(_nonce(self._counter, last=last), content, self._header)
        self._counter += 1
        return sealed


class ChunkOpener:
    """Opens the chunks of one file, by the header that it begins with."""

    def __init__(self, raw: bytes, cipher: Cipher, uid: str | None) -> None:
        """`raw`: the first HEADER_BYTES. `uid`: the one that is expected, where one is.

        Raises SealBrokenError.
        """
        self._raw = raw
        self._cipher = cipher
        self._uid = uid
        self.header, identity_length = _parse_header(raw)
        self._aead = _file_aead(cipher, self.header.salt)
        self.identity_bytes = identity_length + TAG_BYTES
        """Length of the identity chunk, which follows the header."""

    def identity(self, chunk: bytes) -> bytes:
        """The identity. Raises SealBrokenError, for a file of another UID as well."""
        identity = self.chunk(0, chunk, last=False)
        if _identity_hash(self._cipher, identity).hex() != self.header.identity_hash:
            raise broken()
        if self._uid is not None and self._uid != self.header.uid:
            raise SealBrokenError(tr("A sealed file stands under the name of another."))
        return identity

    def chunk(self, counter: int, chunk: bytes, *, last: bool) -> bytes:
        """What a chunk holds; the first of the content is number 1. Raises SealBrokenError."""
        if len(chunk) < TAG_BYTES:
            raise broken()
        try:
            return self._aead.decrypt(_nonce(counter, last=last), chunk, self._raw)
        except InvalidTag:
            raise broken() from None


def broken() -> SealBrokenError:
    """The error of a file that is not what was written."""
    return SealBrokenError(
        tr("A sealed file was changed or cut short, or was sealed with another key.")
    )


@contextmanager
def refusals_said() -> Iterator[None]:
    """What the disk refuses inside is raised as DiskFullError or StoreError."""
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


def _identity_hash(cipher: Cipher, identity: bytes) -> bytes:
    return bytes.fromhex(cipher.keyed_hash("sealed identity", identity.hex()))


def _nonce(counter: int, *, last: bool) -> bytes:
    # The key is of this file alone, so the prefix may be constant: 7 zero bytes, counter, flag.
    return bytes(7) + counter.to_bytes(4, "big") + bytes((last,))


def _file_aead(cipher: Cipher, salt: bytes) -> AESGCM:
    return AESGCM(cipher.subkey(b"capture-app sealed file 1", salt))


def _parse_header(raw: bytes) -> tuple[SealedHeader, int]:
    if len(raw) < HEADER_BYTES:
        raise broken()
    magic, version, kind, uid, salt, identity_hash, identity_length = _HEADER.unpack(raw)
    if magic != MAGIC:
        raise broken()
    if version not in VERSIONS:
        raise SealBrokenError(
            tr("A sealed file is damaged, or was written by a later version of Capture App.")
        )
    uid = uid.rstrip(b"\x00")
    if kind not in _KINDS or not _UID.fullmatch(uid) or identity_length > IDENTITY_MAX_BYTES:
        raise broken()
    header = SealedHeader(version, _KINDS[kind], uid.decode("ascii"), salt, identity_hash.hex())
    return header, identity_length
