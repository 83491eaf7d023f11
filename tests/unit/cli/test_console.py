"""What the commands say, on consoles that cannot show it."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from capture_app.cli.console import settle_streams
from capture_app.cli.main import COMMANDS, main
from capture_app.cli.start import print_json, print_table

NAME = "Ünal Łukasz 😷 \udce9"


ENCODINGS = ("ascii", "cp1252", "cp437", "utf-8", "utf-16")


@contextmanager
def console(monkeypatch: pytest.MonkeyPatch, encoding: str) -> Iterator[io.BytesIO]:
    """What stands on a console of this encoding, strict as PYTHONIOENCODING makes it."""
    raw = io.BytesIO()
    with monkeypatch.context() as patched, io.TextIOWrapper(raw, encoding, newline="") as stream:
        for name in ("stdout", "stderr"):
            patched.setattr(sys, name, stream)
        settle_streams()
        yield raw


def said(raw: io.BytesIO) -> str:
    sys.stdout.flush()
    return raw.getvalue().decode(sys.stdout.encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_stays_json(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    with console(monkeypatch, encoding) as raw:
        print_json({"name": NAME[:-1]})
        assert json.loads(said(raw)) == {"name": NAME[:-1]}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_table_stays_a_table(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    with console(monkeypatch, encoding) as raw:
        print_table(("name", "n"), [(NAME, 1), ("Jones", 2)])
        head, *rows = said(raw).splitlines()
    assert [row.rindex(str(n)) for n, row in enumerate(rows, 1)] == [head.rindex("n")] * 2
    if encoding == "ascii":
        assert rows[0].startswith(r"\u00dcnal \u0141ukasz \U0001f637 \udce9  ")


@pytest.mark.parametrize("command", [*COMMANDS])
def test_help_is_told_on_each(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    with console(monkeypatch, "ascii") as raw:
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert said(raw).startswith("usage: capture-app")
    assert end.value.code == 0


def test_without_a_console_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    settle_streams()
    with sys.stdout:
        assert sys.stdout.write(NAME[:-1]) > 0
