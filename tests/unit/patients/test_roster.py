import random
from dataclasses import replace
from datetime import date

import pytest

from capture_app.model.patient import NameGroup, PartialDate, PatientId
from capture_app.model.words import use
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.finding.roster import Roster, row_of
from tests.unit.patients.people import a_patient, a_visit, an_entry

PEOPLE = (
    an_entry(a_patient("Nguyễn", "Thị Mai", number="0012345678", native=NameGroup("阮", "氏梅"))),
    an_entry(a_patient("O'Connell", "Siobhán", number="44-555-6", born=date(1980, 1, 2))),
    an_entry(a_patient("van der Berg", "Pieter Jan", number="A9001", born=None)),
    an_entry(a_patient("Müller-Lüdenscheidt", "Jörg", number="3000", born=date(2001, 12, 31))),
    an_entry(
        a_patient("الأحمد", "محمد", number="5000", other_ids=(PatientId("NHS99", "NHS"),)),
        a_visit("ADM77", "Surgery North", "12"),
    ),
    an_entry(a_patient("王", "小明", number="6000", born=date(1999, 9, 9)), a_visit("V2", "7A")),
)


@pytest.fixture
def roster() -> Roster:
    roster = Roster()
    roster.fill([row_of(entry) for entry in PEOPLE])
    return roster


def numbers(found: tuple[PatientListEntry, ...]) -> list[str]:
    return [entry.patient.patient_id.value for entry in found]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("nguyen", "0012345678"),
        ("NGUYỄN", "0012345678"),
        ("mai", "0012345678"),
        ("Nguyễn, Thị", "0012345678"),
        ("thi nguy", "0012345678"),
        ("阮", "0012345678"),
        ("氏梅", "0012345678"),
        ("阮氏梅", "0012345678"),
        ("5678", "0012345678"),
        ("0012", "0012345678"),
        ("14-Jul-1956 ng", "0012345678"),
        ("o'connell", "44-555-6"),
        ("oconnell", "44-555-6"),
        ("siobhan", "44-555-6"),
        ("44-555", "44-555-6"),
        ("445556", "44-555-6"),
        ("2.1.1980", "44-555-6"),
        ("02011980", "44-555-6"),
        ("1980-01-02", "44-555-6"),
        ("19800102", "44-555-6"),
        ("2 Jan 1980", "44-555-6"),
        ("2nd January 1980", "44-555-6"),
        ("02-jan-19", "44-555-6"),
        ("2/1/19", "44-555-6"),
        ("1980", "44-555-6"),
        ("01-1980", "44-555-6"),
        ("berg", "A9001"),
        ("van der b", "A9001"),
        ("vanderb", "A9001"),
        ("a9001", "A9001"),
        ("mueller", "3000"),
        ("muller", "3000"),
        ("lüdenscheidt", "3000"),
        ("mullerlu", "3000"),
        ("joerg", "3000"),
        ("محمد", "5000"),
        ("احمد", "5000"),
        ("nhs99", "5000"),
        ("surgery", "5000"),
        ("north 12", "5000"),
        ("adm77", "5000"),
        ("王小", "6000"),
        ("小明", "6000"),
        ("7a", "6000"),
    ],
)
def test_a_patient_is_found_however_it_is_typed(roster: Roster, typed: str, number: str) -> None:
    assert numbers(roster.find(typed, 10)) == [number]


def test_what_is_being_typed_keeps_the_patient_in_sight(roster: Roster) -> None:
    for whole in ("14-Jul-1956", "14/7/1956", "1956-07-14", "nguyễn thị", "0012345678"):
        for end in range(1, len(whole) + 1):
            assert "0012345678" in numbers(roster.find(whole[:end], 10)), whole[:end]


@pytest.mark.parametrize(
    "typed", ["uyen", "nguyen zz", "13-Jul-1956", "0012345679", "x\x1fy", "smith", "1956 berg"]
)
def test_what_is_not_there_is_not_found(roster: Roster, typed: str) -> None:
    assert roster.find(typed, 10) == ()


@pytest.mark.parametrize("typed", ["", "  ", ",", "-", "'", "\n"])
def test_nothing_asked_is_all_in_the_order_of_the_list(roster: Roster, typed: str) -> None:
    found = numbers(roster.find(typed, 10))
    assert found == ["3000", "0012345678", "44-555-6", "A9001", "5000", "6000"]
    assert numbers(roster.find(typed, 2)) == found[:2]


def test_a_line_feed_in_a_value_joins_no_two_rows() -> None:
    roster = Roster()
    roster.put(row_of(an_entry(a_patient("Doe\nRoe", "J\x1f", number="1"))))
    roster.put(row_of(an_entry(a_patient("Zed", "Z", number="2"))))
    assert numbers(roster.find("roe", 10)) == ["1"]
    assert numbers(roster.find("zed", 10)) == ["2"]


