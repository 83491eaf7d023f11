"""Time that has certainly passed: what days of keeping are counted in.

A wall clock can be set forward by a year in a second, and then everything kept would be due. So
seconds are counted by the clock of the computer's start, which nobody sets, and are noted at each
look. What passed while the computer was off counts only where a second source (a time server, an
archive, the admissions feed) agreed with the wall clock both before and after. Where nothing does,
keeping lasts longer, never shorter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog

from capture_app.outbox.spool import Spool, moment, stamp
from capture_app.store.database import Reader

_log = structlog.get_logger(__name__)

BEHIND: Final = timedelta(days=1)
_ROUNDING_S: Final = 1.0

_TYPES: Final = [float, float, str, str, float, int, str]
"""Of the cells of the row, in their order; damage is none of them."""

Asked = sqlite3.Connection | Reader


class Waiting(StrEnum):
    """What waits for its time."""

    PURGE = "purge"
    """An instance, by its SOP Instance UID."""
    CLEAN = "clean"
    """A deleted draft, by its capture id; a discarded object of a scanner, by its letter."""


@dataclass(frozen=True, slots=True)
class _Count:
    seconds: float
    """That certainly passed since the first look."""
    monotonic: float
    """The computer's own clock at the last look."""
    wall: str
    """The wall clock at the last look."""
    reference: str
    """The wall clock when it was last confirmed; at the first look before it ever was."""
    reference_seconds: float
    is_confirmed: bool
    """Whether `reference` ever was."""
    start: str = ""
    """The computer's start since which `monotonic` counts; empty in rows of before."""

    def mac(self, spool: Spool) -> str:
        """Nobody hurries it without the key."""
        start = (self.start,) if self.start else ()
        return spool.cipher.keyed_hash(
            "counted time",
            repr(self.seconds),
            repr(self.monotonic),
            self.wall,
            self.reference,
            repr(self.reference_seconds),
            str(int(self.is_confirmed)),
            *start,
        )


def count(connection: sqlite3.Connection, spool: Spool) -> float:
    """Counts up to now, in the transaction under way; returns the seconds."""
    before, now = _read(connection, spool), _now(spool)
    if before is not None:
        now = _counted(before, now, is_confirmed=spool.clock.is_confirmed())
    elif spool.clock.is_confirmed():
        now = replace(now, is_confirmed=True)
    connection.execute(
        "INSERT INTO counted_time (only, seconds, monotonic, wall, reference, reference_seconds, "
        "is_confirmed, mac, start) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (only) DO UPDATE SET "
        "seconds = excluded.seconds, monotonic = excluded.monotonic, wall = excluded.wall, "
        "reference = excluded.reference, reference_seconds = excluded.reference_seconds, "
        "is_confirmed = excluded.is_confirmed, mac = excluded.mac, start = excluded.start",
        (
            now.seconds,
            now.monotonic,
            now.wall,
            now.reference,
            now.reference_seconds,
            int(now.is_confirmed),
            now.mac(spool),
            now.start,
        ),
    )
    return now.seconds


def begin_waiting(connection: sqlite3.Connection, spool: Spool, what: Waiting, uid: str) -> None:
    """The days of one picture are counted from now on, in the transaction under way."""
    connection.execute(
        "INSERT INTO waiting_since (kind, uid, counted) VALUES (?, ?, ?) "
        "ON CONFLICT (kind, uid) DO UPDATE SET counted = excluded.counted",
        (what.value, uid, count(connection, spool)),
    )


def note_missing(spool: Spool) -> None:
    """Begins the days of what has none: an earlier version noted none. Raises StoreError."""
    with spool.database.transaction() as connection:
        now = count(connection, spool)
        connection.execute(
            "INSERT OR IGNORE INTO waiting_since (kind, uid, counted) "
            "SELECT 'purge', sop_instance_uid, ?1 FROM task "
            "WHERE kind = 'retain' AND state = 'queued' "
            "UNION ALL SELECT 'clean', capture_id, ?1 FROM capture "
            "WHERE deleted_at <> '' AND file IS NOT NULL "
            "UNION ALL SELECT 'clean', letter, ?1 FROM received "
            "WHERE discarded_at <> '' AND file IS NOT NULL",
            (now,),
        )


