"""Finds the data that ships with the application: in a checkout and in an installed wheel alike.

`resources` stands beside the package in a checkout and within it in a wheel; migrations are always
within their room (pyproject.toml lays them into the wheel).
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

_PACKAGE: Final = Path(str(files("capture_app")))
_IN_THE_PACKAGE: Final = _PACKAGE / "resources"
_IN_THE_CHECKOUT: Final = _PACKAGE.parent / "resources"


def resource(path: str) -> Path:
    """The file or folder `path` (such as "catalog/procedures.csv") under resources.

    Raises FileNotFoundError where it did not ship, ValueError for a path that leaves the folder.
    """
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        message = f"not a resource path: {path}"
        raise ValueError(message)
    for root in (_IN_THE_PACKAGE, _IN_THE_CHECKOUT):
        found = root.joinpath(*relative.parts)
        if found.exists():
            return found
    message = f"no such resource: {path}"
    raise FileNotFoundError(message)


def migrations(room: str) -> Path:
    """The folder of the numbered migrations of a room's database ("outbox", "patients")."""
    return _PACKAGE / room / "migrations"
