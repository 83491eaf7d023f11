"""Reads the layers (files, environment) into one tree: every value knows where it stands."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from capture_app.errors import SettingsFault
from capture_app.model.words import tr
from capture_app.settings.keys import Key, keys_of
from capture_app.settings.places import DATA_VARIABLE, SETTINGS_VARIABLE
from capture_app.settings.schema import SCHEMA_VERSION, Settings

PREFIX: Final = "CAPTURE_APP_"
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value and where it was written."""

    value: Any
    origin: str


@dataclass(slots=True)
class Table:
    """A table: further tables, lists of tables, leaves."""

    origin: str
    entries: dict[str, Leaf | Table | list[Table]] = field(default_factory=dict)


def read_file(path: Path, faults: list[SettingsFault]) -> Table:
    """One settings file. What is wrong with it as a file joins the faults."""
    origin, empty = str(path), Table(str(path))
    text = ""
    try:
        text = _text_of(path.read_bytes())
        raw = tomllib.loads(text)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        faults.append(_file_fault(origin, tr("It cannot be read: {reason}.", reason=reason)))
        return empty
    except UnicodeDecodeError:
        faults.append(_file_fault(origin, tr("It is not UTF-8 text. Save it anew as UTF-8.")))
        return empty
    except tomllib.TOMLDecodeError as error:
        faults.append(_file_fault(origin, _why_not_toml(str(error), text)))
        return empty
    version = raw.pop("schema_version", None)
    if version != SCHEMA_VERSION or isinstance(version, bool):
        faults.append(
            SettingsFault(
                origin,
                "schema_version",
                tr("It is missing.")
                if version is None
                else tr("This version of Capture App does not know this schema."),
                str(SCHEMA_VERSION),
            )
        )
        if version is not None:  # another schema: its keys would only be told as wrong ones
            return empty
    return _table(raw, origin)


def read_environment(environ: Mapping[str, str], faults: list[SettingsFault]) -> Table:
    """CAPTURE_APP_<SECTION>_<KEY>, such as CAPTURE_APP_ADT_PORT; lists are divided by commas."""
    names = {PREFIX + "_".join(path).upper(): (path, key) for path, key in _leaves(Settings, ())}
    del names[PREFIX + "DATA_DIR"]  # it has a short name, as the flag has
    root = Table(tr("environment"))
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in (SETTINGS_VARIABLE, DATA_VARIABLE):
            continue
        origin = tr("environment")
        if variable not in names:
            close = get_close_matches(variable, names, n=1)
            faults.append(
                SettingsFault(
                    origin,
                    variable,
                    tr("There is no such setting."),
                    tr("perhaps {name}", name=close[0])
                    if close
                    else tr("{prefix}SECTION_KEY; lists of tables stand in a file", prefix=PREFIX),
                )
            )
            continue
        path, key = names[variable]
        table = root
        for step in path[:-1]:
            inner = table.entries.setdefault(step, Table(origin))
            assert isinstance(inner, Table)  # noqa: S101 - the path comes from the schema
            table = inner
        table.entries[path[-1]] = Leaf(from_text(environ[variable], key), variable)
    return root


@dataclass(frozen=True, slots=True)
class Overridden:
    """A value that a stronger layer has put aside: its key, where it stood, and who decides."""

    key: str
    origin: str
    by: str

    def __str__(self) -> str:
        return tr("{key} of {origin} is not used: {by} decides.", **asdict(self))


def overridden(below: Table, above: Table, path: str = "") -> Iterator[Overridden]:
    """What of the lower layer says something else than the upper, key by key."""
    for name, entry in above.entries.items():
        old, key = below.entries.get(name), f"{path}.{name}" if path else name
        if isinstance(entry, Table) and isinstance(old, Table):
            yield from overridden(old, entry, key)
        elif old is not None and _values(old) != _values(entry):
            yield Overridden(key, _origin(old), _origin(entry))


def merged(below: Table, above: Table) -> Table:
    """Key by key, the upper layer first; a list is replaced as a whole."""
    entries = dict(below.entries)
    for name, entry in above.entries.items():
        old = entries.get(name)
        if isinstance(entry, Table) and isinstance(old, Table):
            entries[name] = merged(old, entry)
        else:
            entries[name] = entry
    # A layer that says nothing is nobody's place to mend what is missing.
    is_first = bool(above.entries) and not below.entries
    return Table(above.origin if is_first else below.origin, entries)


def _leaves(table: type, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Key]]:
    """Every key that has one place: those in lists of tables have none."""
    for key in keys_of(table):
        path = (*above, key.name)
        if not key.is_table:
            yield path, key
        elif not key.is_list:
            yield from _leaves(key.kind, path)


def from_text(text: str, key: Key) -> Any:
    """What a text means for this key; the entries of a list are divided by commas."""
    if key.is_list:
        return [one_from_text(item.strip(), key.kind) for item in text.split(",") if item.strip()]
    return one_from_text(text, key.kind)


def one_from_text(text: str, kind: type) -> Any:
    """The value in its type; where it is none of that type, the text: the reader then says so."""
    lowered = text.strip().lower()
    if kind is bool and lowered in _TRUE | _FALSE:
        return lowered in _TRUE
    try:
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
    except ValueError:
        return text
    return text


def _table(raw: Mapping[str, Any], origin: str) -> Table:
    table = Table(origin)
    for name, value in raw.items():
        if isinstance(value, dict):
            table.entries[name] = _table(value, origin)
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            table.entries[name] = [_table(item, origin) for item in value]
        else:
            table.entries[name] = Leaf(value, origin)
    return table


def _values(entry: Leaf | Table | list[Table]) -> Any:
    if isinstance(entry, list):
        return [_values(item) for item in entry]
    if isinstance(entry, Table):
        return {name: _values(inner) for name, inner in entry.entries.items()}
    return entry.value


def _origin(entry: Leaf | Table | list[Table]) -> str:
    if isinstance(entry, list):
        return entry[0].origin if entry else ""
    return entry.origin


def _text_of(raw: bytes) -> str:
    """The text of a file, whatever editor saved it: a byte order mark and the line ends of every
    system are no part of it. Raises UnicodeDecodeError.
    """
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = raw.decode("utf-16" if wide else "utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


_TWICE: Final = ("Cannot overwrite", "Cannot declare", "Cannot redefine", "Duplicate inline")
_PATH_IN_DOUBLE_QUOTES: Final = re.compile(r'"(?:[A-Za-z]:|\\)\\[^"]*')


def _why_not_toml(told: str, text: str) -> str:
    """What to mend, and where: the parser's own words may quote what stands there."""
    found = re.search(r"\(at (line (\d+), column \d+)\)$", told)
    place = found[1] if found else tr("its end")
    line = text.split("\n")[int(found[2]) - 1] if found else ""
    if told.startswith(_TWICE):
        # The parser tells it where the line ends: name the line alone.
        line_only = place.partition(",")[0]
        return tr("A key or a table stands there twice, at {place}. Keep one.", place=line_only)
    if _PATH_IN_DOUBLE_QUOTES.search(line):
        return tr(
            "A path with \\ stands in double quotes, at {place}. Put it in single quotes, as "
            "'C:\\folder\\file'.",
            place=place,
        )
    return tr("It is not TOML, at {place}.", place=place)


def _file_fault(origin: str, problem: str) -> SettingsFault:
    return SettingsFault(origin, tr("the file"), problem, tr("a TOML file in UTF-8"))
