"""HTTP exchanges with a total deadline (requests' own time-outs are for each read).

A watchdog shuts the connection when the deadline has come, however lively the peer trickles. No
redirect is followed, no proxy and no .netrc of the environment is used: patients' data goes to the
address in the settings or nowhere.
"""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from queue import Empty, SimpleQueue
from ssl import SSLCertVerificationError
from typing import Any, ClassVar, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.exceptions import TimeoutError as HttpTimeoutError

from capture_app.errors import TransientDeliveryError
from capture_app.model.reason import Reason
from capture_app.net.body import Body
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.tls import CertificateWantedError, HandshakeBrokenOffError, Tls, client_tls
from capture_app.net.wire import CONNECT_SECONDS, failure, failure_of, shut

_READ_AT_ONCE: Final = 1 << 16
_BARKS_EVERY_SECONDS: Final = 0.1

Credentials = Callable[[], tuple[str, str] | None]
"""Gives user and password for basic authentication when they are needed; None for neither."""


Sink = Callable[[str], Callable[[bytes], object]]
"""Told the content type of a good answer, gives what takes its body piece by piece."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer. `content_type` is as the server wrote it."""

    status: int
    content_type: str
    body: bytes


class HttpStream:
    """An answer whose body is read as it comes. `challenges` are its WWW-Authenticate fields."""

    def __init__(
        self,
        response: requests.Response,
        failure_of_read: Callable[[BaseException], TransientDeliveryError],
    ) -> None:
        self._response = response
        self._failure_of_read = failure_of_read
        self.status: int = response.status_code
        self.content_type: str = response.headers.get("Content-Type", "")
        self.length: int = _number(response.headers.get("Content-Length", ""))
        """0 where the server does not state it."""
        self.is_encoded = not _is_identity(response)
        self.challenges: tuple[str, ...] = tuple(response.raw.headers.getlist("WWW-Authenticate"))
        self.is_whole = False
        """Whether all of it was read."""

    def read(self) -> bytes:
        """What has come, at least one byte; empty at the end. Raises as `HttpClient.stream`."""
        try:
            piece: bytes = self._response.raw.read1(_READ_AT_ONCE)
        except (HTTPError, OSError) as error:
            raise self._failure_of_read(error) from error
        self.is_whole = not piece
        return piece


