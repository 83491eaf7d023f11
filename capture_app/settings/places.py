"""Where the settings files and the data folder are, on each system, from a given environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

APP: Final = "capture-app"
FILE_NAME: Final = "settings.toml"
SETTINGS_VARIABLE: Final = "CAPTURE_APP_SETTINGS"
DATA_VARIABLE: Final = "CAPTURE_APP_DATA"


@dataclass(frozen=True, slots=True)
class Places:
    """The standard places of this computer and this user."""

    machine_files: tuple[Path, ...]
    """Written by the hospital's IT, the strongest first: /etc/xdg/capture-app/settings.toml (one
    for each folder of XDG_CONFIG_DIRS), or under ProgramData.
    """
    user_file: Path
    data_folder: Path


def places(environ: Mapping[str, str]) -> Places:
    """The standard places, by the environment handed in; what it does not say, by platformdirs."""
    sites = [Path(platformdirs.site_config_dir(APP, appauthor=False))]
    config = Path(platformdirs.user_config_dir(APP, appauthor=False))
    data = Path(platformdirs.user_data_dir(APP, appauthor=False))
    if sys.platform == "win32":
        if base := environ.get("ProgramData"):
            sites = [Path(base) / APP]
        if base := environ.get("LOCALAPPDATA"):
            config, data = Path(base) / APP, Path(base) / APP / "data"
    elif sys.platform != "darwin":
        home = environ.get("HOME")
        named = _absolute(environ, "XDG_CONFIG_DIRS").split(os.pathsep)
        sites = [Path(base or "/etc/xdg") / APP for base in named]
        if base := _absolute(environ, "XDG_CONFIG_HOME") or (home and f"{home}/.config"):
            config = Path(base) / APP
        if base := _absolute(environ, "XDG_DATA_HOME") or (home and f"{home}/.local/share"):
            data = Path(base) / APP
    return Places(tuple(site / FILE_NAME for site in sites), config / FILE_NAME, data)


def _absolute(environ: Mapping[str, str], variable: str) -> str:
    """The folders that the variable names, without those that are invalid there: a path has to be
    absolute (XDG Base Directory).
    """
    named = environ.get(variable, "").split(os.pathsep)
    return os.pathsep.join(base for base in named if Path(base).is_absolute())
