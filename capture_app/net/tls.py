"""TLS as we speak it: 1.2 or newer, forward secret and authenticated, certificates checked.

PS3.15 B.9 and its successors (BCP 195). There is no way to go on with a bad certificate.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: ephemeral keys and authenticated encryption alone (RFC 9325 4.2). All of 1.3 are."""


class HandshakeBrokenOffError(ConnectionError):
    """The other side went away within the handshake, without an alert."""


class CertificateWantedError(ssl.SSLError):
    """The other side ended the handshake for want of a certificate of ours that it takes."""


class _Socket(ssl.SSLSocket):
    """Tells apart what OpenSSL has one word for."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the base class's
        try:
            super().do_handshake(block)
        except (ssl.SSLEOFError, ConnectionResetError) as error:
            raise HandshakeBrokenOffError from error
        except ssl.SSLError as error:
            # With TLS 1.2 one alert says that no cipher, or no certificate, was to its liking: once
            # it has chosen a cipher it is the certificate (RFC 5246 7.4.6).
            if error.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE" and self.cipher() is not None:
                raise CertificateWantedError from error
            raise


class Tls:
    """Whom we trust and what we show, for one port of ours or one peer.

    The files are looked at before each connection: a renewed certificate counts from the next one
    on, in any process. Where what stands there now cannot be used (half of a pair has been
    written), that of before stays, and it is logged once.
    """

    def __init__(
        self, name: str, make: Callable[[], ssl.SSLContext], files: Collection[str]
    ) -> None:
        """`name` stands in the log. Raises what `make` raises."""
        self._name = name
        self._make = make
        self._files = tuple(filter(None, files))
        self._lock = threading.Lock()
        self._seen = self._state()
        self._context = make()

    def context(self) -> ssl.SSLContext:
        """What the next connection is made with. For any thread."""
        with self._lock:
            state = self._state()
            if state != self._seen:
                self._seen = state
                try:
                    self._context = self._make()
                except OSError as error:
                    why = type(error).__name__
                    _log.warning("certificates-not-taken", source=self._name, reason=why)
                else:
                    _log.info("certificates-renewed", source=self._name)
            return self._context

    def _state(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_state_of(file) for file in self._files)


def _state_of(file: str) -> tuple[int, int, int] | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None  # a name between its old file and its new one
    return found.st_mtime_ns, found.st_size, found.st_ino


def client_tls(
    name: str, *, ca_file: str = "", certificate_file: str = "", key_file: str = ""
) -> Tls:
    """For connections that we open to who is called `name`. No `ca_file`: trusts what the computer
    trusts.

    Raises OSError (ssl.SSLError is one) for a file that cannot be read or is none.
    """

    def make() -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file or None)
        _harden(context, certificate_file, key_file)
        return context

    return Tls(name, make, (ca_file, certificate_file, key_file))


def server_tls(
    name: str, *, ca_file: str, certificate_file: str, key_file: str, asks_callers: bool = True
) -> Tls:
    """For the port of ours that is called `name`: callers must show a certificate that `ca_file`
    vouches for, unless `asks_callers` is False.

    Raises OSError for a file that cannot be read or is none.
    """

    def make() -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca_file or None)
        context.verify_mode = ssl.CERT_REQUIRED if asks_callers else ssl.CERT_NONE
        _harden(context, certificate_file, key_file)
        return context

    return Tls(name, make, (ca_file, certificate_file, key_file))


def _harden(context: ssl.SSLContext, certificate_file: str, key_file: str) -> None:
    context.sslsocket_class = _Socket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    if certificate_file:
        # A key under a password is refused: OpenSSL would ask for it on the terminal, and wait.
        context.load_cert_chain(certificate_file, key_file or None, password=lambda: "")
