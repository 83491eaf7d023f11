"""The application as it is installed elsewhere: a wheel that holds all that it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE, RESOURCES = REPOSITORY / "capture_app", REPOSITORY / "resources"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def run(*argv: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Neither the checkout nor this process's own packages are to be found by accident.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(argument) for argument in argv],
        cwd=cwd,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def shipped() -> Iterator[str]:
    """What a wheel must hold, by its path in there."""
    for path in PACKAGE.rglob("*"):
        if path.suffix in {".py", ".sql"}:
            yield path.relative_to(REPOSITORY).as_posix()
    for path in RESOURCES.rglob("*"):
        if path.is_file():
            yield f"capture_app/{path.relative_to(REPOSITORY).as_posix()}"


@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel, and a Python that has it and the dependencies and knows no checkout."""

    wheel: Path
    python: Path
    elsewhere: Path

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The installed command, from a folder that has nothing to do with it."""
        return run(self.python.with_name("capture-app"), *arguments, cwd=self.elsewhere)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    source, home, elsewhere = folder / "source", folder / "home", folder / "elsewhere"
    # A copy: what a build leaves in its folder does not get into the checkout, nor into the wheel.
    shutil.copytree(PACKAGE, source / "capture_app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(RESOURCES, source / "resources")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet")
    built = run(*PIP, "wheel", *options, "--wheel-dir", folder, source, cwd=folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")

    made = run(sys.executable, "-m", "venv", "--without-pip", home, cwd=folder)
    assert made.returncode == 0, made.stderr
    python = home / "bin" / "python"
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    # A plain entry of the path: the editable install that stands in there is not seen.
    (Path(paths["purelib"]) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ("--no-deps", "--no-index", "--quiet", "--no-compile")
    put = run(*PIP, "--python", python, "install", *options, wheel, cwd=folder)
    assert put.returncode == 0, put.stderr
    elsewhere.mkdir()
    return Installed(wheel, python, elsewhere)


def test_wheel_holds_every_module_migration_and_resource_and_nothing_else(
    installed: Installed,
) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert names == set(shipped())
        for name in ("capture_app/resources/bodymap.json", "capture_app/resources/icons/LICENSE"):
            origin = REPOSITORY / name.removeprefix("capture_app/")
            assert wheel.read(name) == origin.read_bytes()


def test_installed_application_finds_all_that_it_needs_within_itself(installed: Installed) -> None:
    script = (
        "import capture_app, capture_app.settings.resources as r\n"
        "print(capture_app.__file__, r.resource('icons'), r.migrations('outbox'), sep='\\n')"
    )
    found = run(installed.python, "-c", script, cwd=installed.elsewhere)
    assert found.returncode == 0, found.stderr
    home = installed.python.parents[1]
    assert [Path(line).is_relative_to(home) for line in found.stdout.split()] == [True] * 3

    checked = installed.run("catalog", "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "no faults" in checked.stdout

    settings = installed.elsewhere / "settings.toml"
    key, data = installed.elsewhere / "capture.key", installed.elsewhere / "data"
    settings.write_text(
        f'schema_version = 1\ndata_dir = "{data}"\n'
        f'[adt]\nassigning_authority = "X"\n'
        f'[security]\nkey_store = "file"\nkey_file = "{key}"\n',
        encoding="utf-8",
    )
    listed = installed.run("patients", "--settings", settings, "--json")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "[]\n", "")
    assert {path.name for path in data.glob("*.db")} == {"outbox.db", "census.db"}
    checked = installed.run("outbox", "--settings", settings, "--check")
    assert (checked.returncode, checked.stderr) == (0, "")
