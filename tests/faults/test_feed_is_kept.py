"""What the feed was told was kept is kept, whenever the process that took it is killed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from capture_app.clock import SystemClock
from capture_app.errors import DeliveryError
from capture_app.net.deadline import Deadline
from capture_app.net.mllp import send_mllp
from capture_app.patients.census.census import open_census
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.faults.kills import ROOT, Point, _attached

CLOCK = SystemClock()
SETTINGS = AdtFeed(port=0, assigning_authority="HOSP")


def admission(number: int) -> bytes:
    return (
        f"MSH|^~\\&|ADT|HOSP|||20240702||ADT^A01|{number}|P|2.5\rEVN|A01|20240702\r"
        f"PID|||{number}^^^HOSP^MR||Doe^Jane\rPV1||I|4B||||||||||||||||V{number}\r"
    ).encode()


@contextmanager
def receiving(folder: Path) -> Iterator[tuple[int, int]]:
    """A child that takes the feed; its process ID and port. It is killed at the end."""
    argv = [sys.executable, "-m", "tests.faults.feed_child", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        try:
            yield child.pid, int(child.stdout.readline().removeprefix("PORT "))
        finally:
            child.kill()


def sent(port: int, number: int) -> bool:
    """Whether the message was acknowledged."""
    try:
        answer = send_mllp("127.0.0.1", port, admission(number), Deadline.after(CLOCK, 20))
    except DeliveryError:
        return False
    assert f"MSA|AA|{number}".encode() in answer
    return True


def kept(folder: Path) -> list[str]:
    settings = Settings(data_dir=folder, adt=SETTINGS)
    census = open_census(folder, Cipher(bytes(32)), CLOCK, settings)
    try:
        return [entry.patient.patient_id.value for entry in census.find("")]
    finally:
        census.close()


def test_killed_right_after_each_acknowledgement(tmp_path: Path) -> None:
    for number in range(3):
        with receiving(tmp_path) as (pid, port):
            assert sent(port, number)
            os.kill(pid, signal.SIGKILL)
        assert kept(tmp_path) == [str(known) for known in range(number + 1)]


@pytest.mark.parametrize(
    "point",
    [
        Point("recvfrom", 1),
        Point("pwrite64", 1),
        Point("pwrite64", 4),
        Point("fdatasync", 1),
        Point("sendto", 1),
    ],
    ids=lambda point: f"{point.call}-{point.nth}",
)
def test_killed_within_a_message_it_is_there_or_was_not_acknowledged(
    tmp_path: Path, point: Point
) -> None:
    with (
        receiving(tmp_path) as (pid, port),
        _attached(pid, tmp_path / "trace.txt", point, with_paths=False),
    ):
        acknowledged = sent(port, 1)
    assert not acknowledged
    with receiving(tmp_path) as (_, port):
        assert sent(port, 1)  # as a sender without an answer does
    assert kept(tmp_path) == ["1"]


def test_the_disk_has_it_before_the_sender_hears_of_it(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    with receiving(tmp_path / "data") as (pid, port), _attached(pid, trace, None, with_paths=True):
        assert sent(port, 1)
        os.kill(pid, signal.SIGKILL)
    calls = [
        found[1] + (" census" if "census.db-wal" in line else "")
        for line in trace.read_text("utf-8", "replace").splitlines()
        if (found := re.match(r"^\d+ +([a-z0-9_]+)\(", line))
    ]
    told = calls.index("sendto")
    assert "pwrite64 census" in calls[:told]
    assert "fdatasync census" in calls[:told]
    assert "pwrite64 census" not in calls[calls.index("fdatasync census") : told]
