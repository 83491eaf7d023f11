"""Looks after the trail while a process runs: noted elsewhere each minute, proved each hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from capture_app.audit.anchor import AnchorPlace, hold_to_anchor, log_head
from capture_app.audit.chain import TrailFault, find_end
from capture_app.audit.trail import mark_broken
from capture_app.audit.verify import BROKEN_ROWS, WHICH_ROWS, row_ranges, verify_chain
from capture_app.clock import Clock
from capture_app.errors import StoreError
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

_log = structlog.get_logger(__name__)

PROVE_EVERY_S: Final = 3600.0
_LOOK_EVERY_S: Final = 60.0


def prove_trail(database: Database, clock: Clock, cipher: Cipher) -> bool:
    """Walks the whole trail, and writes into it what it does not say of itself yet.

    True where nothing new was found. Raises StoreError.
    """
    report = verify_chain(database.read(), cipher=cipher)
    if not report.has_untold:
        return True
    with database.transaction() as connection:
        fault = find_end(connection, cipher).fault or TrailFault.ROWS_CHANGED
        details = {BROKEN_ROWS: str(len(report.broken)), WHICH_ROWS: row_ranges(report.untold)}
        mark_broken(connection, clock, fault, details, cipher=cipher)
    return False


class TrailWatch:
    """One thread; `start` once, `stop` once. What fails is logged and tried again."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        cipher: Cipher,
        place: AnchorPlace | None,
        *,
        also: Callable[[], object] = lambda: None,
    ) -> None:
        """`place` is None in practice: nothing there is worth it. `also` is called each minute."""
        self._database = database
        self._clock = clock
        self._cipher = cipher
        self._place = place
        self._also = also
        self._proved: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trail")

    def start(self) -> None:
        """Proves the trail at once, and from then on each hour."""
        self._thread.start()

    def stop(self) -> None:
        """Notes a last time how far the trail goes. What is recorded later is noted at the next
        start.
        """
        self._stopping.set()
        self._thread.join()
        self._safely(self._note)
        self._safely(lambda: log_head(self._database, self._cipher))

    def look(self) -> None:
        """What is done each minute."""
        self._safely(self._also)
        self._safely(self._prove_hourly)
        self._safely(self._note)

    def _run(self) -> None:
        while True:
            self.look()
            if self._stopping.wait(_LOOK_EVERY_S):
                return

    def _prove_hourly(self) -> None:
        now = self._clock.monotonic()
        if self._proved is not None and now - self._proved < PROVE_EVERY_S:
            return
        self._proved = now
        prove_trail(self._database, self._clock, self._cipher)
        log_head(self._database, self._cipher)

    def _note(self) -> None:
        if self._place is not None:
            hold_to_anchor(self._database, self._clock, self._cipher, self._place)

    def _safely(self, act: Callable[[], object]) -> None:
        """A trail that cannot be looked after stops nobody from taking pictures."""
        try:
            act()
        except StoreError as error:
            _log.warning("trail-not-looked-after", reason=str(error))
        except Exception:  # noqa: BLE001 - logged; tried again in a minute
            _log.exception("trail-not-looked-after")
