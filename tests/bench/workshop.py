"""What every measure works with: a folder on a real disk, one 12-megapixel picture, how often."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture_app.clock import Clock, SystemClock
from capture_app.devices.synthetic import SyntheticSource
from capture_app.settings.log import configure
from tests import sealing

# Gives 3.2 MB: what cameras make of 12 megapixels.
_QUALITY = 93
_SIZE = (4000, 3000)


@dataclass(frozen=True, slots=True, eq=False)
class Workshop:
    """`jpeg` and `pixels`, (rows, columns, 3) uint8 RGB, are the same picture."""

    folder: Path
    jpeg: bytes
    pixels: NDArray[np.uint8]
    rounds: int
    clock: Clock

    def room(self, name: str) -> Path:
        """An empty folder; it goes with the workshop."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path


@contextmanager
def open_workshop(parent: Path, rounds: int) -> Iterator[Workshop]:
    """Everything under one temporary folder of `parent`, removed at the end.

    The log is written as the application writes it. Nagle's algorithm stays on in the peers, as
    they are shipped.
    """
    if disk_of(parent) == "tmpfs":
        raise SystemExit(f"bench: {parent} is no disk; name a folder on one with --dir")
    os.environ.pop("TCP_NODELAY", None)
    folder = Path(tempfile.mkdtemp(prefix="capture-bench-", dir=parent))
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)  # the peers' own folders too
    try:
        configure(folder / "log", program="bench", console_level="error")
        clock = SystemClock()
        source = SyntheticSource(sealing.CAMERA, clock, size=_SIZE, jpeg_quality=_QUALITY)
        frame = next(iter(source.frames()))
        assert frame.jpeg is not None
        yield Workshop(folder, frame.jpeg, frame.pixels, rounds, clock)
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def disk_of(folder: Path) -> str:
    """The type of its file system."""
    said = subprocess.run(
        ["stat", "-f", "-c", "%T", folder], check=True, capture_output=True, text=True
    )
    return said.stdout.strip()
