"""Who may be opened from the list: the patient whose initials and year were said."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.exam.initials import forms_of, may_be_said_alike
from capture_app.exam.second_identifier import Answer, Question, question_of
from capture_app.exam.second_identifier import is_right as is_right_answer
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.model.worklist import IdentifiedBy


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


def is_right(patient: Patient, initials: str, second: str) -> bool:
    """Asked of a patient whom nobody resembles."""
    question = question_of(patient)
    year, last = (second, "") if question.year else ("", second)
    return is_right_answer(patient, question, Answer(initials, year, last))


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
        ("MTN", "1956"),
        ("NMT", "1956"),
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

    assert question_of(patient) == Question(initials=True, year=False, last=4)
    assert question_of(patient).identifies_by is IdentifiedBy.INITIALS_AND_NUMBER
    assert is_right(patient, "HO", "5678")
    assert not is_right(patient, "HO", "1956")
    assert not is_right(patient, "HO", "")
    usual = question_of(a_patient("Hansen", "Ole"))
    assert usual == Question(initials=True, year=True, last=0)
    assert usual.identifies_by is IdentifiedBy.INITIALS_AND_YEAR


@pytest.mark.parametrize(
    ("family", "given_name", "middle"),
    [
        ("Nguyễn", "Mai", "Thị"),
        ("Nguyễn", "Thị Mai", ""),
        ("NGUYEN", "THI MAI", ""),
        ("NGUYEN THI MAI", "", ""),
    ],
)
@pytest.mark.parametrize("said", ["NM", "NT", "NTM", "MN", "TN", "TMN"])
def test_every_usual_form_of_a_vietnamese_name_is_taken(
    family: str, given_name: str, middle: str, said: str
) -> None:
    assert is_right(a_patient(family, given_name, middle=middle), said, "1956")


def native_only(family: str, given_name: str) -> Patient:
    return a_patient("", "", native=NameGroup(family, given_name))


@pytest.mark.parametrize(
    ("family", "given_name", "said"),
    [
        ("الهاشمي", "ليلى", "HL"),
        ("الهاشمي", "ليلى", "AL"),
        ("الهاشمي", "ليلى", "LH"),
        ("الهاشمي", "ليلى", "ال"),
        ("خان", "عمر", "KO"),
        ("김", "민수", "KM"),
        ("김", "민수", "KMS"),
        ("이", "영", "LY"),
        ("グエン", "マイ", "GM"),
        ("さとう", "けんいち", "SK"),
        ("Ковалёв", "Юрий", "KY"),
        ("Παπαδόπουλος", "Γιώργος", "PG"),
        ("כהן", "שרה", "CS"),
    ],
)
def test_a_name_of_another_script_alone_is_answered_in_latin_letters(
    family: str, given_name: str, said: str
) -> None:
    patient = native_only(family, given_name)
    assert question_of(patient) == Question(initials=True, year=True, last=0)
    assert is_right(patient, said, "1956")
    assert not is_right(patient, "XX", "1956")


@pytest.mark.parametrize(("family", "given_name"), [("王", "小明"), ("ศรี", "สมชาย"), ("", "")])
def test_where_no_initials_can_be_typed_year_and_number_are_asked(
    family: str, given_name: str
) -> None:
    patient = native_only(family, given_name)
    question = question_of(patient)
    assert question == Question(initials=False, year=True, last=4)
    assert question.identifies_by is IdentifiedBy.YEAR_AND_NUMBER
    assert is_right_answer(patient, question, Answer(year="1956", last="5678"))
    assert not is_right_answer(patient, question, Answer(year="1956", last="5679"))


def test_twins_are_told_apart_by_the_end_of_the_number() -> None:
    tom = a_patient("Smith", "Tom", number="0012345678")
    tim = a_patient("Smith", "Tim", number="0012345679")
    ann = a_patient("Smith", "Ann", number="0012341111")
    assert question_of(tom, [tom, ann]).last == 0
    question = question_of(tom, [tim, ann])
    assert question == Question(initials=True, year=True, last=4)
    assert is_right_answer(tom, question, Answer("ST", "1956", "5678"))
    assert not is_right_answer(tom, question, Answer("ST", "1956", "5679"))
    assert question_of(tom, [a_patient("Tanner", "Sue", number="1")]).last == 4  # TS fits both
    unknown = a_patient("Stone", "Tess", born=None, number="1")
    assert question_of(tom, [unknown]).last == 4  # she may say his year


def test_numbers_that_end_alike_are_asked_as_far_as_they_tell() -> None:
    tom = a_patient("Smith", "Tom", number="0012345678")
    tim = a_patient("Smith", "Tim", number="0099345678")
    assert question_of(tom, [tim]).last == 7


def a_john(at: int, born: int) -> Patient:
    return a_patient("Smith", "John", born=date(born, 1, 1), number=f"{at:010}")


@given(st.lists(st.tuples(st.integers(1, 99999), st.integers(1950, 1953)), min_size=2, max_size=30))
def test_of_thirty_john_smiths_an_answer_opens_one(people: list[tuple[int, int]]) -> None:
    johns = {at: a_john(at, born) for at, born in people}.values()
    for john in johns:
        others = [other for other in johns if other is not john]
        question = question_of(john, others)
        number = john.patient_id.value
        answer = Answer(
            "SJ", f"{john.birth_year}", number[-question.last :] if question.last else ""
        )
        assert is_right_answer(john, question, answer)
        assert not any(is_right_answer(other, question, answer) for other in others)


@given(st.text(max_size=12), st.text(max_size=6))
def test_no_answer_crashes_it_and_a_wrong_year_never_opens(initials: str, year: str) -> None:
    patient = a_patient("Nguyễn", "Thị Mai")

    if is_right(patient, initials, year):
        assert int(year.strip()) == 1956


names = st.sampled_from(
    [
        "",
        "Ng",
        "Nguyen",
        "Al-Hasan",
        "Ó Brien",
        "de la Cruz",
        "Łoś",
        "Иванов",
        "阿部",
        "김민준",
        "あべ",
    ]
)
groups = st.builds(NameGroup, names, names, names)


@given(st.builds(PersonName, groups, groups, groups), st.builds(PersonName, groups, groups, groups))
def test_the_short_cut_keeps_nobody_out_who_may_be_said_alike(
    one: PersonName, other: PersonName
) -> None:
    alike = any(
        len(form) == len(their) and all(a & b for a, b in zip(form, their, strict=True))
        for form in forms_of(one)
        for their in forms_of(other)
    )
    assert may_be_said_alike(one, other) is alike


def test_of_thousands_of_one_year_few_are_looked_at_closely() -> None:
    """All ways of saying the initials take 0.1 ms a name: a question would come a second late."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    people = [
        a_patient(f"{letters[n % 26]}son{n}", f"{letters[n // 26 % 26]}anne", number=f"{n:06}")
        for n in range(2_600)
    ]
    forms_of.cache_clear()
    assert question_of(people[1], people).last
    assert forms_of.cache_info().misses < 100
