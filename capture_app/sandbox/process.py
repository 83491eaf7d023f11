"""One started child: its process, the pipe to it, and the memory that both share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any, Final, TypeGuard

from capture_app.clock import Clock
from capture_app.sandbox.control import Channel, ChannelClosedError, MalformedMessageError
from capture_app.sandbox.inside import begin_message
from capture_app.sandbox.memory import MalformedHeaderError, SharedMemory, create, take_blocks
from capture_app.sandbox.task import Block, ChildAnswer, ChildEnd, ChildTask, Facts
from capture_app.sandbox.walls import Walls

STARTED_WITHIN_S: Final = 20.0
"""A computer that has just been switched on reads its libraries from a slow disk."""
SILENCE_S: Final = 0.9
"""A child at work says ten times a second that it lives."""
STOPPED_WITHIN_S: Final = 0.8
"""A call that is asked to end, and does not, is not waited for any longer."""
_ENDED_WITHIN_S: Final = 1.0
_INHERITED: Final = ("LD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")
"""What an interpreter may not begin without. Nothing else of our environment is given."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.:/<> -]{1,200}")

if sys.platform == "win32":
    from capture_app.sandbox.job import Job

    _NEW_GROUP: Final[dict[str, Any]] = {"creationflags": subprocess.CREATE_NO_WINDOW}

    def _bound(process: subprocess.Popen[bytes], task: ChildTask) -> Job:
        return Job(process, task.memory)

    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()

    def _why(code: int) -> ChildEnd:
        del code
        return ChildEnd.CRASHED

