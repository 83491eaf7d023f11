"""A renewed certificate counts from the next connection on, without a restart."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from capture_app.clock import SystemClock
from capture_app.net.deadline import Deadline
from capture_app.net.http import HttpClient
from capture_app.net.listener import Caller, Listener
from capture_app.net.tls import Tls, client_tls, server_tls
from capture_app.net.wire import Address, connect
from tests.contract.test_archive_tls import Authority
from tests.waiting import eventually

HOST = "127.0.0.1"
CLOCK = SystemClock()


@pytest.fixture
def hospital(tmp_path: Path) -> Authority:
    return Authority.made(tmp_path / "hospital", "Hospital CA")


def of_port(certificate: Path, authority: Path | None = None) -> Tls:
    key = str(certificate.with_suffix(".key"))
    return server_tls(
        "adt",
        ca_file=str(authority or ""),
        certificate_file=str(certificate),
        key_file=key,
        asks_callers=authority is not None,
    )


@contextmanager
def port_with(tls: Tls) -> Iterator[int]:
    def serve(caller: Caller) -> None:
        caller.sock.sendall(b"!")

    listener = Listener(HOST, 0, serve, name="adt", clock=CLOCK, tls=tls)
    listener.start()
    try:
        yield listener.port
    finally:
        listener.stop()


def shown_at(port: int) -> str:
    return ssl.get_server_certificate((HOST, port), timeout=30)


def reaches(tls: Tls, port: int) -> str:
    """Empty where it does, else the code of why not."""
    try:
        with connect(Address("pacs", HOST, port, tls), Deadline.after(CLOCK, 30)) as wire:
            assert wire.receive(1, within_message=False) == b"!"
    except Exception as error:  # noqa: BLE001 - what it is, is what is asked
        return str(getattr(error, "code", repr(error)))
    return ""


def test_a_port_shows_what_was_renewed_from_the_next_caller_on(hospital: Authority) -> None:
    ours = hospital.sign("station")
    with capture_logs() as entries, port_with(of_port(ours)) as port:
        first = ours.read_text("ascii")
        assert shown_at(port) == first == shown_at(port)
        hospital.sign("station")
        assert shown_at(port) == ours.read_text("ascii") != first
    assert [one["event"] for one in entries].count("certificates-renewed") == 1


def test_half_of_a_pair_leaves_that_of_before_and_is_told_once(hospital: Authority) -> None:
    ours = hospital.sign("station")
    first, key = ours.read_text("ascii"), ours.with_suffix(".key")
    with capture_logs() as entries, port_with(of_port(ours)) as port:
        hospital.sign("other").replace(ours)
        assert shown_at(port) == first
        assert shown_at(port) == first
        (hospital.folder / "other.key").replace(key)
        assert shown_at(port) == ours.read_text("ascii") != first
        ours.unlink()
        assert shown_at(port) not in {"", first}
    said = [one["event"] for one in entries if one["event"].startswith("certificates")]
    assert said == ["certificates-not-taken", "certificates-renewed", "certificates-not-taken"]


def test_callers_are_believed_by_the_authorities_of_now(
    hospital: Authority, tmp_path: Path
) -> None:
    ours, stranger = hospital.sign("station"), Authority.made(tmp_path / "new", "New CA")
    believed = tmp_path / "believed.pem"
    believed.write_bytes(hospital.file.read_bytes())
    with port_with(of_port(ours, believed)) as port:
        theirs = stranger.sign("engine")
        tls = client_tls(
            "adt",
            ca_file=str(hospital.file),
            certificate_file=str(theirs),
            key_file=str(theirs.with_suffix(".key")),
        )
        assert reaches(tls, port) == "tls-ours"
        believed.write_bytes(stranger.file.read_bytes())
        assert reaches(tls, port) == ""


def test_a_peer_is_believed_by_the_authorities_of_now(hospital: Authority, tmp_path: Path) -> None:
    stranger, believed = Authority.made(tmp_path / "new", "New CA"), tmp_path / "believed.pem"
    believed.write_bytes(stranger.file.read_bytes())
    tls = client_tls("pacs", ca_file=str(believed))
    with port_with(of_port(hospital.sign("pacs"))) as port:
        assert reaches(tls, port) == "tls-unknown-authority"
        believed.write_bytes(hospital.file.read_bytes())
        os.utime(believed, ns=(0, 0))  # as a copy that keeps its time
        assert reaches(tls, port) == ""


def test_who_hangs_up_in_the_handshake_is_told_as_that(hospital: Authority) -> None:
    tls = client_tls("pacs", ca_file=str(hospital.file))
    with closing(socket.create_server((HOST, 0))) as server:

        def hang_up() -> None:
            with suppress(OSError):
                server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert reaches(tls, server.getsockname()[1]) == "tls-broken-off"
        thread.join()


def test_a_line_that_was_kept_alive_is_made_anew_where_its_files_changed(
    hospital: Authority, tmp_path: Path
) -> None:
    believed, made = tmp_path / "believed.pem", list[int]()
    believed.write_bytes(hospital.file.read_bytes())

    def serve(caller: Caller) -> None:
        made.append(1)
        while caller.sock.recv(4096):
            caller.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    listener = Listener(HOST, 0, serve, name="web", clock=CLOCK, tls=of_port(hospital.sign("web")))
    listener.start()
    client = HttpClient("web", tls=client_tls("web", ca_file=str(believed)))

    def asked() -> int:
        url, deadline = f"https://{HOST}:{listener.port}/", Deadline.after(CLOCK, 30)
        answer = client.exchange("GET", url, headers={}, longest_answer=9, deadline=deadline)
        return answer.status

    try:
        assert (asked(), asked(), len(made)) == (200, 200, 1)
        believed.write_bytes(hospital.file.read_bytes() + b"\n")
        assert (asked(), asked(), len(made)) == (200, 200, 2)
        eventually(lambda: listener.callers == 1, what="the line of before to be closed")
    finally:
        client.close()
        listener.stop()
