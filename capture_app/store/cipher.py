"""Authenticated encryption under one master key, and keyed hashes. The key is handed in.

Every use has a subkey of its own (HKDF-SHA256, RFC 5869), so that nothing sealed for one use opens
as another. The byte layout is written down in docs/decisions/0003-sealed-file.md.
"""

from __future__ import annotations

import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from capture_app.errors import SealBrokenError
from capture_app.model.words import tr

KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_BLOB_VERSION: Final = b"\x01"


class Cipher:
    """What the master key can do. Safe for use by many threads: nothing changes after birth."""

    __slots__ = ("_hash_key", "_key")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            message = "the master key must be 32 bytes"
            raise ValueError(message)
        self._key = key
        self._hash_key = self.subkey(b"capture-app keyed hash 1", b"")

    def __repr__(self) -> str:
        return "Cipher(...)"  # never the key

    def subkey(self, purpose: bytes, salt: bytes) -> bytes:
        """A 32-byte key of its own for a purpose and, within it, a salt."""
        return HKDF(SHA256(), KEY_BYTES, salt or None, purpose).derive(self._key)

    def seal_blob(self, plain: bytes, context: bytes) -> bytes:
        """Encrypts a value for a database cell; it opens only with the same context.

        A fresh key for every blob (random 16-byte salt), so that the number of blobs under one
        master key is not bounded by the birthday of 96-bit nonces.
        """
        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        sealed = self._blob_aead(salt).encrypt(nonce, plain, context)
        return _BLOB_VERSION + salt + nonce + sealed

    def open_blob(self, blob: bytes, context: bytes) -> bytes:
        """The value that was sealed with this key and context, else SealBrokenError."""
        head = 1 + _SALT_BYTES + _NONCE_BYTES
        if len(blob) < head + _TAG_BYTES or blob[:1] != _BLOB_VERSION:
            raise SealBrokenError(tr("A sealed value in the database is damaged."))
        salt, nonce = blob[1 : 1 + _SALT_BYTES], blob[1 + _SALT_BYTES : head]
        try:
            return self._blob_aead(salt).decrypt(nonce, blob[head:], context)
        except InvalidTag:
            raise SealBrokenError(
                tr("A sealed value in the database was changed, or was sealed with another key.")
            ) from None

    def keyed_hash(self, *parts: str) -> str:
        """HMAC-SHA256 over the parts, hex: equal for equal parts, and tells nothing of them.

        Each part goes in with its length, so that ("ab", "c") and ("a", "bc") differ.
        """
        told = bytearray()
        for part in parts:
            encoded = part.encode()
            told += len(encoded).to_bytes(8, "big") + encoded
        return hmac.digest(self._hash_key, told, "sha256").hex()

    def _blob_aead(self, salt: bytes) -> AESGCM:
        return AESGCM(self.subkey(b"capture-app blob 1", salt))
