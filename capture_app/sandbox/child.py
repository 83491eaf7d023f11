"""The one port to what reads bytes from outside: `Child(task)`.

    with closing(Child(PARSE_DICOM, clock)) as child:
        child.warm()  # optional: starts it ahead, where nobody waits
        answer = child.ask({"tags": ["PatientID"]}, data=part10, within=10.0)
        answer.facts, answer.block("pixels")

A child is kept for the next question and begun anew after its death. What happens to one costs one
question: the caller gets a ChildEndedError that says why, or a TaskRefusedError with the task's own
code.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from typing import Any, Final

import structlog

from capture_app.clock import Clock
from capture_app.errors import ChildEndedError, TaskRefusedError
from capture_app.model.words import tr
from capture_app.sandbox.process import (
    ChildFailureError,
    ChildProcess,
    child_command,
    frames_of,
)
from capture_app.sandbox.task import ChildAnswer, ChildEnd, ChildTask, Facts
from capture_app.sandbox.walls import Walls

_MOST_QUESTIONS: Final = 200
"""So many, and a new child takes over: what one picture left behind goes with the old one."""
_FAILED_STARTS: Final = 3
_NOT_TRIED_FOR_S: Final = 5.0
_LONGEST_CODE: Final = 60

_log = structlog.get_logger(__name__)


class Child:
    """A warm child for one kind of task. Any thread may ask; one question at a time is answered.

    `command`: what is started instead of this application's own child.
    """

    def __init__(
        self, task: ChildTask, clock: Clock, *, command: Sequence[str] | None = None
    ) -> None:
        self._task = task
        self._clock = clock
        self._command = child_command() if command is None else command
        self._lock = threading.Lock()
        self._process: ChildProcess | None = None
        self._questions = 0
        self._failed_starts = 0
        self._not_before = -inf
        self._closed = threading.Event()

    @property
    def task(self) -> ChildTask:
        """What it is for."""
        return self._task

    def turn_to(self, task: ChildTask) -> None:
        """From now on it is for another task: a child that has the walls of the one before is
        ended. Waits for whoever is being answered.
        """
        with self._lock:
            if task != self._task:
                self._leave()
                self._task = task

    def warm(self) -> Walls:
        """Starts it, if it is not there, and says what stands round it.

        Raises ChildEndedError where it cannot be started.
        """
        with self._lock, self._reported():
            return self._started(self._ready())

    def ask(
        self, question: Facts, data: bytes | bytearray | memoryview = b"", *, within: float
    ) -> ChildAnswer:
        """The answer to one question about the bytes, at the latest after so many seconds.

        Raises ChildEndedError, TaskRefusedError; ValueError for more bytes than the task takes.
        """
        with self._lock, self._reported():
            process = self._asked(question, data)
            until = self._clock.monotonic() + within
            first: ChildAnswer | None = None
            while isinstance(message := process.next(until), ChildAnswer):
                if first is not None:
                    process.end()
                    raise ChildFailureError(ChildEnd.PROTOCOL)
                first = message
            self._settle(process, message)
            if first is None:
                process.end()
                raise ChildFailureError(ChildEnd.PROTOCOL)
            process.forget()
            return first

    def answers(
        self, question: Facts, data: bytes | bytearray | memoryview = b""
    ) -> Generator[ChildAnswer, None, None]:
        """One answer after another, as they come; ends when the task does, or when it is closed.

        Raises as `ask`. Nobody else is answered meanwhile.
        """
        with self._lock, self._reported():
            process = self._asked(question, data)
            if self._closed.is_set():
                process.stop()
            is_over = False
            try:
                while isinstance(message := process.next(inf), ChildAnswer):
                    yield message
                is_over = True
                self._settle(process, message)
            except ChildFailureError:
                is_over = True
                if not process.is_stopping:
                    raise
                self._leave()  # whatever it died of: nobody wants more of it
            finally:
                if not is_over:
                    self._wind_up(process)

    def note(self, note: Facts) -> None:
        """Tells the task that is going on something. Returns at once."""
        if (process := self._process) is not None:
            process.note(note)

    def finish(self) -> None:
        """Asks the task that is going on to end, and begins no other, ever. Returns at once."""
        self._closed.set()
        if (process := self._process) is not None:
            if process.is_ready:
                process.stop()
            else:
                process.kill()

    def rest(self) -> None:
        """Ends the child until it is needed again. Waits for whoever is being answered."""
        with self._lock:
            self._leave()

    def close(self) -> None:
        """Ends the child, whatever it does, for good. Whoever waits is told."""
        self._closed.set()
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._leave()

    # -------------------------------------------------------------------------------- the child

    def _asked(self, question: Facts, data: bytes | bytearray | memoryview) -> ChildProcess:
        """A child that is at work on the question. One that died while it was idle, which no
        question of ours was to blame for, is begun anew.
        """
        process = self._ready()
        is_fresh = not self._questions
        try:
            self._started(process)
            process.ask(question, data)
        except ChildFailureError:
            if is_fresh or self._closed.is_set():
                raise
            self._leave()
            process = self._ready()
            self._started(process)
            process.ask(question, data)
        self._failed_starts = 0
        self._questions += 1
        return process

    def _ready(self) -> ChildProcess:
        if self._closed.is_set():
            raise ChildFailureError(ChildEnd.CLOSED)
        if self._questions >= _MOST_QUESTIONS:
            self._leave()
        if self._process is None:
            if self._clock.monotonic() < self._not_before:
                raise ChildFailureError(ChildEnd.NOT_STARTED)
            self._questions = 0
            self._process = ChildProcess(self._task, self._command, self._clock)
            if self._closed.is_set():  # by another thread, which found none to end
                raise ChildFailureError(ChildEnd.CLOSED)
        return self._process

    def _started(self, process: ChildProcess) -> Walls:
        """Waits until it can be asked; the log says once what stands round it."""
        if process.is_ready:
            return process.wait_until_ready()
        walls = process.wait_until_ready()
        mode = f"landlock-{walls.landlock} {'seccomp' if walls.seccomp else 'no-seccomp'}"
        _log.info("child-started", task=self._task.name, pid=process.pid, mode=mode)
        return walls

    def _leave(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _wind_up(self, process: ChildProcess) -> None:
        """Nobody wants more: the task is asked to end, and the child is ended where it does not."""
        process.stop()
        with suppress(ChildFailureError):
            while isinstance(message := process.next(inf), ChildAnswer):
                continue
            self._settle(process, message)
            return
        self._leave()

    def _settle(self, process: ChildProcess, message: dict[str, Any]) -> None:
        """What the end of a task means. Raises TaskRefusedError, ChildFailureError."""
        match message["end"]:
            case "done":
                return
            case "refused" if _is_code(message.get("code")):
                process.forget()
                raise TaskRefusedError(message["code"])
            case "failed":
                raise ChildFailureError(ChildEnd.FAILED, frames=frames_of(message))
            case "memory":
                raise ChildFailureError(ChildEnd.MEMORY)
            case _:
                raise ChildFailureError(ChildEnd.PROTOCOL)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Logs why a child failed, clears it away, and gives the caller a deliberate error."""
        try:
            yield
        except ChildFailureError as failure:
            process = self._process
            self._leave()
            if self._closed.is_set():
                raise ChildEndedError(ChildEnd.CLOSED, _words(ChildEnd.CLOSED)) from None
            _log.warning(
                "child-ended",
                task=self._task.name,
                reason=failure.end.value,
                code=failure.code,
                pid=None if process is None else process.pid,
                exception=_raised(failure.frames),
            )
            self._note_start(failure.end)
            raise ChildEndedError(failure.end, _words(failure.end)) from None

    def _note_start(self, end: ChildEnd) -> None:
        """One that cannot be started is not tried again and again."""
        if end is ChildEnd.NOT_STARTED:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS:
                self._failed_starts = 0
                self._not_before = self._clock.monotonic() + _NOT_TRIED_FOR_S


def _raised(frames: Sequence[str]) -> list[dict[str, Any]]:
    """As `settings.log` tells of an exception."""
    return [{"type": frames[0], "frames": frames[1:]}] if frames else []


def _is_code(code: object) -> bool:
    return (
        isinstance(code, str)
        and 0 < len(code) <= _LONGEST_CODE
        and all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in code)
    )


def _words(end: ChildEnd) -> str:
    match end:
        case ChildEnd.MEMORY:
            return tr("Reading it takes more memory than is allowed.")
        case ChildEnd.TIME:
            return tr("Reading it takes longer than is allowed.")
        case ChildEnd.NOT_STARTED:
            return tr(
                "The part of the application that reads what comes from outside does not start. "
                "Tell IT."
            )
        case ChildEnd.CLOSED:
            return tr("The application is closing.")
        case _:
            return tr(
                "It cannot be read: the part of the application that reads it failed over it."
            )
