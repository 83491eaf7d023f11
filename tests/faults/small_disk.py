"""Disks that fill up: a small tmpfs of our own, and a limit on file size."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KINDS = ("file-size-limit", "tmpfs")
_LONGEST_S = 100.0


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


def may_mount() -> bool:
    """Whether this process is root, of the computer or of a namespace."""
    return os.geteuid() == 0


def run_as_root_of_a_namespace(test: str, folder: Path) -> str:
    """Runs one test as root of a namespace of its own, where any user may mount a disk.

    Returns what went wrong, empty where it passed.
    """
    namespace = ["unshare", "--map-root-user", "--mount"]
    options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", f"--basetemp={folder}"]
    done = subprocess.run(
        [*namespace, sys.executable, "-m", "pytest", *options, test],
        check=False,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
    )
    if done.returncode == 0 and "1 passed" in done.stdout:
        return ""
    return f"as root of a namespace ({' '.join(namespace)}): {done.stdout}{done.stderr}"
