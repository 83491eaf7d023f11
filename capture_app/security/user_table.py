"""The users' rows: sealed under the key, bound to their user id, and counted by a sealed head.

A row obeys only where it opens under the key for its own id and stands at the revision that the
head names: one that was changed, exchanged, put back from a copy or put in by hand does nothing. A
head that is missing beside anything that people left behind is a fault and never a first start. Of
a whole database that was put back from a copy only the trail can tell.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import structlog

from capture_app.audit import trail
from capture_app.clock import Clock
from capture_app.errors import SealBrokenError, SignInError, UsersDamagedError
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.model.operator import Act, Operator, Role, may
from capture_app.model.patient import PersonName
from capture_app.model.words import tr
from capture_app.security.pins import PinHash, Wait
from capture_app.settings.write_once import write_once
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database, Reader
from capture_app.store.record import from_record, to_record

_log = structlog.get_logger(__name__)

Asked = sqlite3.Connection | Reader
MARKER: Final = "users-check.json"
"""In the data folder from the first user on, so that a database that was taken away shows."""
_HEAD_CONTEXT: Final = b"users head"


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user, or the service account of an account of the operating system."""

    user_id: str
    display_name: str
    name: PersonName
    roles: tuple[Role, ...]
    pin: PinHash | None
    """None: nobody can sign in by a PIN. So are service accounts."""
    added_at: str
    added_by: str
    wait: Wait = Wait()  # noqa: RUF009 - frozen
    os_account: str = ""
    """Of a service account: the account of the operating system that acts as it."""
    removed_at: str = ""
    removed_by: str = ""
    revision: int = 0
    """How often the row was written: as the head says, else it is a row of before."""

    @property
    def operator(self) -> Operator:
        """Who they are and what they may do."""
        return Operator(
            self.user_id, self.display_name, self.roles, self.name, is_service=self.is_service
        )

    @property
    def is_service(self) -> bool:
        """Whether it is the account of a command and not of a person."""
        return bool(self.os_account)


class RowFault(StrEnum):
    """Why a row does not obey."""

    UNREADABLE = "sealed"
    """It does not open: damaged, changed, or another user's."""
    OUTDATED = "revision"
    """It is one of before."""
    MISSING = "missing"
    """The head names it."""
    FOREIGN = "not-in-head"
    """The head does not name it."""


@dataclass(frozen=True, slots=True)
class UserRows:
    """All rows by user id, of removed users, too: those that obey, and why others do not."""

    obeying: Mapping[str, UserRecord]
    faults: Mapping[str, RowFault]

    @property
    def present(self) -> tuple[UserRecord, ...]:
        """Those who were not removed, by their displayed name."""
        here = (one for one in self.obeying.values() if not one.removed_at)
        return tuple(sorted(here, key=lambda one: (one.display_name, one.user_id)))


@dataclass(frozen=True, slots=True)
class _Head:
    revisions: Mapping[str, int]


_NOBODY: Final = _Head({})


