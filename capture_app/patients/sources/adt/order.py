"""Where one ADT message stands among the others: EVN, MSH-7, ZBE-1 and MRG (ITI TF-2 3.31).

Times are spans: a time that names a day alone stands for all of that day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.dates import moment_of
from capture_app.hl7.split import NULL, Hl7Message, Segment

_WIDTHS: Final = {
    8: timedelta(days=1),
    10: timedelta(hours=1),
    12: timedelta(minutes=1),
    14: timedelta(seconds=1),
}
_SECOND: Final = _WIDTHS[14]
_NO_DIGIT: Final = re.compile("[^0-9]")


@dataclass(frozen=True, slots=True)
class Span:
    """A time as precisely as it was told: not before `start`, and before `end`."""

    start: datetime
    end: datetime

    @property
    def is_exact(self) -> bool:
        """Whether it is told to the second."""
        return self.end - self.start <= _SECOND

    def later_by(self, shift: timedelta) -> Span:
        """The same span moved."""
        return Span(self.start + shift, self.end + shift)

    def no_later_than(self, moment: datetime) -> Span:
        """The span, or the moment where it begins after that."""
        return self if self.start <= moment else Span(moment, moment + _SECOND)


@dataclass(frozen=True, slots=True)
class EventOrder:
    """What a message says of its place in the order of events."""

    recorded: Span
    """EVN-2; MSH-7 where EVN-2 is coarser than the second; else when it came."""
    occurred: Span | None
    """EVN-6; None where it is not told."""
    sent_at: datetime | None
    """MSH-7 by the clock of the sender; None where it is not told to the second."""
    sender: tuple[str, str]
    """MSH-3 and MSH-4: whose clock it is."""
    movements: tuple[tuple[str, str], ...] = ()
    """ZBE-1: the movements that are told, changed or cancelled, each with who numbers them."""


def order_of(
    message: Hl7Message,
    zone: tzinfo,
    received_at: datetime,
    on_unreadable: Callable[[str], None] = lambda _field: None,
) -> EventOrder:
    """Reads the place of a message. `zone` holds for times that name no offset, by their date.

    `on_unreadable` is called with the name of each field that is no time.
    """
    read: dict[str, Span | None] = {}  # EVN-2 and MSH-7 mostly say the same

    def span(segment: Segment | None, field: int) -> Span | None:
        if segment is None or segment.raw(field) in {"", NULL}:
            return None
        first = segment.raw(field).split(segment.delimiters.repetition, 1)[0]
        text = first.split(segment.delimiters.component, 1)[0].strip()
        found = read[text] if text in read else span_of(text, zone, received_at)
        read[text] = found
        if found is None:
            on_unreadable(f"{segment.name}-{field}")
        return found

    evn, zbe = message.one("EVN"), message.one("ZBE")
    told, sent = span(evn, 2), span(message.msh, 7)
    if told is None or (not told.is_exact and sent is not None and sent.is_exact):
        recorded = sent or told or Span(received_at, received_at + _SECOND)
    else:
        recorded = told
    return EventOrder(
        recorded=recorded,
        occurred=span(evn, 6),
        sent_at=sent.start if sent is not None and sent.is_exact else None,
        sender=(message.msh.raw(3), message.msh.raw(4)),
        movements=_movements(zbe, on_unreadable) if zbe is not None else (),
    )


def _movements(zbe: Segment, on_unreadable: Callable[[str], None]) -> tuple[tuple[str, str], ...]:
    """ZBE-1, EI: the identifier, and its namespace or universal ID."""
    try:
        said = [(ei.text(1), ei.text(2) or ei.text(3)) for ei in zbe.repetitions(1)]
    except MessageError:
        on_unreadable("ZBE-1")
        return ()
    return tuple(each for each in said if each[0])


def span_of(text: str, zone: tzinfo, received_at: datetime) -> Span | None:
    """The span of a time (TS, DTM); None for what is no time.

    An hour that the clocks went through twice may be either one: if the second was past when the
    message came, the span reaches over both.
    """
    start = moment_of(text, zone)
    if start is None:
        return None
    digits = _NO_DIGIT.split(text, maxsplit=1)[0]
    width = timedelta(microseconds=1) if "." in text else _WIDTHS[len(digits)]
    first, end = fixed(start), fixed(start + width)
    if not isinstance(start.tzinfo, timezone):
        second = fixed(start.replace(fold=1))
        if first < second <= received_at:
            end = max(end, second + width)
    return Span(first, end)


def fixed(moment: datetime) -> datetime:
    """The moment with its offset as a number: moments of one zone compare by the wall clock alone,
    which goes back in autumn.
    """
    offset = moment.utcoffset() or timedelta()
    return moment.replace(tzinfo=timezone(offset), fold=0)
