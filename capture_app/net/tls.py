"""TLS as we speak it: 1.2 or newer, forward secret and authenticated, certificates checked.

PS3.15 B.9 and its successors (BCP 195). There is no way to go on with a bad certificate.
"""

from __future__ import annotations

import ssl
from typing import Final

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: ephemeral keys and authenticated encryption alone (RFC 9325 4.2). All of 1.3 are."""


def client_context(
    *, ca_file: str = "", certificate_file: str = "", key_file: str = ""
) -> ssl.SSLContext:
    """The context for a connection that we open. No `ca_file`: trusts what the computer trusts.

    Raises OSError (ssl.SSLError is one) for a file that cannot be read or is none.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file or None)
    _harden(context, certificate_file, key_file)
    return context


def server_context(
    *, ca_file: str, certificate_file: str, key_file: str, asks_callers: bool = True
) -> ssl.SSLContext:
    """The context for a port of ours: callers must show a certificate that `ca_file` vouches for,
    unless `asks_callers` is False.

    Raises OSError for a file that cannot be read or is none.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca_file or None)
    context.verify_mode = ssl.CERT_REQUIRED if asks_callers else ssl.CERT_NONE
    _harden(context, certificate_file, key_file)
    return context


def _harden(context: ssl.SSLContext, certificate_file: str, key_file: str) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    if certificate_file:
        # A key under a password is refused: OpenSSL would ask for it on the terminal, and wait.
        context.load_cert_chain(certificate_file, key_file or None, password=lambda: "")
