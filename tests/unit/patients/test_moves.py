"""Visits that become another patient's or get another number, and beds that are swapped."""

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import StoreError
from capture_app.exam.standing import visit_now
from capture_app.model.encounter import EncounterState
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.patient import PatientId
from capture_app.model.worklist import Doubt
from capture_app.patients.census.census import Census, open_census
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.adt_said import ADMITTED, DOE, FEED, NOW, OPEN, ROE, Told, said, send, told
from tests.unit.patients.moved_on import MOVED, MOVED_ON

DOES = PatientId("1001", "HOSP")
ROES = PatientId("1002", "HOSP")
HERE = said("A28", "0700", pid=ROE, has_visit=False)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Census]]:
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


def swap(first: str = DOE, second: str = ROE, at: str = "1000") -> bytes:
    other = said("A17", at, pid=second, place="4B^12^1", visit="V2").decode().split("\r")[2:]
    return said("A17", at, pid=first, place="5C^1^2", more="\r".join(other))


def moved_two() -> bytes:
    head = said("A45", "0900", pid=ROE, has_visit=False).decode()
    groups = [
        f"MRG|1001^^^HOSP^MR||||{visit}\rPV1|1|I|{place}" + "|" * 16 + visit
        for visit, place in (("V1", "4B^12^1"), ("V9", "DERM"))
    ]
    return "\r".join([head, *groups]).encode()


def of_account(event: str, prior: str = "ACC1", now: str = "", pid: str = DOE) -> bytes:
    return said(
        event, "0900", pid=pid, account=now, has_visit=False, more=f"MRG|1001^^^HOSP^MR||{prior}"
    )


ROE_HERE = said("A01", "0810", pid=ROE, place="5C^1^2", visit="V2")
ON_ACCOUNT = said("A01", "0800", visit="", account="ACC1")
NEW_NUMBER = said("A50", "0900", visit="V7", more="MRG|1001^^^HOSP^MR||||V1")

