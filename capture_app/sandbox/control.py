"""The pipe between parent and child: JSON objects, each after its length, bounded both ways."""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from capture_app.clock import Clock

LONGEST_MESSAGE: Final = 32_768
"""Bytes. A message and a few notes more fit into a pipe that nobody reads."""
_LENGTH: Final = struct.Struct(">I")
_WRITTEN_WITHIN_S: Final = 1.0
_READ_AT_ONCE: Final = 65_536

if sys.platform == "win32":
    import ctypes
    import msvcrt

    _PAUSE = threading.Event()  # never set: a wait that keeps no core busy

    def _can_read(descriptor: int, clock: Clock, seconds: float) -> bool:
        """Whether there is something to read, or an end to be found. A pipe cannot be waited on."""
        until = clock.monotonic() + seconds
        waiting = ctypes.c_ulong()
        while True:
            handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
            there = ctypes.windll.kernel32.PeekNamedPipe(
                handle, None, 0, None, ctypes.byref(waiting), None
            )
            if not there or waiting.value:
                return True
            if clock.monotonic() >= until:
                return False
            _PAUSE.wait(0.002)

    def _can_write(descriptor: int, seconds: float) -> bool:
        """A pipe of Windows blocks its writer; the job object ends a child that never reads."""
        del descriptor, seconds
        return True

else:
    import select

    def _can_read(descriptor: int, clock: Clock, seconds: float) -> bool:
        """Whether there is something to read, or an end to be found."""
        del clock
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def _can_write(descriptor: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))


class ChannelClosedError(Exception):
    """The other end has gone."""


class MalformedMessageError(Exception):
    """The other end sent what is no message of ours: nothing more of it is believed."""


class Channel:
    """Both directions of the pipe, seen from one end. Any thread may send; one receives."""

    def __init__(self, readable: int, writable: int, clock: Clock) -> None:
        self._readable = readable
        self._writable = writable
        self._clock = clock
        self._received = bytearray()
        self._sending = threading.Lock()
        self._is_closed = False

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises ChannelClosedError, also where the other end has not read for a second, and
        ValueError for a message that is too long.
        """
        text = json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        if len(text) > LONGEST_MESSAGE:
            too_long = f"a message of {len(text)} characters"
            raise ValueError(too_long)
        rest = memoryview(_LENGTH.pack(len(text)) + text.encode("ascii"))
        with self._sending:
            if self._is_closed:
                raise ChannelClosedError
            while rest:
                try:
                    if not _can_write(self._writable, _WRITTEN_WITHIN_S):
                        raise ChannelClosedError
                    rest = rest[os.write(self._writable, rest[:4096]) :]
                except OSError as error:
                    raise ChannelClosedError from error

    def close(self) -> None:
        """Nothing is sent any more: the descriptors, which are the caller's, may be closed."""
        with self._sending:
            self._is_closed = True

    def receive(self, within: float | None = None) -> dict[str, Any] | None:
        """The next message; None where no whole one came within so many seconds (None: for ever).

        Raises ChannelClosedError, MalformedMessageError.
        """
        until = None if within is None else self._clock.monotonic() + within
        while (message := self._whole()) is None:
            if until is not None:
                left = until - self._clock.monotonic()
                if not _can_read(self._readable, self._clock, left):
                    return None
            try:
                more = os.read(self._readable, _READ_AT_ONCE)
            except OSError as error:
                raise ChannelClosedError from error
            if not more:
                raise ChannelClosedError
            self._received += more
            if until is not None and self._clock.monotonic() > until:
                return self._whole()  # bytes that drip in are no answer
        return message

    def _whole(self) -> dict[str, Any] | None:
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        if length > LONGEST_MESSAGE:
            raise MalformedMessageError
        end = _LENGTH.size + length
        if len(self._received) < end:
            return None
        text = bytes(self._received[_LENGTH.size : end])
        del self._received[:end]
        try:
            message = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise MalformedMessageError from error
        if not isinstance(message, dict):
            raise MalformedMessageError
        return message


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are no JSON (RFC 8259 6)."""
    raise ValueError(name)
