"""Kills a real child process at a chosen system call.

strace counts the calls and sends the signal at the entry of the chosen one, so nothing of that call
has happened. It counts for each thread apart; the child's acts are single-threaded or nearly so.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from tests.faults.shutter import Order

CALLS = (
    *("write", "pwrite64", "fsync", "fdatasync", "rename", "ftruncate", "unlink"),
    *("connect", "sendto", "sendmsg", "recvfrom", "recvmsg"),
)
SIDE_BY_SIDE = 3
ROOT = Path(__file__).parents[2]
_CALL = re.compile(r"^(\d+) +([a-z0-9_]+)\(")


@dataclass(frozen=True, slots=True)
class Point:
    """Where a child is killed: at the nth of these calls of the thread that comes there first."""

    call: str
    nth: int


@dataclass(frozen=True, slots=True)
class Life:
    """How one child lived and ended."""

    said: tuple[str, ...]
    status: int
    """Exit status, or the signal as a negative number."""
    trace: Path | None

    @property
    def safe(self) -> tuple[tuple[str, int], ...]:
        """The promises it made: SOP Instance UID and number of the picture."""
        words = [line.split() for line in self.said if line.startswith("SAFE ")]
        return tuple((uid, int(number)) for _, uid, number in words)

    @property
    def was_killed(self) -> bool:
        return self.status == -9

    def calls(self) -> Counter[str]:
        """For each call, how often the thread that made most of them made it."""
        assert self.trace is not None
        counted = Counter(
            (found[1], found[2])
            for line in self.trace.read_text("utf-8", "replace").splitlines()
            if (found := _CALL.match(line))
        )
        most: Counter[str] = Counter()
        for (_, call), times in counted.items():
            most[call] = max(most[call], times)
        return most


class Children:
    """Runs children one after the other, traced or not."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator[Self]:
        """The process that starts them; its first line is READY."""
        folder.mkdir(parents=True, exist_ok=True)
        errors = folder / "errors.txt"
        with (
            errors.open("w") as stderr,
            subprocess.Popen(
                [sys.executable, "-m", "tests.faults.shutter"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=ROOT,
            ) as process,
        ):
            children = cls(process, errors)
            try:
                yield children
            finally:
                assert process.stdin is not None
                process.stdin.close()

    def run(
        self,
        order: Order,
        *,
        kill_at: Point | None = None,
        trace: Path | None = None,
        with_paths: bool = False,
    ) -> Life:
        """One child, to its end."""
        traced = kill_at is not None or trace is not None
        child = self.begin(replace(order, waits=traced))
        if not traced:
            return self.rest(None)
        trace = trace or Path(order.folder) / "trace.txt"
        with _attached(child, trace, kill_at, with_paths=with_paths):
            self.send("go")
            return self.rest(trace)

    def begin(self, order: Order) -> int:
        """Starts a child and returns its process id; `line` gives what it says, `rest` its end."""
        self.send(json.dumps(asdict(order)))
        return int(self.line().removeprefix("CHILD "))

    def rest(self, trace: Path | None = None) -> Life:
        """The remaining life of the child."""
        said = []
        while not (line := self.line()).startswith("ENDED "):
            said.append(line)
        return Life(tuple(said), int(line.removeprefix("ENDED ")), trace)

    def send(self, line: str) -> None:
        """A line on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def line(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, f"the process of the children ended: {self._errors.read_text()[-2000:]}"
        return line


@contextmanager
def _attached(
    child: int, trace: Path, kill_at: Point | None, *, with_paths: bool
) -> Iterator[None]:
    argv = ["strace", "-f", "-s", "16", "-o", str(trace), "-p", str(child)]
    argv += ["-y"] if with_paths else []
    argv += ["-e", f"trace={','.join(CALLS)}"]
    if kill_at is not None:
        argv += ["-e", f"inject={kill_at.call}:signal=KILL:when={kill_at.nth}"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        line = strace.stderr.readline()
        assert "attached" in line, line
        yield
        strace.wait(60)


def points_of(calls: Counter[str]) -> list[Point]:
    """Every call of a clean run, as a point to be killed at."""
    return [Point(call, n + 1) for call in CALLS for n in range(calls[call])]


def spread(points: Sequence[Point], most: int) -> list[Point]:
    """At most so many of them, evenly over all."""
    if len(points) <= most:
        return list(points)
    return [points[i * len(points) // most] for i in range(most)]
