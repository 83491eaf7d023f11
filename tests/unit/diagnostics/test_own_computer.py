"""What this computer has, and what is said where it has it not."""

import socket
from pathlib import Path

import pytest

from capture_app.diagnostics.finding import Grade
from capture_app.diagnostics.own_computer import look_at_libraries, look_at_ports
from capture_app.imaging import turbo
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.receiving import Receiver
from capture_app.settings.schema import ArchiveDestination, Health, ProofChoice, Settings
from tests.peers import HOST, free_port


def test_every_port_that_we_listen_on_is_looked_at(tmp_path: Path) -> None:
    reports = ArchiveDestination(
        "pacs",
        host="pacs.example.org",
        port=104,
        ae_title="PACS",
        proof=ProofChoice.STORAGE_COMMITMENT,
        commitment_host=HOST,
        commitment_port=free_port(),
    )
    settings = Settings(
        tmp_path,
        adt=AdtFeed(port=free_port()),
        archives=(reports,),
        receiver=Receiver(port=free_port()),
        health=Health(port=free_port()),
    )
    ports = {one.name: one.code for one in look_at_ports(settings, somebody_delivers=False)}
    assert ports == dict.fromkeys(("adt", "receiver", "pacs", "health"), "port-free")
    assert settings.receiver is not None
    with socket.create_server((HOST, settings.receiver.port)):
        found = {one.name: one for one in look_at_ports(settings, somebody_delivers=False)}
    assert (found["receiver"].code, found["receiver"].grade) == ("port-taken", Grade.FAULT)


def test_the_library_that_turns_pictures_is_there() -> None:
    (found,) = [one for one in look_at_libraries() if one.name == "libturbojpeg"]
    assert (found.code, found.grade) == ("library-good", Grade.GOOD)


def test_where_it_is_not_that_is_advised_and_all_else_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_it = [one.name for one in look_at_libraries()]
    monkeypatch.setattr(turbo, "_library", lambda: None)
    without = list(look_at_libraries())
    assert [one.name for one in without] == with_it
    (found,) = [one for one in without if one.name == "libturbojpeg"]
    assert (found.code, found.grade) == ("turbojpeg-absent", Grade.ADVICE)
    assert found.remedy == "Install libturbojpeg0."
