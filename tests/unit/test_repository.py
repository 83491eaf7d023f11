"""What holds for every file of the repository, whoever writes it."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "capture_app"
LONGEST_MODULE = 450
LONGEST_TESTS = 500

# Built from parts: this file is checked too.
_PACKAGE_HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry." + "npmjs",
    "deb." + "debian",
    "security." + "debian",
]
_HOME_PATH = re.compile("/(" + "home|Users" + r")/(?!(?:nurse|x)/)\w+/|/" + r"root/|/" + r"work/")


def tracked() -> list[Path]:
    argv = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    run = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, timeout=60, check=True)
    paths = [REPOSITORY / name for name in run.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def modules(folder: Path = PACKAGE) -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(folder)]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            yield path, content.decode("utf-8", "replace")


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_no_file_names_a_package_registry() -> None:
    found = [name(path) for path, text in texts() if any(h in text for h in _PACKAGE_HOSTS)]
    assert not found


def test_no_file_names_the_home_of_its_author() -> None:
    found = [
        f"{name(path)}: {match[0]}"
        for path, text in texts()
        if (match := _HOME_PATH.search(text)) is not None
    ]
    assert not found


@pytest.mark.parametrize(
    ("folder", "longest"),
    [("capture_app", LONGEST_MODULE), ("tools", LONGEST_MODULE), ("tests", LONGEST_TESTS)],
)
def test_no_module_is_longer_than_a_person_can_hold(folder: str, longest: int) -> None:
    of_folder = modules(REPOSITORY / folder)
    lengths = {name(path): path.read_text("utf-8").count("\n") for path in of_folder}
    assert lengths
    assert not {path: n for path, n in lengths.items() if n > longest}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name(path)
        for path in modules()
        if ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert not silent


def test_no_room_is_called_after_nothing() -> None:
    empty = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "misc"}
    inside = [path.relative_to(REPOSITORY) for path in modules()]  # where it lies is not ours
    assert not [str(path) for path in inside if empty & {path.stem, *path.parts}]


def test_view_models_know_no_window() -> None:
    """Nor does anything that they import from the window's room."""
    windows = re.compile(r"PySide6\.(?!QtCore\b)|from PySide6 import (?!QtCore$)", re.MULTILINE)
    of_ui = {path: path.read_text("utf-8") for path in modules(PACKAGE / "ui")}
    view_models = [
        p for p, text in of_ui.items() if re.search(r"^class \w+ViewModel\b", text, re.MULTILINE)
    ]
    assert len(view_models) > 5
    seen: set[Path] = set()
    waiting = view_models
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [other for other in imported_by(of_ui[path]) if other in of_ui]
    assert not [name(path) for path in seen if windows.search(of_ui[path])]


def imported_by(source: str) -> Iterator[Path]:
    """The modules of the package that a module may mean by its imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            place = REPOSITORY.joinpath(*node.module.split("."))
            yield place.with_suffix(".py")
            yield from (place / f"{alias.name}.py" for alias in node.names)


@pytest.mark.parametrize(
    "mark", ["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"]
)
def test_nothing_is_left_for_later(mark: str) -> None:
    word = re.compile(rf"\b{mark}\b")
    later = [
        name(path)
        for path, text in texts()
        if path.suffix in {".py", ".sh", ".md", ".toml", ".mjs"} and word.search(text)
    ]
    assert not later


def test_nothing_sleeps() -> None:
    sleeping = [
        name(path)
        for path in tracked()
        if path.suffix == ".py" and re.search(r"\btime\.sleep" + r"\(", path.read_text("utf-8"))
    ]
    assert not sleeping


def test_every_shell_script_stops_at_its_first_error() -> None:
    lax = [
        name(path)
        for path, text in texts()
        if path.suffix == ".sh" and not re.search(r"^set -euo pipefail$", text, re.MULTILINE)
    ]
    assert not lax


def test_every_ignored_rule_gives_its_reason() -> None:
    settings = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    ignored = re.search(r"^ignore = \[\n(.*?)^\]", settings, re.MULTILINE | re.DOTALL)
    assert ignored is not None
    bare = [line for line in ignored[1].splitlines() if not re.search(r'"[A-Z]+\d+",\s+# \w', line)]
    assert not bare


def test_what_runs_is_what_is_declared() -> None:
    """requirements.in (which is locked) and pyproject.toml name the same distributions."""
    project = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    block = re.search(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert block is not None
    declared = set(re.findall(r'^\s+"([\w-]+)', block[1], re.MULTILINE))
    locked_from = (REPOSITORY / "requirements.in").read_text("utf-8")
    wanted = set(re.findall(r"^([\w-]+)", locked_from, re.MULTILINE)) - {"setuptools"}
    assert wanted == declared


def test_the_locks_pin_every_distribution_by_hash() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (REPOSITORY / lock).read_text("utf-8")
        pins = re.findall(r"^(?![ #])(.+(?:\n .*)*)", text, re.MULTILINE)
        assert pins
        assert not [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin]


def test_no_two_classes_of_the_product_have_one_name() -> None:
    """What is imported by name is one thing wherever it is read. (Those of one module alone, that
    begin with an underscore, may.)
    """
    places = defaultdict[str, list[str]](list)
    for path in modules():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name(path))
    assert len(places) > 100
    assert not {of: where for of, where in places.items() if len(where) > 1}
