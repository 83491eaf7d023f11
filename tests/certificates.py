"""Certificates and keys as files, good ones and others."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def certificate_between(begins: datetime, ends: datetime) -> bytes:
    """A certificate that holds from `begins` to `ends`, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "trolley")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def write_certificates(folder: Path) -> None:
    """Writes good.crt and its good.key, other.key, locked.key (a password) and text.pem."""
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "trolley")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2044, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    (folder / "good.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    locked = serialization.BestAvailableEncryption(b"password")
    for file, private, protection in (
        ("good.key", key, serialization.NoEncryption()),
        ("other.key", other, serialization.NoEncryption()),
        ("locked.key", key, locked),
    ):
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        (folder / file).write_bytes(private.private_bytes(pem, form, protection))
    (folder / "text.pem").write_text("none of them\n")
