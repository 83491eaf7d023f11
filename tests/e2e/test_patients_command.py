"""A merge that the feed sent and that was dealt with by hand: who may say so, and what follows."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.bootstrap import open_rooms
from capture_app.cli.main import main
from capture_app.clock import SystemClock
from capture_app.model.audit_event import AuditAction
from capture_app.model.worklist import Doubt
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.load import load
from tests.e2e.commands import Finished

PIN, OTHER = "274913", "830527"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A station whose feed sent a merge."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'schema_version = 1\ndata_dir = "{tmp_path / "data"}"\n'
        f'[security]\nkey_store = "file"\nkey_file = "{tmp_path / "capture.key"}"\n'
        '[adt]\nassigning_authority = "HOSP"\nport = 2575\n',
        encoding="utf-8",
    )
    for argv, pins in (
        (["add", "anna", "--first", "--family", "Berg", "--given", "Anna"], [PIN]),
        (["add", "bo", "--by", "anna", "--family", "Ruiz", "--given", "Bo"], [PIN, OTHER]),
    ):
        monkeypatch.setattr("sys.stdin", StringIO("".join(f"{pin}\n" for pin in pins)))
        assert main(["users", "--settings", str(settings), *argv, "--pin-stdin"]) == 0
    loaded = load(settings_file=settings, data_dir=None, environ={})
    at = f"{SystemClock().now():%Y%m%d%H%M%S}"
    assert loaded.adt is not None
    with open_rooms(loaded, SystemClock()) as rooms:
        receiver = AdtReceiver(rooms.census, loaded.adt, rooms.clock)
        for event, answer, more in (
            ("A01", b"MSA|AA", f"PV1|1|I|4B^12||||||||||||||||V1|||||||||||||||||||||||||{at}"),
            ("A40", b"MSA|AE", "MRG|1002^^^HOSP^MR"),
        ):
            message = (
                f"MSH|^~\\&|ADT|HOSP|||{at}||ADT^{event}|ID{event}|P|2.5\rEVN|{event}|{at}\r"
                f"PID|1||1001^^^HOSP^MR||Doe^Jane||19560714|F\r{more}\r"
            )
            assert answer in receiver.handle(message.encode())
    return settings


def run(
    settings: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    pin: str = PIN,
) -> Finished:
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", StringIO(f"{pin}\n"))
    code = main(["patients", "--settings", str(settings), *arguments])
    said = capsys.readouterr()
    return Finished(code, said.out, said.err)


def test_who_may_settles_a_merge_once_and_it_stands_in_the_trail(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubts() -> frozenset[Doubt]:
        with open_rooms(
            load(settings_file=settings, data_dir=None, environ={}), SystemClock()
        ) as rooms:
            (entry,) = rooms.census.find("")
            return entry.doubts

    def recorded() -> list[tuple[str, str]]:
        with open_rooms(
            load(settings_file=settings, data_dir=None, environ={}), SystemClock()
        ) as rooms:
            rows = read_trail(rooms.database.read())
            return [
                (row.event.user_id, row.event.details["dead-letter"])
                for row in rows
                if row.event.action is AuditAction.MERGE_SETTLED
            ]

    assert doubts() == {Doubt.MERGE_REFUSED}
    refused = run(settings, capsys, monkeypatch, "--settle", "1")
    assert (refused.code, "--by USER" in refused.err) == (1, True)
    refused = run(
        settings, capsys, monkeypatch, "--settle", "1", "--by", "bo", "--pin-stdin", pin=OTHER
    )
    assert (refused.code, "no role" in refused.err) == (1, True)
    by_anna = ("--by", "anna", "--pin-stdin")
    unknown = run(settings, capsys, monkeypatch, "--settle", "7", *by_anna)
    assert (unknown.code, "No merge with the id 7" in unknown.err) == (1, True)
    assert doubts() == {Doubt.MERGE_REFUSED}
    assert not recorded()
    settled = run(settings, capsys, monkeypatch, "--settle", "1", *by_anna)
    assert settled.code == 0
    assert (doubts(), recorded()) == (frozenset(), [("anna", "1")])
    again = run(settings, capsys, monkeypatch, "--settle", "1", *by_anna)
    assert (again.code, recorded()) == (1, [("anna", "1")])
