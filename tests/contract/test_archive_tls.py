"""TLS towards DCMTK and towards an HTTPS server: fails closed, and says so."""

import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from pynetdicom import AE, build_role

from capture_app.archive.commitment import STORAGE_COMMITMENT
from capture_app.archive.connect import commitment_listeners
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from tests.archive_samples import photo
from tests.archives import CLOCK, SECONDS, STATION, archive_for, said, store
from tests.peers import HOST, free_port, run_storescp

_USAGES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
NOW = datetime.now(UTC)  # noqa: TID251 - certificates are valid by the real clock


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of a test, and the certificates it signed."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls, folder: Path, name: str) -> "Authority":
        folder.mkdir(exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        certificate = (
            _certificate(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        authority = cls(folder, key, certificate)
        _write(authority.file, certificate.public_bytes(serialization.Encoding.PEM))
        return authority

    @property
    def file(self) -> Path:
        return self.folder / "ca.crt"

    def sign(
        self,
        name: str,
        *,
        host: str = HOST,
        ends: timedelta = timedelta(days=1),
        usages: Collection[ObjectIdentifier] = _USAGES,
    ) -> Path:
        """The path of a certificate; its key lies beside it, with the suffix .key."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives: list[x509.GeneralName] = [x509.IPAddress(ip_address(host))]
        certificate = (
            _certificate(_named(name), self.certificate.subject, key.public_key(), NOW + ends)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"{name}.crt"
        _write(path, certificate.public_bytes(serialization.Encoding.PEM))
        _write(
            path.with_suffix(".key"),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def own_certificate(folder: Path) -> Path:
    """The path of a certificate for HOST that its owner signed; its key lies beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    certificate = (
        _certificate(_named("device"), _named("device"), key.public_key())
        .add_extension(host, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.crt"
    _write(path, certificate.public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(path.with_suffix(".key"), key.private_bytes(pem, form, serialization.NoEncryption()))
    return path


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    ends: datetime | None = None,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(ends or NOW + timedelta(days=30))
    )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o644)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("tls") / "hospital", "Hospital CA")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("tls") / "stranger", "Stranger CA")


def dimse(port: int, trusted: Authority, certificate: Path | None) -> ArchiveDestination:
    return ArchiveDestination(
        "pacs",
        host=HOST,
        port=port,
        ae_title="PACS",
        tls=True,
        ca_file=str(trusted.file),
        certificate_file=str(certificate or ""),
        certificate_key_file=str(certificate.with_suffix(".key")) if certificate else "",
        deadline_seconds=SECONDS,
    )


def test_dcmtk_and_we_show_each_other_certificates(
    hospital: Authority, stranger: Authority
) -> None:
    server = hospital.sign("server")
    ours, of_a_stranger = hospital.sign("ours"), stranger.sign("ours")
    options = ("+tls", str(server.with_suffix(".key")), str(server), "+cf", str(hospital.file))
    sample = photo(size=(600, 800))
    with run_storescp(aet="PACS", options=(*options, "-rc")) as peer:
        port = peer.dicom_port
        good = archive_for(dimse(port, hospital, ours))
        assert [said(o) for o in store(good, [sample, photo()])] == ["stored", "stored"]
        assert len(peer.files()) == 2
        for trusted, certificate, told in (
            (stranger, ours, {"tls-unknown-authority"}),
            # It may hang up before its alert is read.
            (hospital, of_a_stranger, {"tls-ours", "aborted"}),
            (hospital, None, {"tls-certificate-wanted", "aborted"}),
        ):
            bad = archive_for(dimse(port, trusted, certificate))
            (outcome,) = store(bad, [photo()])
            assert outcome.code in told  # type: ignore[union-attr]
        assert len(peer.files()) == 2


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("expired", {"ends": timedelta(days=-1)}, "tls-expired"),
        ("elsewhere", {"host": "192.0.2.1"}, "tls-wrong-host"),
    ],
)
def test_a_certificate_that_is_over_or_of_another_host_ends_it(
    hospital: Authority, name: str, more: dict[str, Any], told: str
) -> None:
    server = hospital.sign(name, **more)
    with serving_https(server) as port:
        for settings in (dimse(port, hospital, None), stow(port, hospital)):
            (outcome,) = store(archive_for(settings), [photo()])
            assert said(outcome) == f"transient {told}"
            assert "certificate" in str(outcome)


