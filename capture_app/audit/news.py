"""What everybody should know of the trail at once: that it does not hold, or the clock was set.

Asked every few seconds, so that only what was added is read again. The proof of the whole trail is
`verify_chain`: what that finds stands in the trail as a row of its own, and is found here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from capture_app.audit.chain import event_of, find_end, row_hash
from capture_app.audit.verify import BREAK_ROW
from capture_app.model.audit_event import AuditAction
from capture_app.store.cipher import Cipher
from capture_app.store.database import Reader

CLOCK_SET_BY: Final = "seconds"
"""Of a row that says that the clock was set: by how much, with its sign."""
_TOLD_OF: Final = (
    AuditAction.TRAIL_BROKEN,
    AuditAction.TRAIL_BREAK_SEEN,
    AuditAction.CLOCK_JUMPED,
)
_QUESTION: Final = (
    "SELECT seq, at, event, previous_hash, hash FROM audit WHERE seq > ? AND seq <= ? AND ("  # noqa: S608 - names of ours
    + " OR ".join(f"instr(event, '\"{action.value}\"')" for action in _TOLD_OF)
    + ") ORDER BY seq"
)


@dataclass(frozen=True, slots=True)
class ClockSet:
    """A wall clock that was set."""

    at: datetime
    """What it said then."""
    seconds: float
    """By how much; below zero: back."""


@dataclass(frozen=True, slots=True)
class TrailNews:
    """What the trail says of itself and of the clock."""

    holds: bool
    """Its end is what was written."""
    open_breaks: int
    """Breaks that no auditor has looked into."""
    clock_set: ClockSet | None
    """The last time; None where it never was."""


class TrailReader:
    """Follows one trail; from any thread."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._lock = threading.Lock()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._read_up_to = 0
        self._breaks: list[int] = []
        self._seen_up_to = 0
        self._clock_set: ClockSet | None = None

    def news(self, reader: Reader) -> TrailNews:
        """The news as of now. Raises StoreError."""
        with self._lock, reader.at_one_moment():
            end = find_end(reader, self._cipher)
            if end.last_row < self._read_up_to:  # a copy was put back under our hands
                self._begin_anew()
            rows = reader.execute(_QUESTION, (self._read_up_to, end.last_row))
            for seq, at, text, previous_hash, hashed in rows:
                if hashed == row_hash(self._cipher, seq, at, text, previous_hash):
                    self._note(seq, at, text)
            self._read_up_to = end.last_row
            return TrailNews(
                holds=end.fault is None,
                open_breaks=sum(seq > self._seen_up_to for seq in self._breaks),
                clock_set=self._clock_set,
            )

    def _note(self, seq: int, at: str, text: str) -> None:
        event = event_of(text)
        if event.action is AuditAction.TRAIL_BROKEN:
            self._breaks.append(seq)
        elif event.action is AuditAction.TRAIL_BREAK_SEEN:
            self._seen_up_to = max(self._seen_up_to, int(event.details[BREAK_ROW]))
        elif event.action is AuditAction.CLOCK_JUMPED:
            self._clock_set = ClockSet(
                datetime.fromisoformat(at), float(event.details[CLOCK_SET_BY])
            )
