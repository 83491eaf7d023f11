"""A port of this computer alone that answers GET: a few pages, and nothing else of HTTP.

It listens on the loopback address. The Host header must name that address: a page of the web that a
browser of this computer shows cannot read what is answered (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from capture_app.clock import Clock
from capture_app.net.deadline import Deadline
from capture_app.net.listener import Caller, Listener

LOOPBACK: Final = "127.0.0.1"
LONGEST_HEAD: Final = 8_192
_OURS: Final = frozenset({LOOPBACK, "localhost"})
_WITHIN_S: Final = 5.0
_END_OF_HEAD: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a GET is answered with."""

    body: str
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Page = Callable[[str], HttpAnswer | None]
"""The answer for a path; None where there is no such page."""


class HttpListener:
    """Answers callers of this computer, one request each, within a few seconds."""

    def __init__(self, port: int, page: Page, *, name: str, clock: Clock) -> None:
        """`name` stands in the log; port 0 takes a free one."""
        self._page = page
        self._clock = clock
        self._listener = Listener(LOOPBACK, port, self._serve, name=name, clock=clock)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._listener.port

    def start(self) -> None:
        """Binds and begins to answer. OSError where the port cannot be had."""
        self._listener.start()

    def stop(self) -> None:
        """Ends the port and every caller."""
        self._listener.stop()

    def _serve(self, caller: Caller) -> None:
        deadline = Deadline.after(self._clock, _WITHIN_S)
        head = _head(caller, deadline)
        caller.begin_work()
        answer, is_whole = self._answer(head)
        body = answer.body.encode()
        lines = (
            f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
        )
        if answer.status is HTTPStatus.OK:
            caller.prove()
        caller.sock.settimeout(max(0.1, deadline.remaining))
        caller.sock.sendall(
            "\r\n".join(lines).encode() + _END_OF_HEAD + (body if is_whole else b"")
        )

    def _answer(self, head: bytes) -> tuple[HttpAnswer, bool]:
        """The answer, and whether its body is sent too."""
        text = head.decode("latin-1")
        if not text:
            return _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE), True
        request, *fields = text.split("\r\n")
        words = request.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _refusal(HTTPStatus.BAD_REQUEST), True
        method, path, _version = words
        named = [field.split(":", 1) for field in fields]
        hosts = [field[1] for field in named if len(field) == 2 and field[0].lower() == "host"]
        if len(hosts) != 1:
            return _refusal(HTTPStatus.BAD_REQUEST), True
        if not self._is_ours(hosts[0].strip().lower()):
            return _refusal(HTTPStatus.FORBIDDEN), True
        if method not in {"GET", "HEAD"}:
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED), True
        answer = self._page(path.partition("?")[0])
        return answer or _refusal(HTTPStatus.NOT_FOUND), method == "GET"

    def _is_ours(self, host: str) -> bool:
        name, _, port = host.partition(":")
        return name in _OURS and port in {"", str(self.port)}


def _head(caller: Caller, deadline: Deadline) -> bytes:
    """The request up to its empty line; empty where it is too long. OSError where it does not come
    in time.
    """
    read = bytearray()
    while _END_OF_HEAD not in read:
        if len(read) > LONGEST_HEAD:
            return b""
        if deadline.remaining <= 0:
            raise TimeoutError
        caller.sock.settimeout(deadline.remaining)
        more = caller.sock.recv(LONGEST_HEAD)
        if not more:
            raise ConnectionResetError  # gone before it has asked
        read += more
    return bytes(read[: read.index(_END_OF_HEAD)])


def _refusal(status: HTTPStatus) -> HttpAnswer:
    return HttpAnswer(f"{status.phrase}\n", status=status)