def test_a_port_without_tls_is_told_as_that(hospital: Authority) -> None:
    with run_storescp(aet="PACS") as peer:
        (outcome,) = store(archive_for(dimse(peer.dicom_port, hospital, None)), [photo()])
        assert said(outcome) in {"transient tls-broken-off", "transient tls-plaintext"}
    with HTTPServer((HOST, 0), _Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            (outcome,) = store(archive_for(stow(server.server_address[1], hospital)), [photo()])
        finally:
            server.shutdown()
            thread.join()
    assert said(outcome) == "transient tls-plaintext"


def stow(port: int, trusted: Authority) -> ArchiveDestination:
    return ArchiveDestination(
        "pacs",
        protocol=ArchiveProtocol.STOW,
        url=f"https://{HOST}:{port}/dicom-web",
        ca_file=str(trusted.file),
        deadline_seconds=SECONDS,
    )


class _Busy(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(503)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def serving_https(certificate: Path, suite: str = "") -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    if suite:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suite)

    class Server(HTTPServer):
        def get_request(self) -> tuple[Any, Any]:
            sock, place = super().get_request()
            sock.settimeout(SECONDS)
            try:
                return context.wrap_socket(sock, server_side=True), place
            except OSError:
                sock.close()
                raise

    with Server((HOST, 0), _Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_https_trusts_the_named_authority_alone(hospital: Authority, stranger: Authority) -> None:
    with serving_https(hospital.sign("web")) as port:
        (reached,) = store(archive_for(stow(port, hospital)), [photo()])
        assert said(reached) == "transient http-503"
        (refused,) = store(archive_for(stow(port, stranger)), [photo()])
        assert said(refused) == "transient tls-unknown-authority"


def test_reports_may_come_by_tls_from_who_shows_a_certificate(
    hospital: Authority, stranger: Authority
) -> None:
    ours = hospital.sign("listener")
    settings = ArchiveDestination(
        "pacs",
        host=HOST,
        port=free_port(),
        ae_title="PACS",
        commitment_host=HOST,
        commitment_port=free_port(),
        tls=True,
        ca_file=str(hospital.file),
        certificate_file=str(ours),
        certificate_key_file=str(ours.with_suffix(".key")),
    )
    listener = commitment_listeners([settings], STATION, CLOCK)["pacs"]
    listener.start()
    try:
        ae = AE("PACS")
        ae.connection_timeout = ae.acse_timeout = ae.network_timeout = 5
        ae.add_requested_context(STORAGE_COMMITMENT)
        role = build_role(STORAGE_COMMITMENT, scp_role=True)
        known = (showing(hospital, hospital.sign("pacs")), HOST)
        assoc = ae.associate(
            HOST, listener.port, ae_title="CAPTURE", ext_neg=[role], tls_args=known
        )
        assert assoc.is_established
        assoc.release()
        unknown = showing(hospital, stranger.sign("pacs"))
        assert is_hung_up_on(unknown, listener.port)
    finally:
        listener.stop()


@pytest.mark.expects_log(
    "Association Rejected", "Result: Rejected Permanent", "Calling AE title not recognised"
)
def test_a_known_ae_title_counts_only_from_where_its_archive_is(
    hospital: Authority,
) -> None:
    """By address, and by the certificate that it shows."""
    ours, pacs = hospital.sign("listener"), hospital.sign("pacs", host="192.0.2.9")
    settings = ArchiveDestination(
        "pacs",
        host=HOST,
        port=free_port(),
        ae_title="PACS",
        commitment_host=HOST,
        commitment_port=free_port(),
        report_senders=(HOST,),
        report_certificates=("192.0.2.9",),
        tls=True,
        ca_file=str(hospital.file),
        certificate_file=str(ours),
        certificate_key_file=str(ours.with_suffix(".key")),
    )
    listener = commitment_listeners([settings], STATION, CLOCK)["pacs"]
    listener.start()
    try:
        ae = AE("PACS")
        ae.connection_timeout = ae.acse_timeout = ae.network_timeout = 5
        ae.add_requested_context(STORAGE_COMMITMENT)
        for certificate, source, is_taken in (
            (pacs, HOST, True),
            (pacs, "127.0.0.2", False),
            (hospital.sign("another"), HOST, False),
        ):
            assoc = ae.associate(
                *(HOST, listener.port),
                ae_title="CAPTURE",
                tls_args=(showing(hospital, certificate), HOST),
                bind_address=(source, 0),
            )
            assert assoc.is_established is is_taken
            if is_taken:
                assoc.release()
    finally:
        listener.stop()


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_an_archive_with_weak_suites_only_is_not_talked_to(hospital: Authority, suite: str) -> None:
    server = hospital.sign("weak")
    with serving_https(server, suite) as port:
        (outcome,) = store(archive_for(dimse(port, hospital, None)), [photo()])
        assert said(outcome) == "transient tls-no-common-cipher"


def showing(trusted: Authority, certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(trusted.file))
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def is_hung_up_on(context: ssl.SSLContext, port: int) -> bool:
    """At the handshake, or (TLS 1.3) when the server has seen our certificate."""
    try:
        with (
            socket.create_connection((HOST, port), 5) as tcp,
            context.wrap_socket(tcp, server_hostname=HOST) as secured,
        ):
            return secured.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True
