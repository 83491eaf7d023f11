"""The mandatory layer: what the hospital decides, above files, environment and flags.

On Windows it is a policy of the registry, elsewhere one file that only root can write. Its place
is fixed: nothing that a user can set moves it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from capture_app.errors import SettingsFault
from capture_app.model.words import tr
from capture_app.settings.keys import Key, keys_of
from capture_app.settings.layers import Leaf, Table, from_text, one_from_text, read_file
from capture_app.settings.schema import Settings

MANDATORY_FILE: Final = Path("/etc/capture-app/mandatory.toml")
OWNERS: Final = frozenset({0, 65_534})
"""Root; and whom the kernel shows in root's place where a container knows no root of outside."""
POLICY_KEY: Final = r"SOFTWARE\Policies\capture-app"
"""Under HKEY_LOCAL_MACHINE: a subkey for each table, in lists of tables one for each entry."""

Policy = Mapping[str, Any]
"""Values and subkeys of a key of the registry, by name."""

if sys.platform == "win32":
    import winreg

    def read_mandatory(faults: list[SettingsFault]) -> Table:
        """The policy of this computer; an empty table where there is none."""
        where = f"HKEY_LOCAL_MACHINE\\{POLICY_KEY}"
        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        try:
            with winreg.OpenKeyEx(winreg.HKEY_LOCAL_MACHINE, POLICY_KEY, 0, access) as key:
                return policy_table(_values(key), Settings, where)
        except FileNotFoundError:
            return Table(where)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            problem = tr("It cannot be read: {reason}.", reason=reason)
            allowed = tr("a policy that every user can read, or none")
            faults.append(SettingsFault(where, tr("the policy"), problem, allowed))
            return Table(where)

    def _values(key: winreg.HKEYType) -> dict[str, Any]:
        subkeys, values, _changed = winreg.QueryInfoKey(key)
        found: dict[str, Any] = {}
        for number in range(values):
            name, value, _kind = winreg.EnumValue(key, number)
            found[name.lower()] = value
        for number in range(subkeys):
            name = winreg.EnumKey(key, number)
            with winreg.OpenKey(key, name) as inner:
                found[name.lower()] = _values(inner)
        return found

else:

    def read_mandatory(faults: list[SettingsFault]) -> Table:
        """The mandatory file; an empty table where there is none."""
        try:
            places = (MANDATORY_FILE.stat(), MANDATORY_FILE.parent.stat())
        except (FileNotFoundError, NotADirectoryError):
            return Table(str(MANDATORY_FILE))
        except OSError:
            return read_file(MANDATORY_FILE, faults)  # it says why
        # Whoever can write its folder can put another file in its place, or none.
        if any(found.st_mode & 0o022 or found.st_uid not in OWNERS for found in places):
            problem = tr("Others than root can write it or its folder: it would bind nobody.")
            allowed = tr("a file of root's, mode 0644, in a folder of root's, mode 0755")
            faults.append(SettingsFault(str(MANDATORY_FILE), tr("the file"), problem, allowed))
        return read_file(MANDATORY_FILE, faults)


def policy_table(policy: Policy, kind: type, origin: str) -> Table:
    """The policy in the types of the schema. What the schema does not know stays as it is: the
    reader of the settings says so.
    """
    known = {key.name: key for key in keys_of(kind)}
    table = Table(origin)
    for name, value in policy.items():
        key, where = known.get(name), f"{origin}\\{name}"
        if not isinstance(value, Mapping):
            table.entries[name] = Leaf(_typed(value, key), where)
        elif key is None or not key.is_table:
            table.entries[name] = Table(where)
        elif key.is_list:
            table.entries[name] = [
                policy_table(value[entry], key.kind, f"{where}\\{entry}")
                for entry in sorted(value)
                if isinstance(value[entry], Mapping)
            ]
        else:
            table.entries[name] = policy_table(value, key.kind, where)
    return table


def _typed(value: Any, key: Key | None) -> Any:
    """REG_SZ is text as in the environment, REG_MULTI_SZ a list, REG_DWORD a number or 0 and 1."""
    if key is None:
        return value
    if isinstance(value, list):
        return [one_from_text(str(item), key.kind) for item in value]
    if isinstance(value, str):
        return from_text(value, key)
    return bool(value) if key.kind is bool and value in (0, 1) else value
