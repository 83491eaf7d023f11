"""The window as it is started on a workstation: the command itself, on an X server."""

import json
import os
import subprocess

import pytest

from capture_app.demo.hospital import Hospital
from tests.e2e.commands import CaptureApp
from tests.peers import run_xvfb


def test_feeds_begin_behind_the_window(hospital: Hospital, capture_app: CaptureApp) -> None:
    with run_xvfb() as screen:
        environ = {**os.environ, "DISPLAY": screen.display, "QT_QPA_PLATFORM": "xcb"}
        with subprocess.Popen(
            capture_app.argv("desktop"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        ) as process:
            acknowledged = hospital.admissions.acknowledged.wait(30)
            is_running = process.poll() is None
            process.terminate()
            out, err = process.communicate(timeout=60)
    assert acknowledged, err
    assert is_running, err
    assert out + err == ""
    logs = sorted((hospital.settings.data_dir / "logs").glob("desktop-*.jsonl"))
    lines = [json.loads(line) for path in logs for line in path.read_text("utf-8").splitlines()]
    assert [line for line in lines if line.get("level") not in {"info", "debug"}] == []


def test_without_a_screen_it_says_so(
    capture_app: CaptureApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = capture_app.run("desktop")
    assert done.code == 1
    assert done.err == (
        "There is no screen to open a window on. Use 'serve', or 'demo --headless'.\n"
    )
