"""One key of a scanner, as a plain value."""

from __future__ import annotations

from dataclasses import dataclass

from capture_app.settings.scanning import Suffix


@dataclass(frozen=True, slots=True)
class KeyStroke:
    """One key as it came, for who learns how a scanner types. No text: Enter or Tab."""

    text: str
    suffix: Suffix
    at: float
    """Seconds, from the event's own time."""
