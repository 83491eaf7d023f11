"""What is told of the feeds: how they are, and which of their messages could not be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from capture_app.model.feed_note import FeedNote
from capture_app.model.patient import PatientId
from capture_app.model.worklist import Doubt, FeedSource


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
    without_effect: int = 0
    """Messages that were accepted and did not do what their sender meant by them."""
    noted: int = 0
    """Messages, or items of a worklist, of which a value could not be taken as it stood."""
    item_notes: tuple[tuple[FeedNote, int], ...] = ()
    """Of a worklist: what could not be taken, and in how many items, the most frequent first."""
    refused_today: int = 0
    """Of the dead letters those of the last 24 hours."""
    without_effect_today: int = 0
    """Of those without effect the ones of the last 24 hours."""
    doubts: tuple[tuple[Doubt, int], ...] = ()
    """How many patients each doubt is about, for IT to settle with the sender."""
    damaged: tuple[tuple[str, int], ...] = ()
    """Table and number of rows on disk that cannot be opened."""
    issuer_assumed: str = ""
    """Whose the numbers of a worklist are taken to be that name no issuer, where some do."""
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


@dataclass(frozen=True, slots=True)
class WaitingMerge:
    """A refused merge, deletion or move whose patients' rows say that it waits for a person."""

    number: int
    """That of its dead letter."""
    named: tuple[PatientId, ...]
    """Whom it names: for the person who has to act, never for a log. Empty where it cannot be read.
    """


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """A message for IT to look at: it was refused, or accepted without effect. No patient data but
    in `merge`.
    """

    received_at: datetime
    sender: str
    event: str
    is_refused: bool
    reason: str
    """In words."""
    merge: WaitingMerge | None = None


@dataclass(frozen=True, slots=True)
class NotedMessage:
    """A message that was accepted, though not all of it could be taken or had an effect."""

    event_id: int
    received_at: datetime
    sender: str
    """MSH-3 and MSH-4, as sent."""
    event: str
    """The trigger event, A03."""
    notes: tuple[FeedNote, ...]
