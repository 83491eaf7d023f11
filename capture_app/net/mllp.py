"""HL7's Minimal Lower Layer Protocol: <VT> message <FS> <CR> over TCP (ITI TF-2 C.2), both ends.

The listener is bounded in every direction: bytes of a message, connections, time without a message,
time within one. Each message gets its answer before the next one of its connection is read.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import structlog

from capture_app.clock import Clock
from capture_app.errors import FeedError
from capture_app.model.words import tr
from capture_app.net.callers import ANYBODY, AllowedCallers
from capture_app.net.deadline import Deadline
from capture_app.net.listener import MOST_CALLERS, Caller, Listener
from capture_app.net.tls import Tls
from capture_app.net.wire import failure, failure_of

_log = structlog.get_logger(__name__)

VT: Final = b"\x0b"
FS: Final = b"\x1c"
CR: Final = b"\r"

_RECEIVE_BYTES: Final = 65_536
_TIMES_TOO_LONG: Final = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sender may ask of the listener."""

    max_bytes: int = 1_000_000
    """Of one message. A longer one is read to its end, and only its beginning is handed on."""
    max_connections: int = MOST_CALLERS
    """At once. Who makes room for one more: see `Listener`; a whole message proves a sender."""
    idle_seconds: float = 3_600.0
    """Without a message; senders connect again when they have one."""
    message_seconds: float = 30.0
    """From the first byte of a message to its last, and for taking our answer."""


@dataclass(frozen=True, slots=True)
class Framed:
    """A message out of its frame."""

    content: bytes
    is_whole: bool
    """False where it was longer than allowed: `content` is its beginning."""


def framed(message: bytes) -> bytes:
    """The message in its frame."""
    return VT + message + FS + CR


