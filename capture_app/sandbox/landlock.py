"""Landlock: files, ports and signals that this process can reach no more (Linux 5.13 and later).

See landlock(7). Rules count for the thread that sets them and for the threads that it begins.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_NET_PORT: Final = 2
_PR_SET_NO_NEW_PRIVS: Final = 38

_O_PATH: Final = 0o10000000

_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_IOCTL_DEV: Final = 1 << 15
_RIGHTS_BY_VERSION: Final = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From that version of the interface on, so many rights on files are known."""
_BIND_AND_CONNECT_TCP: Final = 0b11
_CONNECT_TCP: Final = 0b10
_PORTS_SINCE: Final = 4
_ABSTRACT_SOCKETS_AND_SIGNALS: Final = 0b11


class _Ruleset(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("files", ctypes.c_uint64),
        ("net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_: ClassVar[Any] = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_: ClassVar[Any] = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version() -> int:
    """The kernel's version of the interface; 0 where there is none."""
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))


def restrict(readable: Sequence[str], devices: Sequence[str], *, port: int | None) -> int:
    """Leaves this thread nothing but reading `readable`, using `devices`, and connecting to `port`.

    Returns the version of what holds now, 0 where the kernel has none: ports since 4. Raises
    OSError.
    """
    found = version()
    if not found:
        return 0
    libc = _libc()
    rights = (1 << max(count for since, count in _RIGHTS_BY_VERSION if since <= found)) - 1
    rules = _Ruleset(
        files=rights,
        net=_BIND_AND_CONNECT_TCP,
        scoped=_ABSTRACT_SOCKETS_AND_SIGNALS,
    )
    known = 8 if found < _PORTS_SINCE else 16 if found < 6 else 24
    ruleset = _done(libc.syscall(_CREATE_RULESET, ctypes.byref(rules), known, 0))
    try:
        for path in readable:
            _allow(ruleset, path, rights & (_READ_FILE | _READ_DIR))
        for path in devices:
            _allow(ruleset, path, rights & (_READ_FILE | _WRITE_FILE | _IOCTL_DEV))
        if port is not None and found >= _PORTS_SINCE:
            rule = _NetPort(_CONNECT_TCP, port)
            _done(libc.syscall(_ADD_RULE, ruleset, _NET_PORT, ctypes.byref(rule), 0))
        _done(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _done(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)
    return found


def _allow(ruleset: int, path: str, rights: int) -> None:
    with suppress(FileNotFoundError):  # what is not there cannot be read either
        parent = os.open(path, _O_PATH)
        try:
            allowed = rights if Path(path).is_dir() else rights & ~_READ_DIR
            rule = _PathBeneath(allowed, parent)
            _done(_libc().syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
        finally:
            os.close(parent)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
