"""Seccomp: system calls that this process can make no more (Linux on x86-64).

A list of what is refused, not of what is allowed: decoders, drivers and the C library change what
they call from version to version, and a call that is missing from a list of allowed ones would stop
a camera in a hospital. What is refused here is what a taken-over decoder needs to get out: other
programs, other processes, the network, keys, mounts, and the corners of the kernel where holes are
found. Each fails with EPERM, as if the rights were missing. See seccomp(2), bpf(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

_SET_MODE_FILTER: Final = 1
_FILTER_FLAG_TSYNC: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_SYS_SECCOMP: Final = 317
_ARCH_X86_64: Final = 0xC000003E
_X32: Final = 0x4000_0000
_CLONE_THREAD: Final = 0x0001_0000

_LOAD: Final = 0x20
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_JUMP_ANY_BIT: Final = 0x45
_AND: Final = 0x54
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF_0000
_KILL_PROCESS: Final = 0x8000_0000
_ERRNO: Final = 0x0005_0000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_NO: Final = _ERRNO | _EPERM
_AT_NUMBER, _AT_ARCH, _AT_FIRST, _AT_SECOND, _AT_THIRD, _AT_FIFTH = 0, 4, 16, 24, 32, 48
_IOCTL, _SOCKET, _SENDTO, _CLONE, _FCNTL, _TGKILL, _PRLIMIT, _CLONE3 = (
    *(16, 41, 44, 56),
    *(72, 234, 302, 435),
)
_OPEN, _OPENAT, _OPENAT2 = 2, 257, 437
_CREATE_OR_TRUNCATE: Final = 0o100 | 0o1000
_OWNERS_OF_FILES: Final = (8, 10, 15)
"""F_SETOWN, F_SETSIG and F_SETOWN_EX: who gets which signal when a pipe is written. It would be the
one way to signal the parent (fcntl(2))."""
_OWNERS_OF_DEVICES: Final = (0x8901, 0x8902, 0x5412, 0x541C)
"""FIOSETOWN and SIOCSPGRP do the same; TIOCSTI and TIOCLINUX type into a terminal."""
_AF_INET: Final = 2
_SOCK_STREAM: Final = 1
_KIND_OF_SOCKET: Final = 0xF
"""The rest of the type are flags (socket(2))."""

REFUSED: Final[dict[str, int]] = {
    # other programs and other processes
    "fork": 57,
    "vfork": 58,
    "execve": 59,
    "execveat": 322,
    "ptrace": 101,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "kcmp": 312,
    "process_madvise": 440,
    "kill": 62,
    "tkill": 200,
    "rt_sigqueueinfo": 129,
    "rt_tgsigqueueinfo": 297,
    "pidfd_open": 434,
    "pidfd_send_signal": 424,
    "pidfd_getfd": 438,
    "setrlimit": 160,
    "sched_setparam": 142,
    "sched_setaffinity": 203,
    "ioprio_set": 251,
    "migrate_pages": 256,
    "move_pages": 279,
    "process_mrelease": 448,
    "setpriority": 141,
    "sched_setscheduler": 144,
    "sched_setattr": 314,
    "setpgid": 109,
    "setsid": 112,
    "memfd_create": 319,
    "memfd_secret": 447,
    # names and lengths of files: Landlock watches over them, but not before Linux 5.13, and over
    # lengths not before 6.2
    "truncate": 76,
    "creat": 85,
    "rename": 82,
    "renameat": 264,
    "renameat2": 316,
    "unlink": 87,
    "unlinkat": 263,
    "rmdir": 84,
    "mkdir": 83,
    "mkdirat": 258,
    "link": 86,
    "linkat": 265,
    "symlink": 88,
    "symlinkat": 266,
    "mknod": 133,
    "mknodat": 259,
    # what Landlock does not watch over: who owns a file, its times
    "chmod": 90,
    "fchmod": 91,
    "fchmodat": 268,
    "fchmodat2": 452,
    "chown": 92,
    "fchown": 93,
    "lchown": 94,
    "fchownat": 260,
    "utime": 132,
    "utimes": 235,
    "utimensat": 280,
    "setxattr": 188,
    "lsetxattr": 189,
    "fsetxattr": 190,
    "removexattr": 197,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "inotify_init": 253,
    "inotify_init1": 294,
    "fanotify_init": 300,
    # the system itself
    "mount": 165,
    "umount2": 166,
    "pivot_root": 155,
    "chroot": 161,
    "unshare": 272,
    "setns": 308,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsmount": 432,
    "mount_setattr": 442,
    "swapon": 167,
    "swapoff": 168,
    "reboot": 169,
    "acct": 163,
    "sethostname": 170,
    "setdomainname": 171,
    "iopl": 172,
    "ioperm": 173,
    "quotactl": 179,
    "init_module": 175,
    "delete_module": 176,
    "finit_module": 313,
    "kexec_load": 246,
    "kexec_file_load": 320,
    "settimeofday": 164,
    "clock_settime": 227,
    "adjtimex": 159,
    "clock_adjtime": 305,
    "syslog": 103,
    "personality": 135,
    "vhangup": 153,
    # keys, and the corners of the kernel where holes are found
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "bpf": 321,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "modify_ldt": 154,
    "lookup_dcookie": 212,
    "shmget": 29,
    "shmat": 30,
    "msgget": 68,
    "semget": 64,
    "mq_open": 240,
}
_SERVING: Final[dict[str, int]] = {
    "socketpair": 53,
    "bind": 49,
    "listen": 50,
    "accept": 43,
    "accept4": 288,
    "sendmsg": 46,
    "sendmmsg": 307,
}
_CONNECTING: Final[dict[str, int]] = {"socket": _SOCKET, "connect": 42, "sendto": _SENDTO}


class _Program(ctypes.Structure):
    _fields_: ClassVar[Any] = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def is_had() -> bool:
    """Whether this computer has it, and we know its numbers."""
    if platform.machine() != "x86_64":
        return False
    # Asks whether the action is known: it is on every kernel that has filters (seccomp(2)).
    action = ctypes.c_uint32(_KILL_PROCESS)
    return bool(ctypes.CDLL(None).syscall(_SYS_SECCOMP, 2, 0, ctypes.byref(action)) == 0)


def restrict(*, connects: bool) -> bool:
    """Refuses those calls to every thread of this process from now on, for good. `connects`: it may
    make TCP connections of IPv4, and nothing else of the network.

    False where the computer does not have it. Raises OSError.
    """
    if not is_had():
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = b"".join(_filter(os.getpid(), connects=connects))
    held = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.cast(held, ctypes.c_void_p))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        _SYS_SECCOMP, _SET_MODE_FILTER, _FILTER_FLAG_TSYNC, ctypes.byref(program)
    ):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return True


def _filter(pid: int, *, connects: bool) -> Iterator[bytes]:
    """The program: one system call's number and arguments in, what becomes of it out."""
    refused = {**REFUSED, **_SERVING, **({} if connects else _CONNECTING)}
    yield _load(_AT_ARCH)
    yield from _answer(_JUMP_EQUAL, _ARCH_X86_64, _KILL_PROCESS, unless=True)
    yield _load(_AT_NUMBER)
    yield from _answer(_JUMP_AT_LEAST, _X32, _KILL_PROCESS)
    for number in refused.values():
        yield from _answer(_JUMP_EQUAL, number, _NO)
    # The C library falls back to clone and openat, whose flags can be looked at.
    for number in (_CLONE3, _OPENAT2):
        yield from _answer(_JUMP_EQUAL, number, _ERRNO | _ENOSYS)
    yield from _of(
        _CLONE, _load(_AT_FIRST), _answer(_JUMP_ANY_BIT, _CLONE_THREAD, _NO, unless=True)
    )
    for number, flags in ((_OPEN, _AT_SECOND), (_OPENAT, _AT_THIRD)):
        yield from _of(number, _load(flags), _answer(_JUMP_ANY_BIT, _CREATE_OR_TRUNCATE, _NO))
    # A thread of its own may be signalled: abort does that.
    yield from _of(_TGKILL, _load(_AT_FIRST), _answer(_JUMP_EQUAL, pid, _NO, unless=True))
    yield from _of(_FCNTL, _load(_AT_SECOND), *_none_of(_OWNERS_OF_FILES))
    yield from _of(_IOCTL, _load(_AT_SECOND), *_none_of(_OWNERS_OF_DEVICES))
    # Limits may be read, not set: a new one would be behind the third argument.
    yield from _of(_PRLIMIT, *_is_null(_AT_THIRD))
    if connects:
        only_inet = _answer(_JUMP_EQUAL, _AF_INET, _ERRNO | _EAFNOSUPPORT, unless=True)
        only_tcp = _answer(_JUMP_EQUAL, _SOCK_STREAM, _NO, unless=True)
        kind = (_load(_AT_SECOND), _instruction(_AND, _KIND_OF_SOCKET))
        yield from _of(_SOCKET, _load(_AT_FIRST), only_inet, *kind, only_tcp)
        # With an address it would be one more way to connect (MSG_FASTOPEN).
        yield from _of(_SENDTO, *_is_null(_AT_FIFTH))
    yield _instruction(_RETURN, _ALLOW)


def _of(call: int, *checks: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """These checks for this call, which is allowed where none of them ends it."""
    within = [one for check in checks for one in ([check] if isinstance(check, bytes) else check)]
    within.append(_instruction(_RETURN, _ALLOW))
    yield _instruction(_JUMP_EQUAL, call, 0, len(within))
    yield from within


def _none_of(values: Iterable[int]) -> Iterator[bytes]:
    """The argument that is loaded may be none of these."""
    for value in values:
        yield from _answer(_JUMP_EQUAL, value, _NO)


def _is_null(at: int) -> Iterator[bytes]:
    """An argument that is a pointer may point to nothing."""
    for half in (at, at + 4):
        yield _load(half)
        yield from _answer(_JUMP_EQUAL, 0, _NO, unless=True)


def _answer(jump: int, value: int, action: int, *, unless: bool = False) -> Iterator[bytes]:
    """Ends with the action where the comparison holds (or, `unless`, where it does not)."""
    yield _instruction(jump, value, *((1, 0) if unless else (0, 1)))
    yield _instruction(_RETURN, action)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction of classic BPF: struct sock_filter."""
    return struct.pack("<HBBI", code, if_true, if_false, value)
