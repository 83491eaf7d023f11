"""What the settings say to the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from capture_app.settings.schema import Capture, Institution, Station

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class OutboxRules:
    """What the settings say to the outbox."""

    destinations: tuple[str, ...]
    """Names of the archives that every image goes to."""
    institution: Institution
    station: Station
    capture: Capture

    @property
    def least_free(self) -> int:
        """Bytes that nothing kept may leave less than."""
        return self.capture.min_free_mb * _MEGABYTE
