"""Many images, asked about one after the other, so that one at which the archive falls silent takes
no other with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from capture_app.errors import DeliveryError, TransientDeliveryError
from capture_app.model.delivery import MOST_BROKEN_OFF, Instance
from capture_app.model.reason import BROKEN_OFF

Line = TypeVar("Line")
Outcome = TypeVar("Outcome")


def one_by_one(
    instances: Sequence[Instance],
    establish: Callable[[Sequence[Instance]], AbstractContextManager[Line]],
    ask: Callable[[Line, Instance], Outcome],
) -> Iterator[tuple[Instance, Outcome | DeliveryError]]:
    """What `ask` says of each, on a line that `establish` opens for all that are still to come.

    A silence is the outcome of the instance that was under way; the next have a line of their own.
    After MOST_BROKEN_OFF of them in a row the rest is left untried. Every other DeliveryError, and
    each while a line is opened, is about the archive and raised.
    """
    waiting = deque(instances)
    broken_off = 0
    while waiting:
        is_open = False
        try:
            with establish(waiting) as line:
                is_open = True
                while waiting:
                    outcome = ask(line, waiting[0])
                    broken_off = 0
                    yield waiting.popleft(), outcome
        except TransientDeliveryError as error:
            if not is_open or error.code not in BROKEN_OFF:
                raise
            broken_off += 1
            yield waiting.popleft(), error
            if broken_off == MOST_BROKEN_OFF:
                return


def request_by_request(
    instances: Sequence[Instance], ask: Callable[[Instance], Outcome]
) -> Iterator[tuple[Instance, Outcome | DeliveryError]]:
    """The same where each question is a request of its own."""

    def establish(_waiting: Sequence[Instance]) -> AbstractContextManager[None]:
        return nullcontext()

    return one_by_one(instances, establish, lambda _line, instance: ask(instance))
