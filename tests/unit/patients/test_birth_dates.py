"""A birth date of which only a part is known."""

from datetime import date

import pytest

from capture_app.model.patient import PartialDate
from tests.unit.patients.people import a_patient

BORN = date(1956, 7, 14)


@pytest.mark.parametrize("said", [PartialDate(1956), PartialDate(1956, 7)])
def test_a_part_that_agrees_takes_nothing_from_the_whole(said: PartialDate) -> None:
    assert a_patient(born=BORN).with_birth_date(said) == a_patient(born=BORN)


@pytest.mark.parametrize("said", [PartialDate(1957), PartialDate(1956, 8)])
def test_a_part_that_contradicts_the_whole_takes_nothing_from_it(said: PartialDate) -> None:
    assert a_patient(born=BORN).with_birth_date(said) == a_patient(born=BORN)


def test_a_year_takes_no_month_away_and_another_part_takes_its_place() -> None:
    known = a_patient(born=None).with_birth_date(PartialDate(1956, 7))
    assert known.with_birth_date(PartialDate(1956)) == known
    for said in (PartialDate(1956, 8), PartialDate(1957)):
        assert known.with_birth_date(said).partial_birth_date == said


def test_a_whole_date_takes_the_place_of_a_part_and_none_of_either() -> None:
    part = a_patient(born=None).with_birth_date(PartialDate(1956))
    assert part.with_birth_date(BORN) == a_patient(born=BORN)
    assert part.with_birth_date(None) == a_patient(born=None)
    assert a_patient(born=None).birth_year is None


@pytest.mark.parametrize(("year", "month"), [(0, None), (1956, 0), (1956, 13), (10_000, None)])
def test_a_part_that_cannot_be_is_none(year: int, month: int | None) -> None:
    with pytest.raises(ValueError, match="no such"):
        PartialDate(year, month)
