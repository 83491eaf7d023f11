"""TLS as we speak it: 1.2 or newer, the peer's certificate and name always checked.

PS3.15 B.9 and its successors (BCP 195). There is no way to go on with a bad certificate.
"""

from __future__ import annotations

import ssl


def client_context(
    *, ca_file: str = "", certificate_file: str = "", key_file: str = ""
) -> ssl.SSLContext:
    """The context for a connection that we open. No `ca_file`: trusts what the computer trusts.

    Raises OSError (ssl.SSLError is one) for a file that cannot be read or is none.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file or None)
    _harden(context, certificate_file, key_file)
    return context


def server_context(*, ca_file: str, certificate_file: str, key_file: str) -> ssl.SSLContext:
    """The context for a port of ours: callers must show a certificate that `ca_file` vouches for.

    Raises OSError for a file that cannot be read or is none.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca_file or None)
    context.verify_mode = ssl.CERT_REQUIRED
    _harden(context, certificate_file, key_file)
    return context


def _harden(context: ssl.SSLContext, certificate_file: str, key_file: str) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file:
        # A key under a password is refused: OpenSSL would ask for it on the terminal, and wait.
        context.load_cert_chain(certificate_file, key_file or None, password=lambda: "")
