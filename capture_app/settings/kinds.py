"""Kinds of values that several settings have: a name, a port, a text that an image holds."""

from __future__ import annotations

from typing import Annotated

from capture_app.settings.rules import Between, ExistingFile, Help, Items, Matching, Text

Port = Annotated[int, Between(1, 65535)]
Seconds = Annotated[float, Between(0.1, 3600)]
ShortText = Annotated[str, Text(16)]
LongText = Annotated[str, Text(64)]
Name = Annotated[
    str,
    Matching(
        r"[a-z0-9][a-z0-9_-]{0,31}", "1 to 32 of a-z, 0-9, - and _, beginning with a-z or 0-9"
    ),
]
PortTls = Annotated[bool, Help("Whether the port speaks TLS; certificate_file is needed then.")]
PortCertificate = Annotated[str, ExistingFile(), Help("The certificate of the port, PEM.")]
PortCertificateKey = Annotated[
    str, ExistingFile(), Help("The private key of that certificate, PEM.")
]
CallerCertificates = Annotated[
    tuple[str, ...],
    Matching(
        r"(?!.*//)(?:[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}|[A-Za-z0-9_.:-]{1,253})",
        "a name in the certificate (DNS, IP, or common name), or its SHA-256 fingerprint",
    ),
    Items(50),
    Help(
        "The certificates of those who may call, by a name in each or by its SHA-256 fingerprint; "
        "for a port with TLS that asks for certificates. Empty: any that ca_file vouches for."
    ),
]
KeyName = Annotated[
    str, Matching(r"[A-Za-z0-9_.-]{0,64}", "empty, or 1 to 64 of A-Z, a-z, 0-9, _, . and -")
]
