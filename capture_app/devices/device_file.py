"""A device file: opened, asked, waited for and mapped. Windows has none."""

from __future__ import annotations

import os
import sys
from typing import Any

if sys.platform == "win32":

    def open_device(path: str) -> int:
        """Never: Windows has none."""
        raise FileNotFoundError(path)

    def control(fd: int, request: int, value: Any) -> None:
        """Never: see `open_device`."""
        del fd, request, value
        raise OSError

    def wait_for_device(fd: int, within: float) -> tuple[bool, bool]:
        """Never: see `open_device`."""
        del fd, within
        raise OSError

    def map_device(fd: int, length: int, offset: int) -> memoryview:
        """Never: see `open_device`."""
        del fd, length, offset
        raise OSError

else:
    import fcntl
    import mmap
    import select

    def open_device(path: str) -> int:
        """Opens it; no call of it will block. Raises OSError."""
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def control(fd: int, request: int, value: Any) -> None:
        """One ioctl. The driver reads `value`, and writes to it. Raises OSError."""
        fcntl.ioctl(fd, request, value)

    def wait_for_device(fd: int, within: float) -> tuple[bool, bool]:
        """Waits at most so many seconds. Whether there is something to read (or to learn that there
        never will be), and whether the driver has an event.
        """
        poll = select.poll()
        poll.register(fd, select.POLLIN | select.POLLPRI)
        ready = dict(poll.poll(max(0, round(within * 1000)))).get(fd, 0)
        any_end = select.POLLIN | select.POLLERR | select.POLLHUP
        return bool(ready & any_end), bool(ready & select.POLLPRI)

    def map_device(fd: int, length: int, offset: int) -> memoryview:
        """Memory that the driver shares; given back as the last view of it goes. Raises OSError."""
        return memoryview(mmap.mmap(fd, length, offset=offset))
