"""What a scanner sent to a station that serves: listed, filed and discarded by command."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from capture_app.bootstrap import open_rooms
from capture_app.cli.main import main
from capture_app.clock import SystemClock
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.load import load
from tests.e2e.commands import CaptureApp, Finished
from tests.peers import free_port
from tests.receiving import storescu, ultrasound
from tests.waiting import Eventually

PIN = "274913"
Run = Callable[..., Finished]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def settings(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A station with one patient, one user and a port for one scanner."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'schema_version = 1\ndata_dir = "{tmp_path / "data"}"\n'
        f'[security]\nkey_store = "file"\nkey_file = "{tmp_path / "capture.key"}"\n'
        f'[adt]\nassigning_authority = "HOSP"\nport = {free_port()}\n'
        '[[archives]]\nname = "pacs"\nhost = "127.0.0.1"\nport = 9\nae_title = "PACS"\n'
        f"[receiver]\nport = {port}\n"
        '[[receiver.senders]]\nname = "us1"\nae_title = "SCANNER1"\naddresses = ["127.0.0.1"]\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("sys.stdin", StringIO(f"{PIN}\n"))
    first = ["add", "anna", "--first", "--family", "Berg", "--given", "Anna", "--pin-stdin"]
    assert main(["users", "--settings", str(settings), *first]) == 0
    loaded = load(settings_file=settings, data_dir=None, environ={})
    at = f"{SystemClock().now():%Y%m%d%H%M%S}"
    assert loaded.adt is not None
    with open_rooms(loaded, SystemClock()) as rooms:
        message = (
            f"MSH|^~\\&|ADT|HOSP|||{at}||ADT^A01|ID1|P|2.5\rEVN|A01|{at}\r"
            "PID|1||1001^^^HOSP^MR||Doe^Jane||19560714|F\r"
            f"PV1|1|I|4B^12||||||||||||||||V1|||||||||||||||||||||||||{at}\r"
        )
        answer = AdtReceiver(rooms.census, loaded.adt, rooms.clock).handle(message.encode())
        assert b"MSA|AA" in answer
    return settings


@pytest.fixture
def run(settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_it(*arguments: str) -> Finished:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", StringIO(f"{PIN}\n"))
        code = main(["received", "--settings", str(settings), *arguments])
        said = capsys.readouterr()
        return Finished(code, said.out, said.err)

    return run_it


def test_what_a_scanner_sent_is_listed_filed_and_discarded(
    settings: Path, run: Run, port: int, tmp_path: Path, eventually: Eventually
) -> None:
    said = {
        "PatientID": "1001",
        "PatientName": "Doe^Jane",
        "PatientBirthDate": "19560714",
        "PatientSex": "F",
    }
    files = (
        ultrasound(tmp_path, SOPInstanceUID="2.25.1", IssuerOfPatientID="HOSP", **said),
        ultrasound(tmp_path, SOPInstanceUID="2.25.2", IssuerOfPatientID=None, **said),
    )
    with CaptureApp(settings).serving():
        # The port opens once the process has the role.
        eventually(lambda: storescu(port, *files).returncode == 0)
    rows = {row["sop_instance_uid"]: row["id"] for row in run("--json").json}
    assert set(rows) == {"2.25.1", "2.25.2"}
    assert "Doe" not in run().out
    person = ("--patient-id", "1001", "--birth-date", "1956-07-14", "--by", "anna", "--pin-stdin")
    filed = run("file", "--id", rows["2.25.1"], *person)
    assert (filed.code, filed.out) == (0, "2.25.1 queued\n")
    contradicted = run("file", "--id", rows["2.25.2"], *person)
    assert contradicted.code == 3
    assert "--despite issuer" in contradicted.err
    assert run("file", "--id", rows["2.25.2"], *person, "--despite", "name").code == 3
    nobody = run("discard", "--id", rows["2.25.2"])
    assert nobody.code == 3
    gone = run("discard", "--id", rows["2.25.2"], "--by", "anna", "--pin-stdin")
    assert gone.code == 0
    assert run("--json").json == []
    assert run("discard", "--id", "zz", "--by", "anna", "--pin-stdin").code == 3
    assert run("file", "--id", rows["2.25.1"]).code == 2
    assert run("list", "--id", "1").code == 2
