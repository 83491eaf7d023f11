"""`settings check --connect` against peers that answer, that are silent, and that say no."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.clock import SystemClock
from capture_app.demo.hospital import Hospital
from capture_app.settings.describe import settings_toml
from capture_app.settings.feeds import Worklist
from capture_app.settings.scanning import ScanPattern
from capture_app.settings.schema import (
    ArchiveDestination,
    ArchiveProtocol,
    KeyStore,
    Security,
    Settings,
)
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
    return Settings(tmp_path / "data", security=security)


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
    assert [row.endswith("It answers.") for row in rows] == [True] * 3


def test_who_does_not_answer_is_told_in_words(
    check: Check, station: Settings, orthanc: Orthanc, tmp_path: Path
) -> None:
    settings = with_orthanc(station, orthanc, tmp_path, "wrong")
    (pacs,) = settings.archives
    with serving(bad_servers.silent) as hung:
        archives = (
            replace(pacs, ae_title="OTHER"),
            replace(pacs, name="gone", port=free_port(), url=""),
            replace(pacs, name="hung", port=hung.port, url="", deadline_seconds=1.0),
            replace(pacs, name="keyless", protocol=ArchiveProtocol.STOW, password_key="not-there"),
        )
        done = check(replace(settings, archives=archives), "--connect", "--json")
    assert (done.code, done.err, done.json["usable"]) == (1, "", True)
    said = {(one["name"], one["way"]): one["reason"] for one in done.json["tried"]}
    assert said.pop(("ris", "C-ECHO")) == ""
    assert said == {
        ("pacs", "C-ECHO"): "pacs does not go by the AE title in the settings.",
        ("pacs", "DICOMweb"): "pacs does not accept this station's user or password.",
        ("gone", "C-ECHO"): "gone does not listen. Nothing answers at its address.",
        ("hung", "C-ECHO"): "hung did not answer in time.",
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
    assert (done.code, done.out.splitlines()[1]) == (
        0,
        "There is no archive and no worklist to try.",
    )
    told = check(station, "--json").json
    assert (told["usable"], told["faults"]) == (True, [])
    assert told["advice"][0].startswith("Recommended: scan patterns with a symbology or a prefix.")
    marked = ScanPattern("band", symbologies=("]C1",))
    assert check(replace(station, scan_patterns=(marked,)), "--json").json["advice"] == []
    assert json.loads(check(station, "--connect", "--json").out)["tried"] == []


def test_connect_belongs_to_check(capfd: pytest.CaptureFixture[str]) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    for act in ("show", "describe"):
        assert main(["settings", act, "--connect"]) == 2
        heard = capfd.readouterr()
        assert heard.out == ""
        assert "--connect: It has no meaning here." in heard.err
