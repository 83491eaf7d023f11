"""Disks that fill up: a small tmpfs where we may mount one, and a limit on file size everywhere."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KINDS = ("file-size-limit", "tmpfs") if os.geteuid() == 0 else ("file-size-limit",)
"""What this user can have: mounting is for root."""


@contextmanager
def small_disk(kind: str, folder: Path, size: int) -> Iterator[None]:
    """Within the block the folder takes no file beyond about `size` bytes (tmpfs: all files)."""
    folder.mkdir(exist_ok=True)
    if kind == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "capture-test", str(folder)]
        subprocess.run(mount, check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield  # Python ignores SIGXFSZ: writing beyond fails with EFBIG
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