SCRIPTS: dict[str, tuple[tuple[bytes, ...], Told, tuple[NoteCode, ...]]] = {
    **MOVED_ON,
    "a visit becomes another patient's": ((ADMITTED, HERE, MOVED), {("1002", "V1"): OPEN}, ()),
    "and gets another number with it": (
        (ADMITTED, said("A45", "0900", pid=ROE, visit="V8", more="MRG|1001^^^HOSP^MR||||V1")),
        {("1002", "V8"): OPEN},
        (),
    ),
    "a message that names the visit in MRG alone": (
        (
            ADMITTED,
            said("A45", "0900", pid=ROE, visit="", more="MRG|1001^^^HOSP^MR||||V1^^^HOSP"),
        ),
        {("1002", "V1"): OPEN},
        (),
    ),
    "a message that names the visit in PV1 alone": (
        (ADMITTED, said("A45", "0900", pid=ROE, more="MRG|1001^^^HOSP^MR")),
        {("1002", "V1"): OPEN},
        (),
    ),
    "two visits in one message": (
        (ADMITTED, said("A04", "0810", visit="V9", place="DERM"), moved_two()),
        {("1002", "V1"): OPEN, ("1002", "V9"): ("open", "DERM")},
        (),
    ),
    "another visit of the patient stays": (
        (ADMITTED, said("A04", "0810", visit="V9", place="DERM"), MOVED),
        {("1001", "V9"): ("open", "DERM"), ("1002", "V1"): OPEN},
        (),
    ),
    "a visit moved and moved back": (
        (ADMITTED, MOVED, said("A45", "1000", more="MRG|1002^^^HOSP^MR||||V1")),
        {("1001", "V1"): OPEN},
        (),
    ),
    "a late update does not bring the visit back": (
        (ADMITTED, MOVED, said("A08", "0830", place="3A^1")),
        {("1002", "V1"): OPEN},
        (),
    ),
    "nor does one that speaks of the old patient": (
        (ADMITTED, MOVED, said("A08", "0930")),
        {("1002", "V1"): OPEN},
        (),
    ),
    "a visit that was never told of": (
        (MOVED,),
        {("1002", "V1"): OPEN},
        (NoteCode.NUMBER_NOT_KNOWN,),
    ),
    "a visit that had no number": (
        (said("A01", "0800", visit=""), MOVED),
        {("1002", "V1"): OPEN},
        (),
    ),
    "the move of a visit that is over": (
        (
            ADMITTED,
            said("A03", "0830"),
            said(
                "A45",
                "0900",
                pid=ROE,
                discharged="20261127083000",
                more="MRG|1001^^^HOSP^MR||||V1",
            ),
        ),
        {("1002", "V1"): ("closed", "4B 12 1")},
        (),
    ),
    "the move of a visit that is over, without its end": (
        (ADMITTED, said("A03", "0830"), MOVED),
        {("1002", "V1"): ("closed", "4B 12 1")},
        (),
    ),
    "and an update, which says nothing of it": (
        (ADMITTED, said("A03", "0830"), MOVED, said("A08", "1000", pid=ROE, place="5C")),
        {("1002", "V1"): ("closed", "5C")},
        (),
    ),
    "and the cancel of its end": (
        (ADMITTED, said("A03", "0830"), MOVED, said("A13", "1000", pid=ROE)),
        {("1002", "V1"): OPEN},
        (),
    ),
    "and its admission": (
        (ADMITTED, said("A03", "0830"), MOVED, said("A01", "1000", pid=ROE)),
        {("1002", "V1"): OPEN},
        (),
    ),
    "the move of a visit whose end was cancelled": (
        (ADMITTED, said("A03", "0830"), said("A13", "0840"), MOVED),
        {("1002", "V1"): OPEN},
        (),
    ),
    "the move of a visit that is still to come": (
        (said("A05", "0800", kind="P"), said("A28", "0700", pid=ROE, has_visit=False), MOVED),
        {},
        (),
    ),
    "the move of the account of a visit that is over": (
        (
            said("A01", "0800", account="ACC1"),
            said("A03", "0830", account="ACC1"),
            of_account("A44", pid=ROE),
            said("A08", "1000", pid=ROE, account="ACC1"),
        ),
        {("1002", "V1"): ("closed", "4B 12 1")},
        (),
    ),
    "the move of a visit that was cancelled": (
        (ADMITTED, said("A11", "0830"), MOVED),
        {},
        (),
    ),
    "all visits of an account become another patient's": (
        (
            said("A01", "0800", account="ACC1"),
            said("A04", "0810", visit="V9", account="ACC2", place="DERM"),
            of_account("A44", pid=ROE),
        ),
        {("1001", "V9"): ("open", "DERM"), ("1002", ""): ("", "")},
        (),
    ),
    "a visit that is known by its account becomes another patient's": (
        (ON_ACCOUNT, of_account("A44", pid=ROE)),
        {("1002", ""): ("", "")},
        (),
    ),
    "an account that was never told of": (
        (ADMITTED, of_account("A44", pid=ROE)),
        {("1001", "V1"): OPEN, ("1002", ""): ("", "")},
        (NoteCode.NUMBER_NOT_KNOWN,),
    ),
    "a visit gets another number": (
        (ADMITTED, NEW_NUMBER, said("A03", "1000", visit="V7")),
        {("1001", "V7"): ("closed", "4B 12 1")},
        (),
    ),
    "a message by the old number is about the same visit": (
        (ADMITTED, NEW_NUMBER, said("A03", "1000", visit="V1")),
        {("1001", "V7"): ("closed", "4B 12 1")},
        (),
    ),
    "an update by the new number came before the change": (
        (ADMITTED, said("A08", "0830", visit="V7", place="3A^1"), NEW_NUMBER),
        {("1001", "V7"): OPEN},
        (),
    ),
    "a number that is changed and was never told of": (
        (NEW_NUMBER,),
        {("1001", "V7"): OPEN},
        (NoteCode.NUMBER_NOT_KNOWN,),
    ),
    "a number that is changed and changed back": (
        (ADMITTED, NEW_NUMBER, said("A50", "1000", more="MRG|1001^^^HOSP^MR||||V7")),
        {("1001", "V1"): OPEN},
        (),
    ),
    "an outpatient becomes an inpatient under another number": (
        (
            said("A04", "0800", kind="O", place="DERM"),
            said("A06", "0900", visit="V7", more="MRG|1001^^^HOSP^MR||||V1"),
        ),
        {("1001", "V7"): OPEN},
        (),
    ),
    "an admission is cancelled by the new number": (
        (ADMITTED, NEW_NUMBER, said("A11", "1000", visit="V7")),
        {},
        (),
    ),
    "an admission is cancelled by the new account": (
        (ON_ACCOUNT, of_account("A49", now="ACC7"), said("A11", "1000", visit="", account="ACC7")),
        {},
        (),
    ),
    "a discharge is cancelled by the new number": (
        (ADMITTED, said("A03", "0830"), NEW_NUMBER, said("A13", "1000", visit="V7")),
        {("1001", "V7"): OPEN},
        (),
    ),
    "an admission of another patient's visit is cancelled": (
        (ADMITTED, MOVED, said("A11", "1000", pid=ROE)),
        {},
        (),
    ),
    "a visit gets another account": (
        (ON_ACCOUNT, of_account("A49", now="ACC7")),
        {("1001", "ACC7"): OPEN},
        (),
    ),
    "a visit with its own number gets another account": (
        (said("A01", "0800", account="ACC1"), of_account("A49", now="ACC7")),
        {("1001", "V1"): OPEN},
        (),
    ),
    "numbers that no picture has change": (
        (ADMITTED, said("A51", "0900", has_visit=False, more="MRG|1001^^^HOSP^MR|||||ALT")),
        {("1001", "V1"): OPEN},
        (),
    ),
    "two patients swap beds": (
        (ADMITTED, ROE_HERE, swap()),
        {("1001", "V1"): ("open", "5C 1 2"), ("1002", "V2"): OPEN},
        (),
    ),
    "whichever of them is named first": (
        (ADMITTED, ROE_HERE, swap(), swap(at="1100")),
        {("1001", "V1"): ("open", "5C 1 2"), ("1002", "V2"): OPEN},
        (),
    ),
}


