"""Who keeps the clock of this computer, as the doctor tells it."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.diagnostics import time_servers
from capture_app.diagnostics.finding import Grade
from capture_app.diagnostics.time_servers import look_at_clock

NOW = datetime(2026, 7, 2, 9, 30, tzinfo=UTC)
TRACKING = "A29FC87B,192.0.2.1,3,1782984600.1,0.0,0.0,0.0,-1.2,0.0,0.1,0.0,0.0,64.2,{leap}"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for: empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def chronyc(programs: Path, script: str) -> None:
    path = programs / "chronyc"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


def found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, kernel: bool | None, now: datetime = NOW
) -> tuple[str, str, Grade]:
    monkeypatch.setattr(time_servers, "is_kept_by_the_system", lambda: kernel)
    (told,) = look_at_clock(FixedClock(now), timesyncd=tmp_path / "synchronized")
    return told.code, told.name, told.grade


@pytest.mark.parametrize("leap", ["Normal", "Insert second", "Delete second"])
def test_chrony_is_believed(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, leap: str
) -> None:
    chronyc(programs, f"[ \"$*\" = '-c -n tracking' ] && echo '{TRACKING.format(leap=leap)}'")
    assert found(monkeypatch, tmp_path, kernel=True) == ("clock-good", "chrony", Grade.GOOD)
    silent = ("clock-kept-silently", "chrony", Grade.ADVICE)
    assert found(monkeypatch, tmp_path, kernel=False) == silent


@pytest.mark.parametrize(
    "script",
    [
        f"echo '{TRACKING.format(leap='Not synchronised')}'",
        "echo '506 Cannot talk to daemon'; exit 1",
        f"echo '{TRACKING.format(leap='Normal')}'; exit 1",
        ":",
        "kill -9 $$",
    ],
)
def test_a_chrony_that_does_not_keep_the_clock_is_none(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    chronyc(programs, script)
    assert found(monkeypatch, tmp_path, kernel=False)[0] == "clock-not-kept"


def test_a_chrony_that_hangs_is_left(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(time_servers, "_CHRONY_WITHIN_S", 0.2)
    chronyc(programs, "while :; do :; done")
    assert found(monkeypatch, tmp_path, kernel=False)[0] == "clock-not-kept"


@pytest.mark.parametrize(
    ("hours_ago", "code"), [(0.5, "clock-kept-silently"), (48, "clock-not-kept")]
)
def test_timesyncd_is_believed_while_it_is_answered(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hours_ago: float, code: str
) -> None:
    assert programs.is_dir()
    path, at = tmp_path / "synchronized", NOW.timestamp() - 3600 * hours_ago
    path.touch()
    os.utime(path, (at, at))
    assert found(monkeypatch, tmp_path, kernel=False)[0] == code


@pytest.mark.parametrize(
    ("kernel", "code"),
    [(True, "clock-good"), (False, "clock-not-kept"), (None, "clock-unknown")],
)
def test_without_a_time_client_the_kernel_is_asked(
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kernel: bool | None,
    code: str,
) -> None:
    assert not [*programs.iterdir()]
    assert found(monkeypatch, tmp_path, kernel=kernel)[0] == code


def test_a_clock_of_long_ago_is_wrong_whoever_keeps_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = found(monkeypatch, tmp_path, kernel=True, now=NOW.replace(year=2001))
    assert told == ("clock-wrong", "system", Grade.FAULT)
