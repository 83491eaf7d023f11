"""Finds the data that ships with the application, from a wheel and from a checkout alike."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path, PurePosixPath

_IN_THE_PACKAGE = Path(str(files("capture_app"))) / "resources"
_IN_THE_CHECKOUT = Path(str(files("capture_app"))).parent / "resources"


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
