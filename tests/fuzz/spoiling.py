"""How bytes are spoilt, and what the process that gets them may grow by meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from structlog.testing import capture_logs

MAY_GROW_BY: Final = 300 << 20
"""Bytes of memory of the process whose port it is, however much it was sent."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE


class Growth:
    """By how much this process grew since, at most."""

    def __init__(self) -> None:
        self._before = resident()
        self.most = 0

    def look(self) -> None:
        self.most = max(self.most, resident() - self._before)


@contextmanager
def only_children_end() -> Iterator[None]:
    """Within the block nothing worse is logged than that a child has ended."""
    with capture_logs() as entries:
        yield
    loud = {one["event"] for one in entries if one["log_level"] not in {"debug", "info"}}
    assert loud <= {"child-ended"}


def spoilt(chance: Random, data: bytes, *, most: int = 4) -> bytes:
    """Some bytes changed, cut out, doubled, put in or moved."""
    content = bytearray(data)
    for _ in range(chance.randint(1, most)):
        at, length = chance.randrange(len(content) + 1), chance.choice((1, 1, 2, 4, 16, 64))
        match chance.randrange(5):
            case 0:
                content[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del content[at : at + length]
            case 2:
                content[at:at] = content[at : at + length] * chance.randint(1, 3)
            case 3:
                content[at:at] = chance.randbytes(length)
            case _:
                part = content[at : at + length]
                del content[at : at + length]
                to = chance.randrange(len(content) + 1)
                content[to:to] = part
    return bytes(content)
