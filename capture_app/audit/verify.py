"""Walks the whole trail: what of it holds, what does not, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from capture_app.audit.chain import BEGINNING, event_of, find_end, row_hash
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.store.cipher import Cipher
from capture_app.store.database import Reader

BROKEN_ROWS: Final = "broken_rows"
"""Of a row that marks a break: how many rows did not hold then, as far as that was known."""
WHICH_ROWS: Final = "which_rows"
"""Of a row that marks a break: which of them no break had told of before, as "3,7-9"."""
BREAK_ROW: Final = "row"
"""Of a row that says that a break was seen by a person: which."""


@dataclass(frozen=True, slots=True)
class TrailBreak:
    """A row in which the trail says that it was found broken."""

    seq: int
    at: str
    reason: str
    """A value of `TrailFault`."""
    is_seen: bool
    """Whether an auditor has said since that it was looked into."""


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What the chain shows."""

    rows: int
    broken: tuple[int, ...]
    """Numbers of the rows that are not what was written, or do not follow the one before."""
    head_holds: bool
    """False where rows are missing at the end, or the head itself was changed or removed."""
    breaks: tuple[TrailBreak, ...]
    """What the trail says of itself, oldest first."""
    told: frozenset[int]
    """Numbers of the rows that a break has told of."""

    @property
    def first_broken(self) -> int | None:
        """The number of the first row that does not hold."""
        return self.broken[0] if self.broken else None

    @property
    def whole(self) -> bool:
        """True where every row and the head hold, and always did."""
        return self.head_holds and not self.broken and not self.breaks

    @property
    def untold(self) -> tuple[int, ...]:
        """Numbers of the broken rows that no break has told of."""
        return tuple(seq for seq in self.broken if seq not in self.told)

    @property
    def has_untold(self) -> bool:
        """Whether anything is broken that the trail does not say of itself."""
        return not self.head_holds or bool(self.untold)

    @property
    def needs_attention(self) -> bool:
        """Whether anything is wrong that no auditor has looked into."""
        return self.has_untold or any(not found.is_seen for found in self.breaks)


def row_ranges(rows: Iterable[int]) -> str:
    """Numbers of rows, as a break tells them: "3,7-9"."""
    found: list[list[int]] = []
    for row in sorted(rows):
        if found and row == found[-1][1] + 1:
            found[-1][1] = row
        else:
            found.append([row, row])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def verify_chain(reader: Reader, *, cipher: Cipher) -> ChainReport:
    """Walks the whole chain. Reads only; a broken chain is an answer, not an error."""
    with reader.at_one_moment():  # rows and head belong together, whoever appends meanwhile
        return _verified(reader, cipher)


def _verified(reader: Reader, cipher: Cipher) -> ChainReport:
    count, last_seq, previous, seen_up_to = 0, 0, BEGINNING, 0
    told: set[int] = set()
    broken: list[int] = []
    breaks: list[tuple[int, str, str]] = []
    rows = reader.execute("SELECT seq, at, event, previous_hash, hash FROM audit ORDER BY seq")
    for seq, at, text, previous_hash, hashed in rows:
        count += 1
        is_genuine = hashed == row_hash(cipher, seq, at, text, previous_hash)
        event = _of_the_trail(text) if is_genuine else None
        is_break = event is not None and event.action is AuditAction.TRAIL_BROKEN
        # The number is in the hash: rows that close up after a removal do not hold. Only a row
        # that tells of a break may leave numbers out: those of the rows that were missed.
        follows = previous_hash == previous and (seq == last_seq + 1 or is_break)
        if not (is_genuine and follows):
            broken.append(seq)
        elif event is not None and is_break:
            breaks.append((seq, at, event.details.get("reason", "")))
            told.update(_rows_in(event.details.get(WHICH_ROWS, "")))
        elif event is not None:
            seen_up_to = max(seen_up_to, _number(event, BREAK_ROW))
        previous, last_seq = hashed, seq
    return ChainReport(
        rows=count,
        broken=tuple(broken),
        head_holds=find_end(reader, cipher).fault is None,
        breaks=tuple(TrailBreak(*found, is_seen=found[0] <= seen_up_to) for found in breaks),
        told=frozenset(told),
    )


_OWN: Final = (AuditAction.TRAIL_BROKEN, AuditAction.TRAIL_BREAK_SEEN)


def _of_the_trail(text: str) -> AuditEvent | None:
    """The event of a row in which the trail speaks of itself; None of every other."""
    if not any(f'"{action.value}"' in text for action in _OWN):
        return None
    try:
        event = event_of(text)
    except (ValueError, TypeError, LookupError):
        return None
    return event if event.action in _OWN else None


def _rows_in(ranges: str) -> Iterator[int]:
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _number(event: AuditEvent, name: str) -> int:
    text = event.details.get(name, "")
    return int(text) if text.isdecimal() else 0
