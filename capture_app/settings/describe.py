"""The schema and the settings in force as text: `settings show`, `settings describe`, the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from capture_app.settings.keys import Key, keys_of
from capture_app.settings.layers import PREFIX
from capture_app.settings.places import DATA_VARIABLE, SETTINGS_VARIABLE
from capture_app.settings.policy import MANDATORY_FILE, POLICY_KEY
from capture_app.settings.schema import SCHEMA_VERSION, Settings

EXAMPLE: Final = """schema_version = 1

[station]
name = "WOUND-CART-1"
ae_title = "CAPTURE1"
department = "Wound care"

[institution]
name = "Example Hospital"
issuer_of_patient_id = "EXAMPLE"

[adt]
host = "10.1.2.3"
port = 2575
assigning_authority = "EXAMPLE"

[[worklists]]
name = "ris"
host = "ris.example.org"
port = 104
ae_title = "RIS"

[[archives]]
name = "pacs"
host = "pacs.example.org"
port = 104
ae_title = "PACS"
url = "https://pacs.example.org/dicom-web"
user = "capture"
password_key = "pacs-dicomweb"

[[devices]]
id = "cam1"
name = "Wound camera"
kind = "camera"
address = "0"
"""

_HEAD: Final = f"""# Settings

Every setting, as the schema has it. This page is made by `capture-app settings describe`;
a test keeps it equal.

A settings file is TOML in UTF-8 and begins with `schema_version = {SCHEMA_VERSION}`. Layers, the
strongest first:

1. the mandatory file: `{MANDATORY_FILE}`, on Windows the policy
   `HKEY_LOCAL_MACHINE\\{POLICY_KEY}`: a subkey for each table, and for each entry of
   a list of tables one of its own (`archives\\1`); REG_SZ, REG_DWORD and REG_MULTI_SZ. What a
   weaker layer says otherwise is not used, and that is told;
2. the flags `--settings FILE` and `--data DIR`;
3. the environment: `{PREFIX}<SECTION>_<KEY>`, such as `{PREFIX}ADT_PORT`; lists are divided
   by commas. `{SETTINGS_VARIABLE}` and `{DATA_VARIABLE}` are the two flags. Lists of tables
   stand in a file;
4. the user's file: `~/.config/capture-app/settings.toml`, on Windows
   `%LOCALAPPDATA%\\capture-app\\settings.toml`;
5. the machine's files: `/etc/xdg/capture-app/settings.toml`, or one in each folder that
   `XDG_CONFIG_DIRS` names, the first the strongest; on Windows
   `%ProgramData%\\capture-app\\settings.toml`;
6. `scanner.toml` in the data folder, which the set-up page of the scanner writes: `scanner` and
   `scan_patterns`, and nothing else;
7. the defaults below.

A file that is named by `--settings` is read instead of the user's and the machine's. Tables are
merged key by key, a list is replaced as a whole. `capture-app settings check` names every fault
at once, each with file, key and what is allowed. An unknown key is a fault. `capture-app settings
show` says of each value where it was written.

A byte order mark and Windows line ends do no harm. A path with `\\` stands in single quotes:
`'C:\\Capture\\data'`.

No secret stands in a settings file: `password_key` names an entry of the system's key store, under
the service `capture-app` (with `key_store = "file"`: the file `<name>.secret` beside the key file,
mode 0600).

