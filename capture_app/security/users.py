"""Who may sign in on this computer: user and PIN, a growing wait after wrong ones, all recorded."""

from __future__ import annotations

import hmac
import json
import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from capture_app.audit.trail import record
from capture_app.clock import Clock
from capture_app.errors import SignInError
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr, trn
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database, Reader

_log = structlog.get_logger(__name__)

PIN_SHORTEST: Final = 4
PIN_LONGEST: Final = 64
FREE_FAILURES: Final = 3
"""Wrong PINs before the first wait."""
FIRST_DELAY_S: Final = 15.0
LONGEST_DELAY_S: Final = 900.0
_USER_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_UNKNOWN: Final = "unknown"
_COLUMNS: Final = (
    "user_id",
    "display_name",
    "role",
    "name",
    "pin_salt",
    "pin_cost",
    "pin_hash",
    "failures",
    "failed_at",
    "locked_until",
    "removed_at",
)


@dataclass(frozen=True, slots=True)
class PinCost:
    """What one guess at a PIN costs: Argon2id (RFC 9106). About 0.1 s on a small computer."""

    memory_kib: int = 19_456
    passes: int = 2

    def __str__(self) -> str:
        return f"argon2id:{self.memory_kib}:{self.passes}"

    @staticmethod
    def parse(text: str) -> PinCost:
        """The cost that a row was made with."""
        _name, memory, passes = text.split(":")
        return PinCost(int(memory), int(passes))


def delay_after(failures: int) -> timedelta:
    """How long a user waits after that many wrong PINs in a row: 15 s, doubling up to 15 min."""
    if failures < FREE_FAILURES:
        return timedelta()
    doublings = min(failures - FREE_FAILURES, 16)
    return timedelta(seconds=min(FIRST_DELAY_S * 2**doublings, LONGEST_DELAY_S))


