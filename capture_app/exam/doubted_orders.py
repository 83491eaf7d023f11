"""Orders that worklists give to somebody else: what waits under one is not sent under it any more.

A worklist that gives an order to another patient says that the order, its study with it, may never
have been this one's. That it drops the other's step later says nothing: what was seen is noted with
the exam, over restarts and for all processes, until a person lets its pictures go without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import chain

import structlog

from capture_app.errors import RuleError, SealBrokenError
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.order import Order
from capture_app.model.patient import PatientId
from capture_app.model.words import tr
from capture_app.model.worklist import PersonNow
from capture_app.outbox.keeping import doubted_orders
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.leave_order import OrderLeft, leave_order
from capture_app.outbox.sealing.seal import Sending

_log = structlog.get_logger(__name__)

OrdersOfOthers = Callable[[PatientId], frozenset[str]]
"""The keys (`Order.key`, `Order.accession_key`) of orders that worklists give to anybody but the
patient of a number.
"""


@dataclass(frozen=True, slots=True)
class WithoutOrder:
    """What became of pictures whose order was left."""

    exam: Exam
    """The one that was open, or the same act without the order."""
    capture_ids: frozenset[str]
    """Those that are drafts without the order now."""
    called_back: frozenset[str]
    """Those of them that had been sent."""
    stayed: int
    """How many stay under the order, for an archive may have them."""

    def moved_of(self, capture_ids: Iterable[str]) -> tuple[str, ...]:
        """Those of them that are drafts without the order now. Raises RuleError for none."""
        moved = tuple(one for one in capture_ids if one in self.capture_ids)
        if not moved:
            raise RuleError(
                tr("An archive may have these pictures by now: they stay where they are.")
            )
        return moved


@dataclass(frozen=True, slots=True)
class SentWithoutOrder:
    """What became of pictures that were stopped for their order."""

    sending: Sending
    called_back: int
    """How many others had been sent under the order, and are drafts without it now."""


class DoubtedOrders:
    """Which exams have an order that was seen to be another patient's. For several threads."""

    def __init__(self, outbox: Outbox, orders_of_others: OrdersOfOthers) -> None:
        self._outbox = outbox
        self._orders_of_others = orders_of_others
        self._lock = threading.Lock()
        self._waiting: dict[str, Exam | None] = {}

    def is_of_another(self, number: PatientId, order: Order | None, now: PersonNow | None) -> bool:
        """Whether the feeds of now give an order of this patient to another one: beside this one,
        or alone.
        """
        return order is not None and is_of_another(order, now, self._orders_of_others(number))

    def is_doubted(self, exam: Exam, now: PersonNow | None) -> bool:
        """Whether the order of an exam was seen to be another patient's; noted where it is now."""
        if exam.order is None:
            return False
        if doubted_orders.is_order_doubted(self._outbox.spool, exam.exam_id):
            return True
        if not self.is_of_another(exam.patient.patient_id, exam.order, now):
            return False
        doubted_orders.note_order_doubted(self._outbox.spool, exam)
        _log.warning("order-doubted", exam_id=exam.exam_id)
        return True

    def look(self, people: Callable[[PatientId], PersonNow | None]) -> None:
        """Looks at the orders of all exams whose pictures wait, open or not. Raises StoreError."""
        waiting = doubted_orders.exams_that_wait(self._outbox.spool)
        with self._lock:
            known = self._waiting
            self._waiting = {one: known.get(one) or self._read(one) for one in waiting}
            found = tuple(filter(None, self._waiting.values()))
        for exam in found:
            if exam.order is not None:
                self.is_doubted(exam, people(exam.patient.patient_id))

    def _read(self, exam_id: str) -> Exam | None:
        try:
            return self._outbox.exam(exam_id)
        except (RuleError, SealBrokenError):  # shown where its pictures are
            return None

    def leave(self, exam: Exam, exams: Iterable[Exam], operator: Operator) -> WithoutOrder:
        """Lets the pictures of those of the exams whose order is in doubt go on without it.

        `exam`: the open one. Raises RuleError where none is in doubt, StoreError; what was done
        for an earlier one of them stays done.
        """
        spool = self._outbox.spool
        doubted = [one for one in exams if doubted_orders.is_order_doubted(spool, one.exam_id)]
        if not doubted:
            raise RuleError(tr("The order is not another patient's: nothing was changed."))
        left: dict[str, OrderLeft] = {}
        try:
            for one in doubted:
                left[one.exam_id] = leave_order(spool, one, operator)
        finally:
            self._outbox.tell_changes()
        return WithoutOrder(
            left[exam.exam_id].exam if exam.exam_id in left else exam,
            frozenset(chain.from_iterable(one.capture_ids for one in left.values())),
            frozenset(chain.from_iterable(one.called_back for one in left.values())),
            sum(one.stayed for one in left.values()),
        )


def is_of_another(order: Order, now: PersonNow | None, orders_of_others: Collection[str]) -> bool:
    """Whether another patient has an order, or its study: beside this one, or alone."""
    shared = chain.from_iterable(row.shared_studies for row in now.entries) if now else ()
    own = {order.key, order.accession_key} - {""}
    return not own.isdisjoint({*orders_of_others, *shared})


def require_own_order(is_of_another: bool) -> None:  # noqa: FBT001 - a question's answer
    """Raises RuleError where an order that was chosen is another patient's, too."""
    if is_of_another:
        raise RuleError(
            tr(
                "Another patient has this order too, or its study: it cannot be used until the "
                "worklist is put right. Go on without an order, and tell IT."
            )
        )
