"""Who may import whom: each contract breaks on a planted violation, and on a room unplaced."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# one violation for each contract, in the order of pyproject.toml
PLANTED = {
    "Rooms look down only": ("net", "import capture_app.archive"),
    "A page knows no other page": ("ui/outbox", "import capture_app.ui.patients"),
    "PySide6 only in ui and cli": ("imaging", "import PySide6.QtGui"),
    "The window speaks to services": ("ui", "import sqlite3"),
    "The simulated hospital is a peer": ("demo", "import capture_app.store"),
}


def judge(folder: Path) -> str:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [lint_imports, "--no-logo", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return run.stdout + run.stderr


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The rooms without their furniture."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for init in (REPOSITORY / "capture_app").glob("**/__init__.py"):
        room = tmp_path / init.parent.relative_to(REPOSITORY)
        room.mkdir(parents=True, exist_ok=True)
        (room / "__init__.py").touch()
    for pattern in ("capture_app/*.py", "capture_app/ui/*.py"):
        for module in REPOSITORY.glob(pattern):
            (tmp_path / module.relative_to(REPOSITORY)).touch()
    return tmp_path


def test_the_empty_house_is_in_order(house: Path) -> None:
    said = judge(house)
    assert f"Contracts: {len(PLANTED)} kept, 0 broken." in said, said


def test_each_contract_breaks_on_its_violation(house: Path) -> None:
    for room, line in PLANTED.values():
        (house / "capture_app" / room / "planted.py").write_text(line + "\n", encoding="utf-8")
    said = judge(house)
    for contract in PLANTED:
        assert re.search(rf"^{contract}.* BROKEN", said, re.MULTILINE), said


def test_strangers_do_not_know_each_other(house: Path) -> None:
    planted = house / "capture_app/patients/planted.py"
    planted.write_text("import capture_app.devices\n", encoding="utf-8")
    assert "Rooms look down only BROKEN" in judge(house)


def test_a_room_without_a_place_breaks_the_build(house: Path) -> None:
    (house / "capture_app/utils").mkdir()
    (house / "capture_app/utils/__init__.py").touch()
    said = judge(house)
    assert "utils" in said
    assert "kept, 0 broken" not in said
