"""A copy of the tree, in which faults are planted and tests run. The tree itself stays as it is."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.mutant import Mutant, Outcome, Verdict

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 300.0
_NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", "build", "dist", "node_modules", "*.egg-info"),
    *("__pycache__", ".*_cache", ".hypothesis"),
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


class CannotPlantError(Exception):
    """The text of a mutant does not stand in its file exactly once: the code has moved on."""


def plant_in(text: str, mutant: Mutant) -> str:
    """The text of the mutant's file with the fault in it. Raises CannotPlantError."""
    found = text.count(mutant.text)
    if found != 1 or mutant.instead == mutant.text:
        message = f"{mutant.name}: its text stands {found} times in {mutant.file}"
        raise CannotPlantError(message)
    return text.replace(mutant.text, mutant.instead)


class Copy:
    """A copy of the project in `folder`, for one fault at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._planted = 0
        shutil.copytree(ROOT, folder, ignore=_NOT_COPIED, symlinks=True)
        where = self._python("-c", "import capture_app; print(capture_app.__file__)").stdout
        if Path(where.strip()).parent != folder / "capture_app":
            message = f"the tests would run on the code in {where.strip()}, not on the copy"
            raise RuntimeError(message)

    def failing(self, tests: Sequence[str]) -> str:
        """What of the tests fails as things stand; empty where all pass."""
        done = self._tested(tests)
        said = (done.stdout + done.stderr).strip().splitlines()
        return "" if done.returncode == 0 else "\n".join(said[-5:])

    def try_out(self, mutant: Mutant) -> Outcome:
        """Plants a fault, runs its tests, takes it out again."""
        begin = time.monotonic()
        try:
            with self._planted_in_place(mutant):
                done = self._tested(mutant.tests)
        except CannotPlantError as error:
            return Outcome(mutant, Verdict.ERROR, str(error), 0.0)
        except subprocess.TimeoutExpired:
            return Outcome(mutant, Verdict.ERROR, "its tests did not end", PATIENCE_S)
        seconds = time.monotonic() - begin
        match done.returncode:
            case 0:
                return Outcome(mutant, Verdict.SURVIVED, ", ".join(mutant.tests), seconds)
            case 1:
                caught_by = dict.fromkeys(_FAILED.findall(done.stdout))
                return Outcome(mutant, Verdict.CAUGHT, ", ".join(caught_by), seconds)
            case code:
                last = (done.stdout + done.stderr).strip().splitlines()[-1:]
                said = f"its tests did not run (exit {code}): {' '.join(last)}"
                return Outcome(mutant, Verdict.ERROR, said, seconds)

    @contextmanager
    def _planted_in_place(self, mutant: Mutant) -> Iterator[None]:
        path = self.folder / mutant.file
        before, was = path.read_text(encoding="utf-8"), path.stat()
        planted = plant_in(before, mutant)
        self._planted += 1
        try:
            path.write_text(planted, encoding="utf-8")
            # Compiled code is taken for current by time and size: no two plantings have one time.
            later = int(was.st_mtime) + self._planted
            os.utime(path, (later, later))
            yield
        finally:
            path.write_text(before, encoding="utf-8")
            os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))

    def _tested(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        plain = ("-q", "-x", "--no-header", "--tb=no", "-n0")
        without = ("-p", "no:randomly", "-p", "no:cacheprovider")
        return self._python("-m", "pytest", *plain, *without, *tests)

    def _python(self, *argv: str) -> subprocess.CompletedProcess[str]:
        # The project is installed from the tree: the copy has to be found before it.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        environment["PYTHONPATH"] = str(self.folder)
        return subprocess.run(
            [sys.executable, *argv],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
