"""The admissions feed over TLS, called by OpenSSL and by python-hl7 through a TLS relay."""

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import hl7.client
import pytest
from structlog.testing import capture_logs

from capture_app.clock import SystemClock
from capture_app.model.audit_event import AuditAction
from capture_app.net.mllp import framed
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.contract.test_archive_tls import Authority
from tests.peers import HOST

CLOCK = SystemClock()
SECONDS = 30

ADMIT = (
    b"MSH|^~\\&|ADT|HOSP|||20240702080000||ADT^A01|ID1|P|2.5.1||||||UNICODE UTF-8\r"
    b"EVN|A01|20240702080000\rPID|1||7^^^HOSP^MR||Doe^Jane||19560714|F\r"
    b"PV1|1|I|4B^12||||||||||||||||V7\r"
)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("tls") / "hospital", "Hospital CA")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("tls") / "stranger", "Stranger CA")


@dataclass
class Running:
    census: Census
    port: int
    trail: list[tuple[AuditAction, Mapping[str, str]]] = field(default_factory=list)


@contextmanager
def feed_over_tls(
    folder: Path, server: Path, *, ca_file: Path | None = None, certificates: tuple[str, ...] = ()
) -> Iterator[Running]:
    feed = AdtFeed(
        host=HOST,
        port=0,
        assigning_authority="HOSP",
        tls=True,
        certificate_file=str(server),
        certificate_key_file=str(server.with_suffix(".key")),
        ca_file=str(ca_file or ""),
        sender_certificates=certificates,
    )
    settings = Settings(data_dir=folder, adt=feed)
    with closing(open_census(folder, Cipher(b"k" * 32), CLOCK, settings)) as census:
        running = Running(census, 0)
        receiver = AdtReceiver(
            *(census, feed, CLOCK),
            record=lambda action, details: running.trail.append((action, details)),
        )
        receiver.start()
        running.port = receiver.port
        try:
            yield running
        finally:
            receiver.stop()


def fingerprint(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


def shown(certificate: Path | None) -> list[str]:
    if certificate is None:
        return []
    return ["-cert", str(certificate), "-key", str(certificate.with_suffix(".key"))]


def s_client(port: int, trusted: Authority, *options: str, said: bytes = framed(ADMIT)) -> bytes:
    """What comes back by OpenSSL's own client; b"" where the connection did not stand."""
    openssl = shutil.which("openssl")
    assert openssl, "openssl is part of the set-up for tests"
    with subprocess.Popen(
        [
            *(openssl, "s_client", "-connect", f"{HOST}:{port}", "-CAfile", str(trusted.file)),
            *("-verify_return_error", "-quiet", "-no_ign_eof", *options),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,  # else what was not taken would be written once more at the end
    ) as process:
        assert process.stdin
        assert process.stdout
        ends = threading.Timer(SECONDS, process.kill)
        ends.start()
        try:
            process.stdin.write(said)
            process.stdin.flush()
            answer, out = bytearray(), process.stdout.fileno()
            while not answer.endswith(b"\x1c\r") and (part := os.read(out, 4096)):
                answer += part
        except BrokenPipeError:
            return b""
        finally:
            ends.cancel()
            process.kill()
    return bytes(answer)


def test_a_sender_that_trusts_us_sends_by_tls_and_none_in_clear(
    tmp_path: Path, hospital: Authority
) -> None:
    with feed_over_tls(tmp_path, hospital.sign("station")) as feed:
        assert b"MSA|AA|ID1" in s_client(feed.port, hospital)
        assert b"MSA|AA|ID1" in s_client(feed.port, hospital, "-tls1_2")
        with socket.create_connection((HOST, feed.port), SECONDS) as clear:
            clear.sendall(framed(ADMIT))
            with suppress(ConnectionResetError):
                assert b"MSA" not in clear.recv(4096)
        assert len(feed.census.find("")) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],  # no forward secrecy
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],  # no authenticated encryption
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"],
    ],
)
def test_what_is_old_or_weak_is_refused(
    tmp_path: Path, hospital: Authority, options: list[str]
) -> None:
    with feed_over_tls(tmp_path, hospital.sign("station")) as feed:
        assert s_client(feed.port, hospital, *options) == b""
        assert b"MSA|AA|ID1" in s_client(
            feed.port, hospital, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"
        )


def test_senders_show_a_certificate_of_the_named_authority(
    tmp_path: Path, hospital: Authority, stranger: Authority
) -> None:
    engine = hospital.sign("engine")
    with feed_over_tls(tmp_path, hospital.sign("station"), ca_file=hospital.file) as feed:
        assert s_client(feed.port, hospital) == b""
        assert s_client(feed.port, hospital, *shown(stranger.sign("engine"))) == b""
        assert feed.census.find("") == ()
        assert b"MSA|AA|ID1" in s_client(feed.port, hospital, *shown(engine))
        assert b"MSA|AA|ID1" in s_client(feed.port, hospital, *shown(engine))
    details = {"feed": "adt", "peer": HOST, "certificate": fingerprint(engine)}
    assert feed.trail == [(AuditAction.FEED_SENDER_HEARD, details)]  # once


@pytest.mark.parametrize("by", ["fingerprint", "fingerprint with colons", "name"])
def test_the_feed_is_bound_to_the_certificates_that_the_site_names(
    tmp_path: Path, hospital: Authority, by: str
) -> None:
    engine, other = hospital.sign("engine"), hospital.sign("other", host="192.0.2.7")
    text = fingerprint(engine)
    colons = ":".join(text[at : at + 2] for at in range(0, 64, 2)).upper()
    named = {"fingerprint": text, "fingerprint with colons": colons, "name": HOST}[by]
    with (
        capture_logs() as entries,
        feed_over_tls(
            tmp_path, hospital.sign("station"), ca_file=hospital.file, certificates=(named,)
        ) as feed,
    ):
        assert s_client(feed.port, hospital, *shown(other)) == b""
        assert feed.census.find("") == ()
        assert b"MSA|AA|ID1" in s_client(feed.port, hospital, *shown(engine))
    assert [action for action, _ in feed.trail] == [
        AuditAction.FEED_SENDER_TURNED_AWAY,
        AuditAction.FEED_SENDER_HEARD,
    ]
    said = [entry for entry in entries if entry["event"] == "caller-not-allowed"]
    assert [entry["peer"] for entry in said] == [HOST]


def test_python_hl7_sends_through_tls(tmp_path: Path, hospital: Authority) -> None:
    """Its socket put under TLS, as a tunnel would."""
    engine = hospital.sign("engine")
    context = ssl.create_default_context(cafile=str(hospital.file))
    context.load_cert_chain(engine, engine.with_suffix(".key"))
    with (
        feed_over_tls(tmp_path, hospital.sign("station"), ca_file=hospital.file) as feed,
        hl7.client.MLLPClient(HOST, feed.port) as client,
    ):
        tcp = client.socket  # type: ignore[attr-defined] # the stub leaves it out
        client.socket = context.wrap_socket(tcp, server_hostname=HOST)  # type: ignore[attr-defined]
        for number in range(50):
            said = ADMIT.replace(b"ID1", b"N%d" % number).replace(b"7^^^", b"%d^^^" % number)
            assert b"MSA|AA|N%d" % number in client.send_message(said)
        assert len(feed.census.find("", limit=100)) == 50
