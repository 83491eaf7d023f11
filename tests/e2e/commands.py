"""Runs the real command in a process of its own, as an integrator's script does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended, and all that it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class CaptureApp:
    """The command with one settings file."""

    settings: Path

    def argv(self, command: str, *arguments: object) -> list[str]:
        """The whole command line."""
        given = [str(argument) for argument in arguments]
        return [
            sys.executable,
            "-m",
            "capture_app",
            command,
            "--settings",
            str(self.settings),
            *given,
        ]

    def run(self, command: str, *arguments: object) -> Finished:
        """Runs it to its end."""
        done = subprocess.run(
            self.argv(command, *arguments),
            check=False,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[str]]:
        """`serve`, from the line that says so until SIGTERM."""
        with subprocess.Popen(
            self.argv("serve"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().startswith("Serving")
                yield process
            finally:
                process.terminate()
                _, err = process.communicate(timeout=_LONGEST_S)
                sys.stderr.write(err)
