"""When a picture was exposed, which is before it arrived: by how much, at the most.

A network that stalls and catches up, a driver's queue, a probe at opening: each delivers pictures
of a moment ago as if they were of now, and the first ones could be of the patient before. A
device's own time tells how much later than usual a picture came; a device without one is counted.

What no receiver can know is written down here once: a delay that is the same for every picture
(declare it in the settings), and a link that has been slower than its camera from the first
picture on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

_BURST_S: Final = 0.004
"""Pictures that follow one another faster come out of a buffer, not out of a sensor."""
_SETTLED_AFTER_S: Final = 1.0
_SETTLED_INTERVALS: Final = 8
_GAP: Final = 2.0
"""This many usual intervals without a picture are a gap, if they last..."""
_GAP_S: Final = 0.1
_CLOCK_DRIFT: Final = 0.0002
"""Two quartz clocks part by less than this (200 ppm)."""
_STANDS_STILL: Final = 3
_JITTER_S: Final = 0.03
"""By how much the ends of a stretch of arrivals may be off: over its length, how well a rate that
was learnt from it is known."""
_WELL_KNOWN: Final = 0.01
_BEST_DRIFT: Final = 0.001
_LEARN_AGAIN_AFTER_S: Final = 5.0
_CATCHES_UP: Final = 4.0
"""A link is faster than its camera by a quarter at least: what a silence held up is worked off
within four times as long."""
_LATE_S: Final = 0.15
_STAYS_LATE_FOR_S: Final = 1.0
_STAYS_A_LITTLE_LATE_FOR_S: Final = 5.0
_FALLING_S: Final = 0.05
"""Lateness that falls by so much within that time is being worked off; other lateness stays."""
_COUNT_DOUBT: Final = 0.25
"""A camera without a clock may have changed its pace unseen, by this part, while none came."""
_FALL_S: Final = 0.25
"""So much earlier than usual no picture comes: a clock was set, or a pace is not what it was."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What is known of the moment of one picture, on the receiver's monotonic clock (seconds)."""

    arrival: float
    not_before: float
    """It was exposed at this moment or later."""
    delay: float
    """Between exposure and arrival, as far as it can be told; the declared latency is in it."""
    late: float
    """The part of the delay that is not usual for this device."""


