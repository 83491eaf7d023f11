"""Who may be opened from the list: the patient whose initials and year were said."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.exam.second_identifier import Question, is_right, question_of
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex


def a_patient(
    family: str,
    given_name: str,
    *,
    middle: str = "",
    born: date | None = date(1956, 7, 14),
    native: NameGroup | None = None,
    number: str = "0012345678",
) -> Patient:
    return Patient(
        PatientId(number, "STANNE"),
        PersonName(NameGroup(family, given_name, middle), native or NameGroup()),
        born,
        Sex.FEMALE,
    )


@pytest.mark.parametrize(
    ("family", "given_name", "middle", "said"),
    [
        ("Nguyễn", "Thị Mai", "", "NTM"),
        ("Nguyễn", "Thị Mai", "", "n t m"),
        ("Nguyễn", "Thị Mai", "", "NT"),
        ("O'Connell", "Siobhán", "", "OS"),
        ("Şahin", "Elif", "", "SE"),
        ("van der Berg", "Pieter", "Jan", "VDBPJ"),
        ("van der Berg", "Pieter", "Jan", "BP"),
        ("van der Berg", "Pieter", "Jan", "v.p."),
        ("Al-Hashimi", "Layla", "", "AHL"),
        ("Al-Hashimi", "Layla", "", "HL"),
        ("Đặng", "Øyvind", "", "DO"),
        ("Pérez García", "José", "", "PGJ"),
    ],
)
def test_initials_are_taken_as_people_say_them(
    family: str, given_name: str, middle: str, said: str
) -> None:
    assert is_right(a_patient(family, given_name, middle=middle), said, "1956")


@pytest.mark.parametrize(
    ("said", "year"),
    [
        ("NTM", "1958"),
        ("NTM", "56"),
        ("NTM", ""),
        ("NTM", "19560"),
        ("NTM", "year"),
        ("TMN", "1956"),
        ("N", "1956"),
        ("", "1956"),
        ("HL", "1956"),
    ],
)
def test_anything_else_is_refused(said: str, year: str) -> None:
    assert not is_right(a_patient("Nguyễn", "Thị Mai"), said, year)


def test_a_name_in_its_own_script_is_answered_in_it() -> None:
    patient = a_patient("Sato", "Kenichi", native=NameGroup("佐藤", "健一"))

    assert is_right(patient, "佐健", "1956")
    assert is_right(patient, "SK", "1956")
    assert not is_right(patient, "佐", "1956")


def test_digits_of_any_script_and_width_are_a_year() -> None:
    assert is_right(a_patient("Sato", "Kenichi"), "SK", " 1956 ")
    assert is_right(a_patient("Al-Hashimi", "Layla"), "AL", "١٩٥٦")


def test_without_a_birth_date_the_last_digits_of_the_number_are_asked() -> None:
    patient = a_patient("Hansen", "Ole", born=None)

    assert question_of(patient) is Question.LAST_DIGITS
    assert is_right(patient, "HO", "5678")
    assert not is_right(patient, "HO", "1956")
    assert not is_right(patient, "HO", "")
    assert question_of(a_patient("Hansen", "Ole")) is Question.BIRTH_YEAR


@given(st.text(max_size=12), st.text(max_size=6))
def test_no_answer_crashes_it_and_a_wrong_year_never_opens(initials: str, year: str) -> None:
    patient = a_patient("Nguyễn", "Thị Mai")

    if is_right(patient, initials, year):
        assert int(year.strip()) == 1956
