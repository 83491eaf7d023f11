"""A data folder of an earlier version: its users come in as before, and nobody else does."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from capture_app.audit.trail import begin, read_trail, record
from capture_app.audit.verify import verify_chain
from capture_app.clock import FixedClock
from capture_app.errors import PinTooShortError, SignInError, UsersDamagedError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Role
from capture_app.security.pins import PinCost
from capture_app.security.user_table import UserRecord, UserTable
from capture_app.security.users import Users
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

CIPHER = Cipher(bytes(range(32)))
CHEAP = PinCost(memory_kib=64, passes=1)
CAPTURE = (Role.CAPTURE,)
ADMIN = (Role.CAPTURE, Role.CORRECT, Role.ADMINISTER)
_INTO: Final = (
    "INSERT INTO users_in_clear (user_id, display_name, role, name, pin_salt, pin_cost, pin_hash, "
    "added_at, added_by, failures, locked_until, removed_at) "
    "VALUES (?, ?, ?, ?, ?, 'argon2id:32:1', ?, ?, '', ?, ?, ?)"
)


class Before:
    """What an earlier version wrote: rows in clear, and the trail."""

    def __init__(self, db: Database, clock: FixedClock) -> None:
        self.db = db
        self.clock = clock

    def row(
        self,
        user_id: str,
        pin: str,
        role: str = "capture",
        *,
        failures: int = 0,
        locked_until: str = "",
        removed_at: str = "",
    ) -> None:
        salt = user_id.encode().ljust(16)
        pepper = CIPHER.subkey(b"capture-app pin 1", b"")
        kdf = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=32, secret=pepper)
        names = json.dumps([[user_id.title(), "A.", "", "", ""]] + [[""] * 5] * 2)
        shown, at = user_id.title(), self.clock.now().isoformat()
        digest = kdf.derive(pin.encode())
        with self.db.transaction() as connection:
            connection.execute(
                _INTO,
                (user_id, shown, role, names, salt, digest, at, failures, locked_until, removed_at),
            )

    def said(self, action: AuditAction, **details: str) -> None:
        with self.db.transaction() as connection:
            record(connection, self.clock, AuditEvent(action, "", details=details), cipher=CIPHER)

    def user(self, user_id: str, pin: str, role: str = "capture", removed_at: str = "") -> None:
        self.row(user_id, pin, role, removed_at=removed_at)
        self.said(AuditAction.USER_ADDED, added=user_id, role=role)

    def today(self) -> Users:
        return Users(self.db, CIPHER, self.clock, cost=CHEAP)


@pytest.fixture
def before(tmp_path: Path, clock: FixedClock) -> Iterator[Before]:
    database = Database.open(tmp_path / "outbox.db", files("capture_app.outbox") / "migrations")
    with closing(database):
        with database.transaction() as connection:
            begin(connection, clock, cipher=CIPHER, is_first=True)
        yield Before(database, clock)


def is_there(db: Database) -> bool:
    found = db.read().execute("SELECT 1 FROM sqlite_master WHERE name = 'users_in_clear'")
    return found.fetchone() is not None


def test_users_come_in_as_before_with_at_least_their_rights(before: Before) -> None:
    before.user("anna", "274913", "admin")
    before.user("bo", "830527")
    before.user("eve", "619438", "admin")
    users = before.today()
    assert not is_there(before.db)
    assert {one.user_id: one.roles for one in users.list()} == {
        "anna": (*ADMIN, Role.AUDIT),  # the first one: somebody must be there to make auditors
        "bo": CAPTURE,
        "eve": ADMIN,
    }
    assert users.sign_in("bo", "830527").name.pn == "Bo^A."
    with pytest.raises(SignInError, match="wrong"):
        users.sign_in("anna", "830527")
    anna = users.sign_in("anna", "274913")
    users.remove("eve", anna)
    events = [row.event for row in read_trail(before.db.read())]
    (sealed,) = (one for one in events if one.action is AuditAction.USERS_SEALED)
    assert dict(sealed.details) == {"users": "3", "left-out": ""}
    assert verify_chain(before.db.read(), cipher=CIPHER).whole
    assert [one.user_id for one in before.today().list()] == ["anna", "bo"]  # and only once


def test_hash_of_before_is_bound_to_its_user_at_the_next_good_sign_in(before: Before) -> None:
    before.user("anna", "274913", "admin")
    users = before.today()
    table = UserTable(before.db, CIPHER, before.clock)

    def is_bound() -> bool:
        row = table.row(before.db.read(), "anna")
        assert isinstance(row, UserRecord)
        assert row.pin is not None
        return row.pin.is_bound

    with pytest.raises(SignInError):
        users.sign_in("anna", "000000")
    assert not is_bound()
    users.sign_in("anna", "274913")
    assert is_bound()
    users.sign_in("anna", "274913")


def test_short_pin_of_before_must_be_changed_and_then_opens(before: Before) -> None:
    before.user("anna", "2749", "admin")
    users = before.today()
    with pytest.raises(PinTooShortError):
        users.sign_in("anna", "2749")
    assert users.change_pin("anna", "2749", "274913").user_id == "anna"


@pytest.mark.expects_log("user-row-unreadable", "trail-broken")
def test_row_that_the_trail_does_not_know_is_nobodys(before: Before) -> None:
    """Whoever had the file could write one; and could make an administrator of themselves."""
    before.user("anna", "274913", "admin")
    before.user("bo", "830527")
    before.row("mallory", "619438", "admin")
    with before.db.transaction() as connection:
        connection.execute("UPDATE users_in_clear SET role = 'admin' WHERE user_id = 'bo'")
        connection.execute(  # a row of the trail that was made without the key
            "INSERT INTO audit SELECT 99, at, replace(event, 'anna', 'mallory'), previous_hash, "
            "'0' FROM audit WHERE seq = 1"
        )
    users = before.today()
    assert {one.user_id: one.roles for one in users.list()} == {
        "anna": (*ADMIN, Role.AUDIT),
        "bo": CAPTURE,
    }


def test_removed_user_stays_removed_and_the_next_administrator_audits(before: Before) -> None:
    before.user("anna", "274913", "admin", removed_at="2024-01-01T00:00:00+00:00")
    before.said(AuditAction.USER_REMOVED, user="anna")
    before.user("eve", "619438", "admin")
    before.user("bo", "830527")
    before.said(AuditAction.USER_REMOVED, user="bo")  # and somebody emptied the cell
    users = before.today()
    assert {one.user_id: one.roles for one in users.list()} == {"eve": (*ADMIN, Role.AUDIT)}


def test_wait_that_was_under_way_begins_anew(before: Before) -> None:
    before.row("anna", "274913", "admin", failures=4, locked_until="2024-01-01T00:00:00+00:00")
    before.said(AuditAction.USER_ADDED, added="anna", role="admin")
    users = before.today()
    with pytest.raises(SignInError, match="in 30 seconds"):
        users.sign_in("anna", "274913")
    before.clock.advance(30)
    users.sign_in("anna", "274913")


@pytest.mark.expects_log("user-row-unreadable")
@pytest.mark.parametrize(
    ("cell", "value"), [("name", "["), ("pin_cost", "cheap"), ("removed_at", "soon")]
)
def test_damaged_cell_takes_nothing_else_away(before: Before, cell: str, value: str) -> None:
    before.user("anna", "274913", "admin")
    before.user("bo", "830527")
    before.row("unknown", "619438")  # logged, so that each of these cases is
    with before.db.transaction() as connection:
        connection.execute(f"UPDATE users_in_clear SET {cell} = ? WHERE user_id = 'bo'", (value,))  # noqa: S608 - names of this test
    users = before.today()
    assert [one.user_id for one in users.list()] == ["anna", "bo"]
    if cell == "pin_cost":
        anna = users.sign_in("anna", "274913")
        users.reset_pin("bo", "836152", anna)
        assert users.sign_in("bo", "836152").user_id == "bo"
    else:
        assert users.sign_in("bo", "830527").user_id == "bo"


@pytest.mark.expects_log("users-in-clear-ignored")
def test_table_that_comes_back_is_ignored(before: Before) -> None:
    """Neither beside the users of today nor in their place: it would be a way round the seal."""
    before.user("anna", "274913", "admin")
    table = before.db.read().execute(
        "SELECT sql FROM sqlite_master WHERE name = 'users_in_clear'"
    ).fetchone()[0]  # fmt: skip
    users = before.today()
    for losses in ((), ("DELETE FROM users", "DELETE FROM users_head")):
        with before.db.transaction() as connection:
            connection.execute(table)
            for loss in losses:
                connection.execute(loss)
        before.user("mallory", "619438", "admin")
        again = before.today()
        assert not is_there(before.db)
        if not losses:
            assert [one.user_id for one in again.list()] == ["anna"]
            assert users.sign_in("anna", "274913").user_id == "anna"
        else:
            with pytest.raises(UsersDamagedError):
                again.has_any()


def test_rows_are_taken_over_all_or_none(before: Before) -> None:
    before.user("anna", "274913", "admin")
    no_row = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"
    before.db.read().execute(no_row)
    with pytest.raises(sqlite3.IntegrityError, match="full"):
        before.today()
    assert is_there(before.db)
    before.db.read().execute("DROP TRIGGER full")
    assert before.today().sign_in("anna", "274913").user_id == "anna"
