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
from collections.abc import Iterator
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
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF_0000
_KILL_PROCESS: Final = 0x8000_0000
_ERRNO: Final = 0x0005_0000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_AT_NUMBER, _AT_ARCH, _AT_FIRST, _AT_THIRD = 0, 4, 16, 32
_SOCKET, _CLONE, _PRLIMIT, _CLONE3 = 41, 56, 302, 435
_FAMILIES: Final = (2, 10, 16)
"""AF_INET, AF_INET6, and AF_NETLINK by which names are looked up. No AF_UNIX: no bus, no screen."""

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
    "setpriority": 141,
    "sched_setscheduler": 144,
    "sched_setattr": 314,
    "setpgid": 109,
    "setsid": 112,
    "memfd_create": 319,
    "memfd_secret": 447,
    # what Landlock does not watch over: who owns a file, its times, its names
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
_NETWORK: Final[dict[str, int]] = {
    "socketpair": 53,
    "connect": 42,
    "bind": 49,
    "listen": 50,
    "accept": 43,
    "accept4": 288,
    "sendto": 44,
    "sendmsg": 46,
    "sendmmsg": 307,
}


class _Program(ctypes.Structure):
    _fields_: ClassVar[Any] = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def is_had() -> bool:
    """Whether this computer has it, and we know its numbers."""
    if platform.machine() != "x86_64":
        return False
    # Asks whether the action is known: it is on every kernel that has filters (seccomp(2)).
    action = ctypes.c_uint32(_KILL_PROCESS)
    return bool(ctypes.CDLL(None).syscall(_SYS_SECCOMP, 2, 0, ctypes.byref(action)) == 0)


def restrict(*, network: bool) -> bool:
    """Refuses those calls to every thread of this process from now on, for good.

    False where the computer does not have it. Raises OSError.
    """
    if not is_had():
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = b"".join(_filter(network=network))
    held = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.cast(held, ctypes.c_void_p))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        _SYS_SECCOMP, _SET_MODE_FILTER, _FILTER_FLAG_TSYNC, ctypes.byref(program)
    ):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return True


def _filter(*, network: bool) -> Iterator[bytes]:
    """The program: one system call's number and arguments in, what becomes of it out."""
    yield _load(_AT_ARCH)
    yield from _answer(_JUMP_EQUAL, _ARCH_X86_64, _KILL_PROCESS, unless=True)
    yield _load(_AT_NUMBER)
    yield from _answer(_JUMP_AT_LEAST, _X32, _KILL_PROCESS)
    refused = REFUSED if network else {**REFUSED, **_NETWORK, "socket": _SOCKET}
    for number in refused.values():
        yield from _answer(_JUMP_EQUAL, number, _ERRNO | _EPERM)
    # The C library falls back to clone, whose flags can be looked at.
    yield from _answer(_JUMP_EQUAL, _CLONE3, _ERRNO | _ENOSYS)
    yield _instruction(_JUMP_EQUAL, _CLONE, 0, 4)
    yield _load(_AT_FIRST)
    yield from _answer(_JUMP_ANY_BIT, _CLONE_THREAD, _ERRNO | _EPERM, unless=True)
    yield _instruction(_RETURN, _ALLOW)
    # Limits may be read, not set: a new one would be behind the third argument.
    yield _instruction(_JUMP_EQUAL, _PRLIMIT, 0, 7)
    for half in (_AT_THIRD, _AT_THIRD + 4):
        yield _load(half)
        yield from _answer(_JUMP_EQUAL, 0, _ERRNO | _EPERM, unless=True)
    yield _instruction(_RETURN, _ALLOW)
    if network:
        yield _instruction(_JUMP_EQUAL, _SOCKET, 0, len(_FAMILIES) + 2)
        yield _load(_AT_FIRST)
        for left, family in zip(range(len(_FAMILIES), 0, -1), _FAMILIES, strict=True):
            yield _instruction(_JUMP_EQUAL, family, left, 0)
        yield _instruction(_RETURN, _ERRNO | _EAFNOSUPPORT)
    yield _instruction(_RETURN, _ALLOW)


def _answer(jump: int, value: int, action: int, *, unless: bool = False) -> Iterator[bytes]:
    """Ends with the action where the comparison holds (or, `unless`, where it does not)."""
    yield _instruction(jump, value, *((1, 0) if unless else (0, 1)))
    yield _instruction(_RETURN, action)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction of classic BPF: struct sock_filter."""
    return struct.pack("<HBBI", code, if_true, if_false, value)
