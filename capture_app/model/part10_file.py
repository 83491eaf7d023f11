"""A DICOM file on its way: read in pieces, so that one of any length takes little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part10File:
    """The bytes of a Part 10 file. It can be gone through as often as is needed."""

    size: int
    """In bytes."""
    pieces: Callable[[], Iterator[bytes]]
    """Gives the bytes from the beginning; every piece but the last has an even length."""

    @classmethod
    def of(cls, content: bytes) -> Part10File:
        """One that is in memory."""
        return cls(len(content), lambda: iter((content,)))

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces()

    def __len__(self) -> int:
        return self.size

    def whole(self) -> bytes:
        """All of it. For pictures: a clip does not fit."""
        return b"".join(self)
