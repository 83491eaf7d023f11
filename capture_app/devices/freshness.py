"""How old the pictures of an opened device are, and how many of them are shown."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.devices.exposure import Exposure, ExposureClock

_SHORTEST_INTERVAL_S: Final = 1 / 60

_log = structlog.get_logger(__name__)


class Freshness:
    """The exposures of one device, over all its openings. `renew` is for any thread."""

    def __init__(self, device_id: str, clock: Clock, latency: float, pace: float | None) -> None:
        self._device_id = device_id
        self._clock = clock
        self._latency = latency
        self._renewing = threading.Event()
        self._exposures = ExposureClock(clock.monotonic(), latency, pace)

    @property
    def pace(self) -> float | None:
        """What an opening may rely on that comes after this one."""
        return self._exposures.pace

    def begin(self) -> None:
        """It is about to be opened. The pace that was learnt before is kept."""
        self._renewing.clear()
        self._exposures = ExposureClock(self._clock.monotonic(), self._latency, self.pace)

    def renew(self) -> None:
        """Another exam begins. Any thread may call it."""
        self._renewing.set()

    def of(self, stamp: float | None) -> Exposure | None:
        """The exposure of the picture just read; None where the device must be opened again."""
        exposure = self._exposures.arrived(self._clock.monotonic(), stamp)
        if self._renewing.is_set():
            self._renewing.clear()
            if not self._exposures.is_settled:
                return None
        if self._exposures.must_reopen:
            _log.info("device-opened-again", device_id=self._device_id)
            return None
        return exposure


class Pace:
    """Thins out a device that is faster than decoding, so that the picture is never old."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = float("-inf")

    def is_due(self) -> bool:
        now = self._clock.monotonic()
        if now - self._last < _SHORTEST_INTERVAL_S:
            return False
        self._last = now
        return True
