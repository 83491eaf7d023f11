"""Keyboards of our own at the kernel's uinput: pedals and scanners as the system sees them.

By ioctl: see linux/uinput.h and linux/input-event-codes.h.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

_DEV_CREATE: Final = 0x5501
_DEV_DESTROY: Final = 0x5502
_DEV_SETUP: Final = 0x405C_5503
_SET_EVBIT: Final = 0x4004_5564
_SET_KEYBIT: Final = 0x4004_5565
_EV_SYN, _EV_KEY = 0, 1
_BUS_USB: Final = 3

ENTER, SPACE, PAGE_DOWN, F13 = 28, 57, 109, 183
DIGITS: Final = {"0": 11, **{str(n): n + 1 for n in range(1, 10)}}


class Keyboard:
    """One device. It is plugged in while `plugged_in` lasts."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    @contextmanager
    def plugged_in(cls, name: str, *keys: int) -> Iterator[Self]:
        """A keyboard that has these keys alone."""
        fd = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
        try:
            fcntl.ioctl(fd, _SET_EVBIT, _EV_KEY)
            for key in keys:
                fcntl.ioctl(fd, _SET_KEYBIT, key)
            identity = struct.pack("HHHH", _BUS_USB, 0x1D6B, 0x0104, 1)
            fcntl.ioctl(fd, _DEV_SETUP, identity + name.encode().ljust(80, b"\0") + bytes(4))
            fcntl.ioctl(fd, _DEV_CREATE)
            try:
                yield cls(fd)
            finally:
                fcntl.ioctl(fd, _DEV_DESTROY)
        finally:
            os.close(fd)

    def press(self, *keys: int) -> None:
        """One key after the other, each pressed and let go."""
        for key in keys:
            for value in (1, 0):
                os.write(self._fd, struct.pack("qqHHi", 0, 0, _EV_KEY, key, value))
                os.write(self._fd, struct.pack("qqHHi", 0, 0, _EV_SYN, 0, 0))
