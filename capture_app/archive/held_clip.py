"""An archive's copy of a clip, compared as it comes: at no time is more than a piece of it held.

What stands before the frames is kept and goes to the reader in the child, as a whole small copy
would. Of the frames nothing is understood but the items that hold them (PS3.5 A.4): their bytes go
into a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import Message
from typing import Final

from capture_app.archive.held_copy import HeldCopy, ReadHeldCopy

_PIXELS: Final = bytes.fromhex("e07f1000") + b"OB" + bytes.fromhex("0000ffffffff")
"""The beginning of encapsulated pixels (PS3.5 A.4). Where such bytes stand within another element,
the reader finds a dataset that breaks off, or one without pixels: nothing is proved by it."""
_ITEM: Final = bytes.fromhex("feff00e0")
_DELIMITER: Final = bytes.fromhex("feffdde000000000")
_END_OF_IMAGE: Final = b"\xff\xd9\x00"
_LONGEST_HEAD: Final = 4 << 20
_LONGEST_REST: Final = 1 << 16


class NoEncapsulatedPixelsError(ValueError):
    """What came is no instance whose pixels are encapsulated."""


class HeldClip:
    """Takes the body of an answer piece by piece; then `read` says what it was."""

    def __init__(self, content_type: str) -> None:
        """Raises ValueError for an answer that is no single instance."""
        header = Message()
        header["Content-Type"] = content_type
        boundary = header.get_boundary()
        is_alone = header.get_content_type() == "application/dicom"
        if not is_alone and (header.get_content_type() != "multipart/related" or not boundary):
            raise ValueError("no multipart answer")
        self._delimiter = b"" if is_alone else b"--" + str(boundary).encode("latin-1")
        self._head = b""
        self._digest = hashlib.sha256()
        self._tail = b""
        self._pending = bytearray()
        self._is_over = False
        self._steps = self._take()
        next(self._steps)

    def write(self, piece: bytes) -> None:
        """Raises ValueError for what is no instance with encapsulated pixels."""
        self._pending += piece
        next(self._steps)

    def read(self, reader: ReadHeldCopy) -> HeldCopy | str:
        """What it says of itself, as `reader` reads it, with the hash of its frames.

        Raises ValueError where it was not whole, and whatever the reader raises.
        """
        rest = bytes(self._pending)
        closing = b"\r\n" + self._delimiter + b"--"
        is_end = rest.startswith(closing) if self._delimiter else not rest
        if not self._is_over or not is_end:
            raise ValueError("not whole")
        empty = self._head + _PIXELS + _ITEM + bytes(4) + _DELIMITER
        held = reader(empty, None)
        if isinstance(held, str) or held.layout is None:
            return held
        self._digest.update(self._tail[:-1] if self._tail == _END_OF_IMAGE else self._tail)
        return replace(held, digest=self._digest.hexdigest(), decoded_digest=None)

    def _take(self) -> Iterator[None]:
        """Goes on each time that something has come."""
        if self._delimiter:
            yield from self._skip_through(self._delimiter)
            yield from self._skip_through(b"\r\n\r\n")
        while (at := self._pending.find(_PIXELS)) < 0:
            if len(self._pending) > _LONGEST_HEAD:
                raise NoEncapsulatedPixelsError
            yield
        head = bytes(self._pending[:at])
        del self._pending[: at + len(_PIXELS)]
        yield from self._await(8)
        yield from self._consume(self._item_length(), len)  # the Basic Offset Table
        yield from self._await(8)
        while not self._pending.startswith(_DELIMITER):
            yield from self._consume(self._item_length(), self._hash)
            yield from self._await(8)
        del self._pending[:8]
        self._head, self._is_over = head, True
        while len(self._pending) <= _LONGEST_REST:
            yield
        raise ValueError("more than one instance")

    def _await(self, count: int) -> Iterator[None]:
        while len(self._pending) < count:
            yield

    def _skip_through(self, mark: bytes) -> Iterator[None]:
        while (at := self._pending.find(mark)) < 0:
            if len(self._pending) > _LONGEST_REST:
                raise ValueError("no part")
            yield
        del self._pending[: at + len(mark)]

    def _item_length(self) -> int:
        if not self._pending.startswith(_ITEM):
            raise ValueError("no item")
        length = int.from_bytes(self._pending[4:8], "little")
        del self._pending[:8]
        return length

    def _consume(self, length: int, take: Callable[[bytes], object]) -> Iterator[None]:
        while length:
            if not self._pending:
                yield
                continue
            piece = bytes(self._pending[:length])
            del self._pending[: len(piece)]
            length -= len(piece)
            take(piece)

    def _hash(self, piece: bytes) -> None:
        """All but the last bytes, which may be padding."""
        both = self._tail + piece
        self._digest.update(both[:-3])
        self._tail = both[-3:]
