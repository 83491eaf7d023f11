"""How much of a film there is, as the row of a picture says it."""

from __future__ import annotations

from capture_app.model.clip import ClipLength
from capture_app.store.record import from_record, to_record


def clip_cell(clip: ClipLength | None) -> str:
    """The cell; empty for a single picture."""
    return "" if clip is None else to_record(clip).decode()


def read_clip_cell(cell: str) -> ClipLength | None:
    """What the cell says. Raises SealBrokenError."""
    return from_record(ClipLength, cell.encode()) if cell else None