class Unframer:
    """Finds messages in a stream however it is cut. What stands between frames is passed over."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self.length = 0
        """Bytes of the message under way, or of what came instead of one."""
        self.is_within = False
        """True between the beginning of a message and its end."""

    def feed(self, data: bytes) -> Iterator[Framed]:
        """Takes the next bytes of the stream and gives every message that ends in them."""
        position = 0
        while position < len(data):
            if not self.is_within:
                start = data.find(VT, position)
                if start < 0:
                    self.length += len(data) - position
                    return
                position = start + 1
                self._begin()
                continue
            end = data.find(FS, position)
            part_end = len(data) if end < 0 else end
            # A second beginning: the sender gave the first one up, and will send it again.
            restart = data.rfind(VT, position, part_end)
            if restart >= 0:
                position = restart + 1
                self._begin()
            self._take(data[position:part_end])
            if end < 0:
                return
            position = end + 1
            yield Framed(bytes(self._buffer), self.length <= self._max_bytes)
            self.is_within = False
            self._buffer.clear()
            self.length = 0

    def _begin(self) -> None:
        self.is_within = True
        self._buffer.clear()
        self.length = 0

    def _take(self, part: bytes) -> None:
        self._buffer += part[: max(0, self._max_bytes - len(self._buffer))]
        self.length += len(part)


class MllpListener:
    """Listens for messages and answers each with what `on_message` returns; b"" is no answer.

    It is given the message and the address of its sender.

    `on_message` runs on the thread of its connection, several at once for several senders. What it
    raises is a fault of ours: it is logged, the connection ends without an answer, and the sender
    will send again. `on_sender` hears of each caller that has brought a message. `on_too_long` gets
    the beginning of a message that is longer than allowed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        on_message: Callable[[bytes, str], bytes],
        *,
        on_too_long: Callable[[bytes, str], bytes],
        clock: Clock,
        limits: Limits = Limits(),
        allowed: AllowedCallers = ANYBODY,
        tls: Tls | None = None,
        on_sender: Callable[[Caller], None] = lambda _caller: None,
        on_not_allowed: Callable[[str], None] = lambda _peer: None,
    ) -> None:
        self._place = (host, port)
        self._on_message = on_message
        self._on_too_long = on_too_long
        self._clock = clock
        self._limits = limits
        self._on_sender = on_sender
        self._listener = Listener(
            host,
            port,
            self._converse,
            name="mllp",
            clock=clock,
            most_callers=limits.max_connections,
            allowed=allowed,
            tls=tls,
            on_not_allowed=on_not_allowed,
        )

    @property
    def port(self) -> int:
        """The port it listens on, which the system chose where 0 was asked for."""
        return self._listener.port

    @property
    def connections(self) -> int:
        """How many senders are connected now."""
        return self._listener.callers

    def start(self) -> None:
        """Binds and begins to take connections. FeedError where the address cannot be had."""
        host, port = self._place
        try:
            self._listener.start()
        except OSError as error:
            raise FeedError(
                tr(
                    "The admissions feed cannot listen on {host}, port {port}: {reason}.",
                    host=host,
                    port=port,
                    reason=error.strerror or type(error).__name__,
                )
            ) from error

    def stop(self) -> None:
        """Ends every connection and every thread. A message under way is answered or sent again."""
        self._listener.stop()

    def _converse(self, caller: Caller) -> None:
        """Reads and answers until the sender ends or breaks a limit."""
        sock, limits = caller.sock, self._limits
        unframer = Unframer(limits.max_bytes)
        deadline = Deadline.after(self._clock, limits.idle_seconds)
        while True:
            sock.settimeout(_left(deadline))
            data = sock.recv(_RECEIVE_BYTES)
            if not data:
                return
            was_within = unframer.is_within
            answered = False
            caller.begin_work()
            for message in unframer.feed(data):
                answered = True
                if not caller.is_proven:
                    self._on_sender(caller)
                caller.prove()
                handle = self._on_message if message.is_whole else self._on_too_long
                if answer := handle(message.content, caller.peer):
                    sock.settimeout(limits.message_seconds)
                    sock.sendall(framed(answer))
            if unframer.is_within:
                if answered or not was_within:
                    deadline = Deadline.after(self._clock, limits.message_seconds)
                most = limits.max_bytes * _TIMES_TOO_LONG
            else:
                if answered or was_within:
                    deadline = Deadline.after(self._clock, limits.idle_seconds)
                caller.end_work()
                most = limits.max_bytes
            if unframer.length > most:
                _log.warning("feed-sender-cut-off", peer=caller.peer, count=unframer.length)
                return


def _left(deadline: Deadline) -> float:
    if deadline.remaining <= 0:
        raise TimeoutError
    return deadline.remaining


class MllpSender:
    """A connection to a receiver of messages; close it, or use it as a context."""

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        """Raises TransientDeliveryError where the receiver cannot be reached by the deadline."""
        self._name = tr("The receiver of messages")
        try:
            self._socket = socket.create_connection((host, port), timeout=_left(deadline))
        except OSError as error:
            raise failure_of(self._name, error) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unframer = Unframer(Limits().max_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        with suppress(OSError):
            self._socket.close()

    def send(self, message: bytes, deadline: Deadline) -> bytes:
        """Sends one message and waits for its answer. Raises TransientDeliveryError for none."""
        try:
            self._socket.settimeout(_left(deadline))
            self._socket.sendall(framed(message))
            while True:
                self._socket.settimeout(_left(deadline))
                data = self._socket.recv(_RECEIVE_BYTES)
                if not data:
                    raise failure(self._name, "aborted")
                for answer in self._unframer.feed(data):
                    return answer.content
        except OSError as error:
            raise failure_of(self._name, error) from error


def send_mllp(host: str, port: int, message: bytes, deadline: Deadline) -> bytes:
    """Sends one message on a connection of its own and gives back its acknowledgement.

    Raises TransientDeliveryError where there is none by the deadline.
    """
    with MllpSender(host, port, deadline) as sender:
        return sender.send(message, deadline)