def test_changes_keep_order_and_are_found(roster: Roster) -> None:
    old = row_of(PEOPLE[0])
    roster.remove(old.key)
    assert roster.find("nguyen", 10) == ()
    roster.remove(old.key)
    roster.remove(row_of(an_entry(a_patient("Nobody"))).key)
    assert len(roster) == len(PEOPLE) - 1
    roster.put(row_of(an_entry(a_patient("Aardvark", "Al", number="1"))))
    assert numbers(roster.find("", 1)) == ["1"]
    roster.put(row_of(an_entry(a_patient("Aardvark", "Al", number="1", born=date(1950, 1, 1)))))
    assert len(roster) == len(PEOPLE)
    assert numbers(roster.find("1.1.1950", 10)) == ["1"]


def test_thousands_of_changes_leave_the_same_as_a_fresh_list() -> None:
    rng = random.Random(5)
    families = ["Ali", "Berg", "Chen", "Diaz", "Evans", "Fischer"]
    rows = [
        row_of(an_entry(a_patient(rng.choice(families), "P", number=f"{number:05d}")))
        for number in range(6000)
    ]
    grown = Roster()
    for row in rows:
        grown.put(row)
    for row in rows[::2]:
        grown.remove(row.key)
    fresh = Roster()
    fresh.fill(rows[1::2])
    assert len(grown) == len(fresh) == 3000
    assert grown.find("", 9999) == fresh.find("", 9999)
    for typed in ("chen", "0012", "berg 00", "evans 05999", "zz"):
        assert grown.find(typed, 9999) == fresh.find(typed, 9999)
    for row in rows[1::2]:
        grown.remove(row.key)
    assert len(grown) == 0
    assert grown.find("", 10) == ()


# ---------------------------------------------------------------------------------------- places


WARD_MATES = (
    an_entry(a_patient("Adams", "Ann", number="1"), a_visit("V1", "4B", "12")),
    an_entry(a_patient("Bedford", "Bo", number="2"), a_visit("V2", "4B", "1-2")),
    an_entry(a_patient("Cole", "Cy", number="1200"), a_visit("V3", "5C", "3")),
    an_entry(a_patient("Ward", "Di", number="4", born=date(1956, 1, 2)), a_visit("V4", "12", "4")),
    an_entry(a_patient("Eden", "Ed", number="5"), a_visit("V5", "Stroke Unit", "A")),
    replace(an_entry(a_patient("Frost", "Fay", number="6")), encounter=None),
)


@pytest.fixture
def ward() -> Roster:
    roster = Roster()
    roster.fill([row_of(entry) for entry in WARD_MATES])
    return roster


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("bed 12", ["1", "2"]),  # 12 and 1-2; not number 1200, not ward 12
        ("4B, bed 12", ["1", "2"]),
        ("BED 12", ["1", "2"]),
        ("bed12", ["1", "2"]),
        ("bed: 1-2", ["1", "2"]),
        ("bed 12 adams", ["1"]),
        ("adams bed 1", ["1"]),
        ("ward 12", ["4"]),
        ("ward 4", ["1", "2", "4"]),  # and Ward in bed 4
        ("ward 4b bed 12 ann", ["1"]),
        ("ward 4b, bed 3", []),
        ("ward stroke unit", ["5"]),
        ("ward stroke bed a", ["5"]),
        ("ward 1956", ["4"]),  # the name and the year
        ("ward di", ["4"]),
        ("bedf", ["2"]),
        ("be", ["2"]),
        ("bedford 4b", ["2"]),
        ("5c bed", ["1200"]),  # the number of the bed is still to come
        ("5c bed ", ["1200"]),
        ("frost bed", []),
        ("wardrobe 12", []),
    ],
)
def test_a_place_is_found_as_the_row_says_it(ward: Roster, typed: str, found: list[str]) -> None:
    assert numbers(ward.find(typed, 10)) == found


def test_the_word_alone_finds_everybody_who_has_a_place_in_the_order_of_the_list(
    ward: Roster,
) -> None:
    assert numbers(ward.find("bed", 10)) == ["1", "2", "1200", "5", "4"]
    assert numbers(ward.find("bed", 2)) == ["1", "2"]


@pytest.mark.parametrize(
    ("translation", "typed"),
    [
        ("Bett {bed}", "Bett 12"),
        ("Bett {bed}", "4b, bett 12"),
        ("السرير {bed}", "السرير 12"),
        ("{bed}床", "12床"),
        ("{bed}. ágy", "12. ágy"),
    ],
)
def test_a_place_is_found_in_the_language_of_the_window(
    ward: Roster, translation: str, typed: str
) -> None:
    use({"bed {bed}": translation})
    try:
        assert numbers(ward.find(typed, 10)) == ["1", "2"]
        assert numbers(ward.find("bed 12", 10)) == ["2"]  # a name, and no place any more
    finally:
        use({})


@pytest.mark.parametrize("typed", ["1956", "195607", "1956-07"])
def test_a_birth_date_that_is_known_in_part_is_found_by_that_part(typed: str) -> None:
    partly = a_patient(number="7000", born=None).with_birth_date(PartialDate(1956, 7))
    roster = Roster()
    roster.fill([row_of(an_entry(partly))])
    assert numbers(roster.find(typed, 10)) == ["7000"]
