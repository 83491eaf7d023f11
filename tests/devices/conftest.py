"""What is here runs in the machine that `python -m tests.devices` starts, and nowhere else: it
needs the drivers of cameras that no other computer has. `make test` does not collect it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.rig import Loopback, Vivid

MACHINE = os.environ.get("CAPTURE_TEST_MACHINE", "")

collect_ignore_glob = [] if MACHINE else ["test_*.py"]


@pytest.fixture(autouse=True)
def _patient_with_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that an emulated processor runs is not dead because it says nothing for a second."""
    monkeypatch.setattr("capture_app.sandbox.process.SILENCE_S", 20.0)
    monkeypatch.setattr("capture_app.sandbox.process.STOPPED_WITHIN_S", 10.0)
    monkeypatch.setattr("capture_app.sandbox.process._ENDED_WITHIN_S", 60.0)
    monkeypatch.setattr("capture_app.sandbox.process.STARTED_WITHIN_S", 120.0)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Why a test has failed is told at once: a machine that is ended tells nothing afterwards."""
    if MACHINE and report.failed:
        said = [f"--- {name}\n{text}" for name, text in report.sections]
        print("\n".join(["", report.longreprtext, *said, ""]), flush=True)


@pytest.fixture
def vivid() -> Iterator[Vivid]:
    """The kernel's test camera, grabber and tuner, fresh."""
    with Vivid.plugged_in() as plugged:
        yield plugged


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """A camera whose pictures are those that a test feeds to it."""
    with Loopback.plugged_in(Path(MACHINE) / "v4l2loopback.ko") as plugged:
        yield plugged