class UserTable:
    """Reads and writes the rows, and records in the trail what was done to them."""

    def __init__(self, db: Database, cipher: Cipher, clock: Clock) -> None:
        self.db = db
        self.cipher = cipher
        self.clock = clock

    # Each question is one statement: rows and head are of one moment, whoever writes meanwhile.

    def has_any(self, asked: Asked) -> bool:
        """False where nobody was ever added. Raises UsersDamagedError."""
        cell, pictures = asked.execute(
            "SELECT (SELECT sealed FROM users_head), "
            # Earlier versions let a command import without any user.
            "EXISTS (SELECT 1 FROM capture WHERE user_id NOT LIKE 'command:%')"
        ).fetchone()
        if cell is None and pictures:
            raise _lost()
        return self._head(asked, cell) is not None

    def rows(self, asked: Asked) -> UserRows:
        """Every row. Raises UsersDamagedError where the head is missing or does not open."""
        cells = asked.execute(
            "SELECT NULL, sealed FROM users_head UNION ALL SELECT user_id, sealed FROM users"
        ).fetchall()
        head_cell = next((cell for user_id, cell in cells if user_id is None), None)
        head = self._head(asked, head_cell) or _NOBODY
        obeying: dict[str, UserRecord] = {}
        faults = dict.fromkeys(head.revisions, RowFault.MISSING)
        for user_id, cell in cells:
            if user_id is None:
                continue
            found = self._opened(head, user_id, cell)
            if isinstance(found, RowFault):
                faults[user_id] = found
            else:
                obeying[user_id] = found
                faults.pop(user_id, None)
        return UserRows(obeying, faults)

    def row(self, asked: Asked, user_id: str) -> UserRecord | RowFault | None:
        """One row; None where there is no such user. Raises UsersDamagedError."""
        head_cell, cell = asked.execute(
            "SELECT (SELECT sealed FROM users_head), (SELECT sealed FROM users WHERE user_id = ?)",
            (user_id,),
        ).fetchone()
        head = self._head(asked, head_cell) or _NOBODY
        if cell is None:
            return RowFault.MISSING if user_id in head.revisions else None
        return self._opened(head, user_id, cell)

    def user(self, asked: Asked, user_id: str) -> UserRecord | None:
        """One row, also of a removed user. Raises SignInError where it does not obey."""
        found = self.row(asked, user_id)
        if isinstance(found, RowFault):
            log_fault(user_id, found)
            raise damaged_row()
        return found

    def present_user(self, asked: Asked, user_id: str) -> UserRecord:
        """A user who may sign in. Raises SignInError where there is none."""
        user = self.user(asked, user_id)
        if user is None or user.removed_at:
            raise SignInError(tr("There is no user {id}.", id=user_id))
        return user

    def may(self, asked: Asked, by: Operator, act: Act) -> bool:
        """By the table and not by what `by` says: the right may have gone since they signed in."""
        user = self.user(asked, by.user_id)
        return user is not None and not user.removed_at and may(user.operator, act)

    def write(self, connection: sqlite3.Connection, user: UserRecord) -> None:
        """Writes a row at its next revision, and the head with it, in the transaction under way."""
        (cell,) = connection.execute("SELECT (SELECT sealed FROM users_head)").fetchone()
        head = self._head(connection, cell) or _NOBODY
        revision = head.revisions.get(user.user_id, 0) + 1
        record = to_record(replace(user, revision=revision))
        connection.execute(
            "INSERT INTO users (user_id, sealed) VALUES (?, ?) "
            "ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed",
            (user.user_id, self.cipher.seal_blob(record, _context(user.user_id))),
        )
        self._write_head(connection, {**head.revisions, user.user_id: revision})

    def begin(self, connection: sqlite3.Connection) -> None:
        """A head that names nobody: whatever rows there are do not obey any more."""
        self._write_head(connection, {})

    def leave_marker(self) -> None:
        """Notes in the data folder that there are users, where that is not noted yet."""
        path = self.db.path.parent / MARKER
        if not path.exists():
            write_once(path, b'{"users": true}\n')

    def record(
        self,
        connection: sqlite3.Connection,
        action: AuditAction,
        user_id: str,
        details: Mapping[str, str] = MappingProxyType({}),
        outcome: EventOutcome = EventOutcome.SUCCESS,
    ) -> None:
        """Writes into the trail what a user did, in the transaction under way."""
        event = AuditEvent(action, user_id, outcome=outcome, details=details)
        trail.record(connection, self.clock, event, cipher=self.cipher)

    def _write_head(self, connection: sqlite3.Connection, revisions: Mapping[str, int]) -> None:
        connection.execute(
            "INSERT INTO users_head (only, sealed) VALUES (1, ?) "
            "ON CONFLICT (only) DO UPDATE SET sealed = excluded.sealed",
            (self.cipher.seal_blob(to_record(_Head(revisions)), _HEAD_CONTEXT),),
        )

    def _head(self, asked: Asked, cell: object) -> _Head | None:
        """None on a computer that never had a user."""
        if cell is None:
            if self._had_users(asked):
                raise _lost()
            return None
        try:
            if isinstance(cell, bytes):
                return from_record(_Head, self.cipher.open_blob(cell, _HEAD_CONTEXT))
        except SealBrokenError:
            pass
        raise _lost()

    def _had_users(self, asked: Asked) -> bool:
        """Whether anything says that there were users: a row, the trail, the marker."""
        question = (
            "SELECT EXISTS (SELECT 1 FROM users) "
            "OR EXISTS (SELECT 1 FROM audit WHERE event LIKE '%\"user-added\"%')"
        )
        (found,) = asked.execute(question).fetchone()
        return bool(found) or (self.db.path.parent / MARKER).exists()

    def _opened(self, head: _Head, user_id: str, cell: object) -> UserRecord | RowFault:
        if not isinstance(cell, bytes):
            return RowFault.UNREADABLE
        try:
            user = from_record(UserRecord, self.cipher.open_blob(cell, _context(user_id)))
        except SealBrokenError:
            return RowFault.UNREADABLE
        if user_id not in head.revisions:
            return RowFault.FOREIGN
        return user if user.revision == head.revisions[user_id] else RowFault.OUTDATED


def damaged_users(table: UserTable) -> Iterator[tuple[str, str]]:
    """The user id and what is wrong, of each row that does not obey; no id where it is the list."""
    try:
        faults = table.rows(table.db.read()).faults
    except UsersDamagedError:
        yield "", "users_head"
        return
    for user_id, fault in faults.items():
        yield user_id, fault.value


def log_fault(user_id: str, fault: RowFault) -> None:
    """Says in the log that a row does not obey, and why."""
    _log.error("user-row-unreadable", user_id=user_id, reason=fault.value)


def damaged_row() -> SignInError:
    """What is said of a row that does not obey."""
    return SignInError(
        tr("This user's record is damaged or was changed. An administrator can add the user anew.")
    )


def _context(user_id: str) -> bytes:
    return f"user {user_id}".encode()


def _lost() -> UsersDamagedError:
    return UsersDamagedError(
        tr(
            "The list of who may sign in on this computer is missing or was changed by something "
            "else. Nobody can sign in; sending goes on. IT: put back a copy of outbox.db, or make "
            "a new administrator with 'capture-app users add --first --anew'."
        )
    )
