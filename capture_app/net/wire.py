"""A TCP connection on which nothing waits beyond its deadline: the layer below PS3.8.

Every read and write gets the time that is left as its socket time-out, so that neither a peer that
never answers, nor one that stops reading, nor one that trickles can hold a thread; and another
thread can free it at once by shutting the socket.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from capture_app.errors import TransientDeliveryError
from capture_app.model.reason import Reason
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.tls import CertificateWantedError, HandshakeBrokenOffError, Tls

CONNECT_SECONDS: Final = 10.0
"""The longest wait for a TCP connection or a TLS handshake, within the deadline."""

STALL_SECONDS: Final = 20.0
"""The longest that a peer may take no byte of what we send, or pause within a message."""

_TAKEN_AT_ONCE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where a peer listens. `name` is what people call it: it stands in what they are told."""

    name: str
    host: str
    port: int
    tls: Tls | None = None


def failure(name: str, code: str) -> TransientDeliveryError:
    """What a person is told of a broken connection to the peer called `name`."""
    return TransientDeliveryError(Reason.of(code, name=name))


def failure_of(name: str, error: OSError) -> TransientDeliveryError:
    """The same for an error of the socket."""
    if isinstance(error, HandshakeBrokenOffError):
        return failure(name, "tls-broken-off")
    if isinstance(error, CertificateWantedError):
        return failure(name, "tls-certificate-wanted")
    if isinstance(error, ssl.SSLCertVerificationError):
        return failure(name, _UNTRUSTED.get(error.verify_code, "tls"))
    if isinstance(error, ssl.SSLError) and error.reason in _ALERTS:
        return failure(name, _ALERTS[error.reason])
    for kind, code in _CODES:
        if isinstance(error, kind):
            return failure(name, code)
    return failure(name, "unreachable")


_CODES: Final[tuple[tuple[type[OSError], str], ...]] = (
    (TimeoutError, "timeout"),
    (ssl.SSLEOFError, "aborted"),
    (ssl.SSLZeroReturnError, "aborted"),
    (ssl.SSLError, "tls"),
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "aborted"),
    (socket.gaierror, "unknown-host"),
)

