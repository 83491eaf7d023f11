"""HL7's Minimal Lower Layer Protocol: <VT> message <FS> <CR> over TCP (ITI TF-2 C.2), both ends.

The listener is bounded in every direction: bytes of a message, connections, time without a message,
time within one. Each message gets its answer before the next one of its connection is read.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import structlog

from capture_app.clock import Clock
from capture_app.errors import FeedError
from capture_app.model.words import tr
from capture_app.net.deadline import Deadline
from capture_app.net.wire import failure, failure_of, shut

_log = structlog.get_logger(__name__)

VT: Final = b"\x0b"
FS: Final = b"\x1c"
CR: Final = b"\r"

_RECEIVE_BYTES: Final = 65_536
_LOOK_ROUND_S: Final = 0.5
_THREAD_ENDS_WITHIN_S: Final = 15.0
_TIMES_TOO_LONG: Final = 32
_GRACE_S: Final = 0.25
"""A newcomer that has brought no whole message by then may have to make room for another."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sender may ask of the listener."""

    max_bytes: int = 1_000_000
    """Of one message. A longer one is read to its end, and only its beginning is handed on."""
    max_connections: int = 16
    """With all of them in use one makes room: of those that have brought no message yet the oldest,
    else the one that has been idle longest."""
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


class _Connection:
    """One sender: its socket and its thread."""

    def __init__(self, sock: socket.socket, started: float) -> None:
        self.socket = sock
        self.thread: threading.Thread | None = None
        self.idle_since: float | None = started
        """None while a message is read or answered."""
        self.started = started
        self.has_delivered = False
        """True once it brought a whole message: from then on a crowd of newcomers cannot end it."""
        self.is_ending = False
        """True once it had to make room for another."""


class MllpListener:
    """Listens for messages and answers each with what `on_message` returns; b"" is no answer.

    `on_message` runs on the thread of its connection, several at once for several senders. What it
    raises is a fault of ours: it is logged, the connection ends without an answer, and the sender
    will send again. `on_too_long` gets the beginning of a message that is longer than allowed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        on_message: Callable[[bytes], bytes],
        *,
        on_too_long: Callable[[bytes], bytes],
        clock: Clock,
        limits: Limits = Limits(),
    ) -> None:
        self._host = host
        self._wanted_port = port
        self._on_message = on_message
        self._on_too_long = on_too_long
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._stopping = threading.Event()
        self._server: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on, which the system chose where 0 was asked for."""
        if self._server is None:
            return self._wanted_port
        return int(self._server.getsockname()[1])

    @property
    def is_listening(self) -> bool:
        return self._server is not None

    @property
    def connections(self) -> int:
        """How many senders are connected now."""
        with self._lock:
            return self._in_use()

    def start(self) -> None:
        """Binds and begins to take connections. FeedError where the address cannot be had."""
        try:
            self._server = _listening(self._host, self._wanted_port)
        except OSError as error:
            raise FeedError(
                tr(
                    "The admissions feed cannot listen on {host}, port {port}: {reason}.",
                    host=self._host,
                    port=self._wanted_port,
                    reason=error.strerror or type(error).__name__,
                )
            ) from error
        self._stopping.clear()
        self._thread = threading.Thread(
            target=self._accept, args=(self._server,), name="mllp-accept", daemon=True
        )
        self._thread.start()
        _log.info("feed-listening", port=self.port)

    def stop(self) -> None:
        """Ends every connection and every thread. A message under way is answered or sent again."""
        self._stopping.set()
        server, self._server = self._server, None
        if server is not None:
            shut(server)  # wakes the accept on Linux; elsewhere it looks round by itself
        if self._thread is not None:
            self._thread.join(_THREAD_ENDS_WITHIN_S)
            self._thread = None
        if server is not None:
            server.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            shut(connection.socket)
        for connection in connections:
            if connection.thread is not None:
                connection.thread.join(_THREAD_ENDS_WITHIN_S)

    def _accept(self, server: socket.socket) -> None:
        server.settimeout(_LOOK_ROUND_S)
        while not self._stopping.is_set():
            try:
                sock, _ = server.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if not self._stopping.is_set():  # out of file descriptors, for instance
                    _log.warning("feed-accept-failed", error_type=type(error).__name__)
                    self._stopping.wait(_LOOK_ROUND_S)
                continue
            self._take(sock)

    def _take(self, sock: socket.socket) -> None:
        connection = _Connection(sock, self._clock.monotonic())
        connection.thread = threading.Thread(
            target=self._serve, args=(connection,), name="mllp-connection", daemon=True
        )
        with self._lock:
            if self._in_use() >= self._limits.max_connections and not self._make_room():
                _log.warning("feed-connection-refused", count=self._in_use())
                sock.close()
                return
            self._connections.add(connection)
        connection.thread.start()

    def _in_use(self) -> int:
        return sum(not connection.is_ending for connection in self._connections)

    def _make_room(self) -> bool:
        """Ends a connection; False where all are busy, or are newcomers in their first moment."""
        connections = [c for c in self._connections if not c.is_ending]
        newcomers = [c for c in connections if not c.has_delivered]
        end = self._clock.monotonic() - _GRACE_S
        ending = min(
            (c for c in newcomers if c.idle_since is not None or c.started <= end),
            key=lambda c: c.started,
            default=None,
        )
        if ending is None and not newcomers:
            ending = min(
                (c for c in connections if c.idle_since is not None),
                key=lambda c: c.idle_since or 0.0,
                default=None,
            )
        if ending is None:
            return False
        ending.is_ending = True
        shut(ending.socket)
        return True

    def _serve(self, connection: _Connection) -> None:
        try:
            with connection.socket:
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(connection)
        except OSError:
            # The sender went away or took too long; what was not answered it will send again.
            _log.info("feed-connection-ended")
        except Exception:  # noqa: BLE001 - logged with its traceback; the feed goes on
            _log.exception("feed-message-failed")
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _converse(self, connection: _Connection) -> None:
        """Reads and answers until the sender ends or breaks a limit."""
        sock, limits = connection.socket, self._limits
        unframer = Unframer(limits.max_bytes)
        deadline = Deadline.after(self._clock, limits.idle_seconds)
        while not self._stopping.is_set():
            sock.settimeout(_left(deadline))
            data = sock.recv(_RECEIVE_BYTES)
            if not data:
                return
            was_within = unframer.is_within
            answered = False
            connection.idle_since = None
            for message in unframer.feed(data):
                answered = connection.has_delivered = True
                handle = self._on_message if message.is_whole else self._on_too_long
                if answer := handle(message.content):
                    sock.settimeout(limits.message_seconds)
                    sock.sendall(framed(answer))
            if unframer.is_within:
                if answered or not was_within:
                    deadline = Deadline.after(self._clock, limits.message_seconds)
                most = limits.max_bytes * _TIMES_TOO_LONG
            else:
                if answered or was_within:
                    deadline = Deadline.after(self._clock, limits.idle_seconds)
                connection.idle_since = self._clock.monotonic()
                most = limits.max_bytes
            if unframer.length > most:
                _log.warning("feed-sender-cut-off", count=unframer.length)
                return


def _left(deadline: Deadline) -> float:
    if deadline.remaining <= 0:
        raise TimeoutError
    return deadline.remaining


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    server = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":  # there the other option lets a second process listen too
            server.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(place)
        server.listen()
    except BaseException:
        server.close()
        raise
    return server


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
