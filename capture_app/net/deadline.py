"""How long something may take in all, and how another thread ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from capture_app.clock import Clock
from capture_app.errors import TransientDeliveryError
from capture_app.model.reason import Reason


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which a whole exchange has to be over, however many steps it takes.

    A time-out for each read is not enough: a peer that sends two bytes a second never meets it.
    """

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(clock, clock.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; zero or less when it is over."""
        return self.at - self.clock.monotonic()


class Interruption:
    """The way to end, from another thread, an exchange that blocks in a read or a write.

    The blocked side says with `ended_by` what frees it (shut its socket, set its event).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endings: list[Callable[[], None]] = []
        self._is_interrupted = False

    @property
    def is_interrupted(self) -> bool:
        return self._is_interrupted

    def interrupt(self) -> None:
        """Frees what blocks now and refuses what would begin later. Does not wait for it."""
        with self._lock:
            self._is_interrupted = True
            endings = list(self._endings)
        for ending in endings:
            ending()

    def raise_if_interrupted(self) -> None:
        """Raises TransientDeliveryError "interrupted" once it was interrupted."""
        if self._is_interrupted:
            raise TransientDeliveryError(Reason.of("interrupted"))

    @contextmanager
    def ended_by(self, ending: Callable[[], None]) -> Iterator[None]:
        """Within the block, `interrupt` calls `ending`, which must be quick and may run twice."""
        with self._lock:
            self.raise_if_interrupted()
            self._endings.append(ending)
        try:
            yield
        finally:
            with self._lock:
                self._endings.remove(ending)


@dataclass(slots=True)
class UnderWay:
    """Everything that is under way towards one peer, so that all of it can be ended at once."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _exchanges: list[Interruption] = field(default_factory=list)

    @contextmanager
    def exchange(self) -> Iterator[Interruption]:
        """An exchange that `interrupt` ends while the block lasts."""
        interruption = Interruption()
        with self._lock:
            self._exchanges.append(interruption)
        try:
            yield interruption
        finally:
            with self._lock:
                self._exchanges.remove(interruption)

    def interrupt(self) -> None:
        """Ends what is under way now; an exchange that begins later is not touched."""
        with self._lock:
            exchanges = list(self._exchanges)
        for interruption in exchanges:
            interruption.interrupt()
