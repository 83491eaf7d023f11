"""Many images, asked about one after the other, so that one at which the archive falls silent takes
no other with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import structlog

from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import MOST_BROKEN_OFF, Instance
from capture_app.model.reason import OF_ONE_PERHAPS, UNEXPECTED, Reason

_log = structlog.get_logger(__name__)

Line = TypeVar("Line")
Outcome = TypeVar("Outcome")


def one_by_one(
    instances: Sequence[Instance],
    establish: Callable[[Sequence[Instance]], AbstractContextManager[Line]],
    ask: Callable[[Line, Instance], Outcome],
) -> Iterator[tuple[Instance, Outcome | DeliveryError]]:
    """What `ask` says of each, on a line that `establish` opens for all that are still to come.

    What may be about the instance that was under way (OF_ONE_PERHAPS) is its outcome; the next have
    a line of their own. After MOST_BROKEN_OFF of those in a row the rest is left untried. Every
    other DeliveryError, and each while a line is opened, is about the archive and raised; the
    latter reached nobody. An error that nobody foresaw is a fault of ours, logged, and the outcome
    of the one at which it came.
    """
    waiting = deque(instances)
    in_a_row = 0
    while waiting:
        is_open = False
        try:
            with establish(waiting) as line:
                is_open = True
                while waiting:
                    outcome = ask(line, waiting[0])
                    in_a_row = 0
                    yield waiting.popleft(), outcome
        except TransientDeliveryError as error:
            if not is_open:
                error.reached_nobody = True
            if not is_open or error.code not in OF_ONE_PERHAPS:
                raise
            in_a_row += 1
            yield waiting.popleft(), error
            if in_a_row == MOST_BROKEN_OFF:
                return
        except RefusedDeliveryError:
            raise
        except Exception:  # a fault of ours: it is logged and shown, and the others go on
            if not is_open:
                raise
            _log.exception("outcome-not-had", uid=waiting[0].sop_instance_uid)
            yield waiting.popleft(), RefusedDeliveryError(Reason(UNEXPECTED))


def request_by_request(
    instances: Sequence[Instance], ask: Callable[[Instance], Outcome]
) -> Iterator[tuple[Instance, Outcome | DeliveryError]]:
    """The same where each question is a request of its own."""

    def establish(_waiting: Sequence[Instance]) -> AbstractContextManager[None]:
        return nullcontext()

    return one_by_one(instances, establish, lambda _line, instance: ask(instance))
