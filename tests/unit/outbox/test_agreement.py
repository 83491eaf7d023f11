"""Whether an object names a patient of ours: by number and issuer, and without contradiction."""

from dataclasses import replace
from typing import Any

import pytest

from capture_app.model.patient import NameGroup, PersonName, Sex
from capture_app.model.received import Contradiction, StatedPatient
from capture_app.outbox.receiving.agreement import contradictions
from tests.sealing import MAI

NUMBER = MAI.patient_id
SAID = StatedPatient(NUMBER.value, NUMBER.issuer, "", MAI.name.pn, "19560714", "F")


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({}, ()),
        ({"name": "NGUYEN^Mai"}, ()),
        ({"name": "nguyen^MAI^^Mrs"}, ()),
        ({"name": ""}, ()),
        ({"birth_date": ""}, ()),
        ({"sex": ""}, ()),
        ({"patient_id": ""}, (Contradiction.NUMBER,)),
        ({"patient_id": NUMBER.value.lstrip("0")}, (Contradiction.NUMBER,)),
        ({"issuer": ""}, (Contradiction.ISSUER,)),
        ({"issuer": NUMBER.issuer.lower()}, (Contradiction.ISSUER,)),
        ({"name": "NGUYEN^Minh"}, (Contradiction.NAME,)),
        ({"birth_date": "19570714"}, (Contradiction.BIRTH_DATE,)),
        ({"birth_date": "1956"}, (Contradiction.BIRTH_DATE,)),
        ({"birth_date": "14071956"}, (Contradiction.BIRTH_DATE,)),
        ({"sex": "M"}, (Contradiction.SEX,)),
        ({"sex": "female"}, (Contradiction.SEX,)),
        ({"is_unreadable": True}, (Contradiction.UNREADABLE,)),
    ],
)
def test_what_speaks_against_it(
    changes: dict[str, Any], against: tuple[Contradiction, ...]
) -> None:
    assert contradictions(replace(SAID, **changes), MAI) == against


def test_an_issuer_is_equal_by_its_universal_id_first() -> None:
    known = replace(MAI, patient_id=replace(NUMBER, universal_id="1.2.3"))
    assert contradictions(replace(SAID, issuer="", universal_id="1.2.3"), known) == ()
    other = replace(SAID, universal_id="1.2.4")
    assert contradictions(other, known) == (Contradiction.ISSUER,), "whatever its name is"


def test_nobody_without_a_number_is_anybody() -> None:
    nobody = replace(MAI, patient_id=replace(NUMBER, value="", issuer=""))
    said = replace(SAID, patient_id="", issuer="")
    assert set(contradictions(said, nobody)) == {Contradiction.NUMBER, Contradiction.ISSUER}


def test_what_the_feed_does_not_know_contradicts_nothing() -> None:
    vague = replace(MAI, name=PersonName(NameGroup("NGUYEN")), birth_date=None, sex=Sex.UNKNOWN)
    assert contradictions(SAID, vague) == ()
