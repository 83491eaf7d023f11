"""How old the lists are, in words: the age of every feed is always shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from capture_app.model.feed_note import NoteCode, words_of
from capture_app.model.words import isolated, tr, trn
from capture_app.model.worklist import Doubt, FeedSource
from capture_app.patients.census.reporting import doubt_words
from capture_app.patients.census.status import FeedMessage, FeedStatus, WaitingMerge
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone

_OLD_S: Final = {FeedSource.ADT: 900.0, FeedSource.WORKLIST: 300.0}
"""From this age on a list may miss people: an admissions feed is quiet at night, a poll is not."""


def feed_chip(feed: FeedStatus) -> ChipText:
    """The chip of a feed."""
    name = tr("Ward list") if feed.source is FeedSource.ADT else tr("Worklist")
    if feed.age_seconds is None:
        words = tr("{list}: nothing received yet", list=name)
        return ChipText(words, "warning", Tone.WARN)
    age = wording.span(timedelta(seconds=feed.age_seconds))
    words = tr("{list} {age} old", list=name, age=age)
    if n := to_look_at(feed):
        words = tr("{what}, {n} for IT", what=words, n=n)
        return ChipText(words, "warning", Tone.WARN)
    if feed.problem or feed.age_seconds > _OLD_S[feed.source]:
        return ChipText(words, "warning", Tone.WARN)
    return ChipText(words, "check-circle", Tone.OK)


def to_look_at(feed: FeedStatus) -> int:
    """How much of a feed somebody should look at: what was refused or had no effect since
    yesterday, patients whom a merge or deletion names that was not carried out, and items of a
    worklist that give somebody the number of another person.
    """
    merged = dict(feed.doubts).get(Doubt.MERGE_REFUSED, 0)
    of_others = (n for note, n in feed.item_notes if note.code is NoteCode.NUMBER_OF_ANOTHER)
    messages = feed.refused_today + feed.without_effect_today
    return messages + (merged if not feed.refused_today else 0) + sum(of_others)


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A line of the notes for IT. No patient data but in `merge`."""

    words: str
    merge: WaitingMerge | None = None
    """The merge that waits for a person, if it is one."""


def feed_lines(
    messages: Iterable[FeedMessage], feeds: Iterable[FeedStatus], now: datetime
) -> tuple[FeedLine, ...]:
    """What of the feeds IT should look at: messages, then what of worklists was not taken."""
    said = (FeedLine(_message_words(message, now), message.merge) for message in messages)
    return (*said, *map(FeedLine, item_rows(feeds)))


def _message_words(message: FeedMessage, now: datetime) -> str:
    """When, from whom, which event, and why it is here."""
    what = tr("refused") if message.is_refused else tr("no effect")
    if message.merge is not None:
        what = tr("refused, waits for a person")
    event = " ".join(filter(None, (isolated(message.sender), message.event)))
    time = wording.moment(message.received_at.astimezone(now.tzinfo), now)
    return tr(
        "{time}  {event}, {what}: {reason}",
        time=time,
        event=event,
        what=what,
        reason=message.reason,
    )


def item_rows(feeds: Iterable[FeedStatus]) -> tuple[str, ...]:
    """What of the worklists could not be taken, a line each: in how many items, and why."""
    return tuple(
        tr(
            "{list}, {items}: {reason}",
            list=isolated(feed.name),
            items=trn("{n} item", "{n} items", count),
            reason=words_of(note),
        )
        for feed in feeds
        for note, count in feed.item_notes
    )


def feed_note(feeds: Iterable[FeedStatus], now: datetime) -> str:
    """What is wrong with the feeds and who may be missing, in words; empty where all is well."""
    notes = []
    for feed in feeds:
        if feed.problem:
            notes.append(feed.problem)
        elif feed.age_seconds is not None and feed.age_seconds > _OLD_S[feed.source]:
            age = wording.span(timedelta(seconds=feed.age_seconds))
            if feed.source is FeedSource.ADT:
                notes.append(
                    tr("Ward list {age} old. It may miss people. Scanning still works.", age=age)
                )
        if feed.incomplete_since and now - feed.incomplete_since < timedelta(days=7):
            since = wording.moment_inside(feed.incomplete_since, now)
            notes.append(
                tr(
                    "Patients admitted before {since} appear when the feed next names them.",
                    since=since,
                )
            )
        notes.extend(doubt_words(doubt, count) for doubt, count in feed.doubts)
        if feed.truncated:
            notes.append(tr("{list} has more items than are shown.", list=isolated(feed.name)))
    return "\n".join(notes)
