"""What the feed says of an open exam: follows by itself, asks, stops or warns."""

from dataclasses import replace
from datetime import date

import pytest

from capture_app.errors import RuleError
from capture_app.exam.standing import (
    Caution,
    Stop,
    WordingPart,
    as_it_is_now,
    combined,
    is_placeholder,
    real_changes,
    standing_of,
    visit_now,
    with_known,
)
from capture_app.model.encounter import EncounterState
from capture_app.model.patient import NameGroup, PartialDate, Patient, PersonName, Sex
from capture_app.model.worklist import Doubt, FeedSource, PatientListEntry, PersonNow
from tests import sealing

MAI = sealing.MAI
EXAM = sealing.exam()


def changed(**changes: object) -> Patient:
    return replace(MAI, **changes)  # type: ignore[arg-type]


def named(family: str, given: str, middle: str = "") -> PersonName:
    return PersonName(NameGroup(family, given, middle))


def now(patient: Patient = MAI, *doubts: Doubt, **visit: object) -> PersonNow:
    encounter = replace(sealing.VISIT, **visit)  # type: ignore[arg-type]
    entry = PatientListEntry(patient, encounter, (), FeedSource.ADT, sealing.STARTED_AT)
    return PersonNow(patient, (encounter,), (entry,), frozenset(doubts))


ALL_THREE = {"name": named("Tran", "Linh"), "birth_date": date(1960, 2, 3), "sex": Sex.MALE}


BORN = (WordingPart.BIRTH_DATE,)


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ({}, {}, ()),
        ({}, {"name": named("Tran", "Mai")}, (WordingPart.NAME,)),
        ({}, {"name": named("NGUYEN", "MAI")}, ()),  # case, accents, a middle name less
        ({}, {"birth_date": date(1956, 7, 15)}, (WordingPart.BIRTH_DATE,)),
        ({}, {"birth_date": None}, (WordingPart.BIRTH_DATE,)),
        ({}, {"birth_date": None, "partial_birth_date": PartialDate(1956)}, ()),
        (
            {},
            {"birth_date": None, "partial_birth_date": PartialDate(1957)},
            (WordingPart.BIRTH_DATE,),
        ),
        ({"birth_date": None, "partial_birth_date": PartialDate(1956)}, {}, ()),
        ({"birth_date": None}, {}, ()),
        ({"sex": Sex.UNKNOWN}, {}, ()),
        ({}, {"sex": Sex.UNKNOWN}, (WordingPart.SEX,)),
        ({}, ALL_THREE, (WordingPart.NAME, WordingPart.BIRTH_DATE, WordingPart.SEX)),
        ({"identity_unknown": True}, ALL_THREE, ()),
        (
            {"name": named("Unknown", "Trauma 7")},
            ALL_THREE,
            (WordingPart.BIRTH_DATE, WordingPart.SEX),
        ),
        ({"name": named("Nguyen", "Baby girl")}, {"birth_date": date(1956, 7, 15)}, BORN),
        ({"name": named("Nguyen", "BG"), "birth_date": None}, {}, ()),
        # grown-ups are called so, too: another birth date makes somebody else of them
        (
            {"name": named("de Vries", "Boy")},
            ALL_THREE,
            (WordingPart.NAME, WordingPart.BIRTH_DATE, WordingPart.SEX),
        ),
        (
            {"name": named("Male", "Ana")},
            {"birth_date": date(1970, 1, 1)},
            (WordingPart.NAME, *BORN),
        ),
    ],
)
def test_what_makes_somebody_else_of_a_patient(
    before: dict[str, object], after: dict[str, object], parts: tuple[WordingPart, ...]
) -> None:
    assert real_changes(changed(**before), changed(**after)) == parts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (named("Unknown", ""), True),
        (named("UNKNOWN", "MALE 3"), True),
        (named("Nguyen", "Baby girl"), True),
        (named("Nguyen", "BG"), True),
        (named("Baby of Nguyen", ""), True),
        (named("Doe", "Jane"), True),
        (named("Doe", "Peter"), False),
        (named("Babic", "Girlanda"), False),
        (named("", ""), True),
        (named("Nguyen", "Mai"), False),
    ],
)
def test_which_names_stand_for_one_that_is_not_known(name: PersonName, expected: bool) -> None:
    assert is_placeholder(name) is expected


def test_one_change_follows_and_two_ask_until_somebody_confirmed_it() -> None:
    one = standing_of(EXAM, now(changed(name=named("Tran", "Mai"))))
    assert (one.newer, one.asks, one.patient.name.shown) == ((WordingPart.NAME,), (), "TRAN, Mai")
    other = changed(**ALL_THREE)
    two = standing_of(EXAM, now(other))
    assert two.asks == (WordingPart.NAME, WordingPart.BIRTH_DATE, WordingPart.SEX)
    assert standing_of(EXAM, now(other), other).asks == ()
    again = standing_of(EXAM, now(MAI), other)
    assert again.asks == (WordingPart.NAME, WordingPart.BIRTH_DATE, WordingPart.SEX)


