"""What a person who helps from afar needs, and nothing of a patient: see `scrubbing`."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import structlog

from capture_app import __version__
from capture_app.diagnostics import own_computer
from capture_app.diagnostics.finding import Finding
from capture_app.diagnostics.scrubbing import Scrubber
from capture_app.errors import SettingsFault, StoreError
from capture_app.settings.describe import settings_toml
from capture_app.settings.keys import keys_of
from capture_app.settings.log import LOG_FOLDER
from capture_app.settings.schema import Settings
from capture_app.store.database import Reader, looking_into

_log = structlog.get_logger(__name__)

_MOST_LOGS: Final = 10
_MOST_BYTES_A_LOG: Final = 2_000_000
_DATABASES: Final = ("outbox.db", "census.db")
_NUMBER: Final = re.compile(r"\[\d+\]$")
_HOME: Final = re.compile(
    r"""(?<![\w.-])(?:/home/|/Users/|[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/))[^/\\"'\n]+"""
)
"""A folder below which somebody's own files lie, as a text or as JSON writes it."""
_ABOUT: Final = """\
Support bundle of Capture App, for whoever helps this station from afar.

settings.toml  the settings in force, without users, passwords and queries in addresses
faults.json    why the settings cannot be used: then settings.toml has a default, or nothing, for
               what is wrong or missing; empty where they can be used
versions.json  of the application, the system and every library
doctor.json    what capture-app doctor found
counts.json    how many rows each table has, and steps of delivery by kind, state and code
logs/          the newest entries of the log: texts that are not the application's own are hashes
               (#...), the same text the same hash within this bundle

There are no pictures, names, numbers, dates of birth, messages, UIDs, users or keys in it.
"""


def contents(
    settings: Settings, faults: Sequence[SettingsFault], findings: Sequence[Finding], now: datetime
) -> Mapping[str, bytes]:
    """The files of the bundle by their names. Needs no key, and no settings that can be used:
    `faults` says why they cannot be. What cannot be read says so in its place.
    """
    scrubber = Scrubber(frozenset(_names(settings)))
    parts: dict[str, Callable[[], str]] = {
        "about.txt": lambda: _ABOUT,
        "settings.toml": lambda: settings_toml(_without_secrets(settings)),
        "faults.json": lambda: _json(list(_faults(faults, scrubber))),
        "versions.json": lambda: _json(_versions(now)),
        "doctor.json": lambda: _json([asdict(finding) for finding in findings]),
        "counts.json": lambda: _json(dict(_counts(settings.data_dir, scrubber))),
    }
    try:
        logs = _newest_logs(settings.data_dir / LOG_FOLDER)
    except OSError as error:
        logs = []
        parts["logs/unreadable.txt"] = partial(_unreadable, error)
    for number, path in enumerate(logs, 1):
        name = f"logs/{number:02}-{scrubber.text(path.name.partition('-')[0])}.jsonl"
        parts[name] = partial(_log_text, path, scrubber)
    return {name: _said(part).encode() for name, part in parts.items()}


def _said(part: Callable[[], str]) -> str:
    """What it says, or why it cannot: one thing that is at fault keeps no other from the bundle."""
    try:
        return _without_homes(part())
    except Exception as error:  # noqa: BLE001 - logged; whoever helps needs the rest of it
        _log.warning("bundle-part-failed", exc_info=True)
        return _unreadable(error)


def _unreadable(error: Exception) -> str:
    """What kind of error: its message may quote what was read."""
    why = f", {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    return f"unreadable: {type(error).__name__}{why}\n"


def _faults(faults: Sequence[SettingsFault], scrubber: Scrubber) -> Iterator[dict[str, str]]:
    """Each with its place, but for names that the schema does not have: those may be anything."""
    known = frozenset(_names_of_keys(Settings))
    for fault in faults:
        steps = fault.key.split(".")
        plain = all(_NUMBER.sub("", step) in known for step in steps)
        key = fault.key if plain else scrubber.text(fault.key)
        yield asdict(fault) | {"key": key}


def _names_of_keys(kind: Callable[..., object]) -> Iterator[str]:
    for key in keys_of(kind):
        yield key.name
        if key.is_table:
            yield from _names_of_keys(key.kind)


