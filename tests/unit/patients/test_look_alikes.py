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
