import os
import re
import stat
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from capture_app.errors import SealBrokenError
from capture_app.store.cipher import Cipher
from capture_app.store.sealed import (
    discard_staged,
    free_bytes,
    open_identity,
    open_sealed,
    publish_sealed,
    remove_unfinished,
    stage_sealed,
    verify_sealed,
    write_sealed,
)
from capture_app.store.sealed_form import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES, Kind

UID = "2.25.329800735698586629295641978511506172918"
OTHER_UID = "2.25.1"
IDENTITY = b'{"patient":"ANON-42"}'
CIPHER = Cipher(bytes(range(32)))
FULL = CHUNK_BYTES + TAG_BYTES


def seal(
    folder: Path,
    content: bytes | Iterable[bytes] = b"picture",
    *,
    uid: str = UID,
    identity: bytes = IDENTITY,
    kind: Kind = "capture",
    cipher: Cipher = CIPHER,
) -> Path:
    return write_sealed(
        folder, uid=uid, identity=identity, content=content, cipher=cipher, kind=kind
    )


def is_broken(path: Path, cipher: Cipher = CIPHER) -> bool:
    """Both readers must agree."""
    refusals = 0
    for reader in (open_sealed, verify_sealed):
        try:
            reader(path, cipher)
        except SealBrokenError:
            refusals += 1
    assert refusals in (0, 2)
    return refusals == 2


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2_500_000]
)
def test_what_was_sealed_comes_back(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = seal(tmp_path, content, kind="instance")
    opened = open_sealed(path, CIPHER, uid=UID)
    assert opened.identity == IDENTITY
    assert opened.content == content
    assert opened.header == verify_sealed(path, CIPHER)
    assert (opened.header.uid, opened.header.kind, opened.header.version) == (UID, "instance", 2)
    assert open_identity(path, CIPHER) == (opened.header, IDENTITY)


def test_content_may_come_in_parts_of_any_size(tmp_path: Path) -> None:
    content = os.urandom(2_300_000)
    cuts = [0, 1, 1, 700_000, 1_900_000, 2_300_000]
    parts = (content[start:end] for start, end in pairwise(cuts))
    path = seal(tmp_path, parts)
    assert open_sealed(path, CIPHER).content == content
    assert path.stat().st_size == seal(tmp_path, content).stat().st_size


def test_file_tells_nothing_and_is_closed_to_others(tmp_path: Path) -> None:
    path = seal(tmp_path, b"secret picture" * 10)
    raw = path.read_bytes()
    assert IDENTITY not in raw
    assert b"ANON" not in raw
    assert b"secret" not in raw
    assert re.fullmatch(r"[0-9a-f]{32}\.sealed", path.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_equal_files_do_not_look_equal_but_their_identity_hash_is(tmp_path: Path) -> None:
    first, second = seal(tmp_path), seal(tmp_path)
    other = seal(tmp_path, identity=b"someone else")
    assert first.read_bytes()[HEADER_BYTES:] != second.read_bytes()[HEADER_BYTES:]
    one, same, another = (verify_sealed(path, CIPHER) for path in (first, second, other))
    assert one.identity_hash == same.identity_hash != another.identity_hash


def test_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = seal(tmp_path, b"a picture of thirty bytes ....")
    good = path.read_bytes()
    for position in range(len(good) * 8):
        bad = bytearray(good)
        bad[position // 8] ^= 1 << position % 8
        path.write_bytes(bad)
        assert is_broken(path), f"bit {position}"
    path.write_bytes(good)
    assert not is_broken(path)


def test_every_truncation_of_a_small_file_is_refused(tmp_path: Path) -> None:
    path = seal(tmp_path, b"a picture")
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert is_broken(path), f"{length} bytes of {len(good)}"


@pytest.mark.parametrize("last", [0, 1, CHUNK_BYTES])
def test_truncation_at_and_around_every_chunk_edge_is_refused(tmp_path: Path, last: int) -> None:
    path = seal(tmp_path, os.urandom(2 * CHUNK_BYTES + last))
    good = path.read_bytes()
    start = HEADER_BYTES + len(IDENTITY) + TAG_BYTES
    edges = [HEADER_BYTES, *range(start, len(good), FULL)]
    for edge in edges:
        for length in (edge - 1, edge, edge + 1):
            path.write_bytes(good[:length])
            assert is_broken(path), f"cut at {length} of {len(good)}"


def test_anything_appended_is_refused(tmp_path: Path) -> None:
    path = seal(tmp_path, os.urandom(CHUNK_BYTES))
    good = path.read_bytes()
    for tail in (b"\0", bytes(TAG_BYTES), good[-FULL:], good):
        path.write_bytes(good + tail)
        assert is_broken(path), f"{len(tail)} bytes appended"


def test_moved_repeated_and_missing_chunks_are_refused(tmp_path: Path) -> None:
    path = seal(tmp_path, os.urandom(3 * CHUNK_BYTES + 5))
    good = path.read_bytes()
    start = HEADER_BYTES + len(IDENTITY) + TAG_BYTES
    head, tail = good[:start], good[start + 3 * FULL :]
    a, b, c = (good[start + n * FULL : start + (n + 1) * FULL] for n in range(3))
    path.write_bytes(head + a + b + c + tail)
    assert not is_broken(path)
    for chunks in ([b, a, c], [a, c, b], [a, a, c], [a, c], [b, c], [a, b, b, c]):
        path.write_bytes(head + b"".join(chunks) + tail)
        assert is_broken(path)


def test_parts_of_another_file_are_refused(tmp_path: Path) -> None:
    """The splice that would put one patient's picture under another's name."""
    mine = seal(tmp_path, b"same size A", identity=b"patient A")
    theirs = seal(tmp_path, b"same size B", identity=b"patient B", uid=OTHER_UID)
    a, b = mine.read_bytes(), theirs.read_bytes()
    assert len(a) == len(b)
    identity_end = HEADER_BYTES + len(b"patient A") + TAG_BYTES
    for cut in (20, 74, 106, 138, HEADER_BYTES, identity_end):
        for spliced in (a[:cut] + b[cut:], b[:cut] + a[cut:]):
            mine.write_bytes(spliced)
            assert is_broken(mine), f"spliced at {cut}"
    mine.write_bytes(a[:HEADER_BYTES] + b[HEADER_BYTES:identity_end] + a[identity_end:])
    assert is_broken(mine)


def test_two_whole_files_that_changed_their_names_are_told_apart_by_uid(tmp_path: Path) -> None:
    mine, theirs = seal(tmp_path), seal(tmp_path, uid=OTHER_UID)
    a, b = mine.read_bytes(), theirs.read_bytes()
    mine.write_bytes(b)
    theirs.write_bytes(a)
    assert open_sealed(mine, CIPHER, uid=OTHER_UID).header.uid == OTHER_UID
    with pytest.raises(SealBrokenError, match="name of another"):
        open_sealed(mine, CIPHER, uid=UID)
    with pytest.raises(SealBrokenError, match="name of another"):
        open_identity(theirs, CIPHER, uid=OTHER_UID)


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (0, b"CAPSEEL"),
        (8, b"\x00"),
        (9, b"\x02"),  # a capture that says it is an instance
        (9, b"\x03"),
        (10, b"2.25.1" + bytes(58)),
        (10, bytes(64)),
        (10, b"not a uid"),
        (8, b"\x01"),  # a version that can be read, and not this file's
        (8, b"\x03"),
        (74, bytes(32)),
        (106, bytes(32)),
        (138, b"\x00\x00\x00\x00"),
        (138, b"\xff\xff\xff\xff"),
    ],
)
def test_edited_header_is_refused(tmp_path: Path, offset: int, value: bytes) -> None:
    path = seal(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[offset : offset + len(value)] = value
    path.write_bytes(raw)
    assert is_broken(path)


def test_another_key_is_refused(tmp_path: Path) -> None:
    assert is_broken(seal(tmp_path), Cipher(bytes(32)))


@pytest.mark.parametrize("raw", [b"", b"CAPSEAL\0", bytes(200), b"\xff\xd8\xff\xe0" * 100])
def test_what_is_no_sealed_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "x.sealed"
    path.write_bytes(raw)
    assert is_broken(path)


@pytest.mark.parametrize("uid", ["", "abc", "1." + "2" * 63, "1..2", "1.2.", "1.2\n", "../1"])
def test_what_is_no_uid_is_a_fault_of_ours(tmp_path: Path, uid: str) -> None:
    with pytest.raises(ValueError, match="UID"):
        seal(tmp_path, uid=uid)
    assert not list(tmp_path.iterdir())


def test_longest_uid_and_identity_fit(tmp_path: Path) -> None:
    uid = "1." + "2" * 62
    path = seal(tmp_path, uid=uid, identity=bytes(CHUNK_BYTES))
    assert open_sealed(path, CIPHER).header.uid == uid
    with pytest.raises(ValueError, match="identity"):
        seal(tmp_path, identity=bytes(CHUNK_BYTES + 1))


def test_content_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def content() -> Iterable[bytes]:
        yield bytes(CHUNK_BYTES)
        message = "the device went away"
        raise OSError(message)

    with pytest.raises(Exception, match="refused"):
        seal(tmp_path, content())
    assert not list(tmp_path.iterdir())


def test_staged_file_has_no_name_until_it_is_published(tmp_path: Path) -> None:
    staged = [
        stage_sealed(
            tmp_path, uid=UID, identity=IDENTITY, content=b"x", cipher=CIPHER, kind="capture"
        )
        for _ in range(2)
    ]
    assert not list(tmp_path.glob("*.sealed"))
    publish_sealed(staged[:1])
    assert list(tmp_path.glob("*.sealed")) == [staged[0].path]
    assert open_sealed(staged[0].path, CIPHER).content == b"x"
    discard_staged(staged)
    assert not list(tmp_path.iterdir())


def test_publishing_is_all_or_nothing(tmp_path: Path) -> None:
    staged = [
        stage_sealed(
            tmp_path, uid=UID, identity=IDENTITY, content=b"x", cipher=CIPHER, kind="capture"
        )
        for _ in range(3)
    ]
    staged[1].temporary.unlink()
    with pytest.raises(Exception, match="refused"):
        publish_sealed(staged)
    assert not list(tmp_path.iterdir())


def test_only_old_unfinished_files_are_removed(tmp_path: Path) -> None:
    now = datetime(2024, 7, 2, 12, tzinfo=UTC)
    old, young, other = tmp_path / "a.tmp", tmp_path / "b.tmp", tmp_path / "c.sealed"
    for path, age in ((old, 2), (young, 0), (other, 9)):
        path.touch()
        at = (now - timedelta(hours=age)).timestamp()
        os.utime(path, (at, at))
    assert remove_unfinished(tmp_path, before=now - timedelta(hours=1)) == 1
    assert sorted(tmp_path.iterdir()) == [young, other]


def test_free_bytes_is_what_this_user_may_still_write(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    assert 0 < free_bytes(tmp_path) <= found.f_frsize * found.f_bfree


def test_a_file_gets_its_name_once_the_disk_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept outlives a power cut: the file first, then its name, then the folder."""
    happened: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def note_fsync(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        size = os.fstat(descriptor).st_size
        happened.append(kind if kind == "folder" else f"file {size}")
        fsync(descriptor)

    def note_rename(path: Path, target: Path) -> Path:
        happened.append("name")
        return rename(path, target)

    monkeypatch.setattr("os.fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    path = seal(tmp_path, b"content")
    assert happened == [f"file {path.stat().st_size}", "name", "folder"]
