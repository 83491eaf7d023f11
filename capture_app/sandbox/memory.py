"""Memory that parent and child share, and the header that says what lies in it.

The parent makes it, of the size that it asked for; the child can neither shrink nor grow it. On
Linux the parent never maps it: what it checks and takes is read out, so nothing that the child does
meanwhile can change what was checked or end the parent.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Sequence
from typing import Final, Protocol

from capture_app.sandbox.task import (
    MOST_BLOCKS,
    MOST_DIMENSIONS,
    Block,
    BlockRule,
    bytes_of,
)

_MAGIC: Final = b"CAPBLOCK"
_VERSION: Final = 1
# magic, version, dimensions, name, dtype, shape, where it begins in its slot, how long it is
_HEADER: Final = struct.Struct("<8sHH16s4s4IQQ")
_FIRST_BLOCK_AT: Final = (_HEADER.size * MOST_BLOCKS + 63) // 64 * 64


class MalformedHeaderError(Exception):
    """A header does not say what the parent asked for: nothing behind it is looked at."""


class SharedMemory(Protocol):
    """What both platforms have of it."""

    @property
    def name(self) -> int | str:
        """What the child opens it by: an inherited descriptor, or a name."""
        ...

    def read(self, at: int, length: int) -> bytes: ...
    def write(self, at: int, data: bytes | bytearray | memoryview) -> None: ...
    def forget(self) -> None:
        """Gives back the memory of what was written: it reads as zeros."""
        ...

    def close(self) -> None: ...


if sys.platform == "win32":
    from capture_app.clock import SystemClock

    class _NamedMapping:
        """A mapping of the page file under a name that nobody can guess."""

        def __init__(self, size: int) -> None:
            self._name = f"Local\\capture-app-{SystemClock().new_uid()}"
            self._size = size
            self._map = mmap.mmap(-1, max(size, 1), tagname=self._name)

        @property
        def name(self) -> int | str:
            return self._name

        def read(self, at: int, length: int) -> bytes:
            return self._map[at : at + length]

        def write(self, at: int, data: bytes | bytearray | memoryview) -> None:
            self._map[at : at + len(data)] = bytes(data)

        def forget(self) -> None:
            """Nothing: its pages stay with the child, and go with it."""

        def close(self) -> None:
            self._map.close()

    def create(size: int) -> SharedMemory:
        """Memory of that size, for one child. Raises OSError."""
        return _NamedMapping(size)

    def mapped(name: int | str, size: int) -> memoryview:
        """The memory in the child. Raises OSError."""
        return memoryview(mmap.mmap(-1, max(size, 1), tagname=str(name)))

else:
    import fcntl

    class _Memfd:
        """A file without a name, in memory alone (memfd_create(2)), sealed at its size."""

        def __init__(self, size: int) -> None:
            self._size = max(size, 1)
            self._descriptor = os.memfd_create("capture-app", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
            seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
            try:
                os.ftruncate(self._descriptor, self._size)
                fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, seals)
            except OSError:  # a limit on the size of files counts here, too
                os.close(self._descriptor)
                raise

        @property
        def name(self) -> int | str:
            return self._descriptor

        def read(self, at: int, length: int) -> bytes:
            return os.pread(self._descriptor, length, at)

        def write(self, at: int, data: bytes | bytearray | memoryview) -> None:
            rest = memoryview(data).cast("B")
            while rest:
                done = os.pwrite(self._descriptor, rest, at)
                rest, at = rest[done:], at + done

        def forget(self) -> None:
            with mmap.mmap(self._descriptor, self._size) as pages:
                pages.madvise(mmap.MADV_REMOVE)

        def close(self) -> None:
            os.close(self._descriptor)

    def create(size: int) -> SharedMemory:
        """Memory of that size, for one child. Raises OSError."""
        return _Memfd(size)

    def mapped(name: int | str, size: int) -> memoryview:
        """The memory in the child. Raises OSError."""
        return memoryview(mmap.mmap(int(name), max(size, 1)))


def put_blocks(slot: memoryview, blocks: Sequence[Block]) -> None:
    """Writes an answer's blocks into a slot: the headers, then each block's bytes.

    Raises ValueError for more than fits.
    """
    if len(blocks) > MOST_BLOCKS:
        too_many = f"{len(blocks)} blocks"
        raise ValueError(too_many)
    at = _FIRST_BLOCK_AT
    for number, block in enumerate(blocks):
        data = memoryview(block.data).cast("B")
        shape = (*block.shape, 0, 0, 0, 0)[:MOST_DIMENSIONS]
        header = (_MAGIC, _VERSION, len(block.shape), block.name.encode(), block.dtype.encode())
        _HEADER.pack_into(slot, number * _HEADER.size, *header, *shape, at, len(data))
        slot[at : at + len(data)] = data
        at = (at + len(data) + 63) // 64 * 64


def take_blocks(
    memory: SharedMemory, slot: int, slot_size: int, count: int, rules: Sequence[BlockRule]
) -> tuple[Block, ...]:
    """A copy of the blocks in a slot, each checked against its rule before it is read.

    Raises MalformedHeaderError.
    """
    start = slot * slot_size
    if not 0 <= count <= min(MOST_BLOCKS, len(rules)):
        raise MalformedHeaderError
    headers = memory.read(start, count * _HEADER.size)
    waiting = {rule.name: rule for rule in rules}
    blocks = []
    for number in range(count):
        magic, version, dimensions, raw_name, raw_dtype, *numbers = _HEADER.unpack_from(
            headers, number * _HEADER.size
        )
        *sides, at, length = numbers
        rule = waiting.pop(raw_name.rstrip(b"\0").decode("ascii", "replace"), None)
        if magic != _MAGIC or version != _VERSION or rule is None:
            raise MalformedHeaderError
        shape = tuple(sides[:dimensions])
        if (
            dimensions != rule.dimensions
            or raw_dtype.rstrip(b"\0") != rule.dtype.encode()
            or length != bytes_of(shape, rule.dtype)
            or not 0 < length <= rule.most_bytes
            or not _FIRST_BLOCK_AT <= at <= slot_size - length
        ):
            raise MalformedHeaderError
        data = memory.read(start + at, length)
        if len(data) != length:
            raise MalformedHeaderError
        blocks.append(Block(rule.name, data, shape, rule.dtype))
    return tuple(blocks)
