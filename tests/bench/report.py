"""The table for people, and the page it is written to."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from capture_app.clock import Clock
from tests.bench.measures import Measure
from tests.bench.workshop import disk_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"

_HEAD = ("what", "ours", "peer", "figure", "goal", "")

_TEXT = """# Benchmarks

Written by `make bench ARGS=--write`. `make bench` measures on your machine and fails where a goal
is missed.

{table}

{facts}

Figures are ratios of medians over {rounds} rounds of one run. Each round has ours and the peer's in
turn, so that a busy machine slows both; in brackets the smallest and the largest ratio of a round.
After every round it is counted in the archive what arrived, and read back what was promised.

What is in the figures, and what is not:

* *Seal* goes from a file to a file in the running application. img2dcm verifies nothing and starts
  a process for each picture; the line below takes that start off.
* Sending: Orthanc and dcmsend are as they are shipped, with Nagle's algorithm on, and each send has
  a new, empty Orthanc. Ours reads sealed files and decrypts them; dcmsend reads plain files. It
  mostly waits, which a busy machine does not slow: there the ratios are worse than here.
* The feed: one sender over a socket, who waits for each acknowledgement, which is given when the
  message is on the disk (SQLite, WAL, `synchronous=FULL`). hl7apy is handed the text and only
  parses it.
* *SAFE* is said when the picture is encrypted and file, folder and database are synced to the disk.
* The start: from the beginning of a process to a painted window, both on the same X server. Ours is
  the whole command with 500 patients in the census; the PIN is given as soon as the lock is there.
  To check a PIN costs a guesser 0.2 s on purpose (Argon2id): the goal is about the rest. Its
  key is in a file (a key store of the system has its own time), and structlog is kept from reading
  `rich`, which development tools install and an application does not have.
"""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and when a run was."""

    machine: str
    software: str
    at: str
    commit: str
    load: str

    def lines(self) -> tuple[str, ...]:
        return (
            f"Machine: {self.machine}.",
            f"Software: {self.software}.",
            f"{self.at}, commit {self.commit}, {self.load}.",
        )


def circumstances(clock: Clock, disk: Path, load_before: float) -> Circumstances:
    """`disk` is a folder on the disk that was used."""
    return Circumstances(
        f"{_cpu()}, {os.cpu_count()} cores, {_memory()} of memory, {disk_of(disk)}",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"Orthanc {_debian('orthanc')}, DCMTK {_debian('dcmtk')}, hl7apy {version('hl7apy')}, "
        f"PySide6 {version('PySide6-Essentials')}",
        f"{clock.now():%Y-%m-%d}",
        _commit(),
        f"load average {load_before:.1f} before, {os.getloadavg()[0]:.1f} at the end",
    )


def table(measures: Sequence[Measure]) -> str:
    """A Markdown table, its columns aligned."""
    rows = [_HEAD, *((m.what, m.ours, m.peer, m.figure, m.goal, m.verdict) for m in measures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(map(str.ljust, row, widths)) + " |"
        for row in chain(rows[:1], [["-" * width for width in widths]], rows[1:])
    ]
    return "\n".join(lines)


def write_page(measures: Sequence[Measure], found: Circumstances, *, rounds: int) -> None:
    """docs/benchmarks.md, anew."""
    facts = "\n".join(f"* {line}" for line in found.lines())
    text = _TEXT.format(rounds=rounds, table=table(measures), facts=facts)
    PAGE.write_text(text, encoding="utf-8")


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{pages / 2**30:.0f} GiB"


def _debian(package: str) -> str:
    said = _said("dpkg-query", "-W", "-f", "${Version}", package)
    return said or "of unknown version"


def _commit() -> str:
    commit = _said("git", "rev-parse", "--short", "HEAD") or "unknown"
    changed = _said("git", "status", "--porcelain", "--", "capture_app", "tests/bench")
    return f"{commit} with changes" if changed else commit


def _said(*argv: str) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=ROOT)
    return done.stdout.strip() if done.returncode == 0 else ""
