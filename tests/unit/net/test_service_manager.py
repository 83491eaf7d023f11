"""What a service says to its manager, on a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.net.service_manager import ServiceManager


@pytest.fixture
def told(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "s"))
        sock.settimeout(30)
        yield sock


def test_a_beat_is_said_as_often_as_the_watchdog_needs(
    told: socket.socket, clock: FixedClock
) -> None:
    manager = ServiceManager(told.getsockname(), 40.0, clock)
    for _ in range(40):
        manager.alive()
        clock.advance(1)
    manager.stopping()
    said = []
    while (line := told.recv(100).decode()) != "STOPPING=1":
        said.append(line)
    assert said == ["WATCHDOG=1"] * 8


def test_a_status_is_said_when_it_is_news(told: socket.socket, clock: FixedClock) -> None:
    manager = ServiceManager(told.getsockname(), None, clock)
    for sentence in ("one", "one", "two"):
        manager.status(sentence)
    manager.alive()  # no watchdog was asked for
    manager.ready()
    assert [told.recv(100).decode() for _ in range(3)] == ["STATUS=one", "STATUS=two", "READY=1"]


def test_the_environment_names_it_once(clock: FixedClock, told: socket.socket) -> None:
    environ = {
        "NOTIFY_SOCKET": told.getsockname(),
        "WATCHDOG_USEC": "4000000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/",
    }
    ServiceManager.of(environ, clock).alive()
    assert environ == {"HOME": "/"}, "no child speaks in our name"
    assert told.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("usec", ["", "0", "-1", "many"])
def test_a_watchdog_that_is_none_or_another_process_is_not_fed(
    clock: FixedClock, told: socket.socket, usec: str
) -> None:
    address = told.getsockname()
    ServiceManager.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": usec}, clock).alive()
    another = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    ServiceManager.of(another, clock).alive()
    told.settimeout(0)
    with pytest.raises(BlockingIOError):
        told.recv(100)


def test_without_a_manager_nothing_is_said(clock: FixedClock) -> None:
    manager = ServiceManager.of({}, clock)
    manager.ready()
    manager.status("fine")


@pytest.mark.expects_log("service-manager-not-told")
def test_a_manager_that_is_gone_stops_nobody(clock: FixedClock, tmp_path: Path) -> None:
    manager = ServiceManager(str(tmp_path / "gone"), 1.0, clock)
    for _ in range(3):
        manager.ready()
