"""Lines of the log that say the same again are counted, not written."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from capture_app.clock import Clock

ENTRY: Final = "capture_app_entry"
"""Under which name a record carries its entry."""

REPEATED: Final = "repeated"
"""How often a line that was written before has come again: a number, under this key of it."""

WITHIN_S: Final = 60.0
"""For how long a line counts as the same again. Then its count is written."""

_MOST_LINES: Final = 64
"""How many different lines are remembered: several things may fail in turn."""


@dataclass(slots=True)
class _Line:
    record: logging.LogRecord
    entry: Mapping[str, Any]
    since: float
    times: int = 0


class CountingHandler(logging.Handler):
    """Hands each line on once, and a minute later how often it has come again.

    Two lines are the same where all that they say is the same, but for the time. The count is
    written before the next line that goes there after that minute, and when the log is closed.
    """

    def __init__(
        self,
        below: logging.Handler,
        clock: Clock,
        entry_of: Callable[[logging.LogRecord], Mapping[str, Any]],
    ) -> None:
        super().__init__(below.level)
        self._below = below
        self._clock = clock
        self._entry_of = entry_of
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line, or counts it."""
        now = self._clock.monotonic()
        self._tell_counts(lambda line: now - line.since >= WITHIN_S)
        entry = self._entry_of(record)
        key = repr(sorted(entry.items()))
        if line := self._lines.get(key):
            line.times += 1
            return
        self._lines[key] = _Line(record, entry, now)
        if len(self._lines) > _MOST_LINES:
            oldest = next(iter(self._lines.values()))
            self._tell_counts(lambda line: line is oldest)
        self._below.handle(record)

    def flush(self) -> None:
        """Hands on what is under way; what is counted stays counted."""
        self._below.flush()

    def close(self) -> None:
        """Writes the counts that are still open, and ends."""
        self.acquire()
        try:
            self._tell_counts(lambda _line: True)
        finally:
            self.release()
        self._below.close()
        super().close()

    def _tell_counts(self, is_due: Callable[[_Line], bool]) -> None:
        for key, line in list(self._lines.items()):
            if is_due(line):
                del self._lines[key]
                if line.times:
                    self._below.handle(_with_count(line))


def _with_count(line: _Line) -> logging.LogRecord:
    """The line once more, with its count and without the traceback that stands there already."""
    told = {key: value for key, value in line.entry.items() if key != "exception"}
    old = line.record
    record = logging.LogRecord(
        old.name, old.levelno, old.pathname, old.lineno, old.msg, (), None, old.funcName
    )
    setattr(record, ENTRY, {**told, REPEATED: line.times})
    return record
