"""A clip is what its device sent, byte for byte; and what was synced outlives any end."""

import os
import shutil
import tracemalloc
from pathlib import Path

import pytest

from capture_app.errors import DiskFullError, SealBrokenError, StoreError
from capture_app.model.clip import ClipFormat, ClipLength
from capture_app.settings.file_lock import lock
from capture_app.store.cipher import Cipher
from capture_app.store.clip import ClipWriter, open_clip, salvage
from capture_app.store.sealed import verify_sealed
from capture_app.store.sealed_form import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES
from capture_app.store.sealed_pieces import left_over

UID = "2.25.329800735698586629295641978511506172918"
IDENTITY = b'{"patient":"ANON-42"}'
CIPHER = Cipher(bytes(range(32)))
SHAPE = ClipFormat(1080, 1920)


def frame(number: int, size: int = 70_000) -> bytes:
    """Bytes that are unlike those of any other frame, and begin with zeros as padding does."""
    return bytes(3) + (f"frame {number} ".encode() * (size // 8 + 1))[: size - 3]


def writer(folder: Path) -> ClipWriter:
    return ClipWriter(folder, uid=UID, identity=IDENTITY, cipher=CIPHER, shape=SHAPE)


def kept(folder: Path, frames: int, *, sync_every: int = 30, size: int = 70_000) -> Path:
    clip = writer(folder)
    for number in range(frames):
        clip.add(frame(number, size), number * 33_367)
        if number % sync_every == sync_every - 1:
            clip.sync()
    clip.finish()
    return clip.name().path


@pytest.mark.parametrize("size", [1, 40_000, CHUNK_BYTES - 13, CHUNK_BYTES, 2 * CHUNK_BYTES + 7])
@pytest.mark.parametrize("sync_every", [1, 4, 1000])
def test_frames_come_back_byte_for_byte_with_their_times(
    tmp_path: Path, size: int, sync_every: int
) -> None:
    path = kept(tmp_path, 9, sync_every=sync_every, size=max(size, 4))
    assert verify_sealed(path, CIPHER, uid=UID).kind == "clip"
    with open_clip(path, CIPHER, uid=UID) as clip:
        assert (clip.format, clip.identity) == (SHAPE, IDENTITY)
        assert clip.length == ClipLength(9, 8 * 33_367, is_partial=False)
        wanted = [(frame(n, max(size, 4)), n * 33_367) for n in range(9)]
        assert list(clip.frames()) == wanted
        assert [clip.frame(n) for n in (8, 0, 5)] == [wanted[n][0] for n in (8, 0, 5)]


def test_time_never_stands_still_or_goes_back(tmp_path: Path) -> None:
    clip = writer(tmp_path)
    for at in (50, 1_000, 1_000, 400, 2_000):
        clip.add(b"jpeg", at)
    clip.finish()
    with open_clip(clip.name().path, CIPHER) as opened:
        assert [at for _, at in opened.frames()] == [0, 1_000, 1_001, 1_002, 2_000]


def test_what_was_synced_is_there_wherever_the_file_was_cut(tmp_path: Path) -> None:
    """A kill, at 150 points of a recording: all that was promised comes back, and only frames."""
    clip = writer(tmp_path)
    promised: list[tuple[int, int]] = []  # length of the file, frames promised then
    path = clip.staged.temporary
    sizes = [5_000, 70_000, 200_000, 1_100_000]
    for number in range(24):
        clip.add(frame(number, sizes[number % 4]), number * 33_000)
        if number % 5 == 4:
            length = clip.sync()
            promised.append((path.stat().st_size, length.frames))
    clip.close()
    whole = path.read_bytes()
    cut = tmp_path / "cut"
    found = []
    for point in range(150):
        end = HEADER_BYTES + 200 + (len(whole) - HEADER_BYTES - 200) * point // 149
        cut.write_bytes(whole[:end])
        with cut.open("rb") as file:
            left = salvage(file, CIPHER)
            frames = [] if left is None else list(left.frames)
        at_least = max((count for size, count in promised if size <= end), default=0)
        assert len(frames) >= at_least
        for number, (jpeg, at) in enumerate(frames):
            assert (jpeg, at) == (frame(number, sizes[number % 4]), number * 33_000)
        found.append(len(frames))
    assert found == sorted(found)
    assert found[-1] >= 20
    assert len(set(found)) > 7


def test_a_write_that_was_torn_within_is_not_taken_for_a_frame(tmp_path: Path) -> None:
    clip = writer(tmp_path)
    for number in range(40):
        clip.add(frame(number), number)
    clip.sync()
    clip.close()
    raw = bytearray(clip.staged.temporary.read_bytes())
    raw[-CHUNK_BYTES // 2] ^= 1  # the last chunk
    clip.staged.temporary.write_bytes(raw)
    with clip.staged.temporary.open("rb") as file:
        left = salvage(file, CIPHER)
        assert left is not None
        frames = list(left.frames)
    assert 20 < len(frames) < 40
    assert all(jpeg == frame(number) for number, (jpeg, _) in enumerate(frames))


def test_a_file_of_which_nothing_was_promised_is_told(tmp_path: Path) -> None:
    clip = writer(tmp_path)
    clip.close()
    with clip.staged.temporary.open("rb") as file:
        assert salvage(file, CIPHER) is None
    clip.staged.temporary.write_bytes(clip.staged.temporary.read_bytes()[:100])
    with clip.staged.temporary.open("rb") as file, pytest.raises(SealBrokenError):
        salvage(file, CIPHER)


def test_a_recording_that_somebody_writes_is_theirs(tmp_path: Path) -> None:
    clip = writer(tmp_path)
    with left_over(clip.staged.temporary) as file:
        assert file is None
    clip.close()
    with left_over(clip.staged.temporary) as file:
        assert file is not None
        with clip.staged.temporary.open("rb") as other, pytest.raises(OSError, match=r"."):
            lock(other.fileno())


@pytest.mark.parametrize("where", [0.02, 0.4, 0.7, 0.98])
def test_any_change_is_found_when_the_frame_is_read(tmp_path: Path, where: float) -> None:
    path = kept(tmp_path, 60)
    raw = bytearray(path.read_bytes())
    raw[int(len(raw) * where)] ^= 0x10
    path.write_bytes(raw)
    with pytest.raises(SealBrokenError), open_clip(path, CIPHER) as clip:
        list(clip.frames())


def test_a_clip_that_lost_its_end_or_stands_under_another_name_does_not_open(
    tmp_path: Path,
) -> None:
    path = kept(tmp_path, 60)
    cut = Path(shutil.copy(path, tmp_path / "cut.sealed"))
    chunks = (path.stat().st_size - HEADER_BYTES - len(IDENTITY) - TAG_BYTES) // (
        CHUNK_BYTES + TAG_BYTES
    )
    with cut.open("r+b") as file:
        file.truncate(HEADER_BYTES + len(IDENTITY) + TAG_BYTES + chunks * (CHUNK_BYTES + TAG_BYTES))
    with pytest.raises(SealBrokenError), open_clip(cut, CIPHER):
        pass
    with pytest.raises(SealBrokenError), open_clip(path, CIPHER, uid="2.25.1"):
        pass


def test_no_frame_stands_in_clear(tmp_path: Path) -> None:
    raw = kept(tmp_path, 60).read_bytes()
    assert b"frame 1" not in raw
    assert b"ANON-42" not in raw


def test_a_long_clip_is_written_and_read_in_little_memory(tmp_path: Path) -> None:
    jpeg = bytes(300_000)
    tracemalloc.start()
    clip = writer(tmp_path)
    for number in range(400):  # 120 MB
        clip.add(jpeg, number * 33_000)
        if number % 30 == 29:
            clip.sync()
    clip.finish()
    with open_clip(clip.name().path, CIPHER) as opened:
        assert sum(len(one) for one, _ in opened.frames()) == 120_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_a_full_disk_says_so_and_keeps_what_was_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = writer(tmp_path)
    for number in range(30):
        clip.add(frame(number), number)
    clip.sync()
    monkeypatch.setattr(
        "capture_app.store.sealed_pieces.write_all", lambda _file, _data: _no_room()
    )
    with pytest.raises(DiskFullError):
        clip.add(bytes(2 * CHUNK_BYTES), 30)
    monkeypatch.undo()  # there is room again, and a chunk is missing
    with pytest.raises(StoreError):
        clip.finish()
    with clip.staged.temporary.open("rb") as file:
        left = salvage(file, CIPHER)
        assert left is not None
        assert len(list(left.frames)) == 30


def _no_room() -> None:
    raise OSError(28, "No space left on device")


def test_a_second_is_promised_once_the_disk_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = writer(tmp_path)
    clip.add(frame(0), 0)
    done = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        done.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr("capture_app.store.sealed_pieces.os.fsync", noted)
    clip.sync()
    assert done == [clip.staged.temporary.stat().st_size]
    clip.discard()
    assert not list(tmp_path.iterdir())
