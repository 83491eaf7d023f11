"""What another process writes is told within a second, whoever holds the engine role."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.outbox.delivery.engine import LOOK_EVERY_S
from capture_app.outbox.outbox import Outbox
from capture_app.store.role import EngineRole
from tests import outboxes, sealing
from tests.outboxes import DirectoryArchive, begin, keep
from tests.waiting import Eventually

REPOSITORY = Path(__file__).parents[3]
ANOTHER_PROCESS = """
import sys
from pathlib import Path
from capture_app.clock import SystemClock
from tests.outboxes import begin, close, keep, open_outbox
clock = SystemClock()
outbox = open_outbox(Path(sys.argv[1]), clock)
exam = begin(outbox, clock)
print(exam.exam_id, keep(outbox, exam))
close(outbox)
"""


@pytest.fixture
def told(outbox: Outbox, tmp_path: Path, clock: FixedClock) -> Iterator[list[str]]:
    """What a process that follows is told; the engine role is with somebody else."""
    role = EngineRole(tmp_path / "engine.lock")
    assert role.try_acquire()
    engine = outboxes.open_engine(outbox, tmp_path, clock, DirectoryArchive(tmp_path / "archive"))
    told: list[str] = []
    leave = outbox.on_change(told.append)
    engine.start()
    yield told
    assert not engine.leads
    assert engine.stop()
    leave()
    role.release()


@pytest.fixture
def other(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    """The outbox of another process on the same folder. It has no engine at all."""
    other = outboxes.open_outbox(tmp_path, clock)
    yield other
    outboxes.close(other)


def test_it_is_looked_for_more_often_than_once_a_second() -> None:
    assert LOOK_EVERY_S <= 0.5


def test_every_act_of_another_is_told(
    told: list[str], other: Outbox, outbox: Outbox, clock: FixedClock, eventually: Eventually
) -> None:
    exam = begin(other, clock)
    eventually(lambda: told == [exam.exam_id])
    capture_id = keep(other, exam)
    eventually(lambda: told[1:] == [capture_id])
    assert [draft.capture_id for draft in outbox.drafts()] == [capture_id]

    def call_back() -> object:
        return other.call_back([capture_id], sealing.NURSE)

    acts: list[Callable[[], object]] = [
        lambda: other.describe([capture_id], sealing.description(purpose=1), sealing.NURSE),
        lambda: other.delete([capture_id], sealing.NURSE),
        lambda: other.restore([capture_id], sealing.NURSE),
        lambda: other.seal([capture_id], sealing.NURSE, release_now=True),
        lambda: other.hold([capture_id], sealing.NURSE),
        lambda: other.release([capture_id], sealing.NURSE),
        call_back,
    ]
    for act in acts:
        told.clear()
        act()
        eventually(lambda: capture_id in told)


def test_a_process_of_its_own_is_heard(
    told: list[str], tmp_path: Path, eventually: Eventually
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    exam_id, capture_id = done.stdout.split()
    eventually(lambda: {exam_id, capture_id} <= {*told})


@pytest.mark.expects_log("changes-not-read")
def test_a_look_that_fails_is_followed_by_another(
    told: list[str],
    other: Outbox,
    outbox: Outbox,
    clock: FixedClock,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from capture_app.errors import StoreError  # noqa: PLC0415 - of this test alone

    real, failed = outbox.tell_others_changes, list[int]()

    def fails_once() -> None:
        if not failed:
            failed.append(1)
            raise StoreError("busy")
        real()

    monkeypatch.setattr(outbox, "tell_others_changes", fails_once)
    exam = begin(other, clock)
    eventually(lambda: bool(failed) and exam.exam_id in told)
