"""The trail for people who read it: the newest first, by time, user and act; and as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from capture_app.audit.chain import event_of
from capture_app.audit.trail import AuditRow
from capture_app.model.audit_event import AuditAction
from capture_app.store.database import Reader

_COLUMNS: Final = (
    "row",
    "at",
    "act",
    "user",
    "outcome",
    "exam",
    "sop_instance_uid",
    "study_instance_uid",
    "patient",
    "details",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With what a spreadsheet takes a cell for a formula."""


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which acts are wanted; what is left empty is any."""

    since: datetime | None = None
    until: datetime | None = None
    """Up to and without this moment."""
    user_id: str = ""
    actions: frozenset[AuditAction] = frozenset()

    def takes(self, row: AuditRow) -> bool:
        """Whether an act is wanted."""
        return (
            (self.since is None or row.at >= self.since)
            and (self.until is None or row.at < self.until)
            and (not self.user_id or row.event.user_id == self.user_id)
            and (not self.actions or row.event.action in self.actions)
        )


@dataclass(frozen=True, slots=True)
class TrailExcerpt:
    """Some of the acts that are wanted."""

    rows: tuple[AuditRow, ...]
    """Newest first."""
    unreadable: int
    """Rows on the way that cannot be read: they may have been wanted."""
    has_more: bool
    """Whether there are older ones."""


def find_rows(reader: Reader, wanted: TrailFilter, *, limit: int) -> TrailExcerpt:
    """The newest of the acts that are wanted, at most `limit`."""
    found: list[AuditRow] = []
    unreadable = 0
    for seq, at, text in reader.execute("SELECT seq, at, event FROM audit ORDER BY seq DESC"):
        try:
            row = AuditRow(seq, datetime.fromisoformat(at), event_of(text))
            is_wanted = wanted.takes(row)
        except (ValueError, TypeError, LookupError):
            unreadable += 1
            continue
        if is_wanted:
            if len(found) == limit:
                return TrailExcerpt(tuple(found), unreadable, has_more=True)
            found.append(row)
    return TrailExcerpt(tuple(found), unreadable, has_more=False)


def as_dict(row: AuditRow) -> dict[str, Any]:
    """An act for other programs. The patient is a keyed hash: it tells one from another."""
    event = row.event
    values: Sequence[Any] = (
        row.seq,
        row.at.isoformat(),
        event.action.value,
        event.user_id,
        event.outcome.value,
        event.exam_id,
        event.sop_instance_uid,
        event.study_instance_uid,
        event.patient_key,
        dict(event.details),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def to_json(rows: Iterable[AuditRow]) -> str:
    """Acts as one JSON document."""
    return json.dumps([as_dict(row) for row in rows], ensure_ascii=False, indent=1) + "\n"


def to_csv(rows: Iterable[AuditRow]) -> str:
    """Acts as a table (RFC 4180). No cell is a formula to a spreadsheet."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    for row in rows:
        cells = as_dict(row)
        cells["details"] = " ".join(f"{name}={value}" for name, value in cells["details"].items())
        table.writerow([_inert(str(cell)) for cell in cells.values()])
    return text.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
