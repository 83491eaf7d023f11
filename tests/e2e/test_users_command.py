"""Users without a window: made, given a new PIN and removed by an administrator who signs in."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.bootstrap import open_rooms
from capture_app.cli.main import main
from capture_app.clock import SystemClock
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import NameGroup, PersonName
from capture_app.settings.load import load
from tests.e2e.commands import CaptureApp, Finished

ANNA, BO = ("--family", "Berg", "--given", "Anna"), ("--family", "Ruiz", "--given", "Bo")
PIN, NEW_PIN, OTHER = "274913", "830527", "619438"

Users = Callable[..., Finished]


@dataclass(frozen=True, slots=True)
class Station:
    """A data folder with its key beside it, and the command on it, within this process."""

    settings: Path
    users: Users

    def with_anna(self) -> Station:
        done = self.users("add", "anna", "--first", *ANNA, pins=[PIN])
        assert (done.code, done.err) == (0, "")
        return self

    def with_bo(self) -> Station:
        done = self.users("add", "bo", "--by", "anna", *BO, pins=[PIN, NEW_PIN])
        assert (done.code, done.out) == (0, "Bo Ruiz can sign in as bo.\n")
        return self

    def sign_in(self, user: str, pin: str) -> Operator:
        settings = load(settings_file=self.settings, data_dir=None, environ={})
        with open_rooms(settings, SystemClock()) as rooms:
            return rooms.users.sign_in(user, pin)

    def trail(self) -> list[tuple[str, str, str]]:
        settings = load(settings_file=self.settings, data_dir=None, environ={})
        with open_rooms(settings, SystemClock()) as rooms:
            events = [row.event for row in read_trail(rooms.database.read())]
        return [(e.action, e.user_id, e.details.get("user", "")) for e in events]


@pytest.fixture
def station(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Station:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'schema_version = 1\ndata_dir = "{tmp_path / "data"}"\n'
        f'[security]\nkey_store = "file"\nkey_file = "{tmp_path / "capture.key"}"\n',
        encoding="utf-8",
    )

    def users(*arguments: str, pins: list[str] | None = None) -> Finished:
        capsys.readouterr()
        argv = ["users", "--settings", str(settings), *arguments]
        if pins is not None:
            argv.append("--pin-stdin")
            monkeypatch.setattr("sys.stdin", StringIO("".join(f"{pin}\n" for pin in pins)))
        code = main(argv)
        said = capsys.readouterr()
        return Finished(code, said.out, said.err)

    return Station(settings, users)


def test_first_administrator_is_made_without_a_window(station: Station) -> None:
    assert station.users("list", "--json").json == []
    done = station.users("add", " Anna ", "--first", *ANNA, "--json", pins=[PIN])
    assert (done.code, done.json, done.err) == (0, {"act": "add", "user": "anna"}, "")
    anna = station.sign_in("anna", PIN)
    assert anna.name == PersonName(NameGroup("Berg", "Anna"))
    assert station.users("list", "--json").json == [
        {
            "user": "anna",
            "name": "Anna Berg",
            "roles": ["capture", "correct", "administer", "audit"],
            "operator": "Berg^Anna",
            "acts_as": "",
        }
    ]
    again = station.users("add", "bo", "--first", *BO, pins=[NEW_PIN])
    assert (again.code, again.out) == (1, "")
    assert "an administrator adds more" in again.err


def test_without_a_user_it_says_how_there_comes_to_be_one(station: Station) -> None:
    for act in (("add", "bo", *BO), ("remove", "bo"), ("reset-pin", "bo")):
        done = station.users(*act, "--by", "anna", pins=[PIN, NEW_PIN])
        assert (done.code, done.out) == (1, "")
        assert "has no user yet" in done.err
        assert "--first" in done.err


def test_life_of_a_user(station: Station) -> None:
    station.with_anna().with_bo()
    assert station.sign_in("bo", NEW_PIN).roles == (Role.CAPTURE,)
    assert station.users("list").out.splitlines()[1:] == [
        "anna  Anna Berg  capture, correct, administer, audit  Berg^Anna",
        "bo    Bo Ruiz    capture                              Ruiz^Bo",
    ]
    done = station.users("reset-pin", "bo", "--by", "anna", pins=[PIN, OTHER])
    assert (done.code, done.out) == (0, "bo has a new PIN.\n")
    assert station.sign_in("bo", OTHER).user_id == "bo"
    done = station.users("remove", "bo", "--by", "anna", pins=[PIN])
    assert (done.code, done.out) == (0, "bo cannot sign in any more.\n")
    assert [user["user"] for user in station.users("list", "--json").json] == ["anna"]
    done = station.users("remove", "anna", "--by", "anna", pins=[PIN])
    assert done.code == 1
    assert "last administrator" in done.err
    assert station.trail() == [
        ("user-added", "anna", ""),
        ("signed-in", "anna", ""),
        ("user-added", "anna", ""),
        ("signed-in", "bo", ""),
        ("signed-in", "anna", ""),
        ("pin-reset", "anna", "bo"),
        ("signed-in", "bo", ""),
        ("signed-in", "anna", ""),
        ("user-removed", "anna", "bo"),
        ("signed-in", "anna", ""),
    ]


def test_second_administrator(station: Station) -> None:
    station.with_anna()
    added = station.users(
        "add", "eve", "--by", "anna", "--role", "administer", *BO, pins=[PIN, NEW_PIN]
    )
    assert added.code == 0
    assert station.users("remove", "anna", "--by", "eve", pins=[NEW_PIN]).code == 0
    assert [user["user"] for user in station.users("list", "--json").json] == ["eve"]


def test_roles_are_set_and_a_user_changes_the_own_pin(station: Station) -> None:
    station.with_anna().with_bo()
    roles = ("--role", "capture", "--role", "audit")
    done = station.users("set-roles", "bo", "--by", "anna", *roles, pins=[PIN])
    assert (done.code, done.out) == (0, "bo has the roles: capture, audit.\n")
    assert station.sign_in("bo", NEW_PIN).roles == (Role.CAPTURE, Role.AUDIT)
    done = station.users("change-pin", "bo", pins=[NEW_PIN, OTHER])
    assert (done.code, done.out) == (0, "bo has a new PIN.\n")
    assert station.sign_in("bo", OTHER).user_id == "bo"
    refused = station.users("change-pin", "bo", pins=[NEW_PIN, PIN])
    assert (refused.code, refused.err) == (1, "User or PIN is wrong.\n")


def test_list_that_was_lost_is_begun_anew_by_name_only(station: Station) -> None:
    station.with_anna()
    with sqlite3.connect(station.settings.parent / "data" / "outbox.db") as connection:
        connection.execute("DELETE FROM users")
        connection.execute("DELETE FROM users_head")
    connection.close()
    for act in (("list",), ("add", "eve", "--first", *BO)):
        pins = None if act == ("list",) else [NEW_PIN]
        done = station.users(*act, pins=pins)
        assert (done.code, done.out) == (1, "")
        assert "Nobody can sign in; sending goes on." in done.err
    done = station.users("add", "eve", "--first", "--anew", *BO, pins=[NEW_PIN])
    assert done.code == 0
    assert station.sign_in("eve", NEW_PIN).user_id == "eve"
    assert ("users-begun-anew", "eve", "") in station.trail()


def test_what_is_refused_changes_nothing(station: Station) -> None:
    station.with_anna().with_bo()
    for by, pins, said in (
        ("anna", [OTHER, NEW_PIN], "User or PIN is wrong."),
        ("nobody", [PIN, NEW_PIN], "User or PIN is wrong."),
        ("bo", [NEW_PIN, OTHER], "Only an administrator can do this."),
        ("anna", [PIN], "Standard input ended before the PIN."),
        ("anna", [], "Standard input ended before the PIN."),
        ("anna", [PIN, "123456"], "This PIN is too easy to guess"),
        ("anna", [PIN, "abcdef"], "A PIN here is digits, for the PIN pad."),
        ("anna", [PIN, "27491"], "A PIN has 6 to 64 characters."),
    ):
        for act in (("add", "new", *BO), ("reset-pin", "bo")):
            done = station.users(*act, "--by", by, pins=pins)
            assert (done.code, done.out) == (1, "")
            assert said in done.err
            assert "Traceback" not in done.err
    assert [user["user"] for user in station.users("list", "--json").json] == ["anna", "bo"]
    assert station.sign_in("bo", NEW_PIN).user_id == "bo"


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (("list", "bo", "--by", "anna"), ["USER", "--by"]),
        (("add", "bo"), ["--by", "--family", "--given"]),
        (("add", "bo", "--by", "anna", "--first", *BO), ["--by"]),
        (("add", "bo", "--first", "--role", "capture", *BO), ["--role"]),
        (("reset-pin",), ["USER", "--by"]),
        (("remove", "bo", "--first", "--role", "correct", *BO), ["--by", "--family", "--given",
                                                                 "--role", "--first"]),
        (("set-roles", "bo", "--by", "anna"), ["--role"]),
        (("change-pin", "bo", "--by", "anna", "--anew"), ["--by", "--anew"]),
        (("add", "bo", "--by", "anna", "--service", "x", *BO), ["--family", "--given"]),
        (("add", "bo", "--first", "--service", "x"), ["--service"]),
        (("remove", "bo", "--by", "anna", "--service", "x"), ["--service"]),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_told_all_at_once(
    station: Station, arguments: tuple[str, ...], keys: list[str]
) -> None:
    done = station.users(*arguments)
    assert (done.code, done.out) == (2, "")
    assert [line.split(": ")[1] for line in done.err.splitlines()] == keys
    assert not (station.settings.parent / "data").exists()


def test_pin_as_an_argument_is_refused(station: Station) -> None:
    for words in (["bo", PIN], ["bo", "--pin", PIN], [f"--pin={PIN}", "bo"]):
        with pytest.raises(SystemExit) as ended:
            station.users("add", "--first", *BO, *words)
        assert ended.value.code == 2
    assert station.users("list", "--json").json == []


# ------------------------------------------------------------------------------ at a real terminal


def at_a_terminal(station: Station, *arguments: str, typed: list[str]) -> tuple[int, str]:
    """Runs the command at a terminal of its own; each question is answered when it is asked."""
    ours, theirs = pty.openpty()
    argv = CaptureApp(station.settings).argv("users", *arguments)
    shown = b""
    with subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        for answer in typed:
            while not shown.endswith(b": "):
                shown += os.read(ours, 1000)
            os.write(ours, f"{answer}\n".encode())
            shown += os.read(ours, 1)
        try:
            while more := os.read(ours, 1000):
                shown += more
        except OSError:  # Linux says so when the other side has gone
            pass
        code = process.wait(60)
    os.close(ours)
    return code, shown.decode().replace("\r\n", "\n")


def test_pin_is_asked_for_unseen(station: Station) -> None:
    station.with_anna()
    code, shown = at_a_terminal(
        station, "add", "bo", "--by", "anna", *BO, typed=[PIN, NEW_PIN, NEW_PIN]
    )
    assert shown == "PIN of anna: \nNew PIN of bo: \nOnce more: \nBo Ruiz can sign in as bo.\n"
    assert code == 0
    assert station.sign_in("bo", NEW_PIN).user_id == "bo"
    code, shown = at_a_terminal(
        station, "reset-pin", "bo", "--by", "anna", typed=[PIN, OTHER, NEW_PIN]
    )
    assert (code, shown.splitlines()[-1]) == (1, "The two PINs are not the same.")
    assert station.sign_in("bo", NEW_PIN).user_id == "bo"


def test_without_a_terminal_nothing_is_asked_in_the_open(station: Station) -> None:
    argv = CaptureApp(station.settings).argv("users", "add", "anna", "--first", *ANNA)
    done = subprocess.run(
        argv,
        input=f"{PIN}\n{PIN}\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        start_new_session=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no terminal to ask for the PIN. In a script: --pin-stdin.\n"
    assert station.users("list", "--json").json == []
