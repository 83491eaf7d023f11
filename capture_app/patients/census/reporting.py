"""What is told of the admissions feed from what is stored of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.split import parse_header
from capture_app.model.feed_note import OF_A_VALUE, WITHOUT_EFFECT, FeedNote, NoteCode, words_of
from capture_app.model.words import tr, trn
from capture_app.model.worklist import Doubt, FeedSource
from capture_app.patients.census.dead_letters import DeadLetterBox, PersonsOf
from capture_app.patients.census.folding import Folding
from capture_app.patients.census.intake import Intake
from capture_app.patients.census.journal import Journal
from capture_app.patients.census.orders import WorklistAnswer
from capture_app.patients.census.status import (
    DeadLetter,
    FeedMessage,
    FeedStatus,
    NotedMessage,
    WaitingMerge,
)
from capture_app.patients.sources.adt.naming import Pair

ADT: Final = "adt"
"""What the window and the log call the admissions feed."""

_ROWS_NAMED: Final = 5


def stored_status(
    journal: Journal, letters: DeadLetterBox, folding: Folding, intake: Intake, now: datetime
) -> FeedStatus:
    """How the feed is, by what is on disk and how that was read."""
    heard, yesterday = journal.last_heard(), now - timedelta(days=1)
    return FeedStatus(
        name=ADT,
        source=FeedSource.ADT,
        connected=None,
        last_message_at=heard,
        age_seconds=age_of(heard, now),
        count=0,
        dead_letters=letters.count(),
        without_effect=journal.count_notes(WITHOUT_EFFECT),
        noted=journal.count_notes(OF_A_VALUE),
        refused_today=letters.count(yesterday),
        without_effect_today=journal.count_notes(WITHOUT_EFFECT, yesterday),
        damaged=journal.damaged,
        problem=" ".join(
            filter(
                None,
                (
                    intake.trouble(now),
                    _trouble(folding.unreadable, journal.damaged, folding.names.contradicting),
                ),
            )
        ),
    )


def worklist_status(answer: WorklistAnswer, issuer_assumed: str, now: datetime) -> FeedStatus:
    """How a worklist is. Whether it is connected is not known before its first answer or failure.

    `issuer_assumed`: whose the numbers are taken to be that name no issuer.
    """
    is_asked = answer.as_of is not None or bool(answer.problem)
    return FeedStatus(
        name=answer.name,
        source=FeedSource.WORKLIST,
        connected=not answer.problem if is_asked else None,
        last_message_at=answer.as_of,
        age_seconds=age_of(answer.as_of, now),
        count=len(answer.items),
        skipped=answer.skipped,
        truncated=answer.is_truncated,
        issuer_assumed=issuer_assumed,
        noted=sum(bool(item.notes) for item in answer.items),
        item_notes=item_notes(answer),
        problem=answer.problem,
    )


def noted_messages(
    journal: Journal, codes: Iterable[NoteCode], limit: int
) -> tuple[NotedMessage, ...]:
    """Messages with a note of one of these codes, the newest first, without patient data."""
    found = []
    for message, notes in journal.noted(codes, limit):
        sender, event = _header_of(message.raw)
        found.append(NotedMessage(message.event_id, message.received_at, sender, event, notes))
    return tuple(found)


def feed_messages(
    journal: Journal, letters: DeadLetterBox, limit: int, persons_of: PersonsOf
) -> tuple[FeedMessage, ...]:
    """Messages that were refused or had no effect: merges that wait for a person, then all others,
    each the newest first. `persons_of` reads whom a merge names.
    """
    found = [
        FeedMessage(
            *(message.received_at, message.sender, message.event),
            is_refused=False,
            reason="; ".join(map(words_of, message.notes)),
        )
        for message in noted_messages(journal, WITHOUT_EFFECT, limit)
    ]
    refused = {letter.dead_letter_id: letter for letter in letters.newest(limit)}
    merges = {letter.dead_letter_id: letter for letter in letters.newest(limit, merges=True)}
    for number, letter in (refused | merges).items():
        sender, event = _header_of(letter.message)
        found.append(
            FeedMessage(
                *(letter.received_at, sender, event),
                is_refused=True,
                reason=letter.reason,
                merge=_waiting(letter, persons_of) if number in merges else None,
            )
        )
    found.sort(key=lambda each: (each.merge is not None, each.received_at), reverse=True)
    return tuple(found[:limit])


def _waiting(letter: DeadLetter, persons_of: PersonsOf) -> WaitingMerge:
    try:
        named = persons_of(letter.message)
    except MessageError:  # the log told of it when it came
        named = ()
    return WaitingMerge(letter.dead_letter_id, named)


def _header_of(raw: bytes) -> tuple[str, str]:
    """Who sent a message, and its trigger event; empty for what is no message."""
    try:
        header = parse_header(raw)
        event = header.event
    except MessageError:
        return "", ""
    return " ".join(filter(None, (header.msh.raw(3), header.msh.raw(4)))), event


def doubt_words(doubt: Doubt, count: int) -> str:
    """What IT should settle with the sender: how many patients a doubt is about."""
    match doubt:
        case Doubt.SHARED_BED:
            return trn("{n} patient shares a bed.", "{n} patients share a bed.", count)
        case Doubt.SHARED_VISIT_NUMBER:
            return trn(
                "{n} patient shares a visit number: pictures do not carry it.",
                "{n} patients share a visit number: pictures do not carry it.",
                count,
            )
        case Doubt.SHARED_STUDY_UID:
            return trn(
                "{n} patient shares the study of an order.",
                "{n} patients share the study of an order.",
                count,
            )
        case Doubt.MERGE_REFUSED:
            return trn(
                "{n} patient is named by a merge or deletion that was not carried out.",
                "{n} patients are named by a merge or deletion that was not carried out.",
                count,
            )
        case Doubt.NUMBER_RETIRED:
            return trn(
                "{n} number is used again that was put out of use.",
                "{n} numbers are used again that were put out of use.",
                count,
            )
        case Doubt.NUMBER_ON_WORKLIST:
            return trn(
                "{n} number is given to somebody else by a worklist than by the admissions feed.",
                "{n} numbers are given to somebody else by worklists than by the admissions feed.",
                count,
            )
        case Doubt.NUMBER_OF_ANOTHER:
            return trn(
                "{n} person has the number of somebody else on a worklist.",
                "{n} people have the numbers of others on worklists.",
                count,
            )
        case Doubt.NUMBER_OF_TWO:
            return trn(
                "{n} number is given to two people by worklists: it opens neither.",
                "{n} numbers are given to two people each by worklists: they open neither.",
                count,
            )


def item_notes(answer: WorklistAnswer) -> tuple[tuple[FeedNote, int], ...]:
    """What of a worklist could not be taken, and in how many items, the most frequent first."""
    counts = Counter(note for item in answer.items for note in item.notes)
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def age_of(at: datetime | None, now: datetime) -> float | None:
    """Seconds since then."""
    return (now - at).total_seconds() if at is not None else None


def _trouble(
    unreadable: int, damaged: tuple[tuple[str, int], ...], contradicting: Sequence[Pair]
) -> str:
    """What is wrong with what is stored, and what to do; empty where nothing is."""
    said = []
    if unreadable:
        said.append(
            trn(
                "{n} stored message cannot be read with the present settings.",
                "{n} stored messages cannot be read with the present settings.",
                unreadable,
            )
        )
    if damaged:
        rows = ", ".join(f"{table} {number}" for table, number in damaged[:_ROWS_NAMED])
        said.append(
            trn(
                "{n} row of census.db is damaged and set apart ({rows}). "
                "Have the sender repeat its messages, and check the disk.",
                "{n} rows of census.db are damaged and set apart ({rows}). "
                "Have the sender repeat its messages, and check the disk.",
                len(damaged),
                rows=rows + (", ..." if len(damaged) > _ROWS_NAMED else ""),
            )
        )
    if contradicting:
        pairs = [f"{namespace} = {oid}" for namespace, oid in contradicting[:_ROWS_NAMED]]
        said.append(
            tr(
                "Messages name authorities in ways that contradict each other ({pairs}): neither "
                "name is taken for the other. Say which is right: same_authorities.",
                pairs=", ".join(pairs) + (", ..." if len(contradicting) > _ROWS_NAMED else ""),
            )
        )
    return " ".join(said)
