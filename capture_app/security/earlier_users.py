"""Users of earlier versions, whose rows were not sealed: taken over once, as the trail knows them.

What such a row says could have been written by anybody who had the file. So the trail decides who
was added, as what, and who was removed: each of its rows carries a hash that only the key makes.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from capture_app.audit.trail import genuine_rows
from capture_app.clock import Clock
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Role
from capture_app.model.patient import NameGroup, PersonName
from capture_app.security.pins import PinCost, PinHash, Wait, delay_after
from capture_app.security.user_table import MARKER, UserRecord, UserTable

_log = structlog.get_logger(__name__)

_TABLE: Final = "SELECT 1 FROM sqlite_master WHERE name = 'users_in_clear'"
_COLUMNS: Final = (
    "user_id",
    "display_name",
    "name",
    "pin_salt",
    "pin_cost",
    "pin_hash",
    "added_at",
    "added_by",
    "failures",
    "locked_until",
    "removed_at",
    "removed_by",
)
_ROLES: Final = {
    "capture": (Role.CAPTURE,),
    "admin": (Role.CAPTURE, Role.CORRECT, Role.ADMINISTER),
}
"""What each role of before could do then, it can do now."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the trail says of a user."""

    roles: tuple[Role, ...]
    is_removed: bool = False


def take_over(table: UserTable) -> None:
    """Seals the rows that an earlier version left, and drops its table. Does nothing otherwise.

    The first administrator who is still there becomes the auditor, too: somebody must be, to make
    others. Who is not in the trail is left out, and named in the log. Raises StoreError.
    """
    if table.db.read().execute(_TABLE).fetchone() is None:
        return
    with table.db.transaction() as connection:
        if connection.execute(_TABLE).fetchone() is None:
            return  # another process did
        rows = connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM users_in_clear ORDER BY added_at, user_id"  # noqa: S608 - names are ours
        ).fetchall()
        if rows and not _were_sealed(table):
            named = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
            left_out = _seal_all(table, connection, named)
            kept = str(len(rows) - len(left_out))
            details = {"users": kept, "left-out": ",".join(left_out)}
            table.record(connection, AuditAction.USERS_SEALED, "", details)
        elif rows:  # put there by somebody
            _log.error("users-in-clear-ignored", count=len(rows))
        connection.execute("DROP TABLE users_in_clear")


def _were_sealed(table: UserTable) -> bool:
    reader = table.db.read()
    return (
        reader.execute("SELECT 1 FROM users_head").fetchone() is not None
        or (table.db.path.parent / MARKER).exists()
        or any(genuine_rows(reader, AuditAction.USERS_SEALED, cipher=table.cipher))
    )


def _known(table: UserTable) -> dict[str, _Known]:
    """Who was added, in that order."""
    reader = table.db.read()
    known = {}
    for row in genuine_rows(reader, AuditAction.USER_ADDED, cipher=table.cipher):
        roles = _ROLES.get(row.event.details.get("role", ""), _ROLES["capture"])
        known[row.event.details.get("added", "")] = _Known(roles)
    for row in genuine_rows(reader, AuditAction.USER_REMOVED, cipher=table.cipher):
        user_id = row.event.details.get("user", "")
        if user_id in known:
            known[user_id] = replace(known[user_id], is_removed=True)
    return known


def _seal_all(
    table: UserTable, connection: sqlite3.Connection, rows: list[dict[str, Any]]
) -> list[str]:
    """The user ids of those who were left out."""
    known, found = _known(table), {row["user_id"] for row in rows}
    for user_id, said in known.items():
        if user_id in found and Role.ADMINISTER in said.roles and not said.is_removed:
            known[user_id] = replace(said, roles=(*said.roles, Role.AUDIT))
            break
    table.begin(connection)
    left_out = []
    for row in rows:
        if (user := known.get(row["user_id"])) is not None:
            table.write(connection, _as_sealed(row, user, table.clock))
        else:
            _log.error("user-row-unreadable", user_id=row["user_id"], reason="not-in-trail")
            left_out.append(row["user_id"])
    return left_out


def _as_sealed(row: dict[str, Any], known: _Known, clock: Clock) -> UserRecord:
    """The row in its new form. A cell that cannot be read takes nothing else away: the name is then
    empty, and without a PIN an administrator gives a new one.
    """
    failures = row["failures"] if isinstance(row["failures"], int) else 0
    delay = delay_after(failures) if row["locked_until"] else 0.0
    removed_at = row["removed_at"] if _is_time(row["removed_at"]) else ""
    if known.is_removed and not removed_at:
        removed_at = clock.now().isoformat()
    return UserRecord(
        user_id=row["user_id"],
        display_name=str(row["display_name"]),
        name=_name(row),
        roles=known.roles,
        pin=_pin(row),
        added_at=str(row["added_at"]),
        added_by=str(row["added_by"]),
        wait=Wait(failures, delay, clock.monotonic()),
        removed_at=removed_at,
        removed_by=str(row["removed_by"]) if removed_at else "",
    )


def _name(row: dict[str, Any]) -> PersonName:
    try:
        return PersonName(*(NameGroup(*group) for group in json.loads(row["name"])))
    except (ValueError, TypeError):
        _log.exception("user-row-unreadable", user_id=row["user_id"], reason="name")
        return PersonName(NameGroup())


def _pin(row: dict[str, Any]) -> PinHash | None:
    try:
        _kind, memory_kib, passes = row["pin_cost"].split(":")
        cost = PinCost(int(memory_kib), int(passes))
    except (ValueError, AttributeError):
        _log.exception("user-row-unreadable", user_id=row["user_id"], reason="pin_cost")
        return None
    return PinHash(bytes(row["pin_salt"]), cost, bytes(row["pin_hash"]), is_bound=False)


def _is_time(text: object) -> bool:
    try:
        return bool(text) and bool(datetime.fromisoformat(str(text)))
    except ValueError:
        return False
