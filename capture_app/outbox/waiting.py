"""What each destination still waits for, and for how long: for whoever watches from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from capture_app.outbox.spool import Spool, moment_or


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many images one destination has not confirmed. No identifiers."""

    destination: str
    going: int
    """On their way by themselves."""
    stopped: int
    """Those that wait for a person."""
    oldest_sent_at: datetime | None
    """When the oldest of those on their way was sent off; None where there is none."""


def waiting_by_destination(spool: Spool) -> tuple[Backlog, ...]:
    """One entry for each destination that something is on its way to, or has stopped."""
    rows = spool.database.read().execute(
        "SELECT task.destination, "
        "count(DISTINCT iif(task.state <> 'needs-you', sop_instance_uid, NULL)), "
        "count(DISTINCT iif(task.state = 'needs-you', sop_instance_uid, NULL)), "
        "min(iif(task.state <> 'needs-you', instance.sealed_at, NULL)) "
        "FROM task JOIN instance USING (sop_instance_uid) "
        "WHERE task.state IN ('held', 'queued', 'running', 'needs-you') AND task.kind <> 'retain' "
        "GROUP BY task.destination ORDER BY task.destination"
    )
    return tuple(
        Backlog(destination, going, stopped, moment_or(oldest, None))
        for destination, going, stopped, oldest in rows
    )
