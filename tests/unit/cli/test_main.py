import argparse
import re
from importlib import import_module

import pytest

from capture_app.cli.main import COMMANDS, main

_SECRET = re.compile(r"pin\b|pass|secret|token", re.IGNORECASE)


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def options_of(command: str) -> list[argparse.Action]:
    parser = argparse.ArgumentParser(add_help=False)
    import_module(f"capture_app.cli.{COMMANDS[command][0]}").arguments(parser)
    return parser._actions


def test_help_lists_every_command_on_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = help_of(capsys)
    listed = re.findall(r"^  ([a-z-]+) +(.+)$", said.split("commands:\n")[1], re.MULTILINE)
    assert listed == [(name, summary) for name, (_, summary) in COMMANDS.items()]
    assert max(map(len, said.splitlines())) <= 80
    assert "Exit codes:" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_and_each_of_its_options(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    said = help_of(capsys, command)
    assert said.startswith(f"usage: capture-app {command} ")
    assert "options of every command:" in said
    for action in options_of(command):
        assert action.help, action.dest


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_secret_is_ever_an_argument(command: str) -> None:
    """Arguments are seen by every user of a computer, and stay in the history of a shell."""
    for action in options_of(command):
        if _SECRET.search(" ".join((*action.option_strings, action.dest))):
            assert action.nargs == 0, action.option_strings  # a switch, which takes no value


@pytest.mark.parametrize("argv", [["users", "list", "--js"], ["patients", "--dead"]])
def test_options_cannot_be_abbreviated(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "unrecognized arguments" in capsys.readouterr().err


def test_unknown_command_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["patient"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "there is no command 'patient'" in said
    assert all(name in said for name in COMMANDS)
