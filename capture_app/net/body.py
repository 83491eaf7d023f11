"""What is sent in pieces, over whichever wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Body(Protocol):
    """What is sent: its parts in order, and the length of all of them in bytes."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __len__(self) -> int: ...
