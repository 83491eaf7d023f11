"""Who has the file and no key: what they write obeys nobody, and what they take shows."""

from contextlib import closing
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import SignInError, UsersDamagedError
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Operator
from capture_app.security.user_table import MARKER, UserRecord, UserTable, damaged_users
from capture_app.security.users import FIRST_ROLES, Users
from capture_app.store.database import Database
from tests.unit.security.station import CAPTURE, CHEAP, CIPHER, PIN, acts, fail


def swap_cell(db: Database, user_id: str, cell: object) -> None:
    with db.transaction() as connection:
        connection.execute("UPDATE users SET sealed = ? WHERE user_id = ?", (cell, user_id))


def cell_of(db: Database, user_id: str) -> bytes:
    row = db.read().execute("SELECT sealed FROM users WHERE user_id = ?", (user_id,))
    cell: bytes = row.fetchone()[0]
    return cell


@pytest.mark.expects_log("user-row-unreadable")
@pytest.mark.parametrize("change", ["another-users", "of-before", "flipped", "text", "empty"])
def test_row_that_something_else_wrote_does_not_obey(
    db: Database, users: Users, anna: Operator, clock: FixedClock, change: str
) -> None:
    """Another's PIN and roles, failures taken back by a copy of before, damage: all the same."""
    bo = users.add("bo", "Bo", CAPTURE, "830527", anna)
    before = cell_of(db, "bo")
    fail(users, 3, "bo")
    now = cell_of(db, "bo")
    cells = {
        "another-users": cell_of(db, "anna"),
        "of-before": before,
        "flipped": now[:-1] + bytes([now[-1] ^ 1]),
        "text": now.hex().encode(),
        "empty": b"",
    }
    swap_cell(db, "bo", cells[change])
    clock.advance(10_000)
    for pin in (PIN, "830527"):
        with pytest.raises(SignInError, match="damaged or was changed"):
            users.sign_in("bo", pin)
    with pytest.raises(SignInError, match="damaged or was changed"):
        users.add("eve", "Eve", CAPTURE, "619438", bo)
    assert users.list() == (anna,)
    assert users.current("bo") is None
    fault = "revision" if change == "of-before" else "sealed"
    assert [*damaged_users(UserTable(db, CIPHER, clock))] == [("bo", fault)]
    assert users.sign_in("anna", PIN) == anna  # one bad row stops itself only
    assert users.add("bo", "Bo", CAPTURE, "619438", anna) == bo
    assert users.sign_in("bo", "619438") == bo


@pytest.mark.expects_log("user-row-unreadable")
def test_row_that_was_taken_out_or_put_in_is_named(
    db: Database, users: Users, anna: Operator, clock: FixedClock
) -> None:
    users.add("bo", "Bo", CAPTURE, "830527", anna)
    with db.transaction() as connection:
        connection.execute("UPDATE users SET user_id = 'eve' WHERE user_id = 'bo'")
    assert users.list() == (anna,)
    for user_id in ("bo", "eve"):
        with pytest.raises(SignInError, match="damaged or was changed"):
            users.sign_in(user_id, "830527")
    faults = dict(damaged_users(UserTable(db, CIPHER, clock)))
    assert faults == {"bo": "missing", "eve": "sealed"}


LOSSES = {
    "rows and head": ("DELETE FROM users", "DELETE FROM users_head"),
    "head": ("DELETE FROM users_head",),
    "head changed": ("UPDATE users_head SET sealed = x'01'",),
    "head of another kind": ("UPDATE users_head SET sealed = (SELECT sealed FROM users)",),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_list_is_a_fault_and_no_first_start(
    db: Database, users: Users, clock: FixedClock, loss: str
) -> None:
    with db.transaction() as connection:
        for statement in LOSSES[loss]:
            connection.execute(statement)
    restarted = Users(db, CIPHER, clock, cost=CHEAP)
    for act in (
        restarted.has_any,
        restarted.list,
        partial(restarted.sign_in, "anna", PIN),
        partial(restarted.add, "eve", "Eve", FIRST_ROLES, "830527", None),
    ):
        with pytest.raises(UsersDamagedError, match="--first --anew"):
            act()
    assert [*damaged_users(UserTable(db, CIPHER, clock))] == [("", "users_head")]


@pytest.mark.parametrize("loss", LOSSES)
def test_list_is_begun_anew_by_a_deliberate_act_that_is_recorded(
    db: Database, users: Users, clock: FixedClock, anna: Operator, loss: str
) -> None:
    users.add("bo", "Bo", FIRST_ROLES, "619438", anna)
    with db.transaction() as connection:
        for statement in LOSSES[loss]:
            connection.execute(statement)
    eve = users.add("eve", "Eve", FIRST_ROLES, "830527", None, anew=True)
    assert users.sign_in("eve", "830527") == eve
    assert AuditAction.USERS_BEGUN_ANEW in [act.action for act in acts(db)]
    row = UserTable(db, CIPHER, clock).row(db.read(), "bo")
    assert not isinstance(row, UserRecord)  # whoever was in the lost list comes in by eve alone
    assert users.add("bo", "Bo", CAPTURE, "619438", eve).user_id == "bo"
    with pytest.raises(SignInError, match="has its users"):
        users.add("mallory", "M", FIRST_ROLES, "830527", None, anew=True)


def test_list_with_an_administrator_is_never_begun_anew(users: Users, anna: Operator) -> None:
    with pytest.raises(SignInError, match="has its users"):
        users.add("eve", "Eve", FIRST_ROLES, "830527", None, anew=True)
    assert users.list() == (anna,)


def test_database_that_was_taken_away_shows_by_the_marker(
    db: Database, users: Users, clock: FixedClock, tmp_path: Path
) -> None:
    assert (tmp_path / MARKER).exists()
    db.close()
    for file in tmp_path.glob("outbox.db*"):
        file.unlink()
    database = Database.open(tmp_path / "outbox.db", files("capture_app.outbox") / "migrations")
    with closing(database), pytest.raises(UsersDamagedError):
        Users(database, CIPHER, clock, cost=CHEAP).has_any()