def noted(census: Census) -> tuple[NoteCode, ...]:
    return tuple(note.code for message in census.noted_messages() for note in message.notes)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_move_ends_with_the_right_value_in_any_order_and_so_after_a_restart(
    opened: Callable[..., Census], name: str
) -> None:
    messages, right, notes = SCRIPTS[name]
    for number, order in enumerate(permutations(messages)):
        census = opened(str(number))
        send(census, *order, *order)
        assert told(census) == right, order
    again = opened("0")
    assert told(again) == right
    again.rebuild()
    assert told(again) == right
    assert noted(again) == notes
    assert not any(row.doubts for row in again.find(""))


def test_who_lost_a_visit_has_it_as_another_patients(opened: Callable[..., Census]) -> None:
    census = opened()
    send(census, ADMITTED)
    (row,) = census.find("")
    send(census, MOVED)
    now, theirs = census.person(DOES), census.person(ROES)
    assert now is not None
    assert theirs is not None
    visit = visit_now(row.encounter, now)
    assert visit is not None
    assert visit.state is EncounterState.MOVED
    assert now.patient.name == row.patient.name, "of the person nothing was said"
    assert [visit.visit_number for visit in theirs.visits] == ["V1"]


def test_an_admission_that_tells_the_visit_again_shares_it(opened: Callable[..., Census]) -> None:
    census = opened()
    send(census, ADMITTED, MOVED, said("A01", "1000"))
    rows = census.find("")
    assert {row.patient.patient_id.value for row in rows} == {"1001", "1002"}
    assert all(Doubt.SHARED_VISIT_NUMBER in row.doubts for row in rows)


def test_the_visit_of_an_exam_is_found_under_its_new_number(opened: Callable[..., Census]) -> None:
    census = opened()
    send(census, ADMITTED)
    (row,) = census.find("")
    send(census, NEW_NUMBER, said("A11", "1000", visit="V7"))
    now = census.person(DOES)
    assert now is not None
    visit = visit_now(row.encounter, now)
    assert visit is not None
    assert (visit.visit_number, visit.state) == ("V7", EncounterState.CANCELLED)


