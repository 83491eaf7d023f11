"""Settings in: defaults < machine files < user file < environment < flags < mandatory layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar

from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.words import tr
from capture_app.settings.cross_checks import cross_checks
from capture_app.settings.keys import Key, keys_of
from capture_app.settings.layers import (
    Leaf,
    Overridden,
    Table,
    merged,
    overridden,
    read_environment,
    read_file,
)
from capture_app.settings.learnt import SCANNER_FILE, SECTIONS
from capture_app.settings.places import DATA_VARIABLE, SETTINGS_VARIABLE, places
from capture_app.settings.policy import read_mandatory
from capture_app.settings.schema import Settings

T = TypeVar("T")

_DECIDERS: Final = ("kind", "protocol", "proof")
"""Keys that decide which other keys of their table are needed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and where each of them was written."""

    settings: Settings
    origins: Mapping[str, str]
    """By key, such as `archives[0].port`: the layer and the place. No entry: the default."""
    place_of: Callable[[str], str]
    """Where a key was written; for one that was not, where its table or list was."""
    overridden: tuple[Overridden, ...]
    """What flags, environment and files say, and the mandatory layer does not leave to them."""


def load(
    *, settings_file: Path | None, data_dir: Path | None, environ: Mapping[str, str]
) -> Settings:
    """The settings of this start, as `load_layers`."""
    loaded = load_layers(settings_file=settings_file, data_dir=data_dir, environ=environ)
    return loaded.settings


def load_layers(
    *, settings_file: Path | None, data_dir: Path | None, environ: Mapping[str, str]
) -> Loaded:
    """The settings of this start, each with its layer.

    A settings file that is named (by the flag, else by CAPTURE_APP_SETTINGS) is read instead of the
    machine's and the user's. The mandatory layer is laid over whatever there is. Raises
    SettingsError with every fault.
    """
    loaded, faults = try_layers(settings_file=settings_file, data_dir=data_dir, environ=environ)
    if faults:
        raise SettingsError(faults)
    return loaded


def try_layers(
    *, settings_file: Path | None, data_dir: Path | None, environ: Mapping[str, str]
) -> tuple[Loaded, tuple[SettingsFault, ...]]:
    """What of the settings can be read, and every fault.

    Where there are faults the settings are to be looked at and never to be used: a default, or an
    empty value, stands for what is wrong or missing.
    """
    faults: list[SettingsFault] = []
    files = _files(settings_file, environ)
    root = Table(str(next(reversed(files), tr("defaults"))))
    for path in files:
        root = merged(root, read_file(path, faults))
    root = merged(root, read_environment(environ, faults))
    if data_dir is not None or environ.get(DATA_VARIABLE):
        flag = "--data" if data_dir is not None else DATA_VARIABLE
        folder = data_folder(data_dir=data_dir, environ=environ)
        root.entries["data_dir"] = Leaf(str(folder), flag)
    mandatory = read_mandatory(faults)
    put_aside = tuple(overridden(root, mandatory))
    root = merged(root, mandatory)
    if "data_dir" not in root.entries:
        folder = data_folder(data_dir=None, environ=environ)
        root.entries["data_dir"] = Leaf(str(folder), tr("defaults"))
    learnt = _learnt(root, faults)
    root = merged(learnt, root)
    reader = _Reader(faults)
    settings = reader.table(Settings, root, "")
    faults += _not_said_yet(cross_checks(settings, reader.origin_of), faults)
    if any(fault.key == "data_dir" for fault in faults):
        folder = data_folder(data_dir=data_dir, environ=environ)
        settings = replace(settings, data_dir=folder)
    layers = {
        **{str(path): layer for path, layer in files.items()},
        learnt.origin: tr("the set-up of the scanner"),
        mandatory.origin: tr("mandatory"),
        "--data": tr("flag"),
    }

    def worded(origin: str) -> str:
        """`user: /home/x/.config/...`; what is no file is of the environment or of a policy."""
        policy = origin.startswith(mandatory.origin)
        layer = tr("mandatory") if policy else layers.get(origin, tr("environment"))
        return f"{layer}: {origin}"

    origins = {key: worded(origin) for key, origin in reader.origins if origin != tr("defaults")}
    named = tuple(Overridden(one.key, worded(one.origin), worded(one.by)) for one in put_aside)
    settings = replace(settings, source_files=tuple(files))
    told = sorted(faults, key=lambda fault: (fault.file, fault.key))
    return Loaded(settings, origins, reader.origin_of, named), tuple(told)


def _learnt(root: Table, faults: list[SettingsFault]) -> Table:
    """What the set-up page of the scanner wrote into the data folder: the lowest layer."""
    folder = root.entries.get("data_dir")
    path = Path(str(folder.value)) / SCANNER_FILE if isinstance(folder, Leaf) else None
    if path is None or not path.is_absolute() or not path.is_file():
        return Table(str(path))
    learnt = read_file(path, faults)
    for name in learnt.entries.keys() - set(SECTIONS):
        del learnt.entries[name]
        problem = tr("This file is for the scanner alone.")
        faults.append(SettingsFault(str(path), name, problem, ", ".join(SECTIONS)))
    return learnt


def data_folder(*, data_dir: Path | None, environ: Mapping[str, str]) -> Path:
    """The data folder where no settings could be read: flag, environment, else the user's own."""
    if data_dir is not None:
        return data_dir.absolute()
    named = environ.get(DATA_VARIABLE)
    return Path(named).absolute() if named else places(environ).data_folder


