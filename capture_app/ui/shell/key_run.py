"""Keys that came so close together that they are one thing: a scanner's code, a part of one, or
what a hand does. Judged by the times at which the keys were pressed, never by when they were read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

RUN_GAP_S: Final = 0.150
"""A key within this time of the one before belongs to the same run. A key alone is a hand's only
after so much silence.
"""
PIN_GAP_S: Final = 0.050
"""While a PIN is typed only keys as close as this are a scanner's."""
QUIET_S: Final = 2.0
"""So long after a scan, or a part of one, what comes may be the rest of it."""
_FEWEST: Final = 4
_FEWEST_LETTERS: Final = 6
"""Fast typists roll over a few letters as fast as a scanner; nobody does so with digits."""
_FEWEST_BEFORE_END: Final = 2
_ROUNDING_S: Final = 0.0005
_EVEN_GAPS: Final = 5
_EVEN_WITHIN_S: Final = 0.016
"""No hand presses six keys whose gaps differ by less than this; a slow scanner does."""


@dataclass(slots=True)
class KeyRun:
    """The keys of a run in their order. `gap_s`: how close the keys of a whole code come."""

    gap_s: float
    text: str = ""
    times: list[float] = field(default_factory=list)
    is_broken: bool = False
    """Whether some key came later than a scanner's would: then it is no whole code."""
    is_burst: bool = False
    """Whether some of its keys came faster than those of a hand."""
    _stretch: int = 0
    """Where the keys begin that came as fast as a scanner's, up to the last one."""

    def add(self, text: str, at: float) -> None:
        """Another key."""
        if self.times and self.is_late(at):
            self.is_broken = True
            self._stretch = len(self.text)
        self.text += text
        self.times.append(at)
        fast = self.text[self._stretch :]
        fewest = _FEWEST if any(c.isdigit() for c in fast) else _FEWEST_LETTERS
        self.is_burst = self.is_burst or len(fast) >= fewest

    @property
    def last(self) -> float:
        """When its last key came."""
        return self.times[-1]

    @property
    def is_lone(self) -> bool:
        """Whether it is one key."""
        return len(self.text) == 1

    def is_ended_fast(self, at: float) -> bool:
        """Whether an Enter or Tab at this time follows as a scanner's suffix does."""
        fast = len(self.text) - self._stretch
        return fast >= _FEWEST_BEFORE_END and not self.is_late(at)

    def is_late(self, at: float) -> bool:
        """Whether a key at this time comes later after the last one than a scanner's would."""
        return at - self.last > self.gap_s + _ROUNDING_S

    def is_even(self, end: float | None = None) -> bool:
        """Whether the keys, and the Enter or Tab at `end`, come as evenly as a machine's."""
        times = self.times if end is None else [*self.times, end]
        gaps = [after - before for before, after in pairwise(times)][-_EVEN_GAPS:]
        even = len(gaps) == _EVEN_GAPS and max(gaps) - min(gaps) <= _EVEN_WITHIN_S
        return even and sum(c.isdigit() for c in self.text[-_EVEN_GAPS:]) >= _EVEN_GAPS - 2


class KeyTimes:
    """Seconds of each key, from the time that the window system wrote on its event.

    The stamps of a window system are milliseconds from anywhere, may begin anew, and are 0 for an
    event that a program made: what they do not say, `now` says.
    """

    def __init__(self) -> None:
        self._offset = 0.0
        self._last = 0.0
        self._last_now: float | None = None

    def of(self, stamp_ms: int, now: float) -> float:
        """When the key was pressed: never before the key that was asked for last."""
        at = stamp_ms / 1000 + self._offset
        if self._last_now is None:
            at = stamp_ms / 1000 or now
        elif not stamp_ms or at < self._last:
            at = self._last + max(0.0, now - self._last_now)
            self._offset = at - stamp_ms / 1000 if stamp_ms else self._offset
        self._last, self._last_now = at, now
        return at
