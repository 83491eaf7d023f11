"""One answer of the census, made into rows off the GUI thread, and rows that are held where they
stand while what they say goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from capture_app.model.operator import Operator
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.status import FeedMessage, FeedStatus
from capture_app.patients.finding.tabs import Tab
from capture_app.ui.patients.drafts import DraftsSeen, read_drafts, worded_now
from capture_app.ui.patients.rows import PatientRow, RowKey, key_of, rows_of
from capture_app.ui.services import Services

TABS: Final = (Tab.WARD, Tab.WORKLIST, Tab.RECENT, Tab.ALL)
_MOST_ROWS: Final = 200
_MOST_MESSAGES: Final = 50


@dataclass(frozen=True, slots=True)
class FeedsSeen:
    """How the feeds were, and when that was read, in seconds that only go forward."""

    feeds: tuple[FeedStatus, ...]
    at: float
    messages: tuple[FeedMessage, ...] = ()
    """Those that IT should look at, the newest first."""

    def as_of(self, now: float) -> tuple[FeedStatus, ...]:
        """The same, each as old as it is by now."""
        since = max(0.0, now - self.at)
        return tuple(
            feed
            if feed.age_seconds is None
            else replace(feed, age_seconds=feed.age_seconds + since)
            for feed in self.feeds
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of the census, and what was asked."""

    question: int
    """Counts the changes of words and tab: an old answer to the same words is no answer."""
    text: str
    tab: Tab
    entries: tuple[PatientListEntry, ...] = ()
    rows: tuple[PatientRow, ...] = ()
    """A row for each entry, in their order."""
    counts: tuple[tuple[Tab, int], ...] = ()
    drafts: DraftsSeen = DraftsSeen()  # noqa: RUF009 - frozen
    feeds: FeedsSeen = FeedsSeen((), 0.0)


def find(
    services: Services,
    operator: Operator,
    question: tuple[int, str, Tab],
    drafts: DraftsSeen | None,
) -> Found:
    """Asks the census, and puts its answer in words. Blocks: for the pool.

    `question`: its number, the words and the tab. `drafts`: as known; None: they are read anew,
    which opens sealed cells.
    """
    number, text, tab = question
    census = services.census
    entries = census.find(text, tab=tab, limit=_MOST_ROWS)
    counts = tuple((each, census.count(each)) for each in TABS)
    feeds = read_feeds(services)
    last_taken = services.outbox.last_taken(entry.patient for entry in entries)
    if drafts is None:
        names = {user.user_id: user.display_name for user in services.users.list()}
        drafts = read_drafts(services.exams, operator, names)
    else:
        drafts = worded_now(drafts, services.exams)
    now = services.clock.now()
    rows = rows_of(
        entries,
        now=now,
        drafts=drafts.counts,
        last_taken=last_taken,
        alike=census.alike(entries, tab),
    )
    return Found(number, text, tab, entries, rows, counts, drafts, feeds)


def read_feeds(services: Services) -> FeedsSeen:
    """How every feed is now. Blocks: for the pool."""
    feeds = services.census.feed_status()
    some = any(feed.dead_letters or feed.without_effect for feed in feeds)
    messages = services.census.feed_messages(_MOST_MESSAGES) if some else ()
    return FeedsSeen(feeds, services.clock.monotonic(), messages)


def held_still(shown: Found, newer: Found) -> Found:
    """The newer answer in the order of the rows that are shown: each says what is known of it now.

    A row that is gone stays as it was, and who came is not there yet: nothing moves.
    """
    known = {
        key_of(entry): (entry, row) for entry, row in zip(newer.entries, newer.rows, strict=True)
    }
    pairs = [
        known.get(key_of(entry), (entry, row))
        for entry, row in zip(shown.entries, shown.rows, strict=True)
    ]
    return replace(
        newer, entries=tuple(entry for entry, _ in pairs), rows=tuple(row for _, row in pairs)
    )


def count_moves(shown: Found, newer: Found) -> int:
    """How many rows came, went or stand elsewhere in the newer answer."""
    before, after = _keys(shown), _keys(newer)
    gone_or_new = set(before) ^ set(after)
    if gone_or_new:
        return len(gone_or_new)
    return sum(one != other for one, other in zip(before, after, strict=True))


def _keys(found: Found) -> list[RowKey]:
    return [key_of(entry) for entry in found.entries]
