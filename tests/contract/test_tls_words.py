"""Why TLS does not come about, by name: towards OpenSSL's own server, and at our own port."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from structlog.testing import capture_logs

from capture_app.archive.echo import echo_web
from capture_app.diagnostics.doctor import examine
from capture_app.errors import TransientDeliveryError
from capture_app.model.reason import Reason
from capture_app.net.deadline import Deadline
from capture_app.net.http import HttpClient
from capture_app.net.tls import Tls, client_tls
from capture_app.net.wire import Address, connect
from capture_app.settings.schema import ArchiveDestination, Settings
from tests.archives import CLOCK
from tests.contract.test_adt_tls import feed_over_tls, s_client, shown
from tests.contract.test_archive_tls import Authority
from tests.peers import HOST, free_port
from tests.waiting import eventually

SECONDS = 30
OLD = ["-cipher", "DEFAULT@SECLEVEL=0"]


@dataclass(frozen=True)
class Papers:
    """Who is who. RSA ones are their own authorities."""

    hospital: Authority
    stranger: Authority
    rsa: Path
    weak: Path

    def of(self, name: str) -> Path:
        match name:
            case "expired":
                return self.hospital.sign("expired", ends=timedelta(minutes=-1))
            case "elsewhere":
                return self.hospital.sign("elsewhere", host="10.9.9.9")
            case "callers-alone":
                return self.hospital.sign(name, usages=[ExtendedKeyUsageOID.CLIENT_AUTH])
            case "servers-alone":
                return self.hospital.sign(name, usages=[ExtendedKeyUsageOID.SERVER_AUTH])
            case "rsa" | "weak":
                return self.rsa if name == "rsa" else self.weak
            case "foreign":
                return self.stranger.sign("foreign")
            case _:
                return self.hospital.sign(name)

    def trusting(self, name: str) -> Path:
        return self.of(name) if name in {"rsa", "weak"} else self.hospital.file


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    return Papers(
        Authority.made(folder / "hospital", "Hospital CA"),
        Authority.made(folder / "stranger", "Stranger CA"),
        self_signed(folder / "rsa.crt", 2048),
        self_signed(folder / "weak.crt", 1024),
    )


def self_signed(path: Path, bits: int) -> Path:
    asked = ["-newkey", f"rsa:{bits}", "-nodes", "-days", "2", "-subj", "/CN=pacs"]
    named = ["-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(path.with_suffix(".key"))]
    command = ["openssl", "req", "-x509", *asked, *named, "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    return path


@contextmanager
def s_server(certificate: Path, *options: str) -> Iterator[int]:
    port, key = free_port(), str(certificate.with_suffix(".key"))
    command = ["openssl", "s_server", "-accept", f"{HOST}:{port}", "-cert", str(certificate)]
    with subprocess.Popen(
        [*command, "-key", key, "-quiet", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            eventually(lambda: listens(port), what="openssl to listen")
            yield port
        finally:
            process.kill()


def listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), SECONDS).close()
    except OSError:
        return False
    return True


def by_wire(tls: Tls, port: int) -> str:
    """What a conversation in DICOM or HL7 would be told."""
    deadline = Deadline.after(CLOCK, SECONDS)
    try:
        with connect(Address("pacs", HOST, port, tls), deadline) as wire:
            wire.send(b"?")
            wire.receive(1, within_message=False)  # TLS 1.3 tells of our certificate only here
    except TransientDeliveryError as error:
        return error.code
    return ""


def by_web(tls: Tls, port: int) -> str:
    client = HttpClient("pacs", tls=tls)
    result = echo_web("pacs", f"https://{HOST}:{port}", client, CLOCK, SECONDS)
    client.close()
    return result.code


ASKS = ["-Verify", "1", "-verify_return_error", "-CAfile"]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    ("theirs", "ours", "options", "code"),
    [
        ("expired", "", [], "tls-expired"),
        ("elsewhere", "", [], "tls-wrong-host"),
        ("foreign", "", [], "tls-unknown-authority"),
        ("weak", "", OLD, "tls-weak-certificate"),
        ("callers-alone", "", [], "tls-wrong-purpose"),
        ("pacs", "", ASKS, "tls-certificate-wanted"),
        ("pacs", "foreign", ASKS, "tls-ours"),
        ("pacs", "expired", ASKS, "tls-ours"),
        ("pacs", "servers-alone", ASKS, "tls-ours"),
    ],
)
def test_a_certificate_is_told_by_what_is_wrong_with_it(
    *, papers: Papers, version: str, theirs: str, ours: str, options: list[str], code: str
) -> None:
    mine = papers.of(ours) if ours else None
    tls = client_tls(
        "pacs",
        ca_file=str(papers.trusting(theirs)),
        certificate_file=str(mine or ""),
        key_file=str(mine.with_suffix(".key")) if mine else "",
    )
    more = [*options, str(papers.hospital.file)] if options == ASKS else options
    with s_server(papers.of(theirs), version, *more) as port:
        assert (by_wire(tls, port), by_web(tls, port)) == (code, code)
    assert str(Reason.of(code, name="pacs")) != str(Reason.of("tls", name="pacs"))


@pytest.mark.parametrize(
    ("theirs", "options", "code"),
    [
        ("pacs", ["-tls1_1", *OLD], "tls-too-old"),
        ("pacs", ["-tls1", *OLD], "tls-too-old"),
        ("rsa", ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], "tls-no-common-cipher"),
        ("rsa", ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], "tls-no-common-cipher"),
        ("pacs", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], "tls-no-common-cipher"),
    ],
)
def test_old_tls_and_weak_ciphers_are_told_apart(
    papers: Papers, theirs: str, options: list[str], code: str
) -> None:
    tls = client_tls("pacs", ca_file=str(papers.trusting(theirs)))
    with s_server(papers.of(theirs), *options) as port:
        assert (by_wire(tls, port), by_web(tls, port)) == (code, code)


def test_the_doctor_has_the_code_too(papers: Papers, tmp_path: Path) -> None:
    with s_server(papers.of("expired")) as port:
        archive = ArchiveDestination(
            "pacs",
            ae_title="PACS",
            host=HOST,
            port=port,
            tls=True,
            ca_file=str(papers.hospital.file),
        )
        settings = Settings(tmp_path / "data", archives=(archive,))
        found = examine(settings, str, CLOCK, tmp_path / "engine.lock")
    reasons = {one.facts["reason"] for one in found if one.code == "c-echo-failed"}
    assert reasons == {"tls-expired"}


@pytest.mark.parametrize(
    ("asks", "options", "shows", "code"),
    [
        (False, ["-tls1_1", *OLD], "", "tls-too-old"),
        (False, ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], "", "tls-no-common-cipher"),
        (False, ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], "", "tls-no-common-cipher"),
        (True, [], "", "tls-certificate-missing"),
        (True, ["-tls1_2"], "", "tls-certificate-missing"),
        (True, [], "foreign", "tls-unknown-authority"),
        (True, [], "expired", "tls-expired"),
        (True, [], "servers-alone", "tls-wrong-purpose"),
    ],
)
def test_the_log_says_why_a_sender_does_not_get_in(
    *, papers: Papers, tmp_path: Path, asks: bool, options: list[str], shows: str, code: str
) -> None:
    authority = papers.hospital.file if asks else None
    with (
        capture_logs() as entries,
        feed_over_tls(tmp_path, papers.of("station"), ca_file=authority) as feed,
    ):
        certificate = shown(papers.of(shows) if shows else None)
        assert s_client(feed.port, papers.hospital, *options, *certificate) == b""
        eventually(lambda: any(map(is_end, entries)), what="the end in the log")
    assert [one["code"] for one in entries if is_end(one)] == [code]


def is_end(entry: object) -> bool:
    return isinstance(entry, dict) and entry["event"] == "caller-ended"
