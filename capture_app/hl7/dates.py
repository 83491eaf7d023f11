"""Dates and times of HL7 (TS, DTM): what can be read is read, the rest is None."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Final

from capture_app.model.patient import PartialDate

_MOMENT: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})"
    r"(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?)?"
    r"(?:([+-])([0-9]{2})([0-9]{2}))?"
)
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
"""Of a time that something happened, or is to happen, in a hospital of today."""

_BIRTH_DATE: Final = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:[0-9]{2}.*|[+-][0-9]{4})?)?)?"
)


def date_of(text: str) -> date | None:
    """The day in the first 8 digits; None for a day that does not exist or is not whole."""
    born = birth_date_of(text)
    return born if isinstance(born, date) else None


def birth_date_of(text: str) -> date | PartialDate | None:
    """What a birth date says (`YYYY[MM[DD...]]`): a day, or the year or month that is known of it.

    Zeros for a day or a month say that it is not known. None for what is no date.
    """
    found = _BIRTH_DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part or 0) for part in found.group(1, 2, 3))
    try:
        if month and day:
            return date(year, month, day)
        return None if day else PartialDate(year, month or None)
    except ValueError:
        return None


def moment_of(text: str, zone: tzinfo) -> datetime | None:
    """`YYYYMMDD[HH[MM[SS[.S...]]]][+/-ZZZZ]` as an aware time; `zone` holds where it names none.

    None for less than a day, for what does not exist, and for a year that no feed can mean: a
    placeholder such as 00010101 has no hour in most zones.
    """
    matched = _MOMENT.fullmatch(text)
    if matched is None:
        return None
    year, month, day, hour, minute, second, part, sign, hours, minutes = matched.groups("0")
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return None
    parts = (int(month), int(day), int(hour), int(minute), int(second), int(part.ljust(6, "0")))
    try:
        if sign != "0":
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            zone = timezone(-offset if sign == "-" else offset)
        return datetime(int(year), *parts, tzinfo=zone)
    except ValueError:
        return None


def ts(moment: datetime) -> str:
    """A time as HL7 writes it, with its offset from UTC."""
    return moment.strftime("%Y%m%d%H%M%S%z")
