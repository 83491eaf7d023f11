"""When visits that were closed leave the list. Not for two threads at once: the census locks."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from capture_app.patients.finding.crosschecks import PatientKey


class Leaving:
    """Whose rows change at which time."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, PatientKey]] = []
        self._ends: dict[PatientKey, frozenset[datetime]] = {}

    def put(self, key: PatientKey, ends: Iterable[datetime | None], now: datetime) -> None:
        """Notes when a patient's visits leave, in place of what was noted; None: never."""
        coming = frozenset(end for end in ends if end is not None and end > now)
        for end in coming - self._ends.get(key, frozenset()):
            heapq.heappush(self._due, (end, key))
        if coming:
            self._ends[key] = coming
        else:
            self._ends.pop(key, None)

    def due(self, now: datetime) -> Iterator[PatientKey]:
        """Whose time has come, each time once."""
        while self._due and self._due[0][0] <= now:
            yield heapq.heappop(self._due)[1]
