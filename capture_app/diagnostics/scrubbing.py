"""What of a log may leave the hospital: words of the application's own, and figures.

A text stays only where it is a constant of our source or a name of the settings. Any other becomes
a short keyed hash, so that the same thing can still be followed from entry to entry of one bundle.
So nothing of a patient stays, even where something put it into the log.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import re
import secrets
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from capture_app.settings.log import ALLOWED_KEYS

_FIGURES: Final = frozenset(
    {"attempt", "bytes", "count", "days", "deadline_s", "due_s", "failures", "line", "ms", "pid"}
    | {"port", "seconds", "size", "status"}
)
_GREATEST: Final = 1e13
_FIRST_YEAR: Final = 2020
_FRAME: Final = re.compile(
    r"([\w./-]+\.py):\d{1,6} ((?:[A-Za-z_]\w*|<\w+>)(?:\.(?:[A-Za-z_]\w*|<\w+>))*)", re.ASCII
)
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_LETTER: Final = re.compile(r"[A-Za-z]")
_OF_DICOM: Final = "1.2.840.10008."
_PACKAGE: Final = "capture_app"
_PEOPLE: Final = "demo"
_HASHED_CHARACTERS: Final = 8


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes entries of a log and leaves what may stay. Hashes hold for this object alone."""

    names: frozenset[str]
    """Texts of the settings that may stay: names of archives, feeds and devices, hosts."""
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)

    def lines(self, log: Iterable[str]) -> Iterator[str]:
        """Each line that is an entry, scrubbed; of the others there is only their number."""
        left_out = 0
        for line in log:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                entry = None
            if isinstance(entry, dict):
                yield json.dumps(self.entry(entry))
            else:
                left_out += 1
        if left_out:
            yield json.dumps({"event": "lines-left-out", "count": left_out})

    def entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        """The entry with allowed keys alone, and with values that may stay."""
        kept = {key: value for key, value in entry.items() if key in ALLOWED_KEYS}
        return {key: self._value(key, value) for key, value in kept.items()}

    def text(self, text: str) -> str:
        """The text itself where it may stay, else its hash."""
        if text in _words() or text in self.names:
            return text
        digest = hashlib.blake2s(text.encode("utf-8", "replace"), key=self._key).hexdigest()
        return f"#{digest[:_HASHED_CHARACTERS]}"

    def _value(self, key: str, value: Any) -> Any:
        if key == "exception":
            return [self._exception(one) for one in value] if isinstance(value, list) else None
        if key == "at":
            return value if isinstance(value, str) and _is_moment(value) else None
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return value if key in _FIGURES and abs(value) < _GREATEST else self.text(str(value))
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._value(key, one) for one in value]
        return self.text(str(value))

    def _exception(self, described: Any) -> dict[str, Any]:
        """Type and frames; never a message."""
        if not isinstance(described, dict):
            return {}
        kind, frames = described.get("type"), described.get("frames")
        return {
            "type": kind if isinstance(kind, str) and _is_a_type(kind) else "?",
            "frames": [
                frame if isinstance(frame, str) and _is_a_frame(frame) else "?"
                for frame in (frames if isinstance(frames, list) else ())
            ],
        }


def _is_moment(text: str) -> bool:
    try:
        return len(text) > len("2020-01-01") and datetime.fromisoformat(text).year >= _FIRST_YEAR
    except ValueError:
        return False


def _is_a_type(text: str) -> bool:
    """Whether it names a class that this process has, of ours, Python's or a library's."""
    module, _, name = text.rpartition(".")
    owner = builtins if module == "builtins" else sys.modules.get(module)
    return isinstance(getattr(owner, name, None), type)


def _is_a_frame(text: str) -> bool:
    """Whether it names a line of a file that is installed here, and a function of it."""
    if (found := _FRAME.fullmatch(text)) is None:
        return False
    known = _names_in(found[1])
    return bool(known) and all(
        name in known for name in _NAME.findall(found[2]) if name not in _OF_PYTHON
    )


_OF_PYTHON: Final = frozenset({"locals", "lambda", "module", "listcomp", "genexpr"})


@cache
def _names_in(file: str) -> frozenset[str]:
    """Every name in an installed source file, by its path without the folders above it."""
    if ".." in file:
        return frozenset()
    for folder in {str(Path(__file__).parents[2]), *sys.path}:
        path = Path(folder) / file
        if folder and path.is_file():
            return frozenset(_NAME.findall(path.read_text("utf-8", "replace")))
    return frozenset()


@cache
def _words() -> frozenset[str]:
    """Every constant text of the application's source, and the names of its modules.

    Not those of the simulated hospital: its people's names and numbers may be somebody's, too.
    """
    words: set[str] = set()
    for module, source in _sources(resources.files(_PACKAGE), _PACKAGE):
        words.add(module)
        words.update(
            node.value
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (_LETTER.search(node.value) or node.value.startswith(_OF_DICOM))
        )
    return frozenset(words)


def _sources(folder: Traversable, package: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir() and item.name.isidentifier() and item.name != _PEOPLE:
            yield from _sources(item, f"{package}.{item.name}")
        elif item.name.endswith(".py"):
            name = item.name.removesuffix(".py")
            yield (package if name == "__init__" else f"{package}.{name}"), item.read_bytes()
