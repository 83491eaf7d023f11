"""What is told of the feeds: how they are, and which of their messages could not be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from capture_app.model.worklist import FeedSource


@dataclass(frozen=True, slots=True)
class Link:
    """The connection of a feed, as the process that holds it knows it."""

    connected: bool
    problem: str = ""
    """Why not, in words for people; empty where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """How one feed is now. Age tells quiet from down: both say nothing."""

    name: str
    source: FeedSource
    connected: bool | None
    """None where another process holds the feed."""
    last_message_at: datetime | None
    age_seconds: float | None
    """Since its last message, or its last answer; None where there was none."""
    count: int
    """Patients known from the admissions feed; items of a worklist."""
    incomplete_since: datetime | None = None
    """Patients who came before this are missing until something is said of them."""
    dead_letters: int = 0
    """Messages that could not be used, kept for a person to see."""
    skipped: int = 0
    """Items of a worklist that could not be used, or that contradict the admissions feed."""
    truncated: bool = False
    """The worklist has more items than are taken."""
    problem: str = ""
    """What is wrong, in words for people."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be used."""

    dead_letter_id: int
    received_at: datetime
    """The last time."""
    times: int
    ack_code: str
    """What its sender was answered: AE or AR."""
    reason: str
    """In words, without patient data."""
    message: bytes
    """As it came. Holds patient data: for the person who has to act, never for a log."""
