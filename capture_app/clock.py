"""The only caller of now() and of the UID generator, so that tests can fix both."""

from __future__ import annotations

import ctypes
import math
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

AGREES_WITHIN_S: Final = 300.0
"""Two clocks that differ by less say the same time, as far as days of keeping go."""
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_AGREED_FOR_S: Final = 3600.0
_TIMEX_BYTES: Final = 512  # more than struct timex has anywhere
_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


class Clock(Protocol):
    """What the application knows of time, and the source of its unique identifiers."""

    def now(self) -> datetime:
        """Wall-clock time, aware, in the zone of this computer. For people and for DICOM."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward, also while this computer sleeps, and alike in every process
        until it is started anew. For every wait, time-out and retry.
        """
        ...

    def start(self) -> str:
        """Tells one start of this computer, since which `monotonic` counts, from another. Empty
        where that is not known.
        """
        ...

    def heard(self, now: datetime) -> None:
        """Another computer said what time it is now: an archive, or the sender of a feed."""
        ...

    def is_confirmed(self) -> bool:
        """Whether a second source agrees with `now()`: a time server, or what was heard lately."""
        ...

    def new_uid(self) -> str:
        """A new DICOM UID of the form 2.25.<uuid> (PS3.5 B.2), at most 44 characters."""
        ...


def uid_of(uuid: UUID) -> str:
    """The UUID-derived UID of PS3.5 B.2."""
    return f"2.25.{uuid.int}"


@dataclass(slots=True)
class _Agreement:
    """When another computer last said the same time as this one."""

    ahead: float = 0.0
    """By how much the wall clock was ahead of the computer's own then."""
    monotonic: float = -math.inf


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of this computer."""

    _agreed: _Agreement = field(default_factory=_Agreement, compare=False, repr=False)

    def heard(self, now: datetime) -> None:
        ours, monotonic = self.now(), self.monotonic()
        if abs((ours - now).total_seconds()) <= AGREES_WITHIN_S:
            self._agreed.ahead = ours.timestamp() - monotonic
            self._agreed.monotonic = monotonic

    def is_confirmed(self) -> bool:
        monotonic = self.monotonic()
        moved = self.now().timestamp() - monotonic - self._agreed.ahead
        is_fresh = monotonic - self._agreed.monotonic <= _AGREED_FOR_S
        return (is_fresh and abs(moved) <= AGREES_WITHIN_S) or is_kept_by_the_system() is True

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        # CLOCK_MONOTONIC of Linux stands still in suspend: an idle lock would sleep, too.
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def start(self) -> str:
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""

    def new_uid(self) -> str:
        return uid_of(uuid4())


def is_kept_by_the_system() -> bool | None:
    """What the kernel says of chrony, ntpd or systemd-timesyncd: it forgets when somebody sets the
    clock. None where it cannot be asked.
    """
    if sys.platform != "linux":
        return None
    asked = ctypes.create_string_buffer(_TIMEX_BYTES)  # all zero: changes nothing
    try:
        state = _c_library().adjtimex(asked)
    except (OSError, AttributeError):
        return None
    return int(state) < _TIME_ERROR if state >= 0 else None


@cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class FixedClock:
    """A clock that moves only when told to, with UIDs that count up: for tests and golden files."""

    at: datetime
    elapsed: float = 0.0
    confirmed: bool = True
    started: str = "a start"
    _uids: count[int] = field(default_factory=lambda: count(1))

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

    def start(self) -> str:
        return self.started

    def heard(self, now: datetime) -> None:
        """Whether it is confirmed is told by the field."""

    def is_confirmed(self) -> bool:
        return self.confirmed

    def new_uid(self) -> str:
        return uid_of(UUID(int=0x1234_5678_0000_4000_8000_0000_0000_0000 + next(self._uids)))

    def advance(self, seconds: float) -> None:
        """Moves both times forward."""
        self.at += timedelta(seconds=seconds)
        self.elapsed += seconds


class _ComputersZone(tzinfo):
    """The zone of this computer, by date: an hour of July has its summer time in December too."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return dt.replace(tzinfo=None).astimezone().utcoffset() if dt is not None else None

    def dst(self, dt: datetime | None) -> timedelta | None:  # noqa: ARG002 - tzinfo asks so
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return dt.replace(tzinfo=None).astimezone().tzname() if dt is not None else None

    def fromutc(self, dt: datetime) -> datetime:
        local = dt.replace(tzinfo=UTC).astimezone()
        return local.replace(tzinfo=self)


COMPUTERS_ZONE: Final[tzinfo] = _ComputersZone()


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name such as Europe/Berlin; this computer's for an empty one.

    Raises ValueError for a name that is not known.
    """
    if not name:
        return COMPUTERS_ZONE
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:  # OSError: the name of a folder
        message = f"no such zone: {name}"
        raise ValueError(message) from error
