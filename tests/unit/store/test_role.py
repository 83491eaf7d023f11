import subprocess
import sys
from pathlib import Path

import pytest

from capture_app.errors import StoreError
from capture_app.store.role import EngineRole, Presence, alone
from tests.waiting import eventually

HOLDER = """
import sys
from pathlib import Path
from capture_app.store.role import EngineRole
role = EngineRole(Path(sys.argv[1]))
print(role.try_acquire(), flush=True)
sys.stdin.read()
"""


def test_one_holds_it_and_it_can_be_given_back(tmp_path: Path) -> None:
    first, second = EngineRole(tmp_path / "engine.lock"), EngineRole(tmp_path / "engine.lock")
    assert first.try_acquire()
    assert first.try_acquire()
    assert first.held
    assert not second.try_acquire()
    assert not second.held
    second.release()
    assert not EngineRole(tmp_path / "engine.lock").try_acquire()
    first.release()
    assert not first.held
    assert second.try_acquire()
    second.release()
    second.release()


def test_another_process_is_refused_until_the_holder_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "engine.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"True"
        role = EngineRole(lock)
        assert not role.try_acquire()
        assert role.holder() == holder.pid
        holder.kill()
        holder.wait()
        assert eventually(role.try_acquire)
        role.release()


def test_a_full_disk_keeps_nobody_from_the_role(tmp_path: Path) -> None:
    """The number of the holder cannot be written: it is for people, and it is not the role."""
    full_disk = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
"""
    with subprocess.Popen(
        [sys.executable, "-c", full_disk + HOLDER, tmp_path / "engine.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"True"
        assert not EngineRole(tmp_path / "engine.lock").try_acquire()


def test_a_folder_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written or locked"):
        EngineRole(tmp_path / "gone" / "engine.lock").try_acquire()
    with (
        pytest.raises(StoreError, match="cannot be written or locked"),
        alone(tmp_path / "gone" / "key.lock"),
    ):
        pytest.fail("the block was run")


def test_a_child_process_does_not_keep_the_role_alive(tmp_path: Path) -> None:
    role = EngineRole(tmp_path / "engine.lock")
    assert role.try_acquire()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        role.release()
        other = EngineRole(tmp_path / "engine.lock")
        assert other.try_acquire()
        other.release()
        assert child.stdin is not None
        child.stdin.close()


def test_holder_is_unknown_where_nobody_ever_was(tmp_path: Path) -> None:
    assert EngineRole(tmp_path / "engine.lock").holder() is None


def test_alone_gives_up_in_words_at_its_deadline(tmp_path: Path) -> None:
    lock = tmp_path / "key.lock"
    busy = pytest.raises(StoreError, match="busy")
    with alone(lock), busy, alone(lock, deadline_seconds=0.05):
        pytest.fail("two at once")
    with alone(lock, deadline_seconds=0.05):
        pass


def test_a_presence_is_known_to_others_until_it_ends(tmp_path: Path) -> None:
    first, second = Presence(tmp_path / "senders"), Presence(tmp_path / "senders")
    assert not first.others()
    first.enter()
    first.enter()
    assert not first.others()
    assert second.others()
    second.enter()
    assert first.others()
    first.leave()
    assert not second.others()
    assert first.others()
    second.leave()
    assert not first.others()