# X509_V_ERR_... of OpenSSL: what is wrong with the certificate that the peer showed.
_UNTRUSTED: Final = {
    9: "tls-not-yet-valid",
    10: "tls-expired",
    18: "tls-unknown-authority",
    19: "tls-unknown-authority",
    20: "tls-unknown-authority",
    21: "tls-unknown-authority",
    26: "tls-wrong-purpose",
    62: "tls-wrong-host",
    64: "tls-wrong-host",
    66: "tls-weak-certificate",
    67: "tls-weak-certificate",
    68: "tls-weak-certificate",
}
_ALERTS: Final = {
    **dict.fromkeys(
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"),
        "tls-plaintext",
    ),
    **dict.fromkeys(
        (
            "SSLV3_ALERT_HANDSHAKE_FAILURE",
            "TLSV1_ALERT_INSUFFICIENT_SECURITY",
            "NO_SHARED_CIPHER",
            "NO_SUITABLE_SIGNATURE_ALGORITHM",
        ),
        "tls-no-common-cipher",
    ),
    **dict.fromkeys(
        (
            "TLSV1_ALERT_PROTOCOL_VERSION",
            "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
            "UNSUPPORTED_PROTOCOL",
            "VERSION_TOO_LOW",
        ),
        "tls-too-old",
    ),
    **dict.fromkeys(("TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME"), "tls-wrong-host"),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "tls-certificate-wanted",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "tls-certificate-missing",
    **dict.fromkeys(
        (
            "TLSV1_ALERT_UNKNOWN_CA",
            "TLSV1_ALERT_ACCESS_DENIED",
            "SSLV3_ALERT_CERTIFICATE_REVOKED",
            "SSLV3_ALERT_BAD_CERTIFICATE",
            "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "SSLV3_ALERT_CERTIFICATE_EXPIRED",
            "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        ),
        "tls-ours",
    ),
}


class Wire:
    """A connected socket, its deadline and the peer's name for what people are told.

    `receive` and `send` raise TransientDeliveryError: "timeout", "aborted", "tls", "interrupted".
    """

    def __init__(
        self, sock: socket.socket, name: str, deadline: Deadline, interruption: Interruption
    ) -> None:
        self._socket = sock
        self._interruption = interruption
        self.name = name
        self.deadline = deadline
        """May be set anew between two exchanges on the same connection."""

    def shut(self) -> None:
        """Ends every read and write on it, from any thread; `close` is still due."""
        shut(self._socket)

    def send(self, data: bytes | memoryview) -> None:
        """Sends all of it. A peer that takes nothing for STALL_SECONDS is given up."""
        rest = memoryview(data)
        try:
            while rest:
                self._socket.settimeout(self._patience())
                rest = rest[self._socket.send(rest) :]
        except OSError as error:
            raise self._failure(error) from error

    def receive(self, size: int, *, within_message: bool) -> bytes:
        """Exactly `size` bytes. Only before a message is the peer given all the time there is."""
        buffer = bytearray(size)
        rest = memoryview(buffer)
        try:
            while rest:
                waits_long = not within_message and len(rest) == size
                self._socket.settimeout(self._patience(waits_long=waits_long))
                self._acknowledge_quickly()
                count = self._socket.recv_into(rest)
                if count == 0:
                    raise ConnectionResetError  # the peer closed it
                rest = rest[count:]
        except OSError as error:
            raise self._failure(error) from error
        return bytes(buffer)

    def fileno(self) -> int:
        """For a selector; what TLS has read ahead it does not show: see `has_more`."""
        return self._socket.fileno()

    @property
    def has_more(self) -> bool:
        """Whether something was read ahead, which no selector can know of."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def take(self) -> bytes | None:
        """What has come, without waiting: empty where nothing has, None at the end."""
        try:
            self._socket.settimeout(0)
            return self._socket.recv(_TAKEN_AT_ONCE) or None
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise self._failure(error) from error

    def is_readable(self, seconds: float) -> bool:
        """Whether something (bytes, or the end) comes within that time."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return bool(selector.select(max(0.0, min(seconds, self.deadline.remaining))))

    def await_close(self) -> None:
        """Waits for the peer to close, within the deadline; what it still sends is dropped."""
        with suppress(OSError):
            self._socket.settimeout(self._patience())
            while self._socket.recv(4096):
                self._socket.settimeout(self._patience())

    def close(self) -> None:
        """Ends it in order: what was sent still arrives, then the socket is gone."""
        shut(self._socket)
        self._socket.close()

    def _patience(self, *, waits_long: bool = False) -> float:
        remaining = self.deadline.remaining
        if remaining <= 0:
            raise TimeoutError
        return remaining if waits_long else min(remaining, STALL_SECONDS)

    def _failure(self, error: OSError) -> TransientDeliveryError:
        self._interruption.raise_if_interrupted()
        return failure_of(self.name, error)

    def _acknowledge_quickly(self) -> None:
        # Many archives send an answer as two small writes with Nagle's algorithm on: the second
        # waits for our acknowledgement of the first, which we would delay by 40 ms. The option
        # holds until the kernel thinks otherwise, so it is set for each wait. Linux only.
        if sys.platform == "linux":
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def shut(sock: socket.socket) -> None:
    """Ends every read and write on a socket, from any thread. Does not close it."""
    with suppress(OSError):
        # Not SSLSocket.shutdown, which would take the TLS state from under the other thread.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextmanager
def connect(
    address: Address, deadline: Deadline, interruption: Interruption | None = None
) -> Iterator[Wire]:
    """A connection to the peer for the length of the block; always closed.

    Raises TransientDeliveryError: "refused", "unknown-host", "unreachable", "timeout",
    "interrupted", "tls" and its kinds ("tls-expired", ...). The search for a host name's address is
    bounded by the system's resolver alone.
    """
    interruption = interruption or Interruption()
    with ExitStack() as stack:
        try:
            sock = _connected(address, deadline, interruption)
            stack.callback(sock.close)
            if address.tls is not None:
                sock = _secured(sock, address.tls.context(), address.host)
                stack.callback(sock.close)
            stack.enter_context(interruption.ended_by(partial(shut, sock)))
            if isinstance(sock, ssl.SSLSocket):
                sock.settimeout(_connect_patience(deadline))
                sock.do_handshake()
        except OSError as error:
            interruption.raise_if_interrupted()
            raise failure_of(address.name, error) from error
        wire = Wire(sock, address.name, deadline, interruption)
        stack.callback(wire.close)
        yield wire


def _connected(address: Address, deadline: Deadline, interruption: Interruption) -> socket.socket:
    places = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, place in places:
        sock = socket.socket(family, kind, protocol)
        try:
            with interruption.ended_by(partial(shut, sock)):
                sock.settimeout(_connect_patience(deadline))
                sock.connect(place)
            # Else the last part of each message waits for the acknowledgement of the one before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()
            if place == places[-1][4] or deadline.remaining <= 0:
                raise
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise socket.gaierror  # a name without an address


def _secured(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    return context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)


def _connect_patience(deadline: Deadline) -> float:
    remaining = deadline.remaining
    if remaining <= 0:
        raise TimeoutError
    return min(remaining, CONNECT_SECONDS)
