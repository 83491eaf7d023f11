"""How facts are written: exact, short, and whole in a sentence from the right."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.model import words
from capture_app.model.encounter import Location
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.ui.words import wording
from tests import sealing

ISOLATES = str.maketrans("", "", "\u2066\u2067\u2068\u2069")
NOW = datetime(2024, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=2)))


def plain(text: str) -> str:
    return text.translate(ISOLATES)


def born(on: date | None) -> Patient:
    return Patient(PatientId("1", "H"), PersonName(NameGroup("A", "B")), on, Sex.UNKNOWN)


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (date(1956, 7, 2), "68 y"),
        (date(1956, 7, 3), "67 y"),
        (date(2022, 7, 2), "2 y"),
        (date(2022, 7, 3), "23 mo"),
        (date(2024, 4, 2), "3 mo"),
        (date(2024, 6, 30), "2 d"),
        (None, ""),
    ],
)
def test_age_is_in_years_months_or_days(on: date | None, said: str) -> None:
    assert plain(wording.age(born(on), NOW.date())) == said


def test_dates_and_numbers_are_isolated() -> None:
    for said in (
        wording.day(date(1956, 7, 14)),
        wording.record_number(PatientId("0012345678", "H")),
        wording.last_digits(PatientId("0012345678", "H")),
        wording.clock_time(NOW),
        wording.countdown(90),
        wording.place(Location("4B", "", "12")),
    ):
        assert said.startswith("\u2066")
        assert said.endswith("\u2069")


def test_an_arabic_month_does_not_pull_the_year_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_catalogue", {"Jul": "يوليو"})

    assert wording.day(date(1956, 7, 14)) == "\u206614-\u2068يوليو\u2069-1956\u2069"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0012345678", "0012 345 678"),
        ("12345678", "12 345 678"),
        ("123456", "123456"),
        ("AB-12345678", "AB-12345678"),
    ],
)
def test_long_numbers_are_grouped_for_the_eye(value: str, said: str) -> None:
    shown = plain(wording.record_number(PatientId(value, "H"))).replace("\u00a0", " ")

    assert shown == said


@given(st.text(min_size=1, max_size=40))
def test_grouping_never_changes_a_number(value: str) -> None:
    shown = wording.record_number(PatientId(value, "H"))[1:-1]

    assert shown.replace("\u00a0", "") == value.replace("\u00a0", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (40, "40 s"),
        (660, "11 min"),
        (4320, "1 h 12 min"),
        (3600, "1 h"),
        (172800, "2 days"),
        (-5, "0 s"),
    ],
)
def test_spans_are_as_short_as_they_can_be(seconds: int, said: str) -> None:
    assert plain(wording.span(timedelta(seconds=seconds))) == said


def test_moments_say_today_else_the_day() -> None:
    assert plain(wording.moment(NOW, NOW)) == "Today 09:30"
    assert plain(wording.moment(NOW - timedelta(days=3), NOW)) == "29-Jun"
    assert plain(wording.moment(NOW - timedelta(days=400), NOW)) == "29-May-2023"


def test_native_names_keep_the_order_of_their_script() -> None:
    latin = NameGroup("X", "Y")

    assert wording.native(PersonName(latin, NameGroup("阮", "氏梅"))) == "阮氏梅"
    assert wording.native(PersonName(latin, NameGroup("الهاشمي", "ليلى"))) == "ليلى الهاشمي"
    assert wording.native(PersonName(latin)) == ""
    assert wording.native(PersonName(NameGroup(), NameGroup("佐藤", "健一"))) == ""


def test_sites_are_said_as_people_say_them() -> None:
    assert wording.site(sealing.description()) == "Left lower leg, front (shin)"
