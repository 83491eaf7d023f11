"""Practice and patients never meet: neither in a destination nor in a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.words import tr
from capture_app.settings.cross_checks import is_loopback
from capture_app.settings.schema import Settings
from capture_app.settings.write_once import is_open_to_others, make_folder, write_once

PRACTICE_USER: Final = "practice"
PRACTICE_PIN: Final = "246800"
"""No secret: it opens the simulated hospital, and the lock of practice says it."""

MARKER: Final = "data-folder.txt"
_USES: Final = {True: "practice", False: "patients"}
_FIRST_LINE: Final = "This folder belongs to Capture App. It is for"


def refuse_real_destinations(settings: Settings) -> None:
    """Raises SettingsError where practice could reach anything but the simulated hospital.

    In practice every peer must be on this computer and on one of `practice_ports`, and every
    listening address must be of this computer alone. Does nothing where practice is off.
    """
    if not settings.practice:
        return
    allowed = tr(
        "in practice, only the simulated hospital: this computer, ports {ports}",
        ports=", ".join(map(str, settings.practice_ports)) or tr("none"),
    )
    faults = tuple(
        SettingsFault(tr("practice"), key, tr("It is not the simulated hospital."), allowed)
        for key, host, port in _ends(settings)
        if not is_loopback(host) or (port is not None and port not in settings.practice_ports)
    )
    if faults:
        raise SettingsError(faults)


def claim_data_folder(settings: Settings) -> None:
    """Makes the data folder if need be and marks it for practice or for patients, once and for all.

    Raises SettingsError where it is marked for the other use, where practice finds a folder that
    holds something and no mark (it may be a patient's), and where it cannot be used at all.
    """
    folder = settings.data_dir
    try:
        make_folder(folder)
        problem = _problem_with(folder, settings)
        if not problem and not (folder / MARKER).exists():
            write_once(folder / MARKER, _text(_USES[settings.practice]).encode())
            problem = _problem_with(folder, settings)  # another may have marked it first
    except OSError as error:
        problem = _unusable(error)
    if problem:
        raise _refused(folder, problem, settings)


def folder_problem(settings: Settings) -> str:
    """Why `claim_data_folder` would refuse the folder as it stands; empty where it would not.

    Makes and writes nothing.
    """
    try:
        return _problem_with(settings.data_dir, settings) if settings.data_dir.exists() else ""
    except OSError as error:
        return _unusable(error)


def _problem_with(folder: Path, settings: Settings) -> str:
    if is_open_to_others(folder):
        return tr(
            "Others could change what is in it: it must be this user's own, with mode 0700, and "
            "no folder above it one that all may write."
        )
    marker = folder / MARKER
    if not marker.exists():
        if settings.practice and any(folder.iterdir()):
            return tr("The folder holds something else.")
    elif marker.read_text(encoding="utf-8", errors="replace") != _text(_USES[settings.practice]):
        return tr("The folder is for another use.")
    return ""


def _unusable(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return tr("The folder cannot be used: {reason}.", reason=reason)


def _text(use: str) -> str:
    return f"{_FIRST_LINE} {use}.\n"


def _refused(folder: Path, problem: str, settings: Settings) -> SettingsError:
    allowed = (
        tr("a new folder, or one that practice made")
        if settings.practice
        else tr("a folder that is not for practice, and that this user can write")
    )
    return SettingsError((SettingsFault(str(folder), "data_dir", problem, allowed),))


def _ends(settings: Settings) -> Iterator[tuple[str, str, int | None]]:
    """Key, host and port of every end; no port where we are the ones who listen."""
    if settings.adt is not None:
        yield ("adt.host", settings.adt.host, None)
    if settings.receiver is not None:
        yield ("receiver.host", settings.receiver.host, None)
    for number, worklist in enumerate(settings.worklists):
        yield (f"worklists[{number}].host", worklist.host, worklist.port)
    for number, archive in enumerate(settings.archives):
        where = f"archives[{number}]"
        if archive.host:
            yield (f"{where}.host", archive.host, archive.port)
        yield (f"{where}.commitment_host", archive.commitment_host, None)
        if archive.url:
            parts = urlsplit(archive.url)
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
            yield (f"{where}.url", parts.hostname or "", port)