class HttpClient:
    """Talks to one server, which people know by `name`. Connections are kept alive.

    Any number of threads may use it; each exchange has a connection of its own while it lasts.
    """

    def __init__(
        self,
        name: str,
        *,
        credentials: Credentials | None = None,
        tls: Tls | None = None,
        heard: Callable[[datetime], object] = lambda _: None,
    ) -> None:
        """`heard` is called with what time it is by each answer (Date, RFC 9110 6.6.1)."""
        self._name = name
        self._heard = heard
        self._credentials = credentials
        self._tls = tls
        self._idle: SimpleQueue[_Line] = SimpleQueue()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Body | None = None,
        longest_answer: int,
        deadline: Deadline,
        interruption: Interruption | None = None,
        into: Sink | None = None,
    ) -> HttpResponse:
        """Sends a request and reads the whole answer, whatever its status.

        With `into` the body of an answer 200 goes there as it comes, and the answer has none; what
        is raised there ends the exchange.
        Raises TransientDeliveryError: "refused", "unknown-host", "unreachable", "timeout",
        "aborted", "tls", "interrupted", "auth" (401), "forbidden" (403), "redirected" (3xx),
        "too-long" for an answer of more than `longest_answer` bytes, "protocol" for a compressed
        one.
        """
        interruption = interruption or Interruption()
        try:
            with (
                self._line() as line,
                interruption.ended_by(line.sockets.shut),
                _watchdog(deadline, line.sockets.shut),
                self._answer(line, method, url, headers, body, deadline) as response,
            ):
                return self._read(response, longest_answer, into)
        except (requests.RequestException, HTTPError, OSError) as error:
            interruption.raise_if_interrupted()
            if deadline.remaining <= 0:
                raise failure(self._name, "timeout") from error
            raise self._failure(error) from error

    @contextmanager
    def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str | bytes],
        deadline: Deadline,
        stall_seconds: float,
        interruption: Interruption | None = None,
    ) -> Iterator[HttpStream]:
        """Asks for what may have no end, and gives the answer once its head is there, whatever its
        status. The deadline is for the head; after it no read waits longer than `stall_seconds`.

        Raises TransientDeliveryError as `exchange`, but nothing for a status.
        """
        interruption = interruption or Interruption()

        def told(error: BaseException) -> TransientDeliveryError:
            interruption.raise_if_interrupted()
            return self._failure(error)

        with ExitStack() as stack:
            try:
                line = stack.enter_context(self._line())
                stack.enter_context(interruption.ended_by(line.sockets.shut))
                with _watchdog(deadline, line.sockets.shut):
                    response = self._answer(line, "GET", url, headers, None, deadline)
            except (requests.RequestException, HTTPError, OSError) as error:
                interruption.raise_if_interrupted()
                if deadline.remaining <= 0:
                    raise failure(self._name, "timeout") from error
                raise self._failure(error) from error
            stack.callback(response.close)
            line.sockets.wait_at_most(stall_seconds)
            stream = HttpStream(response, told)
            try:
                yield stream
            finally:
                if not stream.is_whole:
                    line.sockets.shut()

    def close(self) -> None:
        """Closes the connections that were kept alive."""
        while not self._idle.empty():
            self._idle.get().session.close()

    @contextmanager
    def _line(self) -> Iterator[_Line]:
        try:
            line = self._idle.get_nowait()
        except Empty:
            line = _Line(self._tls)
        try:
            yield line
        except BaseException:
            line.session.close()
            raise
        if line.sockets.is_shut:  # at the very end: the answer was whole, the line is not
            line.session.close()
        else:
            self._idle.put(line)

    def _answer(
        self,
        line: _Line,
        method: str,
        url: str,
        headers: Mapping[str, str | bytes],
        body: Body | None,
        deadline: Deadline,
    ) -> requests.Response:
        if deadline.remaining <= 0:
            raise TimeoutError
        return line.session.request(
            method,
            url,
            data=body,
            headers=dict(headers),
            auth=_basic(self._credentials() if self._credentials else None),
            timeout=(min(CONNECT_SECONDS, deadline.remaining), deadline.remaining),
            allow_redirects=False,
            stream=True,
        )

    def _read(self, response: requests.Response, longest: int, into: Sink | None) -> HttpResponse:
        status = response.status_code
        self._hear(response.headers.get("Date", ""))
        if status == HTTPStatus.UNAUTHORIZED:
            raise TransientDeliveryError(Reason.of("auth", name=self._name), reached_nobody=True)
        if status == HTTPStatus.FORBIDDEN:
            raise TransientDeliveryError(Reason.of("forbidden", name=self._name))
        if 300 <= status < 400:
            raise TransientDeliveryError(Reason.of("redirected", name=self._name))
        # Nobody asked for it, and what it unpacks to has no limit until it is unpacked.
        if not _is_identity(response):
            raise failure(self._name, "protocol")
        if _number(response.headers.get("Content-Length", "")) > longest:
            raise TransientDeliveryError(Reason.of("too-long", name=self._name))
        content, length = bytearray(), 0
        content_type = response.headers.get("Content-Type", "")
        is_wanted = into is not None and status == HTTPStatus.OK
        take = into(content_type) if into is not None and is_wanted else content.extend
        for piece in response.iter_content(_READ_AT_ONCE):
            length += len(piece)
            if length > longest:
                raise TransientDeliveryError(Reason.of("too-long", name=self._name))
            take(piece)
        return HttpResponse(status, content_type, bytes(content))

    def _hear(self, date: str) -> None:
        with suppress(ValueError, TypeError, OverflowError):
            said = parsedate_to_datetime(date)
            if said.tzinfo is not None:
                self._heard(said)

    def _failure(self, error: BaseException) -> TransientDeliveryError:
        found = self._failure_by(error)
        found.reached_nobody = any(isinstance(cause, _BEFORE_ASKING) for cause in _causes(error))
        return found

    def _failure_by(self, error: BaseException) -> TransientDeliveryError:
        # requests and urllib3 wrap the error that tells something, sometimes in an argument.
        for cause in _causes(error):
            if isinstance(cause, NameResolutionError):
                return failure(self._name, "unknown-host")
            # Nothing was asked yet. One that was refused is told by what refused it.
            if isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError):
                return failure(self._name, "unreachable")
            if isinstance(cause, HttpTimeoutError) and not isinstance(cause, NewConnectionError):
                return failure(self._name, "timeout")
            if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException):
                return failure_of(self._name, cause)
        if isinstance(error, requests.Timeout):
            return failure(self._name, "timeout")
        return failure(self._name, "aborted")


