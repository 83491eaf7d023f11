"""`serve` as its service manager and its administrator see it: told, watched, and read again."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import requests

from capture_app.clock import SystemClock
from capture_app.demo.hospital import Hospital
from capture_app.demo.people import ADMISSIONS
from capture_app.settings.describe import settings_toml
from capture_app.settings.schema import Health, Settings
from tests.contract.test_archive_tls import Authority
from tests.e2e import planted_serve
from tests.e2e.commands import CaptureApp
from tests.peers import free_port, is_listening
from tests.waiting import eventually

_PATIENCE_S = 60.0
_WATCHDOG_S = 1.0
_MANY_BEATS_S = 2.5


@dataclass(slots=True)
class Manager:
    """The end of systemd: a datagram socket, and all that was said on it."""

    sock: socket.socket
    address: str
    said: list[str] = field(default_factory=list)

    def next(self, seconds: float = _PATIENCE_S) -> str:
        """The next message. TimeoutError where none comes."""
        self.sock.settimeout(seconds)
        self.said.append(self.sock.recv(4096).decode())
        return self.said[-1]

    def until(self, line: str) -> str:
        """Reads on to the message that has a line beginning so."""
        while True:
            message = self.next()
            if any(one.startswith(line) for one in message.splitlines()):
                return message

    def beats_within(self, seconds: float) -> int:
        """How many beats of the watchdog come in that time."""
        clock, beats = SystemClock(), 0
        end = clock.monotonic() + seconds
        try:
            while (left := end - clock.monotonic()) > 0:
                beats += self.next(left) == "WATCHDOG=1"
        except TimeoutError:
            pass
        return beats


@pytest.fixture
def manager() -> Iterator[Manager]:
    name = f"capture-app-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        yield Manager(sock, f"@{name}")


@contextmanager
def serving(argv: Sequence[str], manager: Manager) -> Iterator[subprocess.Popen[str]]:
    """A process that the manager started; killed at the end if it still is there."""
    told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": f"{_WATCHDOG_S * 1e6:.0f}"}
    pipe = subprocess.PIPE
    environ = os.environ | told
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True, env=environ) as process:
        try:
            yield process
        finally:
            process.kill()
            _, err = process.communicate(timeout=_PATIENCE_S)
            sys.stderr.write(err)


def planted(capture_app: CaptureApp, fault: str, flag: Path) -> list[str]:
    script = str(Path(planted_serve.__file__))
    return [
        *(sys.executable, script, fault, str(flag)),
        *("--settings", str(capture_app.settings)),
    ]


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted process finds the application as a test does."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def write(capture_app: CaptureApp, settings: Settings) -> None:
    capture_app.settings.write_text(settings_toml(settings), encoding="utf-8")


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_manager_is_told_how_it_is_from_begin_to_end(
    capture_app: CaptureApp, manager: Manager
) -> None:
    with serving(capture_app.argv("serve"), manager) as process:
        manager.until("READY=1")
        assert "WATCHDOG=1" in manager.said, "ready is who has delivered a round"
        assert "STATUS=Delivering: 0 on their way, 0 stopped." in manager.said
        for _ in range(3):
            manager.until("WATCHDOG=1")
        process.terminate()
        manager.until("STOPPING=1")
        assert process.wait(_PATIENCE_S) == 0


@pytest.mark.parametrize("fault", [planted_serve.HANGS, planted_serve.ENDS])
def test_an_engine_that_hangs_or_is_gone_stops_the_watchdog(
    capture_app: CaptureApp, manager: Manager, tmp_path: Path, fault: str
) -> None:
    flag = tmp_path / "flag"
    with serving(planted(capture_app, fault, flag), manager) as process:
        assert line_of(process).startswith("Serving")
        manager.until("READY=1")
        flag.touch()
        assert line_of(process) == "planted"
        manager.beats_within(0.1)  # what was under way
        assert manager.beats_within(_MANY_BEATS_S * _WATCHDOG_S) == 0
        process.send_signal(signal.SIGHUP)
        manager.until("READY=1")  # only the engine hangs: nothing else would have told


def test_hangup_reads_the_settings_again(
    hospital: Hospital, capture_app: CaptureApp, manager: Manager
) -> None:
    old = hospital.settings.adt
    assert old is not None
    new = replace(old, port=free_port())
    with serving(capture_app.argv("serve"), manager) as process:
        manager.until("READY=1")
        eventually(lambda: is_listening(old.port), what="the feed to listen")
        write(capture_app, replace(hospital.settings, adt=new))
        process.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in manager.until("RELOADING=1")
        manager.until("READY=1")
        eventually(lambda: is_listening(new.port), what="the feed to listen anew")
        assert not is_listening(old.port)
        manager.until("WATCHDOG=1")
        process.terminate()
        assert process.wait(_PATIENCE_S) == 0


def test_a_renewed_certificate_counts_at_once_and_hangup_ends_who_came_before(
    hospital: Hospital, capture_app: CaptureApp, manager: Manager, tmp_path: Path
) -> None:
    feed, authority = hospital.settings.adt, Authority.made(tmp_path / "ca", "Hospital CA")
    assert feed is not None
    ours = authority.sign("feed")
    tls = replace(
        feed,
        tls=True,
        certificate_file=str(ours),
        certificate_key_file=str(ours.with_suffix(".key")),
    )
    write(capture_app, replace(hospital.settings, adt=tls))

    def shows(certificate: str) -> bool:
        if not is_listening(feed.port):
            return False
        return ssl.get_server_certificate((feed.host, feed.port)) == certificate

    with serving(capture_app.argv("serve"), manager) as process:
        manager.until("READY=1")
        eventually(lambda: shows(ours.read_text("ascii")), what="the feed to show who we are")
        before = ssl.create_default_context(cafile=str(authority.file))
        with (
            socket.create_connection((feed.host, feed.port), _PATIENCE_S) as plain,
            before.wrap_socket(plain, server_hostname=feed.host) as sender,
        ):
            process.send_signal(signal.SIGHUP)
            manager.until("READY=1")
            renewed = authority.sign("feed").read_text("ascii")  # in the place of the first
            assert shows(renewed)
            sender.settimeout(0.05)
            with pytest.raises(TimeoutError):
                sender.recv(1)
            process.send_signal(signal.SIGHUP)
            manager.until("READY=1")
            sender.settimeout(_PATIENCE_S)
            assert sender.recv(1) == b""
        assert shows(renewed)
        process.terminate()
        assert process.wait(_PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ('schema_version = 1\n[adt]\nport = "x"\n', "adt.port"),
        ("not toml", "the file"),
        ("", "data_dir"),
    ],
)
def test_a_wrong_file_is_refused_and_the_old_settings_stay(
    hospital: Hospital, capture_app: CaptureApp, manager: Manager, wrong: str, key: str
) -> None:
    """The last is a change that a process cannot make: of the folder that it has open."""
    feed = hospital.settings.adt
    assert feed is not None
    elsewhere = hospital.settings.data_dir.with_name("elsewhere")
    text = wrong or settings_toml(replace(hospital.settings, data_dir=elsewhere))
    with serving(capture_app.argv("serve"), manager) as process:
        manager.until("READY=1")
        capture_app.settings.write_text(text, encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        manager.until("RELOADING=1")
        assert key in manager.until("STATUS=Delivering")
        manager.until("READY=1")
        manager.until("WATCHDOG=1")
        eventually(lambda: is_listening(feed.port), what="the feed to listen")
        write(capture_app, hospital.settings)
        process.send_signal(signal.SIGHUP)
        assert "wrong" not in manager.until("STATUS=Delivering"), "mended, it is no longer told"
        process.terminate()
        _, err = process.communicate(timeout=_PATIENCE_S)
    assert process.returncode == 0
    assert "Those of before stay in force." in err
    assert key in err


def test_settings_that_cannot_be_opened_are_left_for_those_of_before(
    hospital: Hospital, capture_app: CaptureApp, manager: Manager, tmp_path: Path
) -> None:
    archive = replace(hospital.settings.archives[0], name=planted_serve.UNUSABLE)
    feed = hospital.settings.adt
    assert feed is not None
    argv = planted(capture_app, planted_serve.NO_ARCHIVE, tmp_path / "flag")
    with serving(argv, manager) as process:
        manager.until("READY=1")
        write(capture_app, replace(hospital.settings, archives=(archive,)))
        process.send_signal(signal.SIGHUP)
        assert "planted" in manager.until("STATUS=Delivering")
        manager.until("READY=1")
        eventually(lambda: is_listening(feed.port), what="the feed to listen again")
        process.terminate()
        assert process.wait(_PATIENCE_S) == 0


def test_health_and_metrics_say_how_it_is_and_name_nobody(
    hospital: Hospital, capture_app: CaptureApp, manager: Manager, tmp_path: Path
) -> None:
    port, flag = free_port(), tmp_path / "flag"
    write(capture_app, replace(hospital.settings, health=Health(port)))
    where = f"http://127.0.0.1:{port}"
    with serving(planted(capture_app, planted_serve.HANGS, flag), manager) as process:
        assert line_of(process).startswith("Serving")
        manager.until("READY=1")
        assert hospital.admissions.acknowledged.wait(_PATIENCE_S)
        answer = eventually(lambda: _good(where), what="a good health")
        assert answer is not None
        assert answer.status_code == 200
        said = answer.json()
        assert said["problems"] == []
        assert said["delivers"] is True
        assert [one["destination"] for one in said["destinations"]] == ["practice"]
        adt = next(feed for feed in said["feeds"] if feed["kind"] == "adt")
        assert adt["last_message_s"] >= 0
        metrics = requests.get(f"{where}/metrics", timeout=_PATIENCE_S).text
        assert 'capture_app_oldest_waiting_seconds{destination="practice"} 0\n' in metrics
        assert "capture_app_good 1\n" in metrics
        together = metrics + json.dumps(said)
        for patient in (admission.patient for admission in ADMISSIONS):
            assert patient.patient_id.value not in together
            assert patient.name.alphabetic.family not in together
        flag.touch()
        assert line_of(process) == "planted"
        answer = requests.get(f"{where}/health", timeout=_PATIENCE_S)
        assert answer.json()["round_s"] >= 0, "it is answered however the engine hangs"


def _good(where: str) -> requests.Response | None:
    try:
        answer = requests.get(f"{where}/health", timeout=_PATIENCE_S)
    except requests.ConnectionError:
        return None
    has_heard = any(feed["last_message_s"] is not None for feed in answer.json()["feeds"])
    return answer if answer.ok and has_heard else None


def test_a_health_port_that_cannot_be_had_stops_nobody(
    hospital: Hospital, capture_app: CaptureApp, manager: Manager
) -> None:
    with socket.socket() as another:
        another.bind(("127.0.0.1", 0))
        another.listen()
        port = another.getsockname()[1]
        write(capture_app, replace(hospital.settings, health=Health(port)))
        with serving(capture_app.argv("serve"), manager) as process:
            manager.until("READY=1")
            process.terminate()
            _, err = process.communicate(timeout=_PATIENCE_S)
    told = f"port-not-had source=health host=127.0.0.1 port={port} reason=Address already in use"
    assert told in err