class Users:
    """The users of this computer; their table is in outbox.db, beside the trail."""

    def __init__(
        self, db: Database, cipher: Cipher, clock: Clock, *, cost: PinCost | None = None
    ) -> None:
        self._db = db
        self._cipher = cipher
        self._clock = clock
        self._cost = cost or PinCost()
        self._pepper = cipher.subkey(b"capture-app pin 1", b"")
        # A wall clock that is put forward does not end a wait that this process has seen begin.
        self._waits: dict[str, float] = {}
        self._waits_lock = threading.Lock()

    def has_any(self) -> bool:
        """False on a computer where nobody can sign in yet."""
        return self._db.read().execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None

    def list(self) -> tuple[Operator, ...]:
        """All users who may sign in, by their displayed name."""
        rows = self._db.read().execute(
            "SELECT user_id, display_name, role, name FROM users WHERE removed_at = '' "
            "ORDER BY display_name, user_id"
        )
        return tuple(_operator(row) for row in rows)

    def add(
        self,
        user_id: str,
        display_name: str,
        role: Role,
        pin: str,
        by: Operator | None,
        *,
        name: PersonName | None = None,
    ) -> Operator:
        """Adds a user. `by` is an administrator; None only for the first user of a computer.

        `name` is for Operators' Name in the images; without it that name stays empty. Raises
        SignInError in words where the user id, the PIN or the right to add is not good.
        """
        user_id = _canonical(user_id)
        _require_good(user_id, display_name)
        _require_good_pin(pin)
        salt = os.urandom(16)
        pin_hash = self._derive(pin, salt, self._cost)
        operator = Operator(user_id, display_name.strip(), role, name or PersonName(NameGroup()))
        with self._db.transaction() as connection:
            if by is not None or connection.execute("SELECT 1 FROM users LIMIT 1").fetchone():
                self._require_admin(connection, by)
            if row := self._row(connection, user_id):
                raise SignInError(
                    tr("There was a user with this id. The trail names it: choose another.")
                    if row["removed_at"]
                    else tr("There is a user with this id already.")
                )
            connection.execute(
                "INSERT INTO users (user_id, display_name, role, name, pin_salt, pin_cost, "
                "pin_hash, added_at, added_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    user_id,
                    operator.display_name,
                    role.value,
                    json.dumps(astuple(operator.name), ensure_ascii=False),
                    salt,
                    str(self._cost),
                    pin_hash,
                    self._clock.now().isoformat(),
                    by.user_id if by else "",
                ),
            )
            event = AuditEvent(
                AuditAction.USER_ADDED,
                by.user_id if by else user_id,
                details={"added": user_id, "role": role.value},
            )
            record(connection, self._clock, event, cipher=self._cipher)
        return operator

    def reset_pin(self, user_id: str, pin: str, by: Operator) -> None:
        """Gives a user a new PIN and ends a wait. `by` is an administrator; their own PIN, too.

        Raises SignInError in words where there is no such user, or the PIN or the right is not
        good.
        """
        user_id = _canonical(user_id)
        _require_good_pin(pin)
        salt = os.urandom(16)
        pin_hash = self._derive(pin, salt, self._cost)
        with self._db.transaction() as connection:
            self._require_admin(connection, by)
            self._require_user(connection, user_id)
            connection.execute(
                "UPDATE users SET pin_salt = ?, pin_cost = ?, pin_hash = ?, failures = 0, "
                "failed_at = '', locked_until = '' WHERE user_id = ?",
                (salt, str(self._cost), pin_hash, user_id),
            )
            event = AuditEvent(AuditAction.PIN_RESET, by.user_id, details={"user": user_id})
            record(connection, self._clock, event, cipher=self._cipher)

    def remove(self, user_id: str, by: Operator) -> None:
        """Takes a user's right to sign in. What the trail says of them stays, and so does the id.

        `by` is an administrator. Raises SignInError in words where there is no such user, where
        nobody could administer this computer any more, or where the right is not good.
        """
        user_id = _canonical(user_id)
        with self._db.transaction() as connection:
            self._require_admin(connection, by)
            row = self._require_user(connection, user_id)
            (others,) = connection.execute(
                "SELECT count(*) FROM users WHERE role = ? AND removed_at = '' AND user_id <> ?",
                (Role.ADMIN.value, user_id),
            ).fetchone()
            if row["role"] == Role.ADMIN and not others:
                raise SignInError(
                    tr("The last administrator cannot be removed. Add another one first.")
                )
            connection.execute(
                "UPDATE users SET removed_at = ?, removed_by = ? WHERE user_id = ?",
                (self._clock.now().isoformat(), by.user_id, user_id),
            )
            event = AuditEvent(AuditAction.USER_REMOVED, by.user_id, details={"user": user_id})
            record(connection, self._clock, event, cipher=self._cipher)

    def sign_in(self, user_id: str, pin: str) -> Operator:
        """The user, if the PIN is right and no wait is under way; else SignInError in words.

        Right, wrong and unknown take the same time. A PIN given during a wait is not looked at.
        """
        user_id = _canonical(user_id)
        row = self._row(self._db.read(), user_id)
        salt = row["pin_salt"] if row else bytes(16)
        cost = _cost_of(row) if row else self._cost
        derived = self._derive(pin[:PIN_LONGEST], salt, cost)  # 0.1 s: outside the transaction
        refusal: SignInError
        with self._db.transaction() as connection:
            row = self._row(connection, user_id)  # again: another process may have counted
            if row is None:
                self._audit(connection, _UNKNOWN, "unknown-user")
                refusal = _wrong()
            elif row["removed_at"]:
                self._audit(connection, user_id, "removed-user")
                refusal = _wrong()
            elif wait := self._wait_left(connection, row):
                self._audit(connection, user_id, "waiting")
                refusal = _must_wait(wait)
            elif hmac.compare_digest(derived, row["pin_hash"]):
                connection.execute(
                    "UPDATE users SET failures = 0, failed_at = '', locked_until = '' "
                    "WHERE user_id = ?",
                    (user_id,),
                )
                event = AuditEvent(AuditAction.SIGNED_IN, user_id)
                record(connection, self._clock, event, cipher=self._cipher)
                return _operator((row["user_id"], row["display_name"], row["role"], row["name"]))
            else:
                refusal = self._count_failure(connection, row)
        raise refusal

    def record_lock(self, operator: Operator, *, by_itself: bool) -> None:
        """Writes into the trail that the window was locked: by a person, or after idle minutes."""
        event = AuditEvent(
            AuditAction.LOCKED,
            operator.user_id,
            details={"reason": "idle" if by_itself else "asked"},
        )
        with self._db.transaction() as connection:
            record(connection, self._clock, event, cipher=self._cipher)

    def record_scanner_set_up(self, operator: Operator) -> None:
        """Writes into the trail that an administrator changed what a scan opens.

        Raises SignInError for anybody else: nothing is written then.
        """
        if operator.role is not Role.ADMIN:
            raise SignInError(tr("Only an administrator sets the scanner up."))
        event = AuditEvent(AuditAction.SCANNER_SET_UP, operator.user_id)
        with self._db.transaction() as connection:
            record(connection, self._clock, event, cipher=self._cipher)

    def _count_failure(self, connection: sqlite3.Connection, row: dict[str, Any]) -> SignInError:
        failures = row["failures"] + 1
        delay = delay_after(failures)
        self._begin_wait(connection, row["user_id"], failures, delay)
        self._audit(connection, row["user_id"], "wrong-pin", failures=str(failures))
        return _must_wait(delay) if delay else _wrong()

    def _begin_wait(
        self, connection: sqlite3.Connection, user_id: str, failures: int, delay: timedelta
    ) -> None:
        now = self._clock.now()
        connection.execute(
            "UPDATE users SET failures = ?, failed_at = ?, locked_until = ? WHERE user_id = ?",
            (failures, now.isoformat(), (now + delay).isoformat() if delay else "", user_id),
        )
        with self._waits_lock:
            self._waits[user_id] = self._clock.monotonic() + delay.total_seconds()

    def _wait_left(self, connection: sqlite3.Connection, row: dict[str, Any]) -> timedelta:
        """What is left of a wait; zero where there is none.

        Two clocks must agree that it is over: the wall clock in the row, which outlives a restart,
        and the monotonic one of this process. A wall clock that was put back begins the wait anew,
        once, so that it lasts its length and not until the old hour comes round again. The row
        alone can say that there is none: another process may have given the user a new PIN.
        """
        if not row["locked_until"]:
            return timedelta()
        with self._waits_lock:
            ours = self._waits.get(row["user_id"])
        seconds = max(0.0, ours - self._clock.monotonic()) if ours is not None else 0.0
        left = timedelta(seconds=seconds)
        now = self._clock.now()
        try:
            failed_at = datetime.fromisoformat(row["failed_at"])
            locked_until = datetime.fromisoformat(row["locked_until"])
        except ValueError:  # a damaged row: the wait begins anew, now
            failed_at = locked_until = now + delay_after(row["failures"])
        if now < failed_at:
            if ours is not None:
                return left  # this process has seen it begin: its own clock is enough
            delay = delay_after(row["failures"])
            self._begin_wait(connection, row["user_id"], row["failures"], delay)
            return delay
        return max(left, locked_until - now, timedelta())

    def _require_admin(self, connection: sqlite3.Connection, by: Operator | None) -> None:
        """By the table and not by what `by` says: the right may have gone since they signed in."""
        row = self._row(connection, by.user_id) if by else None
        if row is None or row["removed_at"] or row["role"] != Role.ADMIN:
            raise SignInError(tr("Only an administrator can do this."))

    def _require_user(self, connection: sqlite3.Connection, user_id: str) -> dict[str, Any]:
        row = self._row(connection, user_id)
        if row is None or row["removed_at"]:
            raise SignInError(tr("There is no user {id}.", id=user_id))
        return row

    def _audit(
        self, connection: sqlite3.Connection, user_id: str, reason: str, **details: str
    ) -> None:
        event = AuditEvent(
            AuditAction.SIGN_IN_FAILED,
            user_id,
            outcome=EventOutcome.MINOR_FAILURE,
            details={"reason": reason, **details},
        )
        record(connection, self._clock, event, cipher=self._cipher)

    def _derive(self, pin: str, salt: bytes, cost: PinCost) -> bytes:
        """The PIN's hash. The pepper makes the table useless to who has the file but no key."""
        return Argon2id(
            salt=salt,
            length=32,
            iterations=cost.passes,
            lanes=1,
            memory_cost=cost.memory_kib,
            secret=self._pepper,
        ).derive(pin.encode())

    @staticmethod
    def _row(asked: sqlite3.Connection | Reader, user_id: str) -> dict[str, Any] | None:
        row = asked.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM users WHERE user_id = ?",  # noqa: S608 - names are ours
            (user_id,),
        ).fetchone()
        return None if row is None else dict(zip(_COLUMNS, row, strict=True))