else:
    import signal

    _NEW_GROUP: Final[dict[str, Any]] = {"start_new_session": True}

    class _NoJob:
        """The limits stand in the child itself."""

        def close(self) -> None: ...

    def _bound(process: subprocess.Popen[bytes], task: ChildTask) -> _NoJob:
        del process, task
        return _NoJob()

    def _end(process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its number is ours until it is waited for

    def _why(code: int) -> ChildEnd:
        if code == -signal.SIGXCPU:
            return ChildEnd.TIME
        # Nobody but the system that ran out of memory sends this one to a child of ours.
        return ChildEnd.MEMORY if code == -signal.SIGKILL else ChildEnd.CRASHED


class ChildFailureError(Exception):
    """Why a child is of no more use; `code` is its exit code where it ended by itself, `frames`
    where it says that an error was raised.
    """

    def __init__(self, end: ChildEnd, code: int | None = None, frames: Sequence[str] = ()) -> None:
        self.end = end
        self.code = code
        self.frames = frames
        super().__init__(end)


def child_command() -> list[str]:
    """What starts this application as a child, from a checkout, a wheel or a frozen program."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "_child"]
    return [sys.executable, "-P", "-s", "-m", "capture_app", "_child"]


class ChildProcess:
    """A child from its start to its end, of one thread; any may call `note`, `stop` and `kill`.

    Raises ChildFailureError from everything that speaks to it; it is ended then.
    """

    def __init__(self, task: ChildTask, command: Sequence[str], clock: Clock) -> None:
        self._task = task
        self._clock = clock
        self._given, self._back = _shared_memory(task)
        life, self._life = _life_line()
        shared = [self._given.name, self._back.name, life]
        inherited = [number for number in shared if isinstance(number, int)]
        self._lock = threading.Lock()
        self._is_killed = False
        self._is_released = False
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd=Path(sys.executable).anchor,
                env=_environment(task),
                close_fds=True,
                pass_fds=() if sys.platform == "win32" else inherited,
                **_NEW_GROUP,
            )
        except OSError as error:
            self._release()
            raise ChildFailureError(ChildEnd.NOT_STARTED) from error
        finally:
            if life is not None:
                os.close(life)
        self._channel = Channel(*_pipe(self._process), clock)
        try:
            self._job = _bound(self._process, task)
        except OSError as error:
            self.end()
            raise ChildFailureError(ChildEnd.NOT_STARTED) from error
        self._begin = begin_message(task, given=self._given.name, back=self._back.name, life=life)
        self._walls: Walls | None = None
        self._stop_by = inf

    @property
    def is_ready(self) -> bool:
        """Whether its walls stand, and it can be asked."""
        return self._walls is not None

    @property
    def is_stopping(self) -> bool:
        """Whether the running call was asked to end."""
        return self._stop_by < inf

    @property
    def pid(self) -> int:
        """For the log."""
        return self._process.pid

    def wait_until_ready(self) -> Walls:
        """Waits until it has read its libraries and put up its walls."""
        if self._walls is None:
            message: dict[str, Any] = {}
            with suppress(ChildFailureError):
                self._send(self._begin)
                message = self._received(STARTED_WITHIN_S)
            ready = message.get("ready")
            if not isinstance(ready, dict):
                self.end()
                raise ChildFailureError(ChildEnd.NOT_STARTED, frames=frames_of(message))
            self._walls = Walls(int(ready.get("landlock", 0)), bool(ready.get("seccomp")))
        return self._walls

    def ask(self, question: Facts, data: bytes | bytearray | memoryview) -> None:
        """Begins one call of the task: once this returns, whatever happens is the question's.

        Raises ValueError for more than the task takes.
        """
        if len(data) > self._task.most_in:
            too_long = f"{len(data)} bytes for a task that takes {self._task.most_in}"
            raise ValueError(too_long)
        self._stop_by = inf
        self._given.write(0, data)
        self._send({"ask": dict(question), "length": len(data)})
        while "taken" not in (message := self._received(SILENCE_S)):
            if "beat" not in message:  # one of the call before may still be on its way
                raise self._failed(ChildEnd.PROTOCOL)

    def note(self, note: Facts) -> None:
        """Tells the running call something; lost where there is none. Any thread may call it."""
        with suppress(ChannelClosedError):
            self._channel.send({"note": dict(note)})

    def stop(self) -> None:
        """Asks the running call to end; it is late if it has not, soon after. Any thread may call
        it.
        """
        self._stop_by = self._clock.monotonic() + STOPPED_WITHIN_S
        with suppress(ChannelClosedError):
            self._channel.send({"stop": 1})

    def next(self, until: float) -> ChildAnswer | dict[str, Any]:
        """The next answer of the call, or the message that ends it.

        `until`: the moment of the monotonic clock at which it is too late.
        """
        while True:
            left = min(until, self._stop_by) - self._clock.monotonic()
            if left <= 0:
                raise self._failed(ChildEnd.TIME)
            message = self._received(min(left, SILENCE_S))
            if "answer" in message:
                return self._answer(message)
            if "end" in message:
                return message
            if "beat" not in message:
                raise self._failed(ChildEnd.PROTOCOL)

    def forget(self) -> None:
        """Gives back the memory of the last call: nobody's picture waits in it."""
        self._given.forget()
        self._back.forget()

    def kill(self) -> None:
        """Ends it at once, whatever it does. Any thread may call it; `end` clears away."""
        with self._lock:
            self._is_killed = True
            if self._process.returncode is None:
                _end(self._process)

    def end(self) -> int | None:
        """Ends it, and clears away. Returns its exit code; None where it did not end in time."""
        self.kill()
        code = self._waited()
        if not self._is_released:
            self._channel.close()
            self._release()
            self._job.close()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        return code

    # ---------------------------------------------------------------------------------- inside

    def _answer(self, message: Mapping[str, Any]) -> ChildAnswer:
        slot, count, facts = message.get("slot"), message.get("blocks"), message["answer"]
        task = self._task
        if not (isinstance(facts, dict) and _is_count(slot, task.slots) and _is_count(count)):
            raise self._failed(ChildEnd.PROTOCOL)
        try:
            blocks: tuple[Block, ...] = take_blocks(
                self._back, slot, task.slot_size, count, task.blocks
            )
        except MalformedHeaderError:
            raise self._failed(ChildEnd.PROTOCOL) from None
        if task.slots > 1:
            self._send({"free": slot})
        return ChildAnswer(facts, blocks)

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._channel.send(message)
        except ChannelClosedError:
            raise self._gone() from None

    def _received(self, within: float) -> dict[str, Any]:
        try:
            message = self._channel.receive(within)
        except ChannelClosedError:
            raise self._gone() from None
        except MalformedMessageError:
            raise self._failed(ChildEnd.PROTOCOL) from None
        if message is None:
            raise self._failed(ChildEnd.SILENT if within >= SILENCE_S else ChildEnd.TIME)
        return message

    def _gone(self) -> ChildFailureError:
        """It closed its end of the pipe: how it ended says why."""
        was_killed = self._is_killed
        code = self._waited()
        self.end()
        if was_killed:
            return ChildFailureError(ChildEnd.CLOSED)
        return ChildFailureError(ChildEnd.CRASHED if code is None else _why(code), code)

    def _failed(self, why: ChildEnd) -> ChildFailureError:
        self.end()
        return ChildFailureError(why)

    def _waited(self) -> int | None:
        with suppress(subprocess.TimeoutExpired), self._lock:
            return self._process.wait(_ENDED_WITHIN_S)
        return None

    def _release(self) -> None:
        self._is_released = True
        self._given.close()
        self._back.close()
        if self._life is not None:
            os.close(self._life)


def frames_of(message: Mapping[str, Any]) -> list[str]:
    """Where a child says that an error was raised, as far as that can be logged."""
    frames = message.get("frames")
    told = [message.get("error_type"), *(frames if isinstance(frames, list) else ())]
    return [one for one in told[:9] if isinstance(one, str) and _WORD.fullmatch(one)]


def _shared_memory(task: ChildTask) -> tuple[SharedMemory, SharedMemory]:
    """What the child is given bytes in, and what it gives them back in."""
    given: SharedMemory | None = None
    try:
        given = create(task.most_in)
        return given, create(task.slot_size * task.slots)
    except OSError as error:
        if given is not None:
            given.close()
        raise ChildFailureError(ChildEnd.NOT_STARTED) from error


def _life_line() -> tuple[int | None, int | None]:
    """A pipe whose end in the child sees ours close: see `walls.end_with_parent`."""
    return (None, None) if sys.platform == "win32" else os.pipe()


def _pipe(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Where the child is heard, and where it is spoken to."""
    if process.stdout is None or process.stdin is None:
        raise ChildFailureError(ChildEnd.NOT_STARTED)
    return process.stdout.fileno(), process.stdin.fileno()


def _is_count(value: object, below: int = 1 << 16) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below


def _environment(task: ChildTask) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **{name: str(value) for name, value in task.environment.items()},
        **kept,
    }
