"""`settings check --connect` against peers that answer, that are silent, and that say no."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.events import Event

from capture_app.clock import SystemClock
from capture_app.demo.hospital import Hospital
from capture_app.net.dicom.association import VERIFICATION
from capture_app.patients.sources.worklist.query import MODALITY_WORKLIST_FIND
from capture_app.settings.describe import settings_toml
from capture_app.settings.feeds import AdtFeed, Worklist
from capture_app.settings.scanning import ScanPattern
from capture_app.settings.schema import (
    ArchiveDestination,
    ArchiveProtocol,
    KeyStore,
    ProofChoice,
    Security,
    Settings,
)
from tests.certificates import certificate_between
from tests.e2e.commands import Finished
from tests.faults import bad_servers
from tests.faults.bad_servers import serving
from tests.peers import HOST, Orthanc, free_port

Check = Callable[..., Finished]


@pytest.fixture
def check(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Check]:
    """The command within this process, on a file that holds these settings."""
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    def run(settings: Settings, *options: str) -> Finished:
        path = tmp_path / "settings.toml"
        path.write_text(settings_toml(settings), encoding="utf-8")
        code = main(["settings", "check", "--settings", str(path), *options])
        said = capfd.readouterr()
        return Finished(code, said.out, said.err)

    yield run
    assert not (tmp_path / "data").exists(), "a check writes nothing"


@pytest.fixture
def station(tmp_path: Path) -> Settings:
    """Settings that name nobody yet."""
    (tmp_path / "keys").mkdir()
    security = Security(key_store=KeyStore.FILE, key_file=str(tmp_path / "keys" / "capture.key"))
    adt = AdtFeed(host="0.0.0.0", senders=("10.20.0.5",))  # noqa: S104 - nothing listens
    return Settings(tmp_path / "data", adt=adt, security=security)


def with_orthanc(station: Settings, orthanc: Orthanc, tmp_path: Path, password: str) -> Settings:
    secret = tmp_path / "keys" / "pacs-web.secret"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n")
    pacs = ArchiveDestination(
        "pacs",
        host=HOST,
        port=orthanc.dicom_port,
        ae_title=orthanc.aet,
        url=orthanc.dicomweb,
        user=orthanc.auth[0],
        password_key="pacs-web",
    )
    ris = Worklist("ris", HOST, orthanc.dicom_port, orthanc.aet)
    return replace(station, archives=(pacs,), worklists=(ris,))


def test_every_way_to_every_peer_is_tried(
    check: Check, station: Settings, orthanc: Orthanc, tmp_path: Path
) -> None:
    settings = with_orthanc(station, orthanc, tmp_path, orthanc.auth[1])
    done = check(settings, "--connect", "--json")
    assert (done.code, done.err) == (0, "")
    assert [(one["kind"], one["name"], one["way"]) for one in done.json["tried"]] == [
        ("archive", "pacs", "C-ECHO"),
        ("archive", "pacs", "DICOMweb"),
        ("worklist", "ris", "C-ECHO"),
        ("worklist", "ris", "C-FIND"),
    ]
    for one in done.json["tried"]:
        assert (one["answers"], one["reason"]) == (True, "")
        assert 0 < one["milliseconds"] < 10_000
    told = check(settings, "--connect")
    assert (told.code, told.err) == (0, "")
    first, head, *rows, _advice = told.out.splitlines()
    assert (first, head.split()) == (
        "The settings can be used.",
        ["kind", "name", "by", "ms", "result"],
    )
    assert [row.endswith("It answers.") for row in rows] == [True] * 4


def test_who_does_not_answer_is_told_in_words(
    check: Check, station: Settings, orthanc: Orthanc, tmp_path: Path
) -> None:
    settings = with_orthanc(station, orthanc, tmp_path, "wrong")
    (pacs,) = settings.archives
    with serving(bad_servers.silent) as hung:
        archives = (
            replace(pacs, ae_title="OTHER"),
            replace(pacs, name="gone", port=free_port(), url="", commitment_port=free_port()),
            replace(
                pacs,
                name="hung",
                port=hung.port,
                url="",
                deadline_seconds=1.0,
                commitment_port=free_port(),
            ),
            replace(pacs, name="keyless", protocol=ArchiveProtocol.STOW, password_key="not-there"),
        )
        done = check(replace(settings, archives=archives), "--connect", "--json")
    assert (done.code, done.err, done.json["usable"]) == (2, "", False)
    assert [fault["key"] for fault in done.json["faults"]] == ["archives[3].password_key"]
    said = {(one["name"], one["way"]): one["reason"] for one in done.json["tried"]}
    assert (said.pop(("ris", "C-ECHO")), said.pop(("ris", "C-FIND"))) == ("", "")
    assert said == {
        ("pacs", "C-ECHO"): "pacs does not go by the AE title in the settings.",
        ("pacs", "DICOMweb"): "pacs does not accept this station's user or password.",
        ("gone", "C-ECHO"): "gone does not listen. Nothing answers at its address.",
        ("gone", "C-FIND"): "gone does not listen. Nothing answers at its address.",
        ("hung", "C-ECHO"): "hung did not answer in time.",
        ("hung", "C-FIND"): "hung did not answer in time.",
        ("keyless", "DICOMweb"): "The key store has no entry not-there of capture-app.",
    }
    told = check(replace(settings, archives=archives[1:2]), "--connect")
    assert told.code == 1
    assert "gone does not listen" in told.out


def test_practice_tries_its_own_hospital(check: Check, tmp_path: Path) -> None:
    with Hospital(tmp_path / "shelf", SystemClock(), practice_data=tmp_path / "data") as hospital:
        done = check(hospital.settings, "--connect", "--json")
    assert done.code == 0
    assert {one["kind"] for one in done.json["tried"]} == {"archive", "worklist"}


def test_without_peers_there_is_nothing_to_try(check: Check, station: Settings) -> None:
    done = check(station, "--connect")
    assert (done.code, done.out.splitlines()[0]) == (
        2,
        "There is no archive and no worklist to try.",
    )
    assert "archives: There is no archive that pictures could go to. Allowed: " in done.err
    assert json.loads(check(station, "--connect", "--json").out)["tried"] == []


def test_what_works_and_should_be_looked_at_is_advice(
    check: Check, station: Settings, tmp_path: Path
) -> None:
    archive = ArchiveDestination(
        "web", protocol=ArchiveProtocol.STOW, url="https://pacs.example.org/dicom-web"
    )
    settings = replace(station, archives=(archive,))
    told = check(settings, "--json")
    assert (told.code, told.json["usable"], told.json["faults"]) == (0, True, [])
    assert told.json["advice"][0].startswith("Recommended: scan patterns with a symbology or a pre")
    marked = replace(settings, scan_patterns=(ScanPattern("band", symbologies=("]C1",)),))
    assert check(marked, "--json").json["advice"] == []
    anybody = AdtFeed(host="0.0.0.0")  # noqa: S104 - what the settings would say; nothing listens
    (advice,) = check(replace(marked, adt=anybody), "--json").json["advice"]
    assert advice.startswith("adt.senders: Whoever reaches the port of admissions may say who")
    now = SystemClock().now()
    authority = tmp_path / "ca.pem"
    authority.write_bytes(certificate_between(now - timedelta(days=1), now + timedelta(days=6.5)))
    ending = replace(marked, archives=(replace(archive, ca_file=str(authority)),), adt=AdtFeed())
    assert check(ending).out.splitlines() == [
        "The settings can be used.",
        "archives[0].ca_file: It expires in 6 days.",
        "adt.host: only this computer reaches the admissions feed there.",
    ]
    with_an_end = certificate_between(now - timedelta(days=9), now - timedelta(days=1))
    authority.write_bytes(with_an_end)
    ended = check(ending)
    assert (ended.code, ended.out.count("expired")) == (2, 0)
    assert "archives[0].ca_file: It expired on " in ended.err


def test_a_peer_that_echoes_and_refuses_the_question_is_told(
    check: Check, station: Settings
) -> None:
    """As many archives do with a station that nobody entered there (PS3.7 C.4.1.1: 0x0124)."""
    ae = AE("ARCHIVE")
    for model in (VERIFICATION, MODALITY_WORKLIST_FIND):
        ae.add_supported_context(model)

    def refuse(_event: Event) -> Iterator[tuple[int, None]]:
        yield 0x0124, None

    handlers: Any = [(evt.EVT_C_ECHO, lambda _event: 0x0000), (evt.EVT_C_FIND, refuse)]
    server = ae.start_server((HOST, 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        port = server.server_address[1]
        archive = ArchiveDestination(
            "pacs",
            host=HOST,
            port=port,
            ae_title="ARCHIVE",
            proof=ProofChoice.STORAGE_COMMITMENT,
            commitment_port=free_port(),
        )
        worklist = Worklist("ris", HOST, port, "ARCHIVE")
        done = check(
            replace(station, archives=(archive,), worklists=(worklist,)), "--connect", "--json"
        )
    finally:
        server.shutdown()
    assert (done.code, done.json["usable"]) == (1, True)
    assert {(one["name"], one["way"]): one["reason"] for one in done.json["tried"]} == {
        ("pacs", "C-ECHO"): "",
        ("pacs", "C-FIND"): "pacs takes no such questions (C-FIND).",
        ("ris", "C-ECHO"): "",
        ("ris", "C-FIND"): "ris could not answer the question (status 0124).",
    }


def test_connect_belongs_to_check(capfd: pytest.CaptureFixture[str]) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    for act in ("show", "describe"):
        assert main(["settings", act, "--connect"]) == 2
        heard = capfd.readouterr()
        assert heard.out == ""
        assert "--connect: It has no meaning here." in heard.err