def _without_homes(text: str) -> str:
    """The text with ~ for our home folder, and for anybody's: they name users."""
    with suppress(RuntimeError):  # nobody here has one
        home = Path.home()
        if home != home.parent:
            for written in (json.dumps(str(home))[1:-1], str(home)):
                text = re.sub(rf"{re.escape(written)}(?![\w.-])", "~", text)
    return _HOME.sub("~", text)


def zipped(files: Mapping[str, bytes], now: datetime) -> bytes:
    """The bundle itself."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), content)
    return written.getvalue()


def _names(settings: Settings) -> Iterator[str]:
    for archive in settings.archives:
        yield from (archive.name, archive.host, urlsplit(archive.url).hostname or "")
    for worklist in settings.worklists:
        yield from (worklist.name, worklist.host)
    for device in settings.devices:
        yield device.id
    if settings.adt is not None:
        yield settings.adt.host
    if settings.receiver is not None:
        yield settings.receiver.host
        yield from (sender.name for sender in settings.receiver.senders)


def _without_secrets(settings: Settings) -> Settings:
    return replace(
        settings,
        archives=tuple(
            replace(one, url=_plain_address(one.url), user="hidden" if one.user else "")
            for one in settings.archives
        ),
        devices=tuple(
            # What people read on a camera may be anything; its id says which one it is.
            replace(one, name=one.id, address=_plain_address(one.address))
            for one in settings.devices
        ),
    )


def _plain_address(address: str) -> str:
    """An address without user, password, query and fragment; anything else as it is."""
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        place = f"[{host}]" if ":" in host else host
        if parts.port is not None:
            place += f":{parts.port}"
    except ValueError:
        return "hidden"
    return urlunsplit((parts.scheme, place, parts.path, "", ""))


def _versions(now: datetime) -> dict[str, Any]:
    libraries = {one.name: one.version for one in metadata.distributions() if one.name}
    return {
        "capture-app": __version__,
        "written_at": now.isoformat(timespec="seconds"),
        **own_computer.versions(),
        "libraries": dict(sorted(libraries.items())),
    }


def _counts(data_dir: Path, scrubber: Scrubber) -> Iterator[tuple[str, Any]]:
    """Reads without a key, and writes nothing."""
    for name in _DATABASES:
        path = data_dir / name
        try:
            if not path.is_file():
                yield name, "absent"
                continue
            with looking_into(path) as reader:
                rows = _rows_of(reader, scrubber)
            yield name, rows
        except (StoreError, OSError) as error:
            yield name, _unreadable(error).strip()


def _rows_of(reader: Reader, scrubber: Scrubber) -> dict[str, Any]:
    tables = [
        name
        for (name,) in reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if name.isidentifier()
    ]
    found: dict[str, Any] = {
        scrubber.text(name): reader.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - an identifier, from the schema
        for name in tables
    }
    if "task" in tables:
        steps = reader.execute(
            "SELECT kind, state, error_code, count(*) FROM task GROUP BY kind, state, error_code"
        )
        found["steps"] = [
            {
                "kind": scrubber.text(str(kind)),
                "state": scrubber.text(str(state)),
                "code": scrubber.text(str(code)) if code else "",
                "count": count,
            }
            for kind, state, code, count in steps
        ]
    return found


def _newest_logs(folder: Path) -> list[Path]:
    """Raises OSError where the folder cannot be looked into."""
    if not folder.is_dir():
        return []
    ages = []
    for path in folder.iterdir():
        if ".jsonl" in path.name:
            with suppress(FileNotFoundError):  # a log that its process has put away meanwhile
                ages.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(ages, reverse=True)[:_MOST_LOGS]]


def _log_text(path: Path, scrubber: Scrubber) -> str:
    return "\n".join(scrubber.lines(_last_lines(path))) + "\n"


def _last_lines(path: Path) -> list[str]:
    """The newest lines of a log; the first may be a part and is left out by the scrubber."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _MOST_BYTES_A_LOG))
        return file.read(_MOST_BYTES_A_LOG).decode("utf-8", "replace").splitlines()


def _json(content: object) -> str:
    return json.dumps(content, indent=1) + "\n"