def must_wait(spool: Spool, what: Waiting, wanted: Mapping[str, timedelta]) -> frozenset[str]:
    """Those for which so much time has not passed yet: looks at all of them in one short
    transaction. Raises StoreError.
    """
    with spool.database.transaction() as connection:
        now = count(connection, spool)
    since = dict(
        spool.database.read().execute(
            "SELECT uid, counted FROM waiting_since WHERE kind = ?", (what.value,)
        )
    )
    return frozenset(
        uid
        for uid, time in wanted.items()
        if _can_be(since.get(uid), now) and not _is_over(since[uid], now, time)
    )


def has_waited(
    connection: sqlite3.Connection, spool: Spool, what: Waiting, uid: str, wanted: timedelta
) -> bool:
    """Whether so much time has certainly passed since `begin_waiting`.

    Where that was never noted, or cannot be, it begins now. In the transaction under way.
    """
    now = count(connection, spool)
    row = connection.execute(
        "SELECT counted FROM waiting_since WHERE kind = ? AND uid = ?", (what.value, uid)
    ).fetchone()
    if row is None or not _can_be(row[0], now):
        begin_waiting(connection, spool, what, uid)
        return wanted <= timedelta()
    return _is_over(row[0], now, wanted)


def _can_be(since: object, now: float) -> bool:
    return isinstance(since, float) and 0 <= since <= now


def _is_over(since: float, now: float, wanted: timedelta) -> bool:
    return now - since + _ROUNDING_S >= wanted.total_seconds()


def end_waiting(connection: sqlite3.Connection, what: Waiting, uid: str) -> None:
    """Its time is over, in the transaction under way."""
    connection.execute("DELETE FROM waiting_since WHERE kind = ? AND uid = ?", (what.value, uid))


@dataclass(frozen=True, slots=True)
class LastLook:
    """What the clocks said when somebody last counted."""

    wall: datetime
    monotonic: float
    """In seconds since that start of the computer."""
    start: str


def last_look(asked: Asked, spool: Spool) -> LastLook | None:
    """By whichever process; None where nobody looked, or that is damaged."""
    before = _read(asked, spool)
    if before is None:
        return None
    return LastLook(moment(before.wall), before.monotonic, before.start)


def is_damaged(asked: Asked, spool: Spool) -> bool:
    """Whether what is noted of time was written by something else."""
    there = asked.execute("SELECT 1 FROM counted_time").fetchone() is not None
    return there and _read(asked, spool) is None


def seconds_behind(spool: Spool) -> float:
    """By how much the wall clock is certainly behind; 0 where it is not, or by less than a day."""
    before = _read(spool.database.read(), spool)
    if before is None:
        return 0.0
    now = spool.clock.monotonic()
    on = now - before.monotonic if now >= before.monotonic else now
    passed = before.seconds - before.reference_seconds + on
    behind = (moment(before.reference) + timedelta(seconds=passed)) - spool.clock.now()
    return behind.total_seconds() if behind > BEHIND else 0.0


def _now(spool: Spool) -> _Count:
    at = stamp(spool.clock.now())
    own = float(spool.clock.monotonic())
    return _Count(0.0, own, at, at, 0.0, is_confirmed=False, start=spool.clock.start())


def _counted(before: _Count, now: _Count, *, is_confirmed: bool) -> _Count:
    # After a new start of the computer its clock began anew: so much has passed at least.
    on = now.monotonic - before.monotonic
    seconds = before.seconds + (on if on >= 0 else now.monotonic)
    if not is_confirmed:
        return replace(
            now,
            seconds=seconds,
            reference=before.reference,
            reference_seconds=before.reference_seconds,
            is_confirmed=before.is_confirmed,
        )
    if before.is_confirmed:
        by_wall = (moment(now.wall) - moment(before.reference)).total_seconds()
        seconds = max(seconds, before.reference_seconds + by_wall)
    return replace(now, seconds=seconds, reference_seconds=seconds, is_confirmed=True)


def _read(asked: Asked, spool: Spool) -> _Count | None:
    """What was noted; None at the first look, and where it was written by something else."""
    row = asked.execute(
        "SELECT seconds, monotonic, wall, reference, reference_seconds, is_confirmed, start, mac "
        "FROM counted_time WHERE only = 1"
    ).fetchone()
    if row is None:
        return None
    *cells, mac = row
    if [type(cell) for cell in cells] == _TYPES and cells[5] in {0, 1}:
        seconds, monotonic, wall, reference, reference_seconds, confirmed, start = cells
        found = _Count(
            seconds, monotonic, wall, reference, reference_seconds, confirmed == 1, start
        )
        if mac == found.mac(spool):
            return found
    _log.error("counted-time-damaged")
    return None
