"""Practice: the simulated hospital, walked through the windows; never mixed with patients."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capture_app.cli.main import main


def test_practice_walks_the_main_job_on_a_dead_display(tmp_path: Path) -> None:
    out = tmp_path / "report"
    environ = {**os.environ, "DISPLAY": ":99", "WAYLAND_DISPLAY": ""}
    environ.pop("QT_QPA_PLATFORM")
    done = subprocess.run(
        [sys.executable, "-m", "capture_app", "demo", "--out", str(out)],
        check=False,
        capture_output=True,
        text=True,
        timeout=250,
        env=environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "plugin" not in done.stderr  # Qt's own talk is none of a newcomer's business
    last = (out / "report.txt").read_text(encoding="utf-8").splitlines()[-1]
    assert last == "3 of 3 images are Confirmed, by pixel hash (WADO-RS)."
    assert len(list(out.glob("*.png"))) == 13
    objects = sorted((out / "dicom").iterdir())
    assert len(objects) == 3
    for path in objects:
        judged = subprocess.run(["dciodvfy", "-new", path], check=False, capture_output=True)
        assert judged.returncode == 0, judged.stderr


def test_practice_refuses_a_folder_of_patients(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'schema_version = 1\n[security]\nkey_store = "file"\nkey_file = "{key}"\n',
        encoding="utf-8",
    )
    data = tmp_path / "data"
    assert main(["patients", "--settings", str(settings), "--data", str(data)]) == 0
    capfd.readouterr()
    assert main(["demo", "--headless", "--data", str(data), "--out", str(tmp_path / "o")]) == 2
    assert "The folder is for another use." in capfd.readouterr().err


def test_patients_refuse_a_folder_of_practice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    practice = tmp_path / "practice"
    settings = tmp_path / "settings.toml"
    settings.write_text("schema_version = 1\npractice = true\n", encoding="utf-8")
    assert main(["patients", "--settings", str(settings), "--data", str(practice)]) == 0
    real = tmp_path / "real.toml"
    real.write_text("schema_version = 1\n", encoding="utf-8")
    capfd.readouterr()
    assert main(["patients", "--settings", str(real), "--data", str(practice)]) == 2
    assert "The folder is for another use." in capfd.readouterr().err


def test_practice_refuses_a_real_archive(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        "schema_version = 1\npractice = true\n"
        '[[archives]]\nname = "pacs"\nhost = "pacs.example"\nport = 104\nae_title = "PACS"\n',
        encoding="utf-8",
    )
    assert main(["outbox", "--settings", str(settings), "--data", str(tmp_path / "d")]) == 2
    heard = capfd.readouterr().err
    assert "archives[0].host: It is not the simulated hospital." in heard


def test_practice_has_settings_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["--settings", str(tmp_path / "any.toml"), "--out", str(tmp_path / "o")]
    assert main(["demo", "--headless", *given]) == 2
    assert "Practice has settings of its own." in capfd.readouterr().err
