"""Writes a small file that appears whole or not at all, and never replaces another."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path


def write_once(path: Path, content: bytes) -> bool:
    """Writes the file with mode 0600 and syncs it; False where there is one already.

    Safe against another process doing the same: one wins, and nobody ever reads half a file.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, it refuses to replace
    except FileExistsError:
        return False
    finally:
        with suppress(OSError):
            temporary.unlink()
    if sys.platform != "win32":
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True
