"""What an auditor does with the trail: read it, prove it, take it away, look into a break.

Each of these is an act in the trail itself. Who may, is asked of the table of users.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum

from capture_app.audit.news import TrailNews, TrailReader
from capture_app.audit.reading import TrailExcerpt, TrailFilter, find_rows, to_csv, to_json
from capture_app.audit.verify import BREAK_ROW, ChainReport, verify_chain
from capture_app.clock import Clock
from capture_app.errors import RuleError, SignInError
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Act, Operator
from capture_app.model.words import tr
from capture_app.security.user_table import UserTable
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

MOST_ROWS = 1_000_000


class ExportKind(StrEnum):
    """How the trail is taken away."""

    CSV = "csv"
    JSON = "json"


class Auditing:
    """The trail of one data folder, for those whose role lets them read it."""

    def __init__(self, db: Database, cipher: Cipher, clock: Clock) -> None:
        self._db = db
        self._cipher = cipher
        self._table = UserTable(db, cipher, clock)
        self._reader = TrailReader(cipher)

    def find(self, by: Operator, wanted: TrailFilter, *, limit: int) -> TrailExcerpt:
        """The newest of the acts that are wanted. That they were read is written down first.

        Raises SignInError where the roles do not allow it, StoreError.
        """
        self._record(by, AuditAction.TRAIL_READ, _details(wanted))
        return find_rows(self._db.read(), wanted, limit=limit)

    def export(self, by: Operator, wanted: TrailFilter, kind: ExportKind) -> str:
        """All acts that are wanted, as text. Raises as `find`."""
        self._record(by, AuditAction.TRAIL_EXPORTED, {**_details(wanted), "kind": kind.value})
        rows = find_rows(self._db.read(), wanted, limit=MOST_ROWS).rows
        return to_csv(rows) if kind is ExportKind.CSV else to_json(rows)

    def verify(self) -> ChainReport:
        """Proves the whole trail. It names no act and no person: anybody may."""
        return verify_chain(self._db.read(), cipher=self._cipher)

    def news(self) -> TrailNews:
        """Whether the trail holds, as far as it says so, and when the clock was set. As `verify`,
        at the cost of what was added since. Raises StoreError.
        """
        return self._reader.news(self._db.read())

    def see_breaks(self, by: Operator) -> int:
        """Writes down that an auditor has looked into the breaks that the trail tells of, all up to
        now; returns how many. Raises SignInError, RuleError where there is none.
        """
        open_breaks = [found.seq for found in self.verify().breaks if not found.is_seen]
        if not open_breaks:
            raise RuleError(tr("The trail tells of no break that is open: nothing was written."))
        details = {BREAK_ROW: str(max(open_breaks))}
        self._record(by, AuditAction.TRAIL_BREAK_SEEN, details)
        return len(open_breaks)

    def _record(self, by: Operator, action: AuditAction, details: dict[str, str]) -> None:
        with self._db.transaction() as connection:
            self._require_auditor(connection, by)
            self._table.record(connection, action, by.user_id, details)

    def _require_auditor(self, connection: sqlite3.Connection, by: Operator) -> None:
        if not self._table.may(connection, by, Act.READ_TRAIL):
            raise SignInError(tr("The trail is read by users with the role audit."))


def _details(wanted: TrailFilter) -> dict[str, str]:
    told = {
        "since": wanted.since.isoformat() if wanted.since else "",
        "until": wanted.until.isoformat() if wanted.until else "",
        "user": wanted.user_id,
        "acts": " ".join(sorted(action.value for action in wanted.actions)),
    }
    return {name: value for name, value in told.items() if value}
