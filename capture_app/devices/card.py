"""A watched folder, or a memory card: the files of cameras that lie in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from capture_app.errors import DeviceError
from capture_app.model.words import tr

_PICTURES: Final = (
    *(".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".avif", ".png"),
    *(".tif", ".tiff", ".webp", ".bmp", ".gif"),
)
_RAW: Final = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw"),
    *(".orf", ".pef", ".raf", ".rw2", ".srw", ".x3f"),
)
_FILMS: Final = (
    *(".3gp", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4"),
    *(".mpg", ".mts", ".wmv"),
)
_NOT_OF_CAMERAS: Final = frozenset({"system volume information", "$recycle.bin"})
_DCF_FOLDER: Final = re.compile(r"([1-9]\d\d)[0-9A-Za-z_]{5}")
_DCF_FILE: Final = re.compile(r"[0-9A-Za-z_]{4}(\d{4})")
_MOST_FILES: Final = 5000
_DEEPEST: Final = 8


class FileSort(StrEnum):
    """What a file is by its name."""

    PICTURE = "picture"
    RAW = "raw"
    """Without a picture of the same name beside it."""
    FILM = "film"


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file."""

    path: Path
    size: int
    modified_ns: int
    sort: FileSort
    root: str = ""
    """Its folder DCIM; empty where it does not lie in one as cameras make it (DCF, CIPA DC-009)."""
    folder_number: int = 0
    number: int | None = None
    """The number that the camera gave it, 0 to 9999; None where its name has none."""


def card_files(folder: Path) -> tuple[CardFile, ...]:
    """All that cameras left in a folder and below, in no order.

    A raw file beside a picture of the same name is left out: it is the same shot. Links are not
    followed. Raises DeviceError where the folder is not there, cannot be read, or is endless.
    """
    try:
        found = []
        for file in _walk(folder, 0):
            found.append(file)
            if len(found) > _MOST_FILES:
                raise DeviceError(
                    tr("There are more than {most} files in this folder.", most=_MOST_FILES)
                )
    except OSError as error:
        raise DeviceError(_not_there(error)) from error
    pictures = {file.path.with_suffix("") for file in found if file.sort is FileSort.PICTURE}
    return tuple(
        file
        for file in found
        if file.sort is not FileSort.RAW or file.path.with_suffix("") not in pictures
    )


def _not_there(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return tr("The card cannot be read: this account may not.")
    return tr("No card is there. Put it in.")


def _walk(folder: Path, depth: int) -> Iterator[CardFile]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.name.startswith(".") or entry.name.lower() in _NOT_OF_CAMERAS:
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth < _DEEPEST:
                yield from _walk(Path(entry.path), depth + 1)
        elif entry.is_file(follow_symlinks=False):
            path = Path(entry.path)
            if (sort := _sort_of(path)) is not None:
                found = entry.stat(follow_symlinks=False)
                yield CardFile(path, found.st_size, found.st_mtime_ns, sort, *_place(path))


def _sort_of(path: Path) -> FileSort | None:
    ending = path.suffix.lower()
    sorts = {FileSort.PICTURE: _PICTURES, FileSort.RAW: _RAW, FileSort.FILM: _FILMS}
    return next((sort for sort, endings in sorts.items() if ending in endings), None)


def _place(path: Path) -> tuple[str, int, int | None]:
    """Root, folder number and file number as DCF has them."""
    folder, root = path.parent, path.parent.parent
    of_folder, of_file = _DCF_FOLDER.fullmatch(folder.name), _DCF_FILE.fullmatch(path.stem)
    number = None if of_file is None else int(of_file[1])
    if root.name.upper() != "DCIM" or of_folder is None or number is None:
        return "", 0, number
    return str(root), int(of_folder[1]), number