```toml
{EXAMPLE}```
"""


_PARAMETER: Final = re.compile(r"([^=&;/?#_]+)=(.*?)(?=[&;/?#_][^=&;/?#_]*=|#|$)")
"""A name and its value in the address of a camera, in its query or in its path: some have
/user=a_password=b_channel=1."""
_HARMLESS_NAME: Final = re.compile(
    r"user|usr|loginuse|channel|stream|(?:sub)?type|profile|resolution|size|camera|cmd|action"
    r"|fps|quality|(?:video)?codec",
    re.IGNORECASE,
)
_SECRET_NAME: Final = re.compile(
    r"pas|pwd|psw|pw|pin|secret|token|auth|key|cred|^p$", re.IGNORECASE
)
_HARMLESS_VALUE: Final = re.compile(r"\d{0,3}|\d{1,5}x\d{1,5}")


def schema_markdown() -> str:
    """The reference page."""
    parts = [_HEAD]
    parts += ["\n## Top level\n", *_rows(key for key in keys_of(Settings) if not key.is_table)]
    for heading, intro, kind in _sections():
        parts += [f"\n## {heading}\n\n{intro}\n", *_rows(iter(keys_of(kind)))]
    return "\n".join(parts) + "\n"


def settings_shown(settings: Settings, origins: Mapping[str, str]) -> dict[str, Any]:
    """The settings in force, for JSON, and under `origins` where each key was written that was.
    There is no secret among them.
    """
    return {**_without_secrets(settings), "origins": dict(origins)}


def settings_toml(settings: Settings, origins: Mapping[str, str] | None = None) -> str:
    """The settings in force, as a settings file that loads to the same, but for the secrets that
    stand in a camera's address; with `origins` (by key) each line says where it comes from.
    """
    plain = _without_secrets(settings)
    del plain["source_files"]
    lines = [f"schema_version = {SCHEMA_VERSION}"]
    lines += _toml_table(plain, "", origins)
    return "\n".join(lines) + "\n"


def tables_toml(tables: Mapping[str, object]) -> str:
    """Sections alone, as a settings file."""
    plain = {name: _plain(table) for name, table in tables.items()}
    return "\n".join([f"schema_version = {SCHEMA_VERSION}", *_toml_table(plain, "")]) + "\n"


def _without_secrets(settings: Settings) -> dict[str, Any]:
    """Some cameras take a password in their address alone."""
    plain: dict[str, Any] = _plain(settings)
    for device in plain["devices"]:
        device["address"] = _PARAMETER.sub(_without_its_secret, device["address"])
    return plain


def _without_its_secret(parameter: re.Match[str]) -> str:
    """What is not known to be harmless may be a password, whatever its maker calls it."""
    name, value = parameter.groups()
    is_number = _HARMLESS_VALUE.fullmatch(value) and not _SECRET_NAME.search(name)
    if _HARMLESS_NAME.fullmatch(name) or is_number:
        return parameter[0]
    return f"{name}=***"


def _sections(table: type = Settings, above: str = "") -> Iterator[tuple[str, str, type]]:
    for key in keys_of(table):
        if key.is_table:
            name = f"{above}{key.name}"
            heading = f"`[[{name}]]`" if key.is_list else f"`[{name}]`"
            yield heading, key.help, key.kind
            yield from _sections(key.kind, f"{name}.")


def _rows(keys: Iterator[Key]) -> Iterator[str]:
    yield "| key | allowed | default | what for |\n| --- | --- | --- | --- |"
    for key in keys:
        if not key.is_table:
            cells = (f"`{key.name}`", key.allowed, _default(key), key.help)
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(key: Key) -> str:
    if key.kind is Path:
        return "the user's own"
    if key.required:
        return "**needed**"
    if key.default is None:
        return "absent"
    return f"`{_toml_value(_plain(key.default))}`"


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        named = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: _plain(inner) for name, inner in named}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def _toml_table(
    table: dict[str, Any], path: str, origins: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Leaves first: in TOML whatever follows a table's head belongs to that table. `path` counts
    the entries of lists (`archives[0]`), as the origins do.
    """
    for name, value in table.items():
        if value is not None and not isinstance(value, dict) and not _is_tables(value):
            where = f"{path}.{name}" if path else name
            came = "" if origins is None else f"  # {origins.get(where, 'default')}"
            yield f"{name} = {_toml_value(value)}{came}"
    for name, value in table.items():
        where = f"{path}.{name}" if path else name
        head = re.sub(r"\[\d+\]", "", where)
        if isinstance(value, dict):
            yield f"\n[{head}]"
            yield from _toml_table(value, where, origins)
        elif _is_tables(value):
            for number, item in enumerate(value):
                yield f"\n[[{head}]]"
                yield from _toml_table(item, f"{where}[{number}]", origins)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
