"""The file in the data folder that the set-up page of the scanner writes, and `load` reads."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Final

from capture_app.errors import StoreError
from capture_app.model.words import tr
from capture_app.settings.describe import tables_toml
from capture_app.settings.scanning import Scanner, ScanPattern
from capture_app.settings.write_once import replace_file

SCANNER_FILE: Final = "scanner.toml"
SECTIONS: Final = ("scanner", "scan_patterns")
"""What may stand in it."""


def scanner_toml(scanner: Scanner, patterns: tuple[ScanPattern, ...]) -> str:
    """The two sections as a settings file: what differs from the defaults."""
    told = {"scanner": _told(scanner), "scan_patterns": [_told(pattern) for pattern in patterns]}
    return tables_toml(told)


def _told(table: Scanner | ScanPattern) -> dict[str, object]:
    named = ((field, getattr(table, field.name)) for field in fields(table))
    return {field.name: value for field, value in named if value != field.default}


def save_scanner(data_dir: Path, scanner: Scanner, patterns: tuple[ScanPattern, ...]) -> None:
    """Puts the file in place of the one before, whole or not at all. Raises StoreError."""
    try:
        replace_file(data_dir / SCANNER_FILE, scanner_toml(scanner, patterns).encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(
            tr("The scanner's file cannot be written: {reason}.", reason=reason)
        ) from error
