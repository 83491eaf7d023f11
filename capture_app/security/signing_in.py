"""Signing in: a PIN against its row, counted and recorded in one transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Final

from capture_app.errors import PinTooShortError, SignInError
from capture_app.model.audit_event import AuditAction, EventOutcome
from capture_app.model.operator import Operator
from capture_app.model.words import tr
from capture_app.security.pins import (
    PIN_SHORTEST,
    PinHasher,
    Wait,
    must_wait,
    wrong_pin,
)
from capture_app.security.user_table import UserRecord, UserTable, damaged_row

_UNKNOWN: Final = "unknown"


def admitted(
    table: UserTable, hasher: PinHasher, user_id: str, pin: str, new_pin: str | None = None
) -> Operator:
    """The user whose PIN it is; from now on `new_pin`, where one is given.

    A hash that was made cheaper than today is made anew. Raises SignInError in words,
    PinTooShortError for a right PIN that is shorter than a PIN may be by now.
    """
    user = table.user(table.db.read(), user_id)
    kept = user.pin if user else None
    fits = hasher.fits(user_id, pin, kept)  # 0.2 s: outside the transaction
    fresh = kept
    if fits and kept is not None and (new_pin is not None or hasher.is_dated(kept)):
        fresh = hasher.make(user_id, pin if new_pin is None else new_pin)
    with table.db.transaction() as connection:
        user = table.user(connection, user_id)  # again: another process may have counted
        refusal = _refusal(table, connection, user_id, user)
        if refusal is None and user is not None and user.pin == kept:
            if not fits:
                refusal = _count_failure(table, connection, user)
            elif new_pin is None and len(pin) < PIN_SHORTEST:
                table.write(connection, replace(user, wait=Wait()))
                _record_refusal(table, connection, user_id, "pin-too-short")
                refusal = _too_short()
            else:
                table.write(connection, replace(user, pin=fresh, wait=Wait()))
                if new_pin is not None:
                    table.record(connection, AuditAction.PIN_CHANGED, user_id)
                table.record(connection, AuditAction.SIGNED_IN, user_id)
                return user.operator
    if refusal is None:  # another process gave another PIN meanwhile: that one holds
        return admitted(table, hasher, user_id, pin, new_pin)
    raise refusal


def _refusal(
    table: UserTable, connection: sqlite3.Connection, user_id: str, user: UserRecord | None
) -> SignInError | None:
    """Why they may not come in, whatever the PIN is."""
    now = table.clock.monotonic()
    if user is None:
        _record_refusal(table, connection, _UNKNOWN, "unknown-user")
        return wrong_pin()
    if user.removed_at or user.is_service:
        reason = "removed-user" if user.removed_at else "service-account"
        _record_refusal(table, connection, user_id, reason)
        return wrong_pin()
    if seconds := user.wait.left(now):
        table.write(connection, replace(user, wait=user.wait.going_on(now)))
        _record_refusal(table, connection, user_id, "waiting")
        return must_wait(seconds)
    if user.pin is None:
        _record_refusal(table, connection, user_id, "no-pin")
        return damaged_row()
    return None


def _count_failure(
    table: UserTable, connection: sqlite3.Connection, user: UserRecord
) -> SignInError:
    wait = user.wait.after_failure(table.clock.monotonic())
    table.write(connection, replace(user, wait=wait))
    failures = str(wait.failures)
    _record_refusal(table, connection, user.user_id, "wrong-pin", failures=failures)
    return must_wait(wait.left_s) if wait.left_s else wrong_pin()


def _record_refusal(
    table: UserTable, connection: sqlite3.Connection, user_id: str, reason: str, **details: str
) -> None:
    table.record(
        connection,
        AuditAction.SIGN_IN_FAILED,
        user_id,
        {"reason": reason, **details},
        EventOutcome.MINOR_FAILURE,
    )


def _too_short() -> PinTooShortError:
    return PinTooShortError(
        tr("Your PIN is too short by now. Choose a new one of {n} digits or more.", n=PIN_SHORTEST)
    )
