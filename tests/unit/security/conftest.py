"""A station's users in a database of their own, with PINs that are cheap to check."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from capture_app.audit.trail import begin
from capture_app.clock import FixedClock
from capture_app.model.operator import Operator
from capture_app.security.users import FIRST_ROLES, Users
from capture_app.store.database import Database
from tests.unit.security.station import CHEAP, CIPHER, PIN


@pytest.fixture
def db(tmp_path: Path, clock: FixedClock) -> Iterator[Database]:
    database = Database.open(tmp_path / "outbox.db", files("capture_app.outbox") / "migrations")
    with database.transaction() as connection:
        begin(connection, clock, cipher=CIPHER, is_first=True)
    yield database
    database.close()


@pytest.fixture
def users(db: Database, clock: FixedClock) -> Users:
    found = Users(db, CIPHER, clock, cost=CHEAP)
    found.add("anna", "Anna Berg", FIRST_ROLES, PIN, None)
    return found


@pytest.fixture
def anna(users: Users) -> Operator:
    return users.list()[0]
