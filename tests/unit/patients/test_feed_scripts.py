"""Scripts of messages as hospitals send them, each with who must be listed where afterwards."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from capture_app.clock import FixedClock
from capture_app.model.encounter import EncounterState
from capture_app.model.feed_note import NoteCode
from capture_app.model.worklist import Doubt
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher

FEED = AdtFeed(assigning_authority="HOSP", port=1, zone="UTC")
NOW = datetime(2026, 11, 27, 20, tzinfo=UTC)
DOE = "1001^^^HOSP^MR||Doe^Jane||19560714|F"
ROE = "1002^^^HOSP^MR||Roe^Rick||19560714|M"
BED = "4B^12^1"


def said(
    event: str,
    at: str,
    *,
    pid: str = DOE,
    place: str = BED,
    visit: str = "V1",
    account: str = "",
    kind: str = "I",
    evn_2: str | None = None,
    evn_6: str = "",
    discharged: str = "",
    more: str = "",
    sender: str = "ADT",
    has_visit: bool = True,
) -> bytes:
    """One message of 27 November 2026, `at` hours and minutes; what is left out is not said."""
    msh_7 = f"20261127{at}00"
    pid_fields = [*pid.split("|"), *[""] * 12][:14]
    segments = [
        f"MSH|^~\\&|{sender}|HOSP|CAP|SITE|{msh_7}||ADT^{event}|{at}{event}{sender}{pid[:4]}|P|2.5.1",
        f"EVN|{event}|{msh_7 if evn_2 is None else evn_2}||||{evn_6}",
        f"PID|1||{'|'.join(pid_fields)}||{account}",
    ]
    if has_visit:
        segments.append(f"PV1|1|{kind}|{place}" + "|" * 16 + visit + "|" * 26 + discharged)
    return "\r".join([*segments, *filter(None, [more])]).encode()


Told = dict[tuple[str, str], tuple[str, str]]
"""By number and visit the state and the place."""


@dataclass(frozen=True)
class Script:
    """What is sent, in this order, and what must be true afterwards."""

    messages: tuple[bytes, ...]
    right: Told
    notes: tuple[NoteCode, ...] = ()
    any_order: bool = True
    """Whether the order of arrival makes no difference."""


OPEN = ("open", "4B 12 1")
CLOSED = ("closed", "4B 12 1")
ADMITTED = said("A01", "0800")

SCRIPTS: dict[str, Script] = {
    "the discharge is cancelled, whatever the cancel's EVN-6 says": Script(
        (ADMITTED, said("A03", "1405"), said("A13", "1500", evn_6="20261127140000")),
        {("1001", "V1"): OPEN},
    ),
    "discharged, cancelled and discharged again at an earlier time": Script(
        (
            said("A01", "0800", evn_6="20261127080000"),
            said("A03", "1400", evn_6="20261127140000"),
            said("A13", "1430", evn_6="20261127140000"),
            said("A03", "1500", evn_6="20261127135000"),
        ),
        {("1001", "V1"): CLOSED},
    ),
    "a cancel that EVN-2 dates by the day alone goes by MSH-7": Script(
        (ADMITTED, said("A03", "1400"), said("A13", "1500", evn_2="20261127")),
        {("1001", "V1"): OPEN},
    ),
    "a correction dated by the minute goes by MSH-7": Script(
        (ADMITTED, said("A02", "0900", place="5C^1"), said("A02", "0901", evn_2="202611270900")),
        {("1001", "V1"): OPEN},
    ),
    "two discharges of one visit and one cancel": Script(
        (ADMITTED, said("A03", "1400"), said("A03", "1405"), said("A13", "1500")),
        {("1001", "V1"): OPEN},
    ),
    "a cancel of the first discharge does not undo the second": Script(
        (ADMITTED, said("A03", "1400"), said("A13", "1430"), said("A03", "1500")),
        {("1001", "V1"): CLOSED},
    ),
    "a transfer cancelled": Script(
        (ADMITTED, said("A02", "0900", place="5C^1"), said("A12", "1000")),
        {("1001", "V1"): OPEN},
    ),
    "a transfer cancelled by a message that repeats where it went": Script(
        (ADMITTED, said("A02", "0900", place="5C^1"), said("A12", "1000", place="5C^1")),
        {("1001", "V1"): OPEN},
    ),
    "a transfer cancelled by its movement, not the last one": Script(
        (
            ADMITTED,
            said("A02", "0900", place="5C^1", more="ZBE|M1"),
            said("A02", "0930", place="6D^2", more="ZBE|M2"),
            said("A12", "1000", place="", more="ZBE|M1"),
        ),
        {("1001", "V1"): ("open", "6D 2")},
    ),
    "a cancel of a movement that was never told does not undo the only one": Script(
        (
            said("A01", "0800", more="ZBE|M1"),
            said("A03", "1400", more="ZBE|M2"),
            said("A13", "1500", more="ZBE|M9"),
        ),
        {("1001", "V1"): CLOSED},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "nor where the movement that was told has no number": Script(
        (ADMITTED, said("A03", "1400"), said("A13", "1500", more="ZBE|M9")),
        {("1001", "V1"): CLOSED},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "nor a transfer, nor does it bring the place that it names": Script(
        (
            ADMITTED,
            said("A02", "0900", place="5C^1", more="ZBE|M1"),
            said("A12", "1000", more="ZBE|M9"),
        ),
        {("1001", "V1"): ("open", "5C 1")},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "nor an admission, nor a visit known by an update alone": Script(
        (
            said("A01", "0800", more="ZBE|M1"),
            said("A08", "0810", visit="V2", place="DERM"),
            said("A11", "1000", more="ZBE|M9"),
            said("A11", "1001", visit="V2", more="ZBE|M9"),
        ),
        {("1001", "V1"): OPEN, ("1001", "V2"): ("open", "DERM")},
        (NoteCode.NOTHING_TO_CANCEL,) * 2,
    ),
    "a movement is of one kind": Script(
        (
            said("A01", "0800", more="ZBE|M1"),
            said("A02", "0900", place="5C^1", more="ZBE|M2"),
            said("A11", "1000", more="ZBE|M2"),
        ),
        {("1001", "V1"): ("open", "5C 1")},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "a movement cancelled twice undoes no other": Script(
        (
            ADMITTED,
            said("A02", "0900", place="5C^1", more="ZBE|M1"),
            said("A02", "0930", place="6D^2", more="ZBE|M2"),
            said("A12", "1000", place="", more="ZBE|M2"),
            said("A12", "1001", place="", more="ZBE|M2"),
        ),
        {("1001", "V1"): ("open", "5C 1")},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "a movement told twice is undone by one cancel": Script(
        (
            ADMITTED,
            said("A02", "0900", place="5C^1", more="ZBE|M1"),
            said("A02", "0905", place="5C^2", more="ZBE|M1^ADT"),
            said("A12", "1000", place="", more="ZBE|M0~M1"),
        ),
        {("1001", "V1"): OPEN},
    ),
    "the same number of a movement from another authority is another movement": Script(
        (
            ADMITTED,
            said("A02", "0900", place="5C^1", more="ZBE|M1^ADT"),
            said("A12", "1000", place="", more="ZBE|M1^ED"),
        ),
        {("1001", "V1"): ("open", "5C 1")},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "a cancelled discharge on the first day, with its movement": Script(
        (said("A13", "0900", more="ZBE|M9"),), {("1001", "V1"): OPEN}
    ),
    "a visit never told is cancelled": Script(
        (said("A11", "0900"),), {}, (NoteCode.NOTHING_TO_CANCEL,)
    ),
    "another visit never told is cancelled": Script(
        (ADMITTED, said("A11", "0900", visit="V2")),
        {("1001", "V1"): OPEN},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "a visit never told is deleted, and another pre-admission cancelled": Script(
        (ADMITTED, said("A23", "0900", visit="V2"), said("A38", "0901", visit="V3")),
        {("1001", "V1"): OPEN},
        (NoteCode.NOTHING_TO_CANCEL,) * 2,
    ),
    "pre-admitted: nobody is listed": Script((said("A05", "0800", kind="P"),), {}),
    "pre-admitted, updated and cancelled: nobody": Script(
        (
            said("A05", "0800", kind="P"),
            said("A08", "0900", kind="P"),
            said("A38", "1000", kind="P"),
        ),
        {},
    ),
    "an update of a visit to come, first heard of by it": Script(
        (said("A08", "0900", kind="P"),), {}
    ),
    "pre-admitted and arrived": Script(
        (said("A05", "0800", kind="P"), said("A01", "0900")), {("1001", "V1"): OPEN}
    ),
    "an admission pending, and cancelled": Script((said("A14", "0800"), said("A27", "0900")), {}),
    "a cancelled pre-admission does not end the stay that began": Script(
        (said("A05", "0700"), ADMITTED, said("A38", "0900")), {("1001", "V1"): OPEN}
    ),
    "an admission told twice and cancelled once": Script(
        (ADMITTED, said("A01", "0805"), said("A08", "0810"), said("A11", "0900")), {}
    ),
    "the admission is cancelled, the emergency visit goes on": Script(
        (said("A04", "0700", place="ED^1"), said("A01", "0800"), said("A11", "0900", place="")),
        {("1001", "V1"): ("open", "ED 1")},
    ),
    "a visit deleted": Script((ADMITTED, said("A23", "0900")), {}),
    "an outpatient becomes an inpatient": Script(
        (said("A04", "0800", kind="O", place="DERM"), said("A06", "0900")),
        {("1001", "V1"): OPEN},
    ),
    "EVN-6 orders places": Script(
        (
            ADMITTED,
            said("A02", "1200", place="5C^1"),
            said("A02", "1400", place="3A", evn_6="20261127100000"),
        ),
        {("1001", "V1"): ("open", "5C 1")},
        (NoteCode.OLDER_PLACE,),
    ),
    "EVN-6 orders places alone": Script(
        (ADMITTED, said("A03", "1400", evn_6="20261127070000")), {("1001", "V1"): CLOSED}
    ),
    "a cancel from a sender whose clock is three hours behind": Script(
        (ADMITTED, said("A03", "1400"), said("A13", "1130", sender="ED")),
        {("1001", "V1"): OPEN},
        any_order=False,
    ),
    "the issuer of the visit comes and goes": Script(
        (said("A01", "0800", visit="V1^^^HOSP"), said("A03", "1400")), {("1001", "V1"): CLOSED}
    ),
    "a number of the same text from two issuers is two visits": Script(
        (said("A01", "0800", visit="V1^^^A"), said("A01", "0900", visit="V1^^^B", place="5C^1")),
        {("1001", "V1"): OPEN, ("1001", "V1 "): ("open", "5C 1")},
    ),
    "known by its account, then by its own number": Script(
        (
            said("A01", "0800", visit="", account="ACC1"),
            said("A08", "0900", visit="V1", account="ACC1"),
            said("A03", "1000", visit="V1"),
        ),
        {("1001", "V1"): CLOSED},
    ),
    "known by its number, then by the account": Script(
        (
            said("A01", "0800", visit="V1", account="ACC1"),
            said("A03", "1000", visit="", account="ACC1"),
        ),
        {("1001", "V1"): CLOSED},
    ),
    "two visits on one account": Script(
        (
            said("A01", "0800", visit="V1", account="ACC1"),
            said("A04", "0900", visit="V2", account="ACC1", place="DERM"),
            said("A03", "1000", visit="", account="ACC1"),
        ),
        {("1001", "V1"): OPEN, ("1001", "V2"): ("open", "DERM")},
        (NoteCode.SEVERAL_VISITS,),
    ),
    "a discharge without a number with two visits open": Script(
        (
            ADMITTED,
            said("A04", "0900", visit="V2", place="DERM"),
            said("A03", "1400", visit=""),
        ),
        {("1001", "V1"): OPEN, ("1001", "V2"): ("open", "DERM")},
        (NoteCode.SEVERAL_VISITS,),
    ),
    "a discharge without a visit with two open": Script(
        (
            ADMITTED,
            said("A04", "0900", visit="V2", place="DERM"),
            said("A03", "1400", has_visit=False),
        ),
        {("1001", "V1"): OPEN, ("1001", "V2"): ("open", "DERM")},
        (NoteCode.SEVERAL_VISITS,),
    ),
    "a discharge without a visit closes the only open one": Script(
        (ADMITTED, said("A03", "1400", has_visit=False)), {("1001", "V1"): CLOSED}
    ),
    "a discharge without a number closes the only open one": Script(
        (
            said("A01", "0600", visit="V0"),
            said("A03", "0700", visit="V0"),
            ADMITTED,
            said("A03", "1400", visit=""),
        ),
        {("1001", "V0"): CLOSED, ("1001", "V1"): CLOSED},
    ),
    "a discharge of nobody who is here": Script(
        (said("A28", "0800", has_visit=False), said("A03", "1400", has_visit=False)),
        {("1001", ""): ("", "")},
        (NoteCode.NO_VISIT,),
    ),
    "a discharge whose visit number cannot be read closes no other visit": Script(
        (ADMITTED, said("A03", "1400", visit="V" * 65)), {("1001", "V1"): OPEN}
    ),
    "a discharge time in an update closes": Script(
        (ADMITTED, said("A08", "1400", discharged="20261127133000")), {("1001", "V1"): CLOSED}
    ),
    "a discharge time to come leaves open": Script(
        (said("A08", "0800", discharged="20991231"),),
        {("1001", "V1"): OPEN},
        (NoteCode.IN_THE_FUTURE,),
    ),
    "an update that ends the visit a year before it began": Script(
        (ADMITTED, said("A08", "0900", discharged="20251127")),
        {("1001", "V1"): OPEN},
        (NoteCode.BEFORE_ADMISSION,),
        any_order=False,
    ),
    "a discharge a year before the admission is one of now": Script(
        (ADMITTED, said("A03", "1400", discharged="20251127133000")),
        {("1001", "V1"): CLOSED},
        (NoteCode.BEFORE_ADMISSION,),
        any_order=False,
    ),
    "an end that is told by the day of the admission": Script(
        (ADMITTED, said("A08", "1400", discharged="20261127")),
        {("1001", "V1"): CLOSED},
    ),
    "a discharge with a time to come is one of now": Script(
        (ADMITTED, said("A03", "1400", discharged="20991231")),
        {("1001", "V1"): CLOSED},
        (NoteCode.IN_THE_FUTURE,),
    ),
    "a cancel of nothing": Script(
        (ADMITTED, said("A13", "0900")), {("1001", "V1"): OPEN}, (NoteCode.NOTHING_TO_CANCEL,)
    ),
    "a cancelled discharge on the first day": Script(
        (said("A13", "0900"),), {("1001", "V1"): OPEN}
    ),
    "a number changed": Script(
        (
            said("A01", "0800", pid=DOE.replace("1001", "9999")),
            said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR"),
            said("A08", "1000"),
        ),
        {("1001", "V1"): OPEN},
        any_order=False,
    ),
    "a number changed twice, and something late of the first": Script(
        (
            said("A01", "0800", pid=DOE.replace("1001", "9999")),
            said("A47", "0900", pid=DOE.replace("1001", "5555"), more="MRG|9999^^^HOSP^MR"),
            said("A47", "0930", has_visit=False, more="MRG|5555^^^HOSP^MR"),
            said("A02", "0830", pid=DOE.replace("1001", "9999"), place="5C^1"),
        ),
        {("1001", "V1"): ("open", "5C 1")},
        any_order=False,
    ),
    "a number of somebody never heard of changed": Script(
        (said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR"), said("A01", "1000")),
        {("1001", "V1"): OPEN},
        (NoteCode.NUMBER_NOT_KNOWN,),
        any_order=False,
    ),
}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[str], Census]]:
    made: list[Census] = []

    def open_one(name: str = "one") -> Census:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        settings = Settings(data_dir=folder, adt=FEED)
        made.append(open_census(folder, Cipher(b"k" * 32), FixedClock(NOW), settings))
        return made[-1]

    yield open_one
    for census in made:
        census.close()


def told(census: Census) -> Told:
    found: Told = {}
    for entry in census.find(""):
        visit, number = entry.encounter, entry.patient.patient_id.value
        if visit is None:
            found[number, ""] = ("", "")
            continue
        place = visit.location
        key = (number, visit.visit_number)
        while key in found:
            key = (number, key[1] + " ")
        where = " ".join(filter(None, (place.ward, place.room, place.bed)))
        found[key] = (str(visit.state), where)
    return found


def send(census: Census, *messages: bytes, answer: bytes = b"MSA|AA") -> None:
    receiver = AdtReceiver(census, FEED, FixedClock(NOW))
    for message in messages:
        assert answer in receiver.handle(message)


def noted(census: Census) -> tuple[NoteCode, ...]:
    return tuple(note.code for message in census.noted_messages() for note in message.notes)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_ends_with_the_right_value_and_so_after_a_restart(
    opened: Callable[[str], Census], name: str
) -> None:
    script, census = SCRIPTS[name], opened("one")
    send(census, *script.messages)
    assert told(census) == script.right
    assert noted(census) == script.notes
    again = opened("one")
    assert told(again) == script.right
    again.rebuild()
    assert told(again) == script.right
    assert noted(again) == script.notes
    status = again.feed_status()[0]
    assert status.without_effect == len(script.notes)


@pytest.mark.parametrize("name", [name for name, script in SCRIPTS.items() if script.any_order])
def test_the_right_value_does_not_depend_on_the_order_of_arrival(
    opened: Callable[[str], Census], name: str
) -> None:
    script = SCRIPTS[name]
    for number, order in enumerate(permutations(script.messages)):
        census = opened(str(number))
        send(census, *order)
        assert told(census) == script.right, order


# ---------------------------------------------------------------------------- two at once


def doubts(census: Census) -> dict[str, set[Doubt]]:
    return {entry.patient.patient_id.value: set(entry.doubts) for entry in census.find("")}


def test_one_visit_number_on_two_patients_is_doubted_until_the_feed_resolves_it(
    opened: Callable[[str], Census],
) -> None:
    census = opened("one")
    send(census, ADMITTED, said("A01", "0900", pid=ROE, place="5C^1"))
    both = {Doubt.SHARED_VISIT_NUMBER}
    assert doubts(census) == {"1001": both, "1002": both}
    assert doubts(opened("one")) == {"1001": both, "1002": both}
    assert census.feed_status()[0].doubts == ((Doubt.SHARED_VISIT_NUMBER, 2),)
    send(census, said("A11", "1000", pid=ROE))
    assert doubts(census) == {"1001": set()}
    assert census.feed_status()[0].doubts == ()


def test_a_shared_bed_is_a_badge_and_a_note_and_nothing_else(
    opened: Callable[[str], Census],
) -> None:
    census = opened("one")
    send(census, ADMITTED, said("A01", "0900", pid=ROE, visit="V2"))
    assert doubts(census) == {"1001": {Doubt.SHARED_BED}, "1002": {Doubt.SHARED_BED}}
    assert len(census.by_code("1001")) == 1
    send(census, said("A03", "1000"))
    assert doubts(census)["1002"] == set()


def test_a_refused_merge_marks_both_rows_also_in_another_process_and_after_a_restart(
    opened: Callable[[str], Census],
) -> None:
    unknown = DOE.replace("1001", "9999").replace("Doe^Jane||19560714|F", "UNKNOWN^MALE|||M")
    census, other = opened("one"), opened("one")
    send(census, said("A01", "0800", pid=unknown, visit="V9", place="ED"), ADMITTED)
    other.refresh()
    merge = said("A40", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
    send(census, merge, answer=b"MSA|AE")
    both = {"1001": {Doubt.MERGE_REFUSED}, "9999": {Doubt.MERGE_REFUSED}}
    assert doubts(census) == both
    assert other.refresh()
    assert doubts(other) == doubts(opened("one")) == both
    assert not other.refresh()
    status = census.feed_status()[0]
    assert status.doubts == ((Doubt.MERGE_REFUSED, 2),)
    assert (status.dead_letters, status.refused_today) == (1, 1)


def test_a_number_that_becomes_another_patients_is_a_merge(opened: Callable[[str], Census]) -> None:
    census = opened("one")
    send(census, ADMITTED, said("A01", "0805", pid=ROE, visit="V2", place="5C"))
    change = said("A47", "0900", has_visit=False, more="MRG|1002^^^HOSP^MR")
    send(census, change, answer=b"MSA|AE")
    both = {"1001": {Doubt.MERGE_REFUSED}, "1002": {Doubt.MERGE_REFUSED}}
    assert doubts(census) == both


def test_the_old_number_opens_nobody_and_its_new_use_is_doubted(
    opened: Callable[[str], Census],
) -> None:
    census, other = opened("one"), opened("one")
    change = said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
    send(census, said("A01", "0800", pid=DOE.replace("1001", "9999")))
    other.refresh()
    send(census, change, change, change.replace(b"0900A47", b"again"))
    assert census.by_code("9999") == ()
    assert len(census.by_code("1001")) == 1
    other.refresh()
    assert told(other) == told(census) == {("1001", "V1"): OPEN}
    send(census, said("A01", "1000", pid=ROE.replace("1002", "9999"), visit="V2", place="5C"))
    assert doubts(census) == {"1001": set(), "9999": {Doubt.NUMBER_RETIRED}}
    assert census.by_code("9999") == ()  # Doe may still wear the band
    assert doubts(opened("one")) == doubts(census)


# ---------------------------------------------------------------------------- clocks and zones


def at_once(census: Census, sent: list[tuple[datetime, bytes]]) -> None:
    """Each message comes at its own time."""
    for moment, message in sent:
        receiver = AdtReceiver(census, FEED, FixedClock(moment))
        assert b"MSA|AA" in receiver.handle(message)


@pytest.mark.parametrize("hours", [-3, 3])
def test_two_senders_whose_clocks_are_three_hours_apart(
    opened: Callable[[str], Census], hours: int
) -> None:
    def by(clock: int, event: str, at: str, sender: str, **more: Any) -> tuple[datetime, bytes]:
        told = f"{int(at[:2]) + clock:02}{at[2:]}"
        moment = datetime(2026, 11, 27, int(at[:2]), int(at[2:]), 5, tzinfo=UTC)
        return moment, said(event, told, sender=sender, **more)

    census = opened("one")
    at_once(
        census,
        [
            by(0, "A01", "0800", "ADT"),
            by(hours, "A08", "0830", "ED", pid=DOE.replace("Jane", "Old")),
            by(0, "A02", "0900", "ADT", place="5C^1"),
            by(hours, "A03", "1000", "ED", place="5C^1"),
        ],
    )
    assert told(census) == {("1001", "V1"): ("closed", "5C 1")}
    assert told(opened("one")) == told(census)
    at_once(census, [by(0, "A13", "1100", "ADT", place="5C^1")])
    assert told(census) == {("1001", "V1"): ("open", "5C 1")}


@pytest.mark.parametrize(
    ("admitted", "left", "came"),
    [
        # Spring: 01:40 and 01:55 of winter time; the discharge comes after the clocks went forward.
        ("20260329014000", "20260329015500", datetime(2026, 3, 29, 1, 5, tzinfo=UTC)),
        # Autumn: 02:50 of summer time, then 02:10 of winter time, twenty minutes later.
        ("20261025025000", "20261025021000", datetime(2026, 10, 25, 1, 10, 5, tzinfo=UTC)),
        ("20261025014000", "20261025025500", datetime(2026, 10, 25, 1, 55, 5, tzinfo=UTC)),
    ],
)
def test_the_zone_of_the_feed_counts_by_date(
    tmp_path: Path, admitted: str, left: str, came: datetime
) -> None:
    feed = replace(FEED, zone="Europe/Berlin")
    clock = FixedClock(came - timedelta(minutes=19))
    settings = Settings(data_dir=tmp_path, adt=feed)
    census = open_census(tmp_path, Cipher(b"k" * 32), clock, settings)
    receiver = AdtReceiver(census, feed, clock)
    for event, moment, wait in (("A01", admitted, 19 * 60), ("A03", left, 0)):
        message = said(event, "0000").replace(b"20261127000000", moment.encode())
        assert b"MSA|AA" in receiver.handle(message)
        clock.advance(wait)
    (entry,) = census.find("")
    census.close()
    assert entry.encounter is not None
    assert entry.encounter.state is EncounterState.CLOSED


def test_a_time_of_the_day_alone_neither_beats_nor_loses_to_a_finer_one(
    opened: Callable[[str], Census],
) -> None:
    def dated(name: str, evn_2: str, number: int) -> bytes:
        message = said("A08", "0900", pid=DOE.replace("Doe^Jane", name), evn_2=evn_2)
        head = message.replace(b"20261127090000", b"20261127", 1)
        return head.replace(b"0900A08ADT1001", str(number).encode())

    census = opened("one")
    wrong = said("A01", "1500", pid=DOE.replace("Doe^Jane", "Wrong^Name"))
    send(census, wrong, dated("Right^Name", "20261127", 1))
    assert census.find("")[0].patient.name.pn == "Right^Name"
    send(census, said("A08", "1400", pid=DOE.replace("Doe^Jane", "Late^Name")))
    assert census.find("")[0].patient.name.pn == "Right^Name"
    send(census, said("A08", "1501", pid=DOE.replace("Doe^Jane", "New^Name")))
    assert census.find("")[0].patient.name.pn == "New^Name"
    send(census, dated("Day^Before", "20261126", 2))
    assert census.find("")[0].patient.name.pn == "New^Name"
    assert opened("one").find("") == census.find("")
