"""capture-app patients [FILTER]: the census, and what of the feed could not be used."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from capture_app.audit.trail import record
from capture_app.bootstrap import Rooms, ask_worklists, open_rooms
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import (
    CLOCK,
    json_option,
    limit_option,
    print_json,
    print_table,
    start,
)
from capture_app.cli.who import by_option, operator_of, os_account
from capture_app.errors import RuleError, SignInError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.feed_note import OF_A_VALUE, WITHOUT_EFFECT, words_of
from capture_app.model.operator import Act, Operator
from capture_app.model.words import tr, trn
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.census import Census
from capture_app.patients.census.reporting import doubt_words
from capture_app.patients.census.status import DeadLetter, FeedStatus, NotedMessage
from capture_app.ui.words import wording


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "filter",
        nargs="?",
        default="",
        metavar="FILTER",
        help="name in any script, number, birth date, ward or bed",
    )
    limit_option(parser, 200)
    parser.add_argument(
        "--dead-letters",
        action="store_true",
        help="list the feed's messages that could not be used, with the reason",
    )
    parser.add_argument(
        "--feed",
        action="store_true",
        help="tell how each feed is, and list what of it had no effect or could not be taken",
    )
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="make the list anew from all stored messages, where census.db is damaged",
    )
    parser.add_argument(
        "--settle",
        type=int,
        metavar="ID",
        help="a merge among the dead letters was dealt with: it marks its patients no more",
    )
    by_option(parser, "the account of the system that runs it")
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0, also where nobody matches."""
    settings = start(args, "patients")
    with open_rooms(settings, CLOCK) as rooms:
        if args.dead_letters:
            _show_dead_letters(rooms.census.dead_letters(args.limit), as_json=args.json)
            return EXIT_DONE
        if args.rebuild:
            return _rebuild(rooms.census)
        if args.settle is not None:
            return _settle(rooms, args)
        ask_worklists(rooms)
        if args.feed:
            _show_feed(rooms.census, args.limit, as_json=args.json)
            return EXIT_DONE
        by = operator_of(args, rooms.users, Act.READ_PATIENTS) if args.by else None
        entries = rooms.census.find(args.filter, limit=args.limit)
        _record_reading(rooms, by, len(entries))  # first: what is not recorded is not shown
        feeds = rooms.census.feed_status()
    if args.json:
        print_json([_as_dict(entry) for entry in entries])
        return EXIT_DONE
    head = ("name", "born", "sex", "number", "issuer", "visit", "place")
    listed = [(_as_dict(entry), wording.shown_name(entry.patient.name)) for entry in entries]
    rows = [[name, *(said[key] for key in head[1:])] for said, name in listed]
    print_table(head, rows)
    for feed in feeds:
        sys.stderr.write(_words_of(feed) + "\n")
    return EXIT_DONE


def _settle(rooms: Rooms, args: argparse.Namespace) -> int:
    """Exit 0 where such a merge waited. Raises SignInError, StoreError."""
    by = operator_of(args, rooms.users, Act.SETTLE_MERGE)
    if by is None:
        raise SignInError(tr("Say who does it and sign in: --by USER."))
    try:
        rooms.merges.settle(args.settle, by)
    except RuleError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    sys.stdout.write(tr("Settled: its patients are marked no more.") + "\n")
    return EXIT_DONE


def _record_reading(rooms: Rooms, by: Operator | None, count: int) -> None:
    """Raises StoreError."""
    user_id = by.user_id if by is not None else f"command:{os_account()}"
    event = AuditEvent(AuditAction.PATIENTS_LISTED, user_id, details={"count": str(count)})
    with rooms.database.transaction() as connection:
        record(connection, rooms.clock, event, cipher=rooms.cipher)


def _rebuild(census: Census) -> int:
    """Exit 0 where every stored message could be opened, else 1."""
    count = census.rebuild()
    sys.stdout.write(
        trn(
            "{n} patient made from stored messages.",
            "{n} patients made from stored messages.",
            count,
        )
        + "\n"
    )
    for feed in census.feed_status():
        if feed.problem:
            sys.stderr.write(f"{feed.problem}\n")
    return EXIT_FAILED if any(feed.damaged for feed in census.feed_status()) else EXIT_DONE