def _basic(
    credentials: tuple[str, str] | None,
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest] | None:
    """Basic authentication in UTF-8 (RFC 7617); that of requests takes Latin-1 alone."""
    if credentials is None:
        return None
    token = base64.b64encode(":".join(credentials).encode()).decode()

    def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Basic {token}"
        return request

    return authorise


def _is_identity(response: requests.Response) -> bool:
    """Whether the body is as it is, not compressed."""
    return response.headers.get("Content-Encoding", "identity").strip().lower() == "identity"


def _number(text: str) -> int:
    """The length that a header states; 0 where it states none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


_BEFORE_ASKING: Final = (
    *(ConnectTimeoutError, NewConnectionError),
    *(SSLCertVerificationError, HandshakeBrokenOffError, CertificateWantedError),
)
"""What goes wrong while a connection is made."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was made from, the outermost first."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        reason = getattr(current, "reason", None)  # urllib3.exceptions.MaxRetryError
        pending += [*current.args, reason, current.__cause__, current.__context__]


class _OpenSockets:
    """The sockets of a session. Once shut, one that is opened later is shut as well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.is_shut = False

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets = [known for known in self._sockets if known.fileno() != -1]
            self._sockets.append(sock)
            if self.is_shut:
                shut(sock)

    def wait_at_most(self, seconds: float) -> None:
        """No read and no write on them waits longer from now on."""
        with self._lock:
            for sock in self._sockets:
                if sock.fileno() != -1:
                    sock.settimeout(seconds)

    def shut(self) -> None:
        """Ends every read and write on them; from any thread."""
        with self._lock:
            self.is_shut = True
            for sock in self._sockets:
                shut(sock)


class _Line:
    """A session of one connection, and its socket."""

    def __init__(self, tls: Tls | None) -> None:
        self.sockets = _OpenSockets()
        self.session = requests.Session()
        self.session.trust_env = False
        # Pictures do not get smaller, and an answer that unpacks to a flood is never asked for.
        self.session.headers["Accept-Encoding"] = "identity"
        self.session.mount("http://", _Adapter(self.sockets, tls))
        self.session.mount("https://", _Adapter(self.sockets, tls))


class _Connection(HTTPConnection):
    sockets: ClassVar[_OpenSockets]

    def connect(self) -> None:
        super().connect()
        self.sockets.add(self.sock)


class _SecureConnection(HTTPSConnection):
    sockets: ClassVar[_OpenSockets]

    def connect(self) -> None:
        super().connect()
        self.sockets.add(self.sock)


class _Adapter(HTTPAdapter):
    """Makes connections that `sockets` knows, and trusts the given TLS context alone."""

    def __init__(self, sockets: _OpenSockets, tls: Tls | None) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        own = {"sockets": sockets}
        plain = {"ConnectionCls": type("Connection", (_Connection,), own)}
        secure = {"ConnectionCls": type("SecureConnection", (_SecureConnection,), own)}
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("Pool", (HTTPConnectionPool,), plain),
            "https": type("SecurePool", (HTTPSConnectionPool,), secure),
        }

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            # Of this moment: a line that was made with a certificate of before is not used again.
            tls["ssl_context"] = (self._tls or client_tls(host["host"])).context()
        return host, tls

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Adds nothing to the context: requests would trust its own list of authorities too."""


@contextmanager
def _watchdog(deadline: Deadline, end: Callable[[], None]) -> Iterator[None]:
    """Calls `end` when the deadline comes within the block, and again until the block gives up."""
    is_over = threading.Event()

    def watch() -> None:
        wait = deadline.remaining
        while not is_over.wait(max(wait, 0.0)):
            end()
            wait = _BARKS_EVERY_SECONDS

    thread = threading.Thread(target=watch, name="http-deadline", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
