"""Set-up and CI as a shell runs them; stand-ins for the programs that change the machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts alone, and a folder of stand-ins that is first on PATH."""
    shutil.copytree(REPOSITORY / "tools", tmp_path / "tools")
    shutil.copytree(REPOSITORY / ".ci", tmp_path / ".ci")
    (tmp_path / "bin").mkdir()
    return tmp_path


def stand_in(checkout: Path, name: str, script: str) -> None:
    path = checkout / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def run(checkout: Path, *argv: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path or f"{checkout / 'bin'}:{os.environ['PATH']}"}
    environment.pop("CAPTURE_SYSTEM_PACKAGES_ARE_THERE", None)
    return subprocess.run(
        argv,
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_user_without_rights_is_told_one_line(checkout: Path) -> None:
    stand_in(checkout, "id", "echo 1000")
    stand_in(checkout, "sudo", "exit 1")
    stand_in(checkout, "apt-get", "exit 1")
    # all is there but one
    stand_in(checkout, "dpkg-query", 'case "$*" in *libegl1) exit 1 ;; *) echo "ii " ;; esac')
    done = run(checkout, "tools/setup.sh", "run")
    assert done.returncode == 2
    assert done.stdout == ""
    installer = checkout / "tools/apt-install.sh"
    assert done.stderr == f"setup: as root, once: {installer} libegl1\n"


def test_with_sudo_only_what_is_missing_is_installed(checkout: Path) -> None:
    stand_in(checkout, "id", "echo 1000")
    stand_in(checkout, "sudo", f'echo "$*" >>{checkout}/asked')
    stand_in(checkout, "apt-get", "exit 1")
    stand_in(checkout, "dpkg-query", 'case "$*" in *xvfb | *venv) exit 1 ;; *) echo "ii " ;; esac')
    stand_in(checkout, "python3", "exit 1")  # ends it there
    assert run(checkout, "tools/setup.sh", "test").returncode == 2
    asked = (checkout / "asked").read_text("utf-8").splitlines()
    assert asked[0] == "-n true"
    assert asked[1] == "-n tools/apt-install.sh python3-venv xvfb"


def test_on_another_system_the_packages_are_named(checkout: Path) -> None:
    for program in ("bash", "dirname", "sed", "paste", "cat", "sh"):
        found = shutil.which(program)
        assert found is not None
        (checkout / "bin" / program).symlink_to(found)
    done = run(checkout, "tools/setup.sh", "run", path=str(checkout / "bin"))
    assert done.returncode == 2
    assert "not Debian" in done.stderr
    assert "libegl1" in done.stderr
    assert "orthanc" not in done.stderr


def test_a_wrong_level_is_refused(checkout: Path) -> None:
    assert run(checkout, "tools/setup.sh", "everything").returncode == 2


@pytest.mark.parametrize(
    ("lint", "test", "closing_line", "code"),
    [
        (0, 0, "3 passed in 0.1s", 0),
        (0, 0, "no tests ran in 0.01s", 1),
        (0, 0, "", 1),
        (0, 2, "1 failed, 3 passed in 0.1s", 1),
        (2, 0, "3 passed in 0.1s", 1),
        (0, 2, "5 errors", 1),
        (0, 0, "0 passed", 1),
    ],
)
def test_ci_is_green_only_if_tests_ran_and_all_is_well(
    checkout: Path, lint: int, test: int, closing_line: str, code: int
) -> None:
    script = f'case $1 in lint) exit {lint} ;; test) echo "{closing_line}"; exit {test} ;; esac'
    stand_in(checkout, "make", script)
    done = run(checkout, "bash", ".ci/run")
    assert done.returncode == code, done.stdout + done.stderr
    assert closing_line in done.stdout


def test_another_source_of_the_windows_library_than_the_pinned_one_is_not_built(
    checkout: Path,
) -> None:
    source = checkout / "source.tar.gz"
    source.write_bytes(b"something else")
    for program in ("cmake", "make", "nasm", "x86_64-w64-mingw32-gcc"):
        stand_in(checkout, program, f"touch {checkout}/built")
    done = run(checkout, "tools/build-turbojpeg.sh", str(source))
    assert done.returncode == 1
    assert done.stderr == "build-turbojpeg: this is not the source that is pinned\n"
    assert not (checkout / "built").exists()
    assert not (checkout / "resources").exists()


def test_make_help_lists_every_command() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    for command in (
        "run",
        "test",
        "test-devices",
        "check",
        "faults",
        "fuzz",
        "fresh",
        "bench",
        "lock",
        "setup",
        "help",
    ):
        assert f"make {command} " in listed