REFUSED = {
    "a move from nobody": said("A45", "0900", pid=ROE),
    "a move of nothing": said(
        "A45", "0900", pid=ROE, has_visit=False, more="MRG|1001^^^HOSP^MR||||"
    ),
    "a move to the same patient": said("A45", "0900", more="MRG|1001^^^HOSP^MR||||V1"),
    "a move from whom the message does not say": said(
        "A45", "0900", pid=ROE, more="MRG|1001||||V1"
    ),
    "a move under a number that no image can hold": said(
        "A45", "0900", pid=ROE, visit="V" * 65, more="MRG|1001^^^HOSP^MR||||V1"
    ),
    "a move under a number that is cut": said(
        "A45", "0900", pid=ROE, visit="V1&2", more="MRG|1001^^^HOSP^MR||||V1"
    ),
    "an account of nobody": said("A44", "0900", pid=ROE, has_visit=False),
    "a number in place of none": said("A50", "0900", visit="V7", more="MRG|1001^^^HOSP^MR"),
    "no number in place of one": said(
        "A50", "0900", visit="", account="ACC1", more="MRG|1001^^^HOSP^MR||||V1"
    ),
    "a number of another patient": said("A50", "0900", visit="V7", more="MRG|1002^^^HOSP^MR||||V1"),
    "a number that no image can hold": said(
        "A50", "0900", visit="V" * 65, more="MRG|1001^^^HOSP^MR||||V1"
    ),
    "an account of another patient": said(
        "A49", "0900", account="ACC7", has_visit=False, more="MRG|1002^^^HOSP^MR||ACC1"
    ),
    "a swap with nobody": said("A17", "0900"),
    "a swap of one patient with the same": swap(second=DOE),
    "a swap of a visit whose number is cut": swap().replace(b"|V2", b"|V1&2"),
    "a swap of three": said("A17", "0900", more="\r".join(swap().decode().split("\r")[2:])),
    "a merge whose other number names nobody's authority": said(
        "A40", "0900", has_visit=False, more="MRG|1002"
    ),
    "a merge whose other number cannot be read": said(
        "A40", "0900", has_visit=False, more="MRG|1002&3^^^HOSP^MR"
    ),
    "a merge of several numbers": said(
        "A40", "0900", has_visit=False, more="MRG|1002^^^HOSP^MR~7^^^HOSP^MR"
    ),
    "a visit that gets a number that is cut": said(
        "A06", "0900", visit="V7&2", more="MRG|1001^^^HOSP^MR||||V1"
    ),
    "a visit that gets a number that no image can hold": said(
        "A07", "0900", visit="V" * 65, more="MRG|1001^^^HOSP^MR||||V1"
    ),
    "another number in place of one of which no authority is told": said(
        "A47", "0900", has_visit=False, more="MRG|1002"
    ),
    "another number in place of one of several": said(
        "A47", "0900", has_visit=False, more="MRG|1002^^^^MR~7^^^SSA^SS"
    ),
    "two records linked": said(
        "A24", "0900", has_visit=False, more="PID|2||1002^^^HOSP^MR||Roe^Rick"
    ),
    "two records told apart": said(
        "A37", "0900", has_visit=False, more="PID|2||1002^^^HOSP^MR||Roe^Rick"
    ),
    "a patient deleted": said("A29", "0900", has_visit=False),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_out_marks_all_whom_it_names_and_changes_nothing(
    opened: Callable[..., Census], name: str
) -> None:
    census = opened()
    send(census, ADMITTED, ROE_HERE)
    before = told(census)
    message = REFUSED[name]
    send(census, message, answer=b"MSA|AE")
    for again in (census, opened()):
        assert told(again) == before
        marked = {
            row.patient.patient_id.value
            for row in again.find("")
            if Doubt.MERGE_REFUSED in row.doubts
        }
        named = {number for number in ("1001", "1002") if number.encode() in message}
        if "cannot be read" in name:
            named = {"1001"}
        assert marked == named
        assert again.feed_status()[0].dead_letters == 1


@pytest.mark.parametrize(
    ("pid_3", "mrg_1"),
    [
        ("1001^^^HOSP^MR~124^^^SSA^SS", "123^^^SSA^SS"),
        ("1001^^^HOSP^MR", "123^^^SSA^SS"),
        ("1001^^^HOSP^MR~8^^^LAB&1.2.9&ISO^MR", "7^^^LAB^MR~6^^^&1.2.9&ISO"),
    ],
)
def test_a_changed_number_of_another_authority_is_accepted_without_effect(
    opened: Callable[..., Census], pid_3: str, mrg_1: str
) -> None:
    census = opened()
    send(census, ADMITTED, ROE_HERE)
    before = told(census)
    pid = DOE.replace("1001^^^HOSP^MR", pid_3)
    send(census, said("A47", "0900", pid=pid, has_visit=False, more=f"MRG|{mrg_1}"))
    assert told(census) == told(opened()) == before
    (message,) = census.noted_messages()
    assert message.notes == (FeedNote("MRG-1", NoteCode.NUMBER_OF_OTHERS),)
    send(census, said("A50", "1000", pid=pid, visit="V7", more=f"MRG|{mrg_1}||||V1"))
    assert ("1001", "V7") in told(census)
    assert not any(row.doubts for row in census.find("1001"))


@pytest.mark.parametrize(
    "mrg_1",
    ["9^^^HOSP^PI", "9^^^LAB^MR", "9^^^LAB", "9^^^&1.2.3&ISO^MR", "9&1^^^SSA^SS", "9^^^SSA^SS~8"],
)
def test_a_changed_number_that_may_be_the_patients_by_another_name_is_refused(
    opened: Callable[..., Census], mrg_1: str
) -> None:
    census = opened()
    send(census, ADMITTED)
    message = said("A47", "0900", has_visit=False, more=f"MRG|{mrg_1}")
    send(census, message, answer=b"MSA|AE")
    (row,) = census.find("")
    assert row.doubts == {Doubt.MERGE_REFUSED}


@pytest.mark.expects_log("feed-message-not-stored")
def test_a_swap_of_which_one_half_could_not_be_stored_is_finished_when_it_comes_again(
    opened: Callable[..., Census], monkeypatch: pytest.MonkeyPatch
) -> None:
    census = opened()
    send(census, ADMITTED, ROE_HERE)
    keep = census._journal.keep

    def fails(*args: object, part: int = 0, **kwargs: object) -> int | None:
        if part == 1:
            raise StoreError("no room")
        return keep(*args, part=part, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(census._journal, "keep", fails)
        send(census, swap(), answer=b"MSA|AE")
    send(census, swap())
    assert told(census) == {("1001", "V1"): ("open", "5C 1 2"), ("1002", "V2"): OPEN}
    assert told(opened()) == told(census)
