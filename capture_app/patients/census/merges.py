"""The act that ends the wait of a refused merge: a person dealt with it."""

from __future__ import annotations

from typing import Final

from capture_app.audit.trail import record
from capture_app.clock import Clock
from capture_app.errors import RuleError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Act, Operator, require
from capture_app.model.words import tr
from capture_app.patients.census.census import Census
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

DEAD_LETTER: Final = "dead-letter"
"""What the trail calls the number of the merge."""


class Merges:
    """Settles merges that wait in a census; each act stands in the trail, which is in `db`."""

    def __init__(self, census: Census, db: Database, cipher: Cipher, clock: Clock) -> None:
        self._census = census
        self._db = db
        self._cipher = cipher
        self._clock = clock

    def settle(self, number: int, operator: Operator) -> None:
        """A person dealt with a merge: it marks nobody any more. `number`: of its dead letter.

        Raises RuleError where the roles of the operator do not allow it or no such merge waits,
        StoreError: what is not recorded is not done.
        """
        require(operator, Act.SETTLE_MERGE)
        if number not in self._census.merges():
            raise RuleError(tr("No merge with the id {n} waits: see the dead letters.", n=number))
        event = AuditEvent(
            AuditAction.MERGE_SETTLED, operator.user_id, details={DEAD_LETTER: str(number)}
        )
        with self._db.transaction() as connection:
            record(connection, self._clock, event, cipher=self._cipher)
        self._census.settle_merge(number)
