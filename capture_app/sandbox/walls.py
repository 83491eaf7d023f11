"""What a child denies itself before it reads a byte from outside, and cannot take back.

Limits of the system, no new rights, no memory that others may look at; Landlock and seccomp where
the kernel has them. On Windows the parent's job object does what can be done (see `job`).
"""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from capture_app.sandbox.task import ChildTask

_MOST_OPEN_FILES: Final = 64
_PR_SET_DUMPABLE: Final = 4
_SYSTEM_LIBRARIES: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")


@dataclass(frozen=True, slots=True)
class Walls:
    """What stands round a child. `landlock` is the version of the kernel's interface, 0: none."""

    landlock: int
    seccomp: bool

    @property
    def are_whole(self) -> bool:
        """Whether nothing is missing that this kind of system can have."""
        return bool(self.landlock and self.seccomp)


if sys.platform == "win32":

    def walls_here() -> Walls:
        """What the children of this computer can have round them."""
        return Walls(0, seccomp=False)

    def end_with_parent(_life: int | None) -> None:
        """The parent's job object ends with it, and this process with the job."""

    def raise_walls(task: ChildTask) -> Walls:
        """Nothing that this process could do itself."""
        del task
        return Walls(0, seccomp=False)

else:
    import fcntl
    import resource
    import select
    import signal

    from capture_app.sandbox import landlock, seccomp

    def walls_here() -> Walls:
        """What the children of this computer can have round them."""
        return Walls(landlock.version(), seccomp.is_had())

    def end_with_parent(life: int | None) -> None:
        """Has the kernel end this process when the parent does, whatever it is doing then.

        `life` is a pipe that the parent holds open and never writes to: its end is the signal. The
        usual one (PR_SET_PDEATHSIG) would come with the end of the *thread* that began the child.
        """
        if life is None:
            return
        fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
        poll = select.poll()
        poll.register(life, select.POLLIN)
        if poll.poll(0):  # it ended before the signal was asked for
            os._exit(1)

    def raise_walls(task: ChildTask) -> Walls:
        """Denies this process all that the task does not need. Called while it has one thread.

        Raises OSError where a wall that the kernel has cannot be raised: then nothing is read.
        """
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            message = "a library began threads of its own: no wall would hold for them"
            raise OSError(message)
        memory = _address_space() + task.memory
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_FSIZE, 0)
        _limit(resource.RLIMIT_NOFILE, _MOST_OPEN_FILES)
        _limit(resource.RLIMIT_AS, memory)
        if task.cpu_seconds is not None:
            _limit(resource.RLIMIT_CPU, task.cpu_seconds)
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        held = landlock.restrict([*_program(), *task.readable], task.devices, port=task.port)
        return Walls(held, seccomp.restrict(connects=task.port is not None))

    def _limit(kind: int, value: int) -> None:
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))

    def _address_space() -> int:
        """Bytes of addresses that this process has now."""
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()

    def _program() -> set[str]:
        """The folders of the interpreter, its libraries and this application: modules that are
        read late, and nothing of anybody.
        """
        own = Path(__file__).resolve().parents[1]
        kept = ("stdlib", "platstdlib", "purelib", "platlib")
        return {str(own), *_SYSTEM_LIBRARIES, *(sysconfig.get_path(name) for name in kept)}
