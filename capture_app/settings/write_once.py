"""Small files that appear whole or not at all, and folders: what is durable once it is there."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path


def write_once(path: Path, content: bytes) -> bool:
    """Writes the file with mode 0600 and syncs it; False where there is one already.

    Safe against another process doing the same: one wins, and nobody ever reads half a file.
    """
    temporary = _name_beside(path)
    try:
        _write_synced(temporary, content)
        os.link(temporary, path)  # unlike a rename, it refuses to replace
    except FileExistsError:
        return False
    finally:
        with suppress(OSError):
            temporary.unlink()
    fsync_folder(path.parent)
    return True


def replace_file(path: Path, content: bytes) -> None:
    """Puts a file of mode 0600 in the place of an older one, synced: nobody ever reads half a file.

    Raises OSError; then the older one is still there.
    """
    temporary = _name_beside(path)
    try:
        _write_synced(temporary, content)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()
    fsync_folder(path.parent)


def _name_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, for its owner alone; durable, and harmless if there."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in missing:
        fsync_folder(made.parent)


def is_open_to_others(folder: Path) -> bool:
    """Whether somebody else could put files into a folder, exchange those in it, or put another
    folder in its place: one above it that all may write, without the sticky bit that /tmp has.

    Windows has no such mode: there the folder of the user's own protects it.
    """
    if sys.platform == "win32":
        return False
    found, us = folder.stat(), os.geteuid()
    is_anothers = us != 0 and found.st_uid not in (us, 0)
    if found.st_mode & 0o022 or is_anothers:
        return True
    above = (path.stat().st_mode for path in folder.resolve().parents)
    return any(mode & stat.S_IWOTH and not mode & stat.S_ISVTX for mode in above)


def fsync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. Windows has no such call: NTFS journals its names."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