def _not_said_yet(
    found: tuple[SettingsFault, ...], known: list[SettingsFault]
) -> list[SettingsFault]:
    """One fault a key, and none that follows from a wrong word such as `protocol = "ftp"`."""
    keys = {fault.key for fault in known}
    new = []
    for fault in found:
        table, _dot, key = fault.key.rpartition(".")
        unclear = {f"{table}.{decider}" for decider in _DECIDERS} & keys
        if fault.key not in keys and (not unclear or key in ("id", "name")):
            keys.add(fault.key)
            new.append(fault)
    return new


def _files(settings_file: Path | None, environ: Mapping[str, str]) -> dict[Path, str]:
    """The files to read, the weakest first, each with the name of its layer."""
    named = settings_file
    if named is None and environ.get(SETTINGS_VARIABLE):
        named = Path(environ[SETTINGS_VARIABLE])
    if named is not None:
        return {named.absolute(): tr("the file that was named")}
    standard = places(environ)
    files = dict.fromkeys(reversed(standard.machine_files), tr("machine"))
    files[standard.user_file] = tr("user")
    return {path: layer for path, layer in files.items() if _is_there(path)}


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that may not be looked into: reading the file says so
        return True


class _Reader:
    """Turns a tree into the dataclasses of the schema, gathering faults on its way."""

    def __init__(self, faults: list[SettingsFault]) -> None:
        self.faults = faults
        self._origins: dict[str, str] = {}

    @property
    def origins(self) -> Iterator[tuple[str, str]]:
        """Every key and table that was written, and where."""
        return iter(self._origins.items())

    def origin_of(self, path: str) -> str:
        """Where a key was written; for one that was not, where its table or list was."""
        while path and path not in self._origins:
            path = path.rpartition(".")[0] if "." in path else ""
        return self._origins.get(path, tr("defaults"))

    def table(self, kind: Callable[..., T], table: Table, path: str) -> T:
        """The table; where a key is at fault it has its default, or an empty value, so that what
        can be said of the rest is said too.
        """
        self._origins[path] = table.origin
        known = {key.name: key for key in keys_of(kind)}
        values: dict[str, Any] = {}
        for name, entry in table.entries.items():
            where = f"{path}.{name}" if path else name
            if name in known:
                self._key(known[name], entry, where, values)
            else:
                self._unknown(name, entry, where, tuple(known))
        for key in known.values():
            if key.required and key.name not in table.entries:
                where = f"{path}.{key.name}" if path else key.name
                self._fault(table.origin, where, tr("It is missing."), key.allowed)
            if key.required:
                values.setdefault(key.name, _stand_in(key.kind))
        return kind(**values)

    def _key(
        self, key: Key, entry: Leaf | Table | list[Table], where: str, values: dict[str, Any]
    ) -> None:
        if isinstance(entry, Leaf):
            self._origins[where] = entry.origin
            if key.is_table and not (key.is_list and entry.value == []):
                self._fault(entry.origin, where, tr("It is not a table."), key.allowed)
            elif key.is_list:
                self._list(key, entry, where, values)
            else:
                self._one(key, entry, where, values)
        elif isinstance(entry, list):
            if key.is_table and key.is_list:
                tables = [
                    self.table(key.kind, item, f"{where}[{n}]") for n, item in enumerate(entry)
                ]
                values[key.name] = tuple(tables)
            else:
                self._fault(entry[0].origin, where, tr("It is a list of tables."), key.allowed)
        elif key.is_table and not key.is_list:
            values[key.name] = self.table(key.kind, entry, where)
        else:
            self._fault(entry.origin, where, tr("It is a table."), key.allowed)

    def _list(self, key: Key, leaf: Leaf, where: str, values: dict[str, Any]) -> None:
        if not isinstance(leaf.value, list):
            self._fault(leaf.origin, where, tr("It is not a list."), key.allowed)
            return
        if any(not _is_a(key.kind, item) for item in leaf.value):
            self._fault(leaf.origin, where, tr("An entry has the wrong type."), key.allowed)
            return
        for rule in key.rules:
            whole = hasattr(rule, "most")
            for value in [leaf.value] if whole else leaf.value:
                if problem := rule.problem(value):
                    self._fault(leaf.origin, where, problem, key.allowed)
                    return
        values[key.name] = tuple(key.kind(item) for item in leaf.value)

    def _one(self, key: Key, leaf: Leaf, where: str, values: dict[str, Any]) -> None:
        if not _is_a(key.kind, leaf.value):
            problem = tr("It is not {type}.", type=key.type_words)
            self._fault(leaf.origin, where, problem, key.allowed)
            return
        if key.enum_values and leaf.value not in key.enum_values:
            problem = tr("This is not one of the words known here.")
            self._fault(leaf.origin, where, problem, key.allowed)
            return
        for rule in key.rules:
            if problem := rule.problem(leaf.value):
                self._fault(leaf.origin, where, problem, key.allowed)
                return
        values[key.name] = key.kind(leaf.value)

    def _unknown(
        self, name: str, entry: Leaf | Table | list[Table], where: str, known: tuple[str, ...]
    ) -> None:
        origin = entry[0].origin if isinstance(entry, list) else entry.origin
        close = get_close_matches(name, known, n=1, cutoff=0.6)
        problem = tr("There is no such setting.")
        if close:
            problem = tr("There is no such setting. Did you mean {name}?", name=close[0])
        self._fault(origin, where, problem, ", ".join(known))

    def _fault(self, origin: str, where: str, problem: str, allowed: str) -> None:
        self.faults.append(SettingsFault(origin, where, problem, allowed))


def _stand_in(kind: type) -> object:
    """A value in the place of one that is missing or wrong: nothing acts on it."""
    return next(iter(kind)) if issubclass(kind, Enum) else kind()


def _is_a(kind: type, value: object) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    if kind is int:
        return isinstance(value, int)
    return isinstance(value, str)
