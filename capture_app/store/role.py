"""Which process of a data folder delivers, and which others are there: locks of the system, free
when their holder ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from capture_app.errors import StoreError
from capture_app.model.words import tr
from capture_app.settings.file_lock import HELD_BY_ANOTHER, lock, unlock
from capture_app.settings.write_once import make_folder

_PLACES: Final = 32
"""More processes than ever work on one data folder."""
_TRY_EVERY_S: Final = 0.02


class EngineRole:
    """The right to deliver, feed and listen for one data folder. One process holds it at a time.

    The lock goes with the process, however it ends, kill -9 included. The file stays: its being
    there means nothing.
    """

    def __init__(self, lock_path: Path) -> None:
        self._path = lock_path
        self._descriptor: int | None = None
        self._mutex = threading.Lock()

    @property
    def held(self) -> bool:
        """True while this object holds the role."""
        return self._descriptor is not None

    def try_acquire(self) -> bool:
        """Takes the role if nobody has it, without waiting. True where it is held afterwards.

        Raises StoreError where the folder cannot be written, or does not know locks.
        """
        with self._mutex:
            if self._descriptor is not None:
                return True
            try:
                # Not inherited by child processes (PEP 446): a child must not keep the role alive.
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise _not_to_be_locked(error) from error
            try:
                lock(descriptor)
            except OSError as error:
                os.close(descriptor)
                if error.errno in HELD_BY_ANOTHER:
                    return False
                raise _not_to_be_locked(error) from error
            self._descriptor = descriptor
            # For people only, so a full disk does not keep anybody from delivering.
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
                os.lseek(descriptor, 0, os.SEEK_SET)
                os.write(descriptor, f"{os.getpid()}\n".encode())
            return True

    def release(self) -> None:
        """Gives the role back. Does nothing where it is not held."""
        with self._mutex:
            if self._descriptor is not None:
                descriptor, self._descriptor = self._descriptor, None
                with suppress(OSError):
                    unlock(descriptor)
                os.close(descriptor)

    def holder(self) -> int | None:
        """The process id that took the role last, for people: not proof that it lives."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None


class Presence:
    """A place among the processes that others must reckon with, given back however one ends.

    Each is a lock of its own, for not every system has locks that are shared.
    """

    def __init__(self, folder: Path) -> None:
        """`folder`: where the lock files are; made when they are first needed."""
        self._folder = folder
        self._place: EngineRole | None = None
        self._mutex = threading.Lock()

    def enter(self) -> None:
        """Takes a place until `leave` or the end of the process. Raises StoreError."""
        with self._mutex:
            if self._place is None:
                make_folder(self._folder)
                places = (EngineRole(path) for path in self._paths())
                self._place = next((place for place in places if place.try_acquire()), None)

    def leave(self) -> None:
        """Gives the place back. Does nothing where there is none."""
        with self._mutex:
            place, self._place = self._place, None
            if place is not None:
                place.release()

    def others(self) -> bool:
        """Whether another process has a place. Raises StoreError."""
        with self._mutex:
            taken = [self._is_taken(path) for path in self._paths() if path.exists()]
            return sum(taken) > (self._place is not None)

    def _paths(self) -> list[Path]:
        return [self._folder / f"{number}.lock" for number in range(_PLACES)]

    @staticmethod
    def _is_taken(path: Path) -> bool:
        place = EngineRole(path)
        try:
            return not place.try_acquire()
        finally:
            place.release()


def _not_to_be_locked(error: OSError) -> StoreError:
    return StoreError(
        tr(
            "The data folder cannot be written or locked ({reason}).",
            reason=error.strerror or type(error).__name__,
        )
    )


@contextmanager
def alone(lock_path: Path, *, deadline_seconds: float = 10.0) -> Iterator[None]:
    """Runs the block while no other process runs one under the same lock.

    Raises StoreError where the other one has not ended at the deadline, and as `try_acquire`.
    """
    role = EngineRole(lock_path)
    pause = threading.Event()  # never set: a wait that keeps no core busy
    tries = max(1, round(deadline_seconds / _TRY_EVERY_S))
    while not role.try_acquire():
        tries -= 1
        if not tries:
            raise StoreError(tr("Another Capture App keeps this data folder busy. Try again."))
        pause.wait(_TRY_EVERY_S)
    try:
        yield
    finally:
        role.release()
