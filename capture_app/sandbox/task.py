"""What a child is started for, what it may take, and what it gives back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
from typing import Any, Final

Facts = Mapping[str, Any]
"""What goes over the pipe beside bytes: a JSON object, small (see `control.LONGEST_MESSAGE`)."""

MOST_BLOCKS: Final = 4
MOST_DIMENSIONS: Final = 4


@dataclass(frozen=True, slots=True)
class BlockRule:
    """A block of bytes that a task may give back, and the most it may be.

    `dtype` is numpy's short name ("u1", "u2"); `dimensions` how many numbers its shape has.
    """

    name: str
    most_bytes: int
    dtype: str = "u1"
    dimensions: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes that are too many for the pipe: pixels, a JPEG, a colour profile.

    `data` is contiguous; in the parent it is a copy that no child can change any more.
    """

    name: str
    data: bytes | bytearray | memoryview
    shape: tuple[int, ...]
    dtype: str = "u1"

    @classmethod
    def of_bytes(cls, name: str, data: bytes | bytearray | memoryview) -> Block:
        """A run of bytes without a shape of its own."""
        return cls(name, data, (len(data),))


@dataclass(frozen=True, slots=True)
class ChildAnswer:
    """What a task gives back, once or again and again."""

    facts: Facts = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    def block(self, name: str) -> Block | None:
        """The block of that name; None where the task gave none."""
        return next((block for block in self.blocks if block.name == name), None)


@dataclass(frozen=True, slots=True)
class ChildTask:
    """One kind of work on bytes from outside. `name` is what the child's command registers.

    Nothing of it is a secret: it is told to the child in the clear.
    """

    name: str
    memory: int
    """Bytes that the work may take, beyond its libraries."""
    most_in: int
    """The longest bytes that it is given."""
    blocks: tuple[BlockRule, ...] = ()
    """All that it may give back beside facts."""
    slots: int = 1
    """1 for a question with one answer; more for a stream, whose newest answers wait in them."""
    cpu_seconds: int | None = 3600
    """Of a whole life of a child; None for a camera."""
    readable: tuple[str, ...] = ()
    """Files and folders that it may read, beside its own program."""
    devices: tuple[str, ...] = ()
    """Devices that it may open, read, write and set."""
    port: int | None = None
    """The TCP port that it may connect to, by number alone; None: no network."""
    environment: Facts = field(default_factory=dict)
    """Settings of its libraries that are read from the environment alone."""

    @property
    def slot_size(self) -> int:
        """Bytes of shared memory for one answer."""
        return _aligned(MOST_BLOCKS * 128) + sum(_aligned(rule.most_bytes) for rule in self.blocks)


class ChildEnd(StrEnum):
    """Why a child did not do its task. Stable words: they are logged."""

    MEMORY = "memory"
    """It took more than its task allows, or the system had none left."""
    TIME = "time"
    """It was not done in time, and was ended."""
    SILENT = "silent"
    """It gave no sign of life, and was ended."""
    CRASHED = "crashed"
    """It ended by a signal or by itself, in the middle of the work."""
    PROTOCOL = "protocol"
    """It said what no child of ours says: nothing of it is believed."""
    FAILED = "failed"
    """An error that nobody foresaw, in the work itself."""
    NOT_STARTED = "not-started"
    CLOSED = "closed"
    """The application no longer needs it."""


class Call:
    """One question as the work in the child sees it.

    `data` is the shared memory itself: it is of this call, and gone with it.
    """

    def __init__(self, question: Facts, data: memoryview) -> None:
        self.question = question
        self.data = data
        self.stopped = threading.Event()
        """Set where nobody waits for more."""
        self._listener: Callable[[Facts], None] | None = None

    def listen(self, listener: Callable[[Facts], None]) -> None:
        """Calls the listener, on another thread, with what the parent tells meanwhile: its notes,
        and {"stop": 1} as `stopped` is set.
        """
        self._listener = listener

    def tell(self, note: Facts) -> None:
        """Hands a note of the parent to the work; without a listener it is dropped."""
        if self._listener is not None:
            self._listener(note)


Work = Callable[[Call], Iterable[ChildAnswer]]
"""What a task does, in the child. Raises TaskRefusedError where the bytes cannot be worked on."""


def bytes_of(shape: tuple[int, ...], dtype: str) -> int:
    """The length of an array: its last character is the bytes of an element."""
    return prod(shape) * int(dtype[1:])


def _aligned(size: int) -> int:
    return (size + 63) // 64 * 64
