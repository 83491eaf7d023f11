"""What the tests of users share."""

import pytest

from capture_app.audit.trail import read_trail
from capture_app.errors import SignInError
from capture_app.model.audit_event import AuditEvent
from capture_app.model.operator import Role
from capture_app.security.pins import PinCost
from capture_app.security.users import Users
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

CIPHER = Cipher(bytes(range(32)))
CHEAP = PinCost(memory_kib=64, passes=1)
CAPTURE = (Role.CAPTURE,)
PIN, WRONG = "274913", "947231"


def acts(db: Database) -> list[AuditEvent]:
    return [row.event for row in read_trail(db.read())]


def fail(users: Users, times: int, user_id: str = "anna") -> str:
    words = ""
    for _ in range(times):
        with pytest.raises(SignInError) as raised:
            users.sign_in(user_id, WRONG)
        words = str(raised.value)
    return words
