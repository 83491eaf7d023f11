"""Servers that misbehave on purpose, one behaviour each, over real sockets on 127.0.0.1."""

import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field

from tests.peers import HOST

_PIECE = 65_536


@dataclass(slots=True)
class BadServer:
    """What a test sees of a running one."""

    port: int
    ended: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    received: int = 0
    """Bytes that came in, over all connections."""

    def wait(self, seconds: float) -> bool:
        """For behaviours that do something now and then: True at the end of the test."""
        return self.ended.wait(seconds)


Behaviour = Callable[[BadServer, socket.socket], None]


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[BadServer]:
    """Runs `behaviour` for each connection in a thread of its own, until the end of the block."""
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((HOST, 0)))
        listener.settimeout(0.05)
        server = BadServer(listener.getsockname()[1])

        def serve(sock: socket.socket) -> None:
            with closing(sock), suppress(OSError):
                behaviour(server, sock)

        def accept() -> None:
            while not server.ended.is_set():
                with suppress(TimeoutError):
                    sock, _ = listener.accept()
                    server.connections += 1
                    sockets.append(sock)
                    threads.append(threading.Thread(target=serve, args=(sock,)))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield server
        finally:
            server.ended.set()
            acceptor.join()
            for sock in sockets:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def reset(sock: socket.socket) -> None:
    """Closes with RST: what was in flight is lost."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def silent(server: BadServer, sock: socket.socket) -> None:
    """Takes everything and answers nothing."""
    while piece := sock.recv(_PIECE):
        server.received += len(piece)


def deaf(server: BadServer, _sock: socket.socket) -> None:
    """Does not even read."""
    server.ended.wait()


def saying(answer: bytes, then: Behaviour = silent) -> Behaviour:
    """Answers the same to anything, then goes on as `then`."""

    def behave(server: BadServer, sock: socket.socket) -> None:
        server.received += len(sock.recv(_PIECE))
        sock.sendall(answer)
        then(server, sock)

    return behave


def trickling(answer: bytes, every: float = 0.1) -> Behaviour:
    """Answers byte by byte: never silent for long, never done."""

    def behave(server: BadServer, sock: socket.socket) -> None:
        server.received += len(sock.recv(_PIECE))
        for byte in answer:
            sock.sendall(bytes([byte]))
            if server.wait(every):
                return

    return behave


def pouring(head: bytes) -> Behaviour:
    """Answers without end."""

    def behave(server: BadServer, sock: socket.socket) -> None:
        server.received += len(sock.recv(_PIECE))
        sock.sendall(head)
        while not server.ended.is_set():
            sock.sendall(b"x" * _PIECE)

    return behave


def resetting(_server: BadServer, sock: socket.socket) -> None:
    sock.recv(1)
    reset(sock)


def web(
    status: str,
    body: bytes = b"",
    content_type: str = "application/dicom+json",
    headers: tuple[str, ...] = (),
    *,
    get: bytes | None = None,
) -> Behaviour:
    """An HTTP server that reads each request whole and always answers the same.

    With `get` that is for what is sent to it only: a question is answered with that instance.
    """
    answer = _answer(status, content_type, body, headers)
    found = answer if get is None else _answer("200 OK", "application/dicom", get, ())

    def behave(server: BadServer, sock: socket.socket) -> None:
        with sock.makefile("rb") as stream:
            while begin := stream.readline():
                length = 0
                while (line := stream.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                server.received += len(stream.read(length))
                sock.sendall(found if begin.startswith(b"GET ") else answer)

    return behave


def _answer(status: str, content_type: str, body: bytes, headers: tuple[str, ...]) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f"Content-Type: {content_type}"]
    return "\r\n".join([*head, *headers, "", ""]).encode() + body


def between(port: int, *, up: int | None = None, down: int | None = None) -> Behaviour:
    """A relay to a real server that resets both ends after so many bytes up or down.

    One thread for both directions: a socket that another thread reads would not be reset.
    """

    def behave(server: BadServer, client: socket.socket) -> None:
        with (
            socket.create_connection((HOST, port)) as target,
            selectors.DefaultSelector() as selector,
        ):
            left = {client: up, target: down}
            for sock in left:
                selector.register(sock, selectors.EVENT_READ)
            while not server.ended.is_set():
                for key, _ in selector.select(0.05):
                    source = client if key.fileobj is client else target
                    sink = target if source is client else client
                    limit = left[source]
                    piece = source.recv(_PIECE if limit is None else min(_PIECE, limit))
                    if not piece:
                        return
                    sink.sendall(piece)
                    server.received += len(piece) if source is client else 0
                    if limit is not None:
                        left[source] = limit - len(piece)
                    if left[source] == 0:
                        reset(client)
                        reset(target)
                        return

    return behave
