"""Dates and times of an instance: all in the zone of its study (PS3.3 C.12.1.1.8)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

from capture_app.errors import ConformanceError

MONTHS_UNTIL_YEARS: Final = 24
DAYS_UNTIL_MONTHS: Final = 92


def study_zone(started_at: datetime) -> timezone:
    """The zone that Timezone Offset From UTC names. One for a study: its date never changes, not
    even where an image follows after the clocks went back.
    """
    offset = started_at.utcoffset()
    if offset is None:
        message = "a time without its zone cannot be written"
        raise ConformanceError(message)
    return timezone(timedelta(minutes=round(offset.total_seconds() / 60)))


def da(at: datetime | date) -> str:
    """A DA value."""
    return f"{at.year:04}{at.month:02}{at.day:02}"


def tm(at: datetime) -> str:
    """A TM value, to the microsecond."""
    return at.strftime("%H%M%S.%f")


def dt(at: datetime) -> str:
    """A DT value, to the microsecond, with its offset."""
    return f"{da(at)}{tm(at)}{offset_from_utc(at)}"


def offset_from_utc(at: datetime) -> str:
    """&ZZXX: +0000 for UTC, never -0000."""
    minutes = round((at.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{rest:02}"


def age_string(born: date, on: date) -> str:
    """An AS value: days for a newborn, months for an infant, then years; empty before birth."""
    days = (on - born).days
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    if days < 0 or months // 12 > 999:
        return ""
    if days < DAYS_UNTIL_MONTHS:
        return f"{days:03}D"
    if months < MONTHS_UNTIL_YEARS:
        return f"{months:03}M"
    return f"{months // 12:03}Y"
