"""A process that records is killed, at many moments: nothing that it promised is lost."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from capture_app.clock import FixedClock
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from tests import filming, outboxes, sealing
from tests.draws import IS_WHOLE
from tests.outboxes import PACS

ROOT = Path(__file__).parents[2]
FRAMES = 64
A_SECOND = 8
KILLS = 300 if IS_WHOLE else 12

_SAID = ("RECORDS", "PROMISED", "ENDED", "OVER")  # else it is its log

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it forks")


@pytest.fixture
def recorder() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.faults.record_one"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "READY\n"
        yield process
        process.stdin.close()


def test_what_was_promised_is_there_after_a_kill(
    tmp_path: Path, recorder: subprocess.Popen[str]
) -> None:
    """In a write, in a sync, between them, while it gets its name."""
    chance = random.Random(7)
    found = []
    for number in range(KILLS):
        folder = tmp_path / f"{number}"
        folder.mkdir(mode=0o700)
        after = number % (FRAMES // A_SECOND + 1)
        capture_id, promised, ended = killed(recorder, folder, after, chance.uniform(0, 0.006))
        found.append(came_back(folder, capture_id, promised, ended=ended))
    assert any(0 < frames < FRAMES for frames in found)


def killed(
    recorder: subprocess.Popen[str], folder: Path, after: int, later_s: float
) -> tuple[str, int, bool]:
    """A recording killed so long after so many promises: its id, its last promise, its end."""
    assert recorder.stdin is not None
    assert recorder.stdout is not None
    recorder.stdin.write(f"{folder} {A_SECOND} {FRAMES}\n")
    recorder.stdin.flush()
    lines = (line for line in recorder.stdout if line.startswith(_SAID))
    _, process_id, capture_id = next(lines).split()
    said = [next(lines) for _ in range(after)]
    Event().wait(later_s)
    if "ENDED\n" not in said:
        with suppress(ProcessLookupError):  # it ended just now
            os.kill(int(process_id), signal.SIGKILL)
    said += iter(lambda: next(lines), "OVER\n")
    promised = [int(line.split()[1]) for line in said if line.startswith("PROMISED")]
    return capture_id, promised[-1] if promised else 0, "ENDED\n" in said


def came_back(folder: Path, capture_id: str, promised: int, *, ended: bool) -> int:
    """How many frames came back, all of them as they were recorded."""
    outbox = outboxes.open_outbox(folder, FixedClock(sealing.TAKEN_AT + timedelta(hours=1)))
    assert recover(outbox.spool, (PACS,)).alarms == []
    drafts = outbox.drafts()
    assert len(drafts) == 1 or not promised
    frames = []
    for draft in drafts:
        assert draft.capture_id == capture_id
        with outbox.film_of(capture_id) as clip:
            frames = list(clip.frames())
            assert draft.clip == clip.length
            assert clip.length.is_partial or len(frames) == FRAMES
    assert len(frames) >= (FRAMES if ended else promised)
    assert frames == [(filming.jpeg(n, size=60_000), n * 125_000) for n in range(len(frames))]
    assert not list(outbox.spool.captures.glob("*.growing"))
    assert inspect(outbox.spool).whole
    outboxes.close(outbox)
    return len(frames)
