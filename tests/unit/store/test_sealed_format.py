"""Reads a sealed file by docs/decisions/0003-sealed-file.md alone: none of our readers is used."""

import hmac
import os
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from capture_app.store.cipher import Cipher
from capture_app.store.sealed import write_sealed

KEY = bytes(range(100, 132))


def hkdf(salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(KEY)


def test_page_says_enough_to_read_the_file(tmp_path: Path) -> None:
    identity, content = b"identity \xc3\xa9", os.urandom(2_097_152 + 77)
    path = write_sealed(
        tmp_path, uid="1.2.840.1", identity=identity, content=content, cipher=Cipher(KEY),
        kind="instance",
    )  # fmt: skip
    raw = path.read_bytes()
    assert raw[:8] == bytes.fromhex("43 41 50 53 45 41 4C 00")
    assert raw[8] == 2
    assert raw[9] == 2
    assert raw[10:74] == b"1.2.840.1" + bytes(55)
    salt, identity_hash = raw[74:106], raw[106:138]
    n = int.from_bytes(raw[138:142], "big")
    assert n == len(identity)

    aead = AESGCM(hkdf(salt, b"capture-app sealed file 1"))
    header, at, number, parts = raw[:142], 142, 0, []
    while at < len(raw):
        size = n + 16 if number == 0 else 1_048_576 + 16
        chunk = raw[at : at + size]
        at += len(chunk)
        nonce = bytes(7) + number.to_bytes(4, "big") + (b"\1" if at == len(raw) else b"\0")
        parts.append(aead.decrypt(nonce, chunk, header))
        number += 1
    assert parts[0] == identity
    assert b"".join(parts[1:]) == content
    assert [len(part) for part in parts[1:]] == [1_048_576, 1_048_576, 77]

    mac = hmac.new(hkdf(None, b"capture-app keyed hash 1"), digestmod=sha256)
    for part in (b"sealed identity", identity.hex().encode("ascii")):
        mac.update(len(part).to_bytes(8, "big") + part)
    assert mac.digest() == identity_hash


def test_page_says_enough_to_read_a_cell() -> None:
    blob = Cipher(KEY).seal_blob(b"a cell", b"table.column.row")
    assert blob[0] == 1
    salt, nonce, rest = blob[1:17], blob[17:29], blob[29:]
    key = hkdf(salt, b"capture-app blob 1")
    assert AESGCM(key).decrypt(nonce, rest, b"table.column.row") == b"a cell"
