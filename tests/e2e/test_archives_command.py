"""Archives that are tried again or are no more, by command: who may, and what is said."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.bootstrap import open_rooms
from capture_app.cli.main import main
from capture_app.clock import SystemClock
from capture_app.model.audit_event import AuditAction
from capture_app.settings.load import load
from tests import sealing
from tests.e2e.commands import Finished
from tests.outboxes import begin, keep

PIN, OTHER = "274913", "830527"


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a station with an image for `old`, which is not named any more."""

    def write(archive: str) -> Path:
        settings = tmp_path / "settings.toml"
        settings.write_text(
            f'schema_version = 1\ndata_dir = "{tmp_path / "data"}"\n'
            f'[security]\nkey_store = "file"\nkey_file = "{tmp_path / "capture.key"}"\n'
            f'[[archives]]\nname = "{archive}"\nhost = "127.0.0.1"\nport = 1\nae_title = "PACS"\n',
            encoding="utf-8",
        )
        return settings

    settings, clock = write("old"), SystemClock()
    for argv, pins in (
        (["add", "anna", "--first", "--family", "Berg", "--given", "Anna"], [PIN]),
        (["add", "bo", "--by", "anna", "--family", "Ruiz", "--given", "Bo"], [PIN, OTHER]),
    ):
        monkeypatch.setattr("sys.stdin", StringIO("".join(f"{pin}\n" for pin in pins)))
        assert main(["users", "--settings", str(settings), *argv, "--pin-stdin"]) == 0
    with open_rooms(load(settings_file=settings, data_dir=None, environ={}), clock) as rooms:
        rooms.outbox.seal([keep(rooms.outbox, begin(rooms.outbox, clock))], sealing.NURSE)
    return write("new")


def run(
    settings: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    pin: str = PIN,
) -> Finished:
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", StringIO(f"{pin}\n"))
    code = main(["outbox", "--settings", str(settings), *arguments])
    said = capsys.readouterr()
    return Finished(code, said.out, said.err)


def test_an_archive_is_retired_by_an_administrator_who_says_where_its_images_go(
    station: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_anna = ("--by", "anna", "--pin-stdin")

    def said(*arguments: str, pin: str = PIN) -> Finished:
        return run(station, capsys, monkeypatch, *arguments, pin=pin)

    done = said("retire", "--archive", "old", *by_anna)
    assert (done.code, done.err) == (
        3,
        "1 image has no other archive. Name the one that takes it: --to NAME.\n",
    )
    assert said("retire", "--archive", "new", *by_anna).err == "The settings still name new.\n"
    done = said("retire", "--archive", "old", "--to", "vna", *by_anna)
    assert (done.code, done.err) == (3, "The settings name no archive vna. They name: new.\n")
    refused = said("retire", "--archive", "old", "--by", "bo", "--pin-stdin", pin=OTHER)
    assert (refused.code, refused.err) == (1, "bo has no role that allows this.\n")
    assert said("retire", "--archive", "old").code == 1
    done = said("retire", "--archive", "old", "--to", "new", *by_anna)
    assert (done.code, done.out) == (0, "1 image is no longer due at old.\n")
    (row,) = said("--json").json
    assert row["archives"] == "old retired; new held"
    done = said("retry", "--destination", "new", "--by", "bo", "--pin-stdin", pin=OTHER)
    assert (done.code, done.out) == (0, "1 image is tried now.\n")
    settings = load(settings_file=station, data_dir=None, environ={})
    with open_rooms(settings, SystemClock()) as rooms:
        events = [row.event for row in read_trail(rooms.database.read())]
    acts = {AuditAction.ARCHIVE_RETIRED, AuditAction.RETRY_ASKED}
    assert [(e.action, e.user_id) for e in events if e.action in acts] == [
        (AuditAction.ARCHIVE_RETIRED, "anna"),
        (AuditAction.RETRY_ASKED, "bo"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry",),
        ("retire",),
        ("retry", "--archive", "old", "--destination", "old"),
        ("retire", "--archive", "old", "--check"),
        ("--destination", "old"),
    ],
)
def test_options_that_do_not_fit_are_named(
    station: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    done = run(station, capsys, monkeypatch, *arguments)
    assert (done.code, done.out) == (2, "")
    assert "--" in done.err
