"""capture-app patients [FILTER]: the census, and what of the feed could not be used."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from capture_app.bootstrap import ask_worklists, open_services
from capture_app.cli.main import EXIT_DONE
from capture_app.cli.start import (
    CLOCK,
    json_option,
    limit_option,
    print_json,
    print_table,
    start,
)
from capture_app.model.words import tr, trn
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.status import DeadLetter, FeedStatus


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
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0, also where nobody matches."""
    settings = start(args, "patients")
    with open_services(settings, CLOCK) as services:
        if args.dead_letters:
            _show_dead_letters(services.census.dead_letters(args.limit), as_json=args.json)
            return EXIT_DONE
        ask_worklists(services)
        entries = services.census.find(args.filter, limit=args.limit)
        feeds = services.census.feed_status()
    if args.json:
        print_json([_as_dict(entry) for entry in entries])
        return EXIT_DONE
    head = ("name", "born", "sex", "number", "issuer", "visit", "place")
    rows = [[_as_dict(entry)[key] for key in head] for entry in entries]
    print_table(head, rows)
    for feed in feeds:
        sys.stderr.write(_words_of(feed) + "\n")
    return EXIT_DONE


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