class ExposureClock:
    """Follows one opened device from picture to picture.

    `opened_at`: before it was opened; no picture is older. `declared_latency`: how long every
    picture is on its way when nothing holds it up (seconds). The smallest difference that was
    seen between arrival and capture time is the usual one; what exceeds it is lateness. That
    smallest difference may have grown by drift since it was seen, so `not_before` allows for it.
    `pace`: what `pace` said when the device was open before; a link that is slower than that from
    the first picture on is not believed.
    """

    def __init__(
        self, opened_at: float, declared_latency: float = 0.0, pace: float | None = None
    ) -> None:
        self._opened_at = opened_at
        self._declared = declared_latency
        self._known_pace = pace
        # What came last, and whether the device's own times move on.
        self._last_arrival: float | None = None
        self._last_stamp: float | None = None
        self._stood_still = 0
        # Learning the pace, until it is settled.
        self._intervals: list[float] = []
        self._differences: deque[tuple[float, float]] = deque()
        self._paced_at = opened_at
        self._is_settled = False
        # The pace (seconds a picture), how well it is known (a part), and what it makes of a count.
        self._interval = 0.0
        self._drift = 1.0
        self._counted = 0.0
        self._stretch_began: float | None = None
        self._stretch_pictures = 0
        # Arrival less capture time: the usual one, and how it fares.
        self._usual = float("inf")
        self._usual_seen_at = opened_at
        self._in_time_at = opened_at
        self._fallen = 0.0
        self._late_at_best = float("inf")
        self._late_for = 0.0
        self._held_up_since: float | None = None
        self._must_reopen = False

    @property
    def _stamps_are_real(self) -> bool:
        return self._last_stamp is not None and self._stood_still < _STANDS_STILL

    @property
    def is_settled(self) -> bool:
        """Whether the pace is known: until then a picture is only later than the opening."""
        return self._is_settled

    @property
    def pace(self) -> float | None:
        """Seconds between two pictures of the device, once that is well known: the shortest."""
        learnt = self._interval if self._is_settled and self._drift <= _WELL_KNOWN else None
        known = [pace for pace in (learnt, self._known_pace) if pace is not None]
        return min(known, default=None)

    @property
    def must_reopen(self) -> bool:
        """How late pictures are cannot be told any more, or they will stay late: open it again."""
        return self._must_reopen

    def arrived(self, arrival: float, stamp: float | None = None) -> Exposure:
        """What is known of the picture that arrived now; `stamp`: the device's own time of it.

        Both in seconds. Every picture must be told, shown or not: they are counted.
        """
        last, last_stamp = self._last_arrival, self._last_stamp
        self._last_arrival, self._last_stamp = arrival, stamp
        if last is not None and stamp == last_stamp and self._stamps_are_real:
            self._stood_still += 1  # a time that stands still is none
            self._must_reopen |= self._is_settled and not self._stamps_are_real
        interval = 0.0 if last is None else arrival - last
        if last is not None and self._is_settled:
            self._counted += self._interval
            self._learn(arrival, interval)
        elif last is not None:
            self._settle(arrival, interval, stamp)
        if not self._is_settled:
            not_before = self._opened_at - self._declared
            return Exposure(arrival, not_before, self._declared, 0.0)
        if stamp is not None and self._stamps_are_real:
            return self._judged(arrival, interval, arrival - stamp, _CLOCK_DRIFT)
        return self._judged(arrival, interval, arrival - self._counted, self._drift)

    def _settle(self, arrival: float, interval: float, stamp: float | None) -> None:
        """Learns the pace, once the pictures come as they are made."""
        if interval < _BURST_S and not self._intervals:
            return  # what was read while it was being opened
        if not self._intervals:
            self._paced_at = arrival - interval
        self._intervals.append(interval)
        lasted = arrival - self._paced_at
        if stamp is not None and self._stamps_are_real:
            self._interval = max(self._intervals)
            is_backlog = not self._is_level(arrival, arrival - stamp)
        else:
            self._usual = float("inf")
            is_backlog = lasted < _CATCHES_UP * (self._paced_at - self._opened_at)
            is_backlog |= self._is_behind(lasted)
        if len(self._intervals) < _SETTLED_INTERVALS or lasted < _SETTLED_AFTER_S or is_backlog:
            return
        if max(self._intervals) > max(_GAP * median(self._intervals), _GAP_S):
            self._must_reopen = True  # what follows a gap cannot be judged by a pace not known
            return
        paced = self._intervals[len(self._intervals) // 2 :]  # the first may be of the opening
        self._interval = sum(paced) / len(paced)
        self._drift = _JITTER_S / sum(paced)
        self._is_settled = True

    def _is_behind(self, lasted: float) -> bool:
        """Whether fewer pictures came than a device makes whose pace is known, or it is too early
        to tell: the others may be held up.
        """
        if self._known_pace is None:
            return False
        made = len(self._intervals) * self._known_pace
        behind = lasted - made - self._known_pace - _JITTER_S
        return lasted < _LEARN_AGAIN_AFTER_S or behind > _WELL_KNOWN * lasted

    def _is_falling(self, arrival: float, difference: float) -> bool:
        """Whether what was held up before is being worked off: each picture is less late."""
        earlier, later = self._least_late(arrival, difference)
        return earlier - later > _JITTER_S / 2

    def _is_level(self, arrival: float, difference: float) -> bool:
        """Whether the lateness of pictures has found its level, and none came earlier before.

        While it falls, what was held up is worked off; while it rises, the link is slower than the
        camera, and what was held up at the opening still is. Neither says what is usual.
        """
        if difference <= self._usual:
            self._usual, self._usual_seen_at = difference, arrival
        earlier, later = self._least_late(arrival, difference)
        return abs(earlier - later) <= _JITTER_S / 2 and later - self._usual <= _JITTER_S

    def _least_late(self, arrival: float, difference: float) -> tuple[float, float]:
        """The smallest differences of the two halves of the last moments; the first is infinite
        where they are not that long yet.
        """
        window = max(_SETTLED_AFTER_S, _SETTLED_INTERVALS * self._interval)
        self._differences.append((arrival, difference))
        while arrival - self._differences[0][0] > window:
            self._differences.popleft()
        middle = arrival - window / 2
        earlier = (late for at, late in self._differences if at <= middle)
        later = (late for at, late in self._differences if at > middle)
        return min(earlier, default=float("inf")), min(later)

    def _learn(self, arrival: float, interval: float) -> None:
        """Learns the pace better from each stretch without a gap, a burst or another pace."""
        is_gap = self._is_gap(interval)
        if is_gap and not self._stamps_are_real:
            self._held_up_since = self._held_up_since or arrival - interval
            self._differences.clear()
        if self._stretch_began is None or is_gap or interval < self._interval / _GAP:
            self._stretch_began, self._stretch_pictures = arrival, 0
            return
        self._stretch_pictures += 1
        lasted = arrival - self._stretch_began
        if lasted < _LEARN_AGAIN_AFTER_S:
            return
        interval, drift = lasted / self._stretch_pictures, max(_BEST_DRIFT, _JITTER_S / lasted)
        if abs(interval / self._interval - 1) > self._drift + drift:
            self._stretch_began = None  # a slower link or a faster one, not what was known better
        elif drift <= self._drift:
            self._interval, self._drift = interval, drift

    def _is_gap(self, interval: float) -> bool:
        return interval > max(_GAP * self._interval, _GAP_S)

    def _judged(self, arrival: float, interval: float, difference: float, drift: float) -> Exposure:
        since_usual = arrival - self._usual_seen_at
        if self._held_up_since is not None and not self._is_falling(arrival, difference):
            self._held_up_since = None
        may_rise = min(drift * since_usual, _JITTER_S)
        if self._held_up_since is None and difference <= self._usual + may_rise:
            # Risen by no more than drift explains: else a clock that runs slow would look late.
            fall = max(0.0, self._usual - difference) if self._usual < float("inf") else 0.0
            self._fallen = max(0.0, self._fallen - may_rise) + fall
            self._must_reopen |= self._fallen > _FALL_S
            self._usual, self._usual_seen_at = difference, arrival
        late = max(0.0, difference - self._usual)
        if self._held_up_since is None and late <= _JITTER_S:
            self._in_time_at = arrival
        self._watch_lateness(arrival, late, interval)
        delay = self._declared + late
        doubt = _COUNT_DOUBT if drift > _CLOCK_DRIFT else _CLOCK_DRIFT
        doubt = doubt * (arrival - self._in_time_at) + _JITTER_S + self._interval
        not_before = max(arrival - delay - doubt, self._opened_at - self._declared)
        if self._held_up_since is not None:
            not_before = min(not_before, self._held_up_since)
        return Exposure(arrival, not_before, delay, late)

    def _watch_lateness(self, arrival: float, late: float, interval: float) -> None:
        is_in_time = self._in_time_at == arrival
        if is_in_time or self._is_gap(interval) or late < self._late_at_best - _FALLING_S:
            self._late_for, self._late_at_best = 0.0, late
            return
        self._late_for += interval
        is_little = late < max(_LATE_S, 2 * self._interval)
        allowed = _STAYS_A_LITTLE_LATE_FOR_S if is_little else _STAYS_LATE_FOR_S
        self._must_reopen |= self._late_for > allowed