def _show_feed(census: Census, limit: int, *, as_json: bool) -> None:
    """How each feed is, the messages that were accepted without effect, and those with a value that
    could not be taken: no patient data.
    """
    feeds = census.feed_status()
    in_vain, noted = (
        census.noted_messages(limit, codes=codes) for codes in (WITHOUT_EFFECT, OF_A_VALUE)
    )
    if as_json:
        print_json(
            {
                "feeds": [_feed_as_dict(feed) for feed in feeds],
                "without_effect": [_noted_as_dict(message) for message in in_vain],
                "noted": [_noted_as_dict(message) for message in noted],
            }
        )
        return
    for feed in feeds:
        sys.stdout.write(_words_of(feed) + "\n")
    head = ("id", "received", "sender", "event", "why")
    rows: list[tuple[object, ...]] = [
        (
            *(message.event_id, message.received_at.isoformat(timespec="seconds")),
            *(message.sender, message.event, "; ".join(map(words_of, message.notes))),
        )
        for message in (*in_vain, *noted)
    ]
    rows += [
        ("", "", feed.name, trn("{n} item", "{n} items", count), words_of(note))
        for feed in feeds
        for note, count in feed.item_notes
    ]
    print_table(head, rows)


def _feed_as_dict(feed: FeedStatus) -> dict[str, Any]:
    return {
        "name": feed.name,
        "source": str(feed.source),
        "connected": feed.connected,
        "last_message_at": feed.last_message_at.isoformat() if feed.last_message_at else None,
        "age_seconds": feed.age_seconds,
        "count": feed.count,
        "incomplete_since": feed.incomplete_since.isoformat() if feed.incomplete_since else None,
        "dead_letters": feed.dead_letters,
        "without_effect": feed.without_effect,
        "noted": feed.noted,
        "item_notes": [
            {"field": note.field, "code": str(note.code), "items": count}
            for note, count in feed.item_notes
        ],
        "doubts": {str(doubt): count for doubt, count in feed.doubts},
        "damaged": [f"{table} {number}" for table, number in feed.damaged],
        "skipped": feed.skipped,
        "truncated": feed.truncated,
        "issuer_assumed": feed.issuer_assumed,
        "problem": feed.problem,
    }


def _noted_as_dict(message: NotedMessage) -> dict[str, Any]:
    return {
        "id": message.event_id,
        "received": message.received_at.isoformat(timespec="seconds"),
        "sender": message.sender,
        "event": message.event,
        "reasons": [{"field": note.field, "code": str(note.code)} for note in message.notes],
    }


def _words_of(feed: FeedStatus) -> str:
    """How a feed is, and what of it could not be used."""
    heard = feed.last_message_at
    said = [
        tr(
            "{feed}: {count} known, last heard {heard}.",
            feed=feed.name,
            count=feed.count,
            heard=f"{heard:%Y-%m-%d %H:%M:%S}" if heard else tr("never"),
        )
    ]
    if feed.dead_letters:
        said.append(
            trn(
                "{n} message could not be used: see --dead-letters.",
                "{n} messages could not be used: see --dead-letters.",
                feed.dead_letters,
            )
        )
    if feed.without_effect:
        said.append(
            trn(
                "{n} message was accepted without effect: see --feed.",
                "{n} messages were accepted without effect: see --feed.",
                feed.without_effect,
            )
        )
    if feed.noted:
        said.append(
            trn(
                "{n} has a value that could not be taken as it stood: see --feed.",
                "{n} have a value that could not be taken as it stood: see --feed.",
                feed.noted,
            )
        )
    said.extend(doubt_words(doubt, count) for doubt, count in feed.doubts)
    if feed.issuer_assumed:
        said.append(
            tr(
                "Numbers without an issuer are taken as those of {issuer}.",
                issuer=feed.issuer_assumed,
            )
        )
    if feed.skipped:
        said.append(
            trn("{n} item could not be used.", "{n} items could not be used.", feed.skipped)
        )
    if feed.truncated:
        said.append(tr("There are more than were taken."))
    return " ".join([*said, feed.problem]).rstrip()


def _as_dict(entry: PatientListEntry) -> dict[str, Any]:
    patient, encounter = entry.patient, entry.encounter
    born = patient.birth_date or patient.partial_birth_date
    place = encounter.location if encounter else None
    return {
        "name": patient.name.shown,
        "native_name": patient.name.native,
        "born": str(born or ""),
        "sex": str(patient.sex),
        "number": patient.patient_id.value,
        "issuer": patient.patient_id.issuer,
        "visit": encounter.visit_number if encounter else "",
        "place": " ".join(part for part in (place.ward, place.room, place.bed) if part)
        if place
        else "",
        "orders": [order.accession_number for order in entry.orders],
        "source": str(entry.source),
        "as_of": entry.as_of.isoformat(),
        "doubts": sorted(entry.doubts),
    }


def _show_dead_letters(letters: tuple[DeadLetter, ...], *, as_json: bool) -> None:
    """Reasons only: what stands in the messages is for the sender's own log."""
    head = ("id", "received", "times", "answer", "reason")
    rows = [
        (
            letter.dead_letter_id,
            letter.received_at.isoformat(timespec="seconds"),
            letter.times,
            letter.ack_code,
            letter.reason,
        )
        for letter in letters
    ]
    if as_json:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)
