"""What runs in the child: it puts up its walls, and then answers what the parent asks."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from capture_app.clock import Clock
from capture_app.errors import TaskRefusedError
from capture_app.sandbox.control import Channel, ChannelClosedError, MalformedMessageError
from capture_app.sandbox.memory import mapped, put_blocks
from capture_app.sandbox.task import BlockRule, Call, ChildAnswer, ChildTask, Work
from capture_app.sandbox.walls import end_with_parent, raise_walls
from capture_app.settings.log import describe_exception

BEAT_EVERY_S: Final = 0.1


def serve(works: Mapping[str, Callable[[], Work]], clock: Clock) -> int:
    """Does the task that the parent names until the parent closes the pipe. Returns an exit code.

    `works` names each task's work; calling it reads its libraries. Standard input and output are
    the pipe; what a library prints is lost.
    """
    channel = _own_pipe(clock)
    try:
        begin = channel.receive()
        if begin is None or begin.get("task") not in works:
            return 2
        end_with_parent(begin["life"])
        task = task_of(begin)
        work = works[task.name]()
        given = mapped(begin["given"], task.most_in)
        back = mapped(begin["back"], task.slot_size * task.slots)
        walls = raise_walls(task)
        _Server(channel, task, work, given, back).run(walls.landlock, walls.seccomp)
    except (ChannelClosedError, MalformedMessageError):
        return 0  # the parent has gone, or is not ours
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent is told
        channel.send({"end": "failed", **_told(error)})
        return 1
    return 0


def begin_message(task: ChildTask, *, given: int | str, back: int | str, life: int | None) -> Any:
    """What the parent says first: the task, and where the shared memory is."""
    return {
        "task": task.name,
        "memory": task.memory,
        "most_in": task.most_in,
        "blocks": [
            [rule.name, rule.most_bytes, rule.dtype, rule.dimensions] for rule in task.blocks
        ],
        "slots": task.slots,
        "cpu_seconds": task.cpu_seconds,
        "readable": list(task.readable),
        "devices": list(task.devices),
        "port": task.port,
        "given": given,
        "back": back,
        "life": life,
    }


def task_of(begin: Mapping[str, Any]) -> ChildTask:
    """The task that the parent named."""
    return ChildTask(
        name=begin["task"],
        memory=begin["memory"],
        most_in=begin["most_in"],
        blocks=tuple(BlockRule(*rule) for rule in begin["blocks"]),
        slots=begin["slots"],
        cpu_seconds=begin["cpu_seconds"],
        readable=tuple(begin["readable"]),
        devices=tuple(begin["devices"]),
        port=begin["port"],
    )


def _own_pipe(clock: Clock) -> Channel:
    """Takes the pipe away from whatever a library may print or read."""
    readable, writable = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return Channel(readable, writable, clock)


class _Server:
    """One question after another; a thread hears the parent meanwhile, and one says we live."""

    def __init__(
        self, channel: Channel, task: ChildTask, work: Work, given: memoryview, back: memoryview
    ) -> None:
        self._channel = channel
        self._task = task
        self._work = work
        self._given = given
        self._back = back
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._free: deque[int] = deque(range(task.slots))
        self._call: Call | None = None
        self._busy = threading.Event()

    def run(self, landlock: int, seccomp: bool) -> None:  # noqa: FBT001 - what the walls say
        for entry in (self._hear, self._beat):
            threading.Thread(target=entry, daemon=True).start()
        self._channel.send({"ready": {"landlock": landlock, "seccomp": seccomp}})
        while True:
            call = self._calls.get()
            self._busy.set()
            try:
                end = self._end_of(call)
            finally:
                self._busy.clear()
                self._call = None
            self._channel.send(end)

    def _end_of(self, call: Call) -> dict[str, Any]:
        try:
            for answer in self._work(call):
                if call.stopped.is_set():
                    break
                self._send(answer)
        except TaskRefusedError as refusal:
            return {"end": "refused", "code": refusal.code}
        except MemoryError:
            return {"end": "memory"}
        except (ChannelClosedError, KeyboardInterrupt):
            raise
        except Exception as error:  # noqa: BLE001 - hostile bytes: a decoder may raise anything
            return {"end": "failed", **_told(error)}
        return {"end": "done"}

    def _send(self, answer: ChildAnswer) -> None:
        """Where all slots are still the parent's the answer is dropped: the next one is newer."""
        if not self._free:
            if self._task.slots == 1:
                message = "a question with one answer was answered twice"
                raise RuntimeError(message)
            return
        slot, size = self._free.popleft(), self._task.slot_size
        put_blocks(self._back[slot * size : (slot + 1) * size], answer.blocks)
        self._channel.send(
            {"answer": dict(answer.facts), "slot": slot, "blocks": len(answer.blocks)}
        )

    def _hear(self) -> None:
        try:
            while (message := self._channel.receive()) is not None:
                call = self._call
                if "ask" in message:
                    # Here, so that what the parent says next already meets the new call.
                    self._free = deque(range(self._task.slots))
                    self._call = Call(message["ask"], self._given[: message["length"]])
                    self._channel.send({"taken": 1})
                    self._calls.put(self._call)
                elif "free" in message:
                    self._free.append(message["free"])
                elif call is not None and "stop" in message:
                    call.stopped.set()
                    call.tell(message)
                elif call is not None and "note" in message:
                    call.tell(message["note"])
        finally:
            os._exit(0)  # the parent has gone: nothing of ours is of use to anybody

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            self._busy.wait()
            self._channel.send({"beat": 1})
            pause.wait(BEAT_EVERY_S)


def _told(error: BaseException) -> dict[str, Any]:
    """The kind of an unforeseen error and where it was raised: nothing of the bytes."""
    described = describe_exception(error)[0]
    return {"error_type": described["type"], "frames": described["frames"][-8:]}
