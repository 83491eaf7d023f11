"""What the doctor sees of this computer: its disk, our ports, the libraries."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from errno import EADDRINUSE
from pathlib import Path
from typing import Final

from capture_app.archive.connect import proof_choice
from capture_app.diagnostics.finding import Facts, Finding, Grade
from capture_app.errors import StoreError
from capture_app.imaging import turbo
from capture_app.model.words import tr
from capture_app.net.http_listener import LOOPBACK
from capture_app.sandbox.walls import walls_here
from capture_app.settings.schema import ProofChoice, Settings
from capture_app.store.role import EngineRole

_MEGABYTE: Final = 1_000_000
_LIBRARIES: Final = (
    ("pyjpegls", "jpeg_ls"),
    ("pi-heif", "pi_heif"),
    ("opencv", "cv2"),
    ("zxing-cpp", "zxingcpp"),
)


def look_at_disk(settings: Settings) -> Iterator[Finding]:
    """Room for pictures, on the disk of the data folder or of what will hold it."""
    there = next((p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists()), None)
    if there is None:
        return  # told with the folder
    free = shutil.disk_usage(there).free // _MEGABYTE
    facts: Facts = {"free_mb": free, "needed_mb": settings.capture.min_free_mb}
    if free < settings.capture.min_free_mb:
        yield Finding(
            "disk",
            "data_dir",
            "disk-low",
            Grade.FAULT,
            tr("There is too little room: the shutter is off.", **facts),
            tr("Make room on this disk, elsewhere than in the data folder."),
            facts,
        )
    else:
        words = tr("{free_mb} MB are free.", **facts)
        yield Finding("disk", "data_dir", "disk-good", Grade.GOOD, words, facts=facts)


def look_at_delivery(lock: Path) -> tuple[Finding, bool]:
    """Whether a process holds the engine role now, and delivers. Makes no file: it would be that of
    whoever looks, perhaps root's.
    """
    if lock.exists() and _is_held(EngineRole(lock)):
        words = tr("A process takes the feeds and delivers.")
        return Finding("delivery", "engine", "delivers", Grade.GOOD, words), True
    finding = Finding(
        "delivery",
        "engine",
        "nobody-delivers",
        Grade.ADVICE,
        tr("No process takes the feeds and delivers now."),
        tr("Start the service: capture-app serve."),
    )
    return finding, False


def _is_held(role: EngineRole) -> bool:
    try:
        return not role.try_acquire()
    except StoreError:
        return False  # a folder that is told elsewhere
    finally:
        role.release()


def look_at_ports(settings: Settings, *, somebody_delivers: bool) -> Iterator[Finding]:
    """Each port that we listen on: held by who delivers, or to be had by it."""
    for name, host, port in _ports(settings):
        facts: Facts = {"host": host, "port": port}
        try:
            is_taken = _is_taken(host, port)
        except OSError as error:
            yield Finding(
                "port",
                name,
                "port-not-had",
                Grade.FAULT,
                tr(
                    "Port {port} of {host} cannot be listened on: {why}.",
                    **facts,
                    why=error.strerror or type(error).__name__,
                ),
                tr("Choose an address of this computer and a port above 1023."),
                facts,
            )
            continue
        if is_taken and somebody_delivers:
            words = tr("Port {port} is in use, as it is while somebody delivers.", **facts)
            yield Finding("port", name, "port-in-use", Grade.GOOD, words, facts=facts)
        elif is_taken:
            yield Finding(
                "port",
                name,
                "port-taken",
                Grade.FAULT,
                tr("Another program has port {port}.", **facts),
                tr("End that program (ss -ltnp names it), or choose another port."),
                facts,
            )
        elif somebody_delivers:
            yield Finding(
                "port",
                name,
                "port-silent",
                Grade.FAULT,
                tr("Nothing listens on port {port}, though a process delivers.", **facts),
                tr("Look for port-not-had in the log; start that process anew after a change."),
                facts,
            )
        else:
            words = tr("Port {port} can be listened on.", **facts)
            yield Finding("port", name, "port-free", Grade.GOOD, words, facts=facts)


def _ports(settings: Settings) -> Iterator[tuple[str, str, int]]:
    if settings.adt is not None:
        yield "adt", settings.adt.host, settings.adt.port
    for archive in settings.archives:
        commits = proof_choice(archive) is ProofChoice.STORAGE_COMMITMENT
        if commits and archive.commitment_port is not None:
            yield archive.name, archive.commitment_host, archive.commitment_port
    if settings.receiver is not None:
        yield "receiver", settings.receiver.host, settings.receiver.port
    if settings.health.port is not None:
        yield "health", LOOPBACK, settings.health.port


def _is_taken(host: str, port: int) -> bool:
    """Raises OSError where it can be had by nobody of ours."""
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            if error.errno == EADDRINUSE:
                return True
            raise
    return False


def look_at_libraries() -> Iterator[Finding]:
    """What reads pictures, and the walls round the children that do."""
    for name, module in _LIBRARIES:
        if importlib.util.find_spec(module):
            words = tr("{name} is there.", name=name)
            yield Finding("library", name, "library-good", Grade.GOOD, words)
        else:
            yield Finding(
                "library",
                name,
                "library-absent",
                Grade.FAULT,
                tr("{name} is missing.", name=name),
                tr("Install the application again, with all of requirements.lock."),
            )
    if turbo.is_had():
        words = tr("libturbojpeg is there.")
        yield Finding("library", "libturbojpeg", "library-good", Grade.GOOD, words)
    else:
        yield Finding(
            "library",
            "libturbojpeg",
            "turbojpeg-absent",
            Grade.ADVICE,
            tr("libturbojpeg is missing: turned pictures are decoded, and less damage is found."),
            tr("Install the application again: turbojpeg.dll belongs to it.")
            if sys.platform == "win32"
            else tr("Install libturbojpeg0."),
        )
    walls = walls_here()
    facts: Facts = {"landlock": walls.landlock, "seccomp": walls.seccomp}
    if walls.are_whole or sys.platform == "win32":
        words = tr("The children that read what comes from outside have all their walls.")
        yield Finding("library", "sandbox", "walls-good", Grade.GOOD, words, facts=facts)
    else:
        yield Finding(
            "library",
            "sandbox",
            "walls-missing",
            Grade.ADVICE,
            tr("The children that read what comes from outside lack walls."),
            tr("Linux 5.13 or newer on x86-64, and no container that forbids landlock or seccomp."),
            facts,
        )


def versions() -> dict[str, str]:
    """What this runs on, for a report."""
    return {
        "python": sys.version.split()[0],
        "platform": sys.platform,
        "openssl": ssl.OPENSSL_VERSION,
        "sqlite": sqlite3.sqlite_version,
    }