def _operator(row: tuple[str, str, str, str]) -> Operator:
    """A user as the row says. A damaged cell takes no other user away, and gives no right: the
    name for the images is then empty, the role the lesser one; what is wrong stands in the log.
    """
    user_id, display_name, role, name = row
    if damaged := unreadable_cells(row):
        _log.error("user-row-unreadable", user_id=user_id, reason=" ".join(damaged))
    return Operator(
        user_id,
        display_name,
        Role.CAPTURE if "role" in damaged else Role(role),
        PersonName(NameGroup()) if "name" in damaged else _person_name(name),
    )


def damaged_users(reader: Reader) -> Iterator[tuple[str, str]]:
    """The user id and the name of each cell that cannot be read, of all users ever added."""
    rows = reader.execute(f"SELECT {', '.join(_COLUMNS)} FROM users ORDER BY user_id")  # noqa: S608 - names are ours
    for values in rows:
        row = dict(zip(_COLUMNS, values, strict=True))
        user_id = row["user_id"]
        for cell in unreadable_cells((user_id, row["display_name"], row["role"], row["name"])):
            yield user_id, cell
        try:
            PinCost.parse(row["pin_cost"])
        except ValueError:
            yield user_id, "pin_cost"
        for cell in ("failed_at", "locked_until", "removed_at"):
            try:
                datetime.fromisoformat(row[cell] or "2000-01-01")
            except ValueError:
                yield user_id, cell


