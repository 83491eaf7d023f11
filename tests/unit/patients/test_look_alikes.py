"""Who may be taken for whom."""

from dataclasses import replace
from datetime import date

import pytest

from capture_app.model.patient import NameGroup, PersonName
from capture_app.patients.finding.look_alikes import LookAlike, LookAlikes
from tests.unit.patients.people import a_patient


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("O'Brien", "OBRIEN", LookAlike.SURNAME),
        ("O\u2019Brien", "O'Brien", LookAlike.SURNAME),
        ("Smith-Jones", "Smith Jones", LookAlike.SURNAME),
        ("Şimşek", "Simsek", LookAlike.SURNAME),
        ("Sørensen", "Sorensen", LookAlike.SURNAME),
        ("Doe\u200b", "Doe", LookAlike.SURNAME),
        ("阿部", "阿部", LookAlike.SURNAME),
        ("Doe", "Roe", None),
        ("阿部", "佐藤", None),
        ("", "", None),
    ],
)
def test_a_surname_is_alike_however_it_is_written(
    one: str, other: str, kind: LookAlike | None
) -> None:
    alike = LookAlikes()
    mine = replace(a_patient(number="1"), name=PersonName(NameGroup(one, "")))
    theirs = a_patient(number="2", born=date(1980, 1, 1))
    theirs = replace(theirs, name=PersonName(NameGroup(other, "")))
    alike.put(mine)
    alike.put(theirs)
    assert alike.kind_of(mine) is alike.kind_of(theirs) is kind
    alike.remove(theirs.patient_id.key)
    assert alike.kind_of(mine) is None


def test_whoever_may_say_the_same_year_is_among_the_others() -> None:
    alike = LookAlikes()
    mine = replace(
        a_patient(number="1", born=date(1950, 3, 1)), name=PersonName(NameGroup("Smith"))
    )
    same = replace(
        mine, patient_id=replace(mine.patient_id, value="2"), birth_date=date(1950, 9, 9)
    )
    same = replace(same, name=PersonName(NameGroup("Stone")))
    for other in (mine, same):
        alike.put(other)
    assert alike.kind_of(mine) is None
    assert alike.others(mine) == (same,)
    alike.put(replace(same, birth_date=date(1951, 9, 9)))
    assert alike.others(mine) == ()
    unknown = replace(same, birth_date=None)
    alike.put(unknown)
    assert alike.others(mine) == (unknown,)
    alike.remove(unknown.patient_id.key)
    assert alike.others(mine) == ()
