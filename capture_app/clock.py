"""The only caller of now() and of the UID generator, so that tests can fix both."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count
from typing import Final, Protocol
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


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

    def new_uid(self) -> str:
        """A new DICOM UID of the form 2.25.<uuid> (PS3.5 B.2), at most 44 characters."""
        ...


def uid_of(uuid: UUID) -> str:
    """The UUID-derived UID of PS3.5 B.2."""
    return f"2.25.{uuid.int}"


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of this computer."""

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        # CLOCK_MONOTONIC of Linux stands still in suspend: an idle lock would sleep, too.
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def new_uid(self) -> str:
        return uid_of(uuid4())


@dataclass(slots=True)
class FixedClock:
    """A clock that moves only when told to, with UIDs that count up: for tests and golden files."""

    at: datetime
    elapsed: float = 0.0
    _uids: count[int] = field(default_factory=lambda: count(1))

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

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
