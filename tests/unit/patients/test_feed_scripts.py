"""Scripts of messages as hospitals send them, each with who must be listed where afterwards."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.exam.standing import visit_now
from capture_app.model.encounter import EncounterState
from capture_app.model.feed_note import NoteCode
from capture_app.patients.census.census import Census, open_census
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.adt_said import ADMITTED, DOE, FEED, NOW, OPEN, Told, said, send, told


@dataclass(frozen=True)
class Script:
    """What is sent, in this order, and what must be true afterwards."""

    messages: tuple[bytes, ...]
    right: Told
    notes: tuple[NoteCode, ...] = ()
    any_order: bool = True
    """Whether the order of arrival makes no difference."""


CLOSED = ("closed", "4B 12 1")

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
    "a cancel recorded before the only discharge undoes none": Script(
        (ADMITTED, said("A13", "1400"), said("A03", "1405")),
        {("1001", "V1"): CLOSED},
        (NoteCode.NOTHING_TO_CANCEL,),
    ),
    "a cancel recorded before the only transfer undoes none": Script(
        (ADMITTED, said("A12", "0900", place=""), said("A02", "0901", place="5C^1")),
        {("1001", "V1"): ("open", "5C 1")},
        (NoteCode.NOTHING_TO_CANCEL,),
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
    "pre-admitted under a number, arrived without one": Script(
        (said("A05", "0800", kind="P"), said("A01", "0900", visit="")), {("1001", "V1"): OPEN}
    ),
    "registered for another thing without a number while expected": Script(
        (
            said("A05", "0800", kind="P"),
            said("A04", "0900", kind="O", visit="", place="DERM"),
        ),
        {("1001", ""): ("open", "DERM")},
    ),
    "expected twice, and arrived without a number": Script(
        (
            said("A05", "0800", kind="P"),
            said("A05", "0810", kind="P", visit="V2"),
            said("A01", "0900", visit=""),
        ),
        {("1001", ""): OPEN},
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
    ),
    "a number changed twice, and something late of the first": Script(
        (
            said("A01", "0800", pid=DOE.replace("1001", "9999")),
            said("A47", "0900", pid=DOE.replace("1001", "5555"), more="MRG|9999^^^HOSP^MR"),
            said("A47", "0930", has_visit=False, more="MRG|5555^^^HOSP^MR"),
            said("A02", "0830", pid=DOE.replace("1001", "9999"), place="5C^1"),
        ),
        {("1001", "V1"): ("open", "5C 1")},
    ),
    "a number of somebody never heard of changed": Script(
        (said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR"), said("A01", "1000")),
        {("1001", "V1"): OPEN},
        (NoteCode.NUMBER_NOT_KNOWN,),
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


@pytest.mark.parametrize("account", ["ACC9", ""])
def test_the_visit_of_an_open_exam_is_found_under_the_number_that_it_got(
    opened: Callable[..., Census], account: str
) -> None:
    census = opened()
    send(census, said("A01", "0800", visit="", account=account))
    (row,) = census.find("")
    send(census, said("A08", "0810", visit="V1", account=account))
    send(census, said("A11", "0820", visit="V1", account=account))
    now = census.person(row.patient.patient_id)
    assert now is not None
    visit = visit_now(row.encounter, now)
    assert visit is not None
    assert (visit.visit_number, visit.state) == ("V1", EncounterState.CANCELLED)
