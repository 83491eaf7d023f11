"""Who may sign in on this computer: user and PIN, a growing wait after wrong ones, all recorded."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from capture_app.clock import Clock
from capture_app.errors import SignInError, UsersDamagedError
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Act, Operator, Role, in_order, may
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr
from capture_app.security.earlier_users import take_over
from capture_app.security.pins import PinCost, PinHasher, Wait, require_good_pin, require_new_pin
from capture_app.security.signing_in import admitted
from capture_app.security.user_table import UserRecord, UserRows, UserTable, log_fault
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database, Reader

_USER_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
FIRST_ROLES: Final = tuple(Role)
"""Of the first user of a computer: somebody must be there to give each role to others."""
SERVICE_ROLES: Final = (Role.CAPTURE,)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account of commands, and the account of the operating system that acts as it."""

    operator: Operator
    os_account: str


class Users:
    """The users of this computer; their table is in outbox.db, beside the trail."""

    def __init__(
        self, db: Database, cipher: Cipher, clock: Clock, *, cost: PinCost | None = None
    ) -> None:
        """Users of an earlier version are taken over first. Raises StoreError."""
        self._table = UserTable(db, cipher, clock)
        self._hasher = PinHasher(cipher, cost or PinCost())
        take_over(self._table)
        if self._reader.execute("SELECT 1 FROM users_head").fetchone():
            self._table.leave_marker()

    @property
    def _reader(self) -> Reader:
        return self._table.db.read()

    # ------------------------------------------------------------------------------------- asked

    def has_any(self) -> bool:
        """False on a computer that never had a user.

        Raises UsersDamagedError where it had some and their list is missing: no first start.
        """
        return self._table.has_any(self._reader)

    def list(self) -> tuple[Operator, ...]:
        """All people who may sign in, by their displayed name. Raises UsersDamagedError.

        A row that was changed by something else is left out, and named in the log.
        """
        return tuple(one.operator for one in self._rows().present if not one.is_service)

    def services(self) -> tuple[ServiceAccount, ...]:
        """The accounts of commands, by their displayed name. Raises UsersDamagedError."""
        found = (one for one in self._rows().present if one.is_service)
        return tuple(ServiceAccount(one.operator, one.os_account) for one in found)

    def service_of(self, os_account: str) -> Operator | None:
        """The service account as which an account of the operating system acts, if there is one."""
        found = (one.operator for one in self.services() if one.os_account == os_account)
        return next(found, None)

    def current(self, user_id: str) -> Operator | None:
        """A user as the table has them now; None where they may not sign in any more."""
        found = self._table.row(self._reader, user_id)
        return found.operator if isinstance(found, UserRecord) and not found.removed_at else None

    # ------------------------------------------------------------------- what administrators do

    def add(
        self,
        user_id: str,
        display_name: str,
        roles: Iterable[Role],
        pin: str,
        by: Operator | None,
        *,
        name: PersonName | None = None,
        anew: bool = False,
    ) -> Operator:
        """Adds a user. `by` keeps the users; None only for the first user of a computer.

        `name` is for Operators' Name in the images; without it that name stays empty. `anew`: the
        list was lost, or nobody in it keeps the users any more; this one begins it again. Raises
        SignInError in words where the user id, the PIN, the roles or the right to add is not good.
        """
        require_good_pin(pin)
        user_id = _canonical(user_id)
        added = self._new(user_id, display_name, roles, by, name=name)
        return self._add(replace(added, pin=self._hasher.make(user_id, pin)), by, anew=anew)

    def add_service(
        self, user_id: str, display_name: str, os_account: str, by: Operator
    ) -> Operator:
        """Adds a service account: commands that this account of the operating system runs act as
        it, without a PIN. Raises SignInError in words.
        """
        if not os_account.strip() or not os_account.isprintable():
            raise SignInError(tr("A service account needs an account of the operating system."))
        user_id = _canonical(user_id)
        added = self._new(user_id, display_name, SERVICE_ROLES, by)
        return self._add(replace(added, os_account=os_account.strip()), by, anew=False)

    def set_roles(self, user_id: str, roles: Iterable[Role], by: Operator) -> Operator:
        """Gives a user these roles and no others. `by` keeps the users.

        Raises SignInError in words where there is no such person, where nobody could keep the users
        any more, or where the right is not good.
        """
        user_id, held = _canonical(user_id), _good_roles(roles)
        with self._table.db.transaction() as connection:
            self._require_keeper(connection, by)
            user = self._table.present_user(connection, user_id)
            if user.is_service:
                raise SignInError(tr("A service account has its one role."))
            if Role.ADMINISTER not in held:
                self._require_another_keeper(connection, user)
            user = replace(user, roles=held)
            self._table.write(connection, user)
            details = {"user": user_id, "roles": _said(held)}
            self._table.record(connection, AuditAction.ROLES_SET, by.user_id, details)
        return user.operator

    def reset_pin(self, user_id: str, pin: str, by: Operator) -> None:
        """Gives a user a new PIN and ends a wait. `by` keeps the users; their own PIN, too.

        Raises SignInError in words where there is no such user, or the PIN or the right is not
        good.
        """
        user_id = _canonical(user_id)
        require_good_pin(pin)
        kept = self._hasher.make(user_id, pin)
        with self._table.db.transaction() as connection:
            self._require_keeper(connection, by)
            user = self._table.present_user(connection, user_id)
            if user.is_service:
                raise SignInError(tr("A service account has no PIN."))
            self._table.write(connection, replace(user, pin=kept, wait=Wait()))
            self._table.record(connection, AuditAction.PIN_RESET, by.user_id, {"user": user_id})

    def remove(self, user_id: str, by: Operator) -> None:
        """Takes a user's right to sign in. What the trail says of them stays, and so does the id.

        `by` keeps the users. Raises SignInError in words where there is no such user, where nobody
        could keep the users any more, or where the right is not good.
        """
        user_id = _canonical(user_id)
        with self._table.db.transaction() as connection:
            self._require_keeper(connection, by)
            user = self._table.present_user(connection, user_id)
            self._require_another_keeper(connection, user)
            removed_at = self._table.clock.now().isoformat()
            self._table.write(
                connection, replace(user, removed_at=removed_at, removed_by=by.user_id)
            )
            self._table.record(connection, AuditAction.USER_REMOVED, by.user_id, {"user": user_id})

    # ---------------------------------------------------------------------------------- signing in

    def sign_in(self, user_id: str, pin: str) -> Operator:
        """The user, if the PIN is right and no wait is under way; else SignInError in words.

        Right, wrong and unknown take the same time. A PIN given during a wait is not looked at.
        Raises PinTooShortError for a right PIN that is shorter than a PIN may be by now.
        """
        return admitted(self._table, self._hasher, _canonical(user_id), pin)

    def change_pin(self, user_id: str, pin: str, new_pin: str) -> Operator:
        """Signs in with the old PIN, and gives oneself a new one. Raises SignInError."""
        require_new_pin(pin, new_pin)
        return admitted(self._table, self._hasher, _canonical(user_id), pin, new_pin)

    # ------------------------------------------------------------------------------------ recorded

    def record_lock(self, operator: Operator, *, reason: str) -> None:
        """Writes into the trail that the window was locked, and by what: `asked` by a person, after
        `idle` minutes, by the `session` of the system, or before `sleep`.
        """
        with self._table.db.transaction() as connection:
            self._table.record(connection, AuditAction.LOCKED, operator.user_id, {"reason": reason})

    def record_session_ended(self, operator: Operator) -> None:
        """Writes into the trail that a window was closed to a user whose rights were changed."""
        with self._table.db.transaction() as connection:
            self._table.record(connection, AuditAction.SESSION_ENDED, operator.user_id)

    def record_scanner_set_up(self, operator: Operator) -> None:
        """Writes into the trail that what a scan opens was changed.

        Raises SignInError for who may not do that: nothing is written then.
        """
        with self._table.db.transaction() as connection:
            if not self._table.may(connection, operator, Act.SET_UP_SCANNER):
                raise SignInError(tr("Only an administrator sets the scanner up."))
            self._table.record(connection, AuditAction.SCANNER_SET_UP, operator.user_id)

    # ---------------------------------------------------------------------------------------- rows

    def _new(
        self,
        user_id: str,
        display_name: str,
        roles: Iterable[Role],
        by: Operator | None,
        *,
        name: PersonName | None = None,
    ) -> UserRecord:
        _require_id(user_id)
        if not display_name.strip() or len(display_name) > 64 or not display_name.isprintable():
            raise SignInError(tr("A user needs a name to show, of at most 64 characters."))
        return UserRecord(
            user_id,
            display_name.strip(),
            name or PersonName(NameGroup()),
            _good_roles(roles),
            pin=None,
            added_at=self._table.clock.now().isoformat(),
            added_by=by.user_id if by else "",
        )

    def _add(self, added: UserRecord, by: Operator | None, *, anew: bool) -> Operator:
        user_id = added.user_id
        with self._table.db.transaction() as connection:
            if by is not None:
                self._require_keeper(connection, by)
            elif anew:
                self._begin_anew(connection)
                self._table.record(connection, AuditAction.USERS_BEGUN_ANEW, user_id)
            elif self._table.has_any(connection):
                raise _keepers_only()
            found = self._table.row(connection, user_id)
            if isinstance(found, UserRecord):
                raise SignInError(
                    tr("There was a user with this id. The trail names it: choose another.")
                    if found.removed_at
                    else tr("There is a user with this id already.")
                )
            self._table.write(connection, added)
            if by is None and Role.ADMINISTER not in added.roles:
                raise SignInError(tr("The first user of a computer is its administrator."))
            details = {"added": user_id, "roles": _said(added.roles)}
            if added.is_service:
                details["service"] = "yes"
            self._table.record(
                connection, AuditAction.USER_ADDED, by.user_id if by else user_id, details
            )
        self._table.leave_marker()
        return added.operator

    def _begin_anew(self, connection: sqlite3.Connection) -> None:
        """Raises SignInError where there is somebody who keeps the users."""
        try:
            rows = self._table.rows(connection)
        except UsersDamagedError:
            self._table.begin(connection)
            return
        if any(may(one.operator, Act.KEEP_USERS) for one in rows.present):
            raise SignInError(
                tr("This computer has its users: an administrator adds more, see --by.")
            )

    def _rows(self) -> UserRows:
        rows = self._table.rows(self._reader)
        for user_id, fault in rows.faults.items():
            log_fault(user_id, fault)
        return rows

    def _require_keeper(self, connection: sqlite3.Connection, by: Operator) -> None:
        if not self._table.may(connection, by, Act.KEEP_USERS):
            raise _keepers_only()

    def _require_another_keeper(self, connection: sqlite3.Connection, user: UserRecord) -> None:
        """Somebody besides this one must be able to keep the users, if this one can."""
        rows = self._table.rows(connection)
        keepers = {one.user_id for one in rows.present if may(one.operator, Act.KEEP_USERS)}
        if keepers == {user.user_id}:
            raise SignInError(
                tr("The last administrator cannot be removed. Add another one first.")
            )


def _canonical(user_id: str) -> str:
    return user_id.strip().casefold()


def _require_id(user_id: str) -> None:
    if not _USER_ID.fullmatch(user_id):
        raise SignInError(tr("A user id has 1 to 32 of a-z, 0-9, point, - and _."))


def _good_roles(roles: Iterable[Role]) -> tuple[Role, ...]:
    held = in_order(roles)
    if not held:
        raise SignInError(tr("A user needs a role at least."))
    return held


def _said(roles: tuple[Role, ...]) -> str:
    return ",".join(roles)


def _keepers_only() -> SignInError:
    return SignInError(tr("Only an administrator can do this."))
