"""The trail by command: proved by anybody, read by an auditor who signs in, and put back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from capture_app.cli.main import main
from tests.e2e.commands import Finished

PIN, OTHER = "274913", "830527"
AUDITOR = ("--by", "anna", "--pin-stdin")

Run = Callable[..., Finished]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on a station with an auditor and a nurse, in this process."""
    (tmp_path / "keys").mkdir(mode=0o700)
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'schema_version = 1\ndata_dir = "{tmp_path / "data"}"\n'
        f'[security]\nkey_store = "file"\nkey_file = "{tmp_path / "keys" / "station.key"}"\n'
    )

    def command(name: str, *arguments: str, pins: tuple[str, ...] = ()) -> Finished:
        monkeypatch.setattr("sys.stdin", StringIO("".join(f"{pin}\n" for pin in pins)))
        capsys.readouterr()
        code = main([name, "--settings", str(settings), *arguments])
        said = capsys.readouterr()
        return Finished(code, said.out, said.err)

    names = ("--family", "Berg", "--given", "Anna", "--pin-stdin")
    assert command("users", "add", "anna", "--first", *names, pins=(PIN,)).code == 0
    added = command("users", "add", "bo", "--by", "anna", *names, pins=(PIN, OTHER))
    assert added.code == 0, added.err
    return command


def test_an_auditor_lists_and_takes_away_what_is_wanted(run: Run) -> None:
    listed = run("trail", *AUDITOR, "--act", "user-added", "--json", pins=(PIN,))
    assert listed.code == 0, listed.err
    assert [row["details"]["added"] for row in listed.json] == ["bo", "anna"]
    table = run("trail", *AUDITOR, "--user", "ANNA", "--limit", "1", pins=(PIN,))
    assert "trail-read" in table.out
    assert "There are older ones" in table.err
    taken = run("trail", *AUDITOR, "--export", "csv", "--until", "2000-01-01", pins=(PIN,))
    assert taken.out.splitlines() == [
        "row,at,act,user,outcome,exam,sop_instance_uid,study_instance_uid,patient,details"
    ]
    whole = run("trail", *AUDITOR, "--export", "json", pins=(PIN,))
    assert whole.json[0]["act"] == "trail-exported"


def test_nobody_else_reads_it(run: Run) -> None:
    assert run("trail").code == 1
    refused = run("trail", "--by", "bo", "--pin-stdin", pins=(OTHER,))
    assert (refused.code, refused.out) == (1, "")
    assert "bo has no role that allows this." in refused.err
    with pytest.raises(SystemExit):
        run("trail", "--since", "soon")


@pytest.mark.expects_log("trail-broken")
def test_a_folder_that_was_put_back_is_told_until_an_auditor_has_seen_it(
    run: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    assert run("trail", "--verify", "--json").json == {
        "good": True,
        "whole": True,
        "rows": 3,
        "broken": [],
        "head_holds": True,
        "breaks": [],
    }
    shutil.copytree(data, tmp_path / "yesterday")
    assert run("trail", *AUDITOR, pins=(PIN,)).code == 0
    shutil.rmtree(data)
    (tmp_path / "yesterday").rename(data)
    told = run("trail", "--verify")
    assert told.code == 1
    assert "put-back" in told.out
    assert run("outbox", "--check").code == 1
    assert run("trail", *AUDITOR, "--seen", pins=(PIN,)).out == "1 break was marked as seen.\n"
    again = run("trail", "--verify")
    assert again.code == 0
    assert "An auditor has seen it." in again.out
    assert not run("trail", "--verify", "--json").json["whole"]


@pytest.mark.expects_log("trail-broken")
def test_a_trail_that_was_emptied_is_no_first_start(run: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "data" / "outbox.db")) as connection:
        connection.execute("DROP TRIGGER audit_is_never_deleted")
        connection.execute("DELETE FROM audit")
        connection.execute("DELETE FROM audit_head")
        connection.commit()
    found = run("trail", "--verify", "--json")
    assert found.code == 1
    assert {one["reason"] for one in json.loads(found.out)["breaks"]} == {
        "trail-missing",
        "put-back",
    }
