"""Notices a wall clock that was set, and says so in the trail."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

import structlog

from capture_app.audit.news import CLOCK_SET_BY
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.outbox.counted_time import LastLook, count, last_look
from capture_app.outbox.spool import Spool
from capture_app.outbox.steps.tasks import ENGINE_USER

_log = structlog.get_logger(__name__)

JUMP_S: Final = 60.0
"""A wall clock that moved by more than this against the computer's own was set."""


class ClockWatch:
    """Counts each minute, and tells of a wall clock that was set."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._last: tuple[datetime, float] | None = None

    def look(self) -> float:
        """Notes how much time has passed; returns by how many seconds the wall clock was set
        (0.0 where it was not). Raises StoreError.
        """
        spool = self._spool
        now, monotonic = spool.clock.now(), spool.clock.monotonic()
        with spool.database.transaction() as connection:
            jumped = self._jumped(connection, now, monotonic)
            count(connection, spool)
            if jumped:
                details = {CLOCK_SET_BY: f"{jumped:+.0f}"}
                event = AuditEvent(
                    AuditAction.CLOCK_JUMPED,
                    ENGINE_USER,
                    EventOutcome.MINOR_FAILURE,
                    details=details,
                )
                spool.record(connection, event)
        self._last = (now, monotonic)
        if jumped:
            _log.warning("clock-jumped", seconds=round(jumped))
        return jumped

    def _jumped(self, connection: sqlite3.Connection, now: datetime, monotonic: float) -> float:
        before = last_look(connection, self._spool)
        if self._last is not None:
            wall, own = self._last
            moved = (now - wall).total_seconds() - (monotonic - own)
            return moved if abs(moved) > JUMP_S and not _was_told(before, now) else 0.0
        if before is None:
            return 0.0
        moved = (now - before.wall).total_seconds()
        start = self._spool.clock.start()
        if start and start == before.start:  # the computer was on ever since
            moved -= monotonic - before.monotonic
            return moved if abs(moved) > JUMP_S else 0.0
        # That it was set forward cannot be told from being off.
        return moved if moved < -JUMP_S else 0.0


def _was_told(before: LastLook | None, now: datetime) -> bool:
    """Whether another process has looked since the clock was set: it told of it."""
    return before is not None and abs((now - before.wall).total_seconds()) <= 2 * JUMP_S