UNNAMED = {
    "name": named("Unknown", "Trauma 7"),
    "birth_date": None,
    "partial_birth_date": None,
    "sex": Sex.UNKNOWN,
}


@pytest.mark.parametrize("unknown", [UNNAMED, {**UNNAMED, "identity_unknown": True}])
def test_who_became_known_does_not_become_somebody_else_unasked(unknown: dict[str, object]) -> None:
    trauma = changed(**unknown)
    assert real_changes(trauma, changed(**ALL_THREE)) == ()
    known = with_known(trauma, MAI)
    assert real_changes(known, MAI) == ()
    assert real_changes(known, changed(**ALL_THREE)) == (
        WordingPart.NAME,
        WordingPart.BIRTH_DATE,
        WordingPart.SEX,
    )
    assert with_known(known, changed(name=named("Tran", "Linh"))) == known, "what was known stays"


def test_a_part_that_is_not_known_yet_goes_on_to_follow() -> None:
    unknown = changed(**UNNAMED)
    named_only = replace(unknown, name=MAI.name)
    assert with_known(unknown, named_only) == named_only
    assert real_changes(named_only, MAI) == ()
    nobody = changed(**UNNAMED, identity_unknown=True)
    assert with_known(nobody, replace(nobody, name=MAI.name)) == nobody


@pytest.mark.parametrize(
    ("frozen", "issuer", "found"),
    [
        ("ACC9", "", True),
        ("ACC9", "HOSP", True),
        ("ACC9", "OTHER", False),
        ("", "", True),
        ("V0", "", False),
    ],
)
def test_a_visit_that_got_its_own_number_is_still_the_visit_of_the_exam(
    frozen: str, issuer: str, *, found: bool
) -> None:
    gone = replace(sealing.VISIT, visit_number="V1", state=EncounterState.CANCELLED)
    said = replace(now(), visits=(gone,), by_former_number=(("ACC9", "HOSP", gone),))
    exam = replace(EXAM, encounter=replace(sealing.VISIT, visit_number=frozen, issuer=issuer))
    assert standing_of(exam, said).stop is (Stop.VISIT_CANCELLED if found else None)
    if not frozen:
        several = replace(said, visits=(gone, replace(gone, visit_number="V2")))
        assert visit_now(exam.encounter, several) == exam.encounter, "it could be any of them"


def test_the_number_of_the_exam_stays_whatever_the_feed_says_of_it() -> None:
    relabelled = changed(patient_id=replace(MAI.patient_id, type_code="PI", universal_id="1.2"))
    assert standing_of(EXAM, now(relabelled)).patient.patient_id == MAI.patient_id


@pytest.mark.parametrize(
    ("said", "stop", "caution"),
    [
        (now(), None, None),
        (now(state=EncounterState.CANCELLED), Stop.VISIT_CANCELLED, None),
        (now(state=EncounterState.MOVED), Stop.VISIT_MOVED, None),
        (now(state=EncounterState.CLOSED), None, Caution.DISCHARGED),
        (now(MAI, Doubt.NUMBER_RETIRED), Stop.NUMBER_RETIRED, None),
        (now(MAI, Doubt.NUMBER_OF_TWO), Stop.NUMBER_OF_TWO, None),
        (now(MAI, Doubt.MERGE_REFUSED), None, Caution.MERGE_REFUSED),
        (now(MAI, Doubt.SHARED_BED), None, None),
        (now(state=EncounterState.CANCELLED, visit_number="other"), None, None),
        (None, None, None),
    ],
)
def test_what_stops_and_what_warns(
    said: PersonNow | None, stop: Stop | None, caution: Caution | None
) -> None:
    standing = standing_of(EXAM, said)
    assert (standing.stop, standing.caution) == (stop, caution)


def test_what_is_sent_together_stops_and_asks_together() -> None:
    open_one = standing_of(EXAM, now())
    earlier = standing_of(EXAM, now(changed(**ALL_THREE), state=EncounterState.CANCELLED))
    both = combined([open_one, earlier])
    assert both.patient == MAI
    assert (both.asks, both.stop) == (earlier.asks, Stop.VISIT_CANCELLED)


def row() -> PatientListEntry:
    return now().entries[0]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "has left the list"),
        (now(MAI, Doubt.NUMBER_RETIRED), "no longer in use"),
        (now(MAI, Doubt.NUMBER_OF_TWO), "to two people"),
        (now(state=EncounterState.CANCELLED), "was cancelled"),
        (now(changed(**ALL_THREE)), "changed who this is"),
    ],
)
def test_a_row_of_before_opens_nobody_where_the_feed_says_otherwise(
    said: PersonNow | None, words: str
) -> None:
    with pytest.raises(RuleError, match=words):
        as_it_is_now(row(), said)


def test_a_row_of_before_is_opened_as_the_feed_has_it_now() -> None:
    said = now(changed(name=named("Tran", "Mai")), state=EncounterState.CLOSED)
    entry = as_it_is_now(row(), said)
    assert entry.patient.name == named("Tran", "Mai")
    assert entry.encounter is not None
    assert entry.encounter.state is EncounterState.CLOSED
