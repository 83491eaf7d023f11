"""A lock on an open file, free when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from errno import EACCES, EAGAIN, EDEADLK
from typing import Final

HELD_BY_ANOTHER: Final = frozenset({EACCES, EAGAIN, EDEADLK})
"""What `lock` says where another open file has it; any other number: it cannot be locked here."""

if sys.platform == "win32":
    import msvcrt

    _LOCKED_AT: Final = 0x7FFF_0000  # beyond the text: a locked byte cannot be read on Windows

    def lock(descriptor: int) -> None:
        """Takes the lock without waiting. Raises OSError."""
        os.lseek(descriptor, _LOCKED_AT, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def unlock(descriptor: int) -> None:
        """Gives the lock back. Raises OSError."""
        os.lseek(descriptor, _LOCKED_AT, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Takes the lock without waiting. Raises OSError."""
        # Of the open file, not of the process: a second lock in this process is refused as well,
        # and closing another descriptor of the file does not free it (as POSIX locks would be).
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(descriptor: int) -> None:
        """Gives the lock back. Raises OSError."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