def unreadable_cells(row: tuple[str, str, str, str]) -> tuple[str, ...]:
    """Which of role and name cannot be read in (user_id, display_name, role, name)."""
    _, _, role, name = row
    damaged = [] if role in [*Role] else ["role"]
    try:
        _person_name(name)
    except (ValueError, TypeError):
        damaged.append("name")
    return tuple(damaged)


def _person_name(cell: str) -> PersonName:
    return PersonName(*(NameGroup(*group) for group in json.loads(cell)))


def _canonical(user_id: str) -> str:
    return user_id.strip().casefold()


def _require_good(user_id: str, display_name: str) -> None:
    if not _USER_ID.fullmatch(user_id):
        raise SignInError(tr("A user id has 1 to 32 of a-z, 0-9, point, - and _."))
    if not display_name.strip() or len(display_name) > 64 or not display_name.isprintable():
        raise SignInError(tr("A user needs a name to show, of at most 64 characters."))


def _require_good_pin(pin: str) -> None:
    if not PIN_SHORTEST <= len(pin) <= PIN_LONGEST:
        raise SignInError(
            tr(
                "A PIN has {shortest} to {longest} characters.",
                shortest=PIN_SHORTEST,
                longest=PIN_LONGEST,
            )
        )
    steps = {ord(after) - ord(before) for before, after in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise SignInError(tr("This PIN is too easy to guess: no run like 1234, no 0000."))


def _cost_of(row: dict[str, Any]) -> PinCost:
    try:
        return PinCost.parse(row["pin_cost"])
    except ValueError:
        _log.exception("user-row-unreadable", user_id=row["user_id"], reason="pin_cost")
        raise SignInError(
            tr("The record of this user is damaged. An administrator can give a new PIN.")
        ) from None


def _wrong() -> SignInError:
    return SignInError(tr("User or PIN is wrong."))


def _must_wait(left: timedelta) -> SignInError:
    seconds = max(1, -(-int(left.total_seconds() * 1000) // 1000))
    return SignInError(
        tr("Too many wrong PINs.")
        + " "
        + trn("Try again in {n} second.", "Try again in {n} seconds.", seconds)
    )
