"""The port that answers GET on this computer, spoken to byte by byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from capture_app.clock import SystemClock
from capture_app.net.http_listener import LONGEST_HEAD, HttpAnswer, HttpListener


def page(path: str) -> HttpAnswer | None:
    return HttpAnswer("well\n") if path == "/health" else None


@pytest.fixture
def listener() -> Iterator[HttpListener]:
    listener = HttpListener(0, page, name="test", clock=SystemClock())
    listener.start()
    yield listener
    listener.stop()


def ask(listener: HttpListener, request: str) -> str:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=30) as sock:
        sock.sendall(request.encode())
        read = b""
        while more := sock.recv(65_536):
            read += more
    return read.decode()


def test_a_page_is_answered_and_the_connection_ends(listener: HttpListener) -> None:
    answer = ask(listener, "GET /health?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, body = answer.split("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Length: 5" in head
    assert "Connection: close" in head
    assert body == "well\n"
    head, body = ask(listener, "HEAD /health HTTP/1.1\r\nhost: localhost\r\n\r\n").split("\r\n\r\n")
    assert (head[:12], body) == ("HTTP/1.1 200", "")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_page_of_the_web_cannot_read_it(listener: HttpListener, host: str) -> None:
    """A name of theirs that leads to this computer is still a name of theirs."""
    answer = ask(listener, f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert answer.startswith("HTTP/1.1 403 ")
    assert "well" not in answer


def test_the_host_is_ours_by_name_or_number_and_port(listener: HttpListener) -> None:
    for host in ("localhost", "127.0.0.1", f"LOCALHOST:{listener.port}"):
        answer = ask(listener, f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert answer.startswith("HTTP/1.1 200 ")
    answer = ask(listener, f"GET / HTTP/1.1\r\nHost: localhost:{listener.port + 1}\r\n\r\n")
    assert answer.startswith("HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("POST /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        ("GET /else HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("GET /health HTTP/1.1\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nX: ".ljust(LONGEST_HEAD + 1, "a"), 431),
    ],
)
def test_anything_else_is_refused(listener: HttpListener, request_text: str, status: int) -> None:
    assert ask(listener, request_text).startswith(f"HTTP/1.1 {status} ")
    assert "200" in ask(listener, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")[:12]


def test_it_listens_on_this_computer_alone(listener: HttpListener) -> None:
    server = listener._listener._server
    assert server is not None
    assert server.getsockname()[0] == "127.0.0.1"
