"""The files of the log: one for each process, rotated by size, and kept while that process lives.

Beside the `.jsonl` files of a process lies a `.lock` that it holds for its life: a command that
clears old files away leaves those of a process that lives alone, however old they are.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from capture_app.settings.file_lock import lock

ROTATE_AT_BYTES: Final = 5_000_000
ROTATED_FILES: Final = 5
KEPT_FILES: Final = 60
_LOG: Final = ".jsonl"
_LOCK: Final = ".lock"


class ProcessLogFile(logging.handlers.RotatingFileHandler):
    """The file of this process: its owner alone can read it, and nobody clears it away."""

    def __init__(self, folder: Path, name: str) -> None:
        """`name`: without suffix. Makes the folder; the file itself comes with the first entry."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._life_path = folder / f"{name}{_LOCK}"
        self._life = _locked(self._life_path)
        super().__init__(
            folder / f"{name}{_LOG}",
            maxBytes=ROTATE_AT_BYTES,
            backupCount=ROTATED_FILES,
            encoding="utf-8",
            delay=True,
        )

    def close(self) -> None:
        """Ends the file, and from now on it may be cleared away."""
        super().close()
        if self._life is not None:
            descriptor, self._life = self._life, None
            _end(descriptor, self._life_path)

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def shouldRollover(self, record: logging.LogRecord) -> int:  # noqa: ARG002, N802 - their name
        # Theirs formats every entry once more to know its length, and looks twice at the path.
        if self.stream is None:
            return False  # it is opened by the entry that is about to be written
        file = os.fstat(self.stream.fileno())
        if file.st_nlink == 0:  # somebody deleted it by hand: begin it anew
            self.stream.close()
            self.stream = self._open()
            return False
        return file.st_size >= self.maxBytes


def remove_old_files(folder: Path) -> None:
    """Keeps the newest files of processes that have ended: a command that runs every minute leaves
    one a time. Those of a process that lives are neither counted nor touched.
    """
    of_process: dict[str, list[tuple[float, Path]]] = defaultdict(list)
    for path in folder.glob(f"*{_LOG}*"):
        with suppress(OSError):  # another process may be doing the same
            of_process[path.name.partition(_LOG)[0]].append((path.stat().st_mtime, path))
    for path in folder.glob(f"*{_LOCK}"):
        if _lives(path):
            of_process.pop(path.name.removesuffix(_LOCK), None)
    ages = [age for ages in of_process.values() for age in ages]
    for _age, path in sorted(ages, reverse=True)[KEPT_FILES:]:
        with suppress(OSError):
            path.unlink()


def _locked(path: Path) -> int | None:
    """The lock of this process's life; None where the folder knows no locks."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            lock(descriptor)
        except OSError:
            os.close(descriptor)
            return None
        # Another process may have found it dead and removed it between the two calls.
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def _lives(path: Path) -> bool:
    """Whether the process of this lock still lives. That of one that was killed is removed."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # it cannot be known: leave its files alone
    try:
        lock(descriptor)
    except OSError:
        os.close(descriptor)
        return True
    _end(descriptor, path)
    return False


def _end(descriptor: int, path: Path) -> None:
    """Removes a lock that is held, and gives it back."""
    try:
        path.unlink()
    except OSError:  # Windows removes no open file; nor one that a new holder has opened since
        os.close(descriptor)
        with suppress(OSError):
            path.unlink()
    else:
        os.close(descriptor)
