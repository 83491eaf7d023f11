"""A simulated hospital and the command that works with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.clock import SystemClock
from capture_app.demo.hospital import Hospital
from capture_app.settings.describe import settings_toml
from tests.e2e.commands import CaptureApp


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    """Admissions, worklist, archive and camera, each on a port of its own."""
    with Hospital(tmp_path / "shelf", SystemClock(), practice_data=tmp_path / "data") as hospital:
        yield hospital


@pytest.fixture
def capture_app(hospital: Hospital, tmp_path: Path) -> CaptureApp:
    """The command, with settings that reach that hospital and no other."""
    path = tmp_path / "settings.toml"
    path.write_text(settings_toml(hospital.settings), encoding="utf-8")
    return CaptureApp(path)


@pytest.fixture(scope="module")
def admitted(tmp_path_factory: pytest.TempPathFactory) -> CaptureApp:
    """The command, with a census that a feed has filled; for tests that queue nothing."""
    folder = tmp_path_factory.mktemp("admitted")
    with Hospital(folder / "shelf", SystemClock(), practice_data=folder / "data") as hospital:
        path = folder / "settings.toml"
        path.write_text(settings_toml(hospital.settings), encoding="utf-8")
        command = CaptureApp(path)
        with command.serving():
            assert hospital.admissions.acknowledged.wait(60)
    return command
