"""The census with a worklist beside the feed: whose orders they are, and who is doubted."""

from dataclasses import replace
from datetime import date

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import RuleError
from capture_app.exam.standing import as_it_is_now
from capture_app.model.encounter import EncounterState
from capture_app.model.feed_note import FeedNote, NoteCode, words_of
from capture_app.model.patient import Patient, PatientId, Sex
from capture_app.model.worklist import Doubt, FeedSource
from capture_app.patients.census.census import Census
from capture_app.patients.census.orders import WorklistItem
from capture_app.patients.finding.patient_list import PatientList
from capture_app.patients.finding.tabs import Tab
from capture_app.settings.feeds import AdtFeed
from capture_app.ui.patients.feeds import feed_chip, item_rows, to_look_at
from tests.unit.patients.feeding import FEED, Feed, Opener, answer, item, shown
from tests.unit.patients.people import AS_OF, a_patient, a_visit, an_order

OF_ANOTHER = FeedNote("PatientID", NoteCode.NUMBER_OF_ANOTHER)


def accessions(census: Census, text: str = "", tab: Tab = Tab.ALL) -> list[list[str]]:
    return [[o.accession_number for o in e.orders] for e in census.find(text, tab=tab)]


def test_an_order_stands_with_the_patient_of_that_number_and_issuer(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(number="7"), a_visit())
    census.put_worklist(answer(item(a_patient(number="7"))))
    (entry,) = census.find("", tab=Tab.WORKLIST)
    assert (entry.source, accessions(census)) == (FeedSource.ADT, [["ACC1"]])
    assert shown(census, "acc1") == [("7", "V1")]
    census.put_worklist(answer())
    assert accessions(census) == [[]]
    assert census.find("", tab=Tab.WORKLIST) == ()


def test_a_patient_of_the_worklist_is_there_without_an_order_that_could_be_used(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    Feed(census, clock).send("A01", a_patient(number="8"), a_visit("V8"))
    census.put_worklist(
        answer(
            WorklistItem(a_patient(number="7"), None, None),
            WorklistItem(a_patient(number="8"), None, None),
        )
    )
    assert sorted(accessions(census)) == [[], []]
    assert {e.patient.patient_id.value for e in census.find("")} == {"7", "8"}


def test_the_same_number_of_another_issuer_is_another_patient(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    Feed(census, clock).send("A01", a_patient(number="7"), a_visit())
    census.put_worklist(answer(item(a_patient(number="7", issuer="OTHER"))))
    assert [(e.source, len(e.orders)) for e in census.find("")] == [
        (FeedSource.ADT, 0),
        (FeedSource.WORKLIST, 1),
    ]
    assert len(census.lookup("7")) == 2
    assert len(census.by_code("7")) == len(census.by_code("7^^^HOSP")) == 1


def test_a_worklist_without_issuers_means_the_site(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    Feed(census, clock).send("A01", a_patient(number="7"), a_visit())
    census.put_worklist(answer(item(a_patient(number="7", issuer=""))))
    assert accessions(census) == [["ACC1"]]


def test_a_patient_known_by_the_other_number_gets_the_order(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    census.put_worklist(answer(item(a_patient(number="N1", issuer="NHS"))))
    assert shown(census) == [("N1", "")]
    feed = Feed(census, clock)
    feed.send("A01", a_patient(number="7", other_ids=(PatientId("N1", "NHS"),)), a_visit())
    assert (shown(census), accessions(census)) == ([("7", "V1")], [["ACC1"]])
    feed.send("A08", a_patient(number="7"), a_visit())
    assert (shown(census), accessions(census)) == ([("7", "V1"), ("N1", "")], [[], ["ACC1"]])


def test_an_order_that_contradicts_the_feed_is_not_offered_but_counted(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    Feed(census, clock).send("A01", a_patient(born=date(1956, 7, 14)), a_visit())
    census.put_worklist(answer(item(a_patient(born=date(1956, 7, 15)))))
    assert sorted(accessions(census)) == [[], ["ACC1"]]
    adt, status = census.feed_status()
    assert (status.name, status.source, status.skipped) == ("ris", FeedSource.WORKLIST, 1)
    assert status.item_notes == ((OF_ANOTHER, 1),)
    assert adt.doubts == ((Doubt.NUMBER_ON_WORKLIST, 1),)
    ours, other = sorted(census.find(""), key=lambda row: row.source)
    assert (ours.source, other.source) == (FeedSource.ADT, FeedSource.WORKLIST)
    assert ours.doubts == {Doubt.NUMBER_ON_WORKLIST}
    assert other.doubts == {Doubt.NUMBER_OF_ANOTHER}
    census.put_worklist(answer(item(a_patient(born=date(1956, 7, 14)))))
    assert [entry.doubts for entry in census.find("")] == [frozenset()]
    assert census.feed_status()[0].doubts == ()
    assert census.feed_status()[1].item_notes == ()


def test_an_item_whose_name_fits_no_more_after_a_change_is_for_it(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient("Doe"), a_visit())
    left_out = FeedNote("AccessionNumber", NoteCode.LEFT_OUT)
    census.put_worklist(answer(replace(item(a_patient("Doe")), notes=(left_out,))))
    status = census.feed_status()[1]
    assert (to_look_at(status), status.item_notes) == (0, ((left_out, 1),))
    feed.send("A08", a_patient("Roe", "Rita"), a_visit())
    status = census.feed_status()[1]
    assert (status.skipped, status.noted, to_look_at(status)) == (1, 1, 1)
    assert status.item_notes == ((left_out, 1), (OF_ANOTHER, 1))
    assert feed_chip(status).words.endswith(", 1 for IT")
    assert words_of(OF_ANOTHER) in item_rows([status])[1]
    feed.send("A08", a_patient("Doe"), a_visit())
    status = census.feed_status()[1]
    assert (to_look_at(status), status.item_notes) == (0, ((left_out, 1),))


def test_a_person_to_whom_a_worklist_gives_somebody_elses_number_has_a_row_that_opens_nobody(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    ours, theirs = a_patient(born=date(1956, 7, 14)), a_patient("Roe", born=date(1980, 1, 1))
    census.put_worklist(answer(item(theirs)))
    Feed(census, clock).send("A01", ours, a_visit())
    doe, roe = census.find("")
    assert (doe.patient.name, roe.patient.name) == (ours.name, theirs.name)
    assert doe.doubts == {Doubt.NUMBER_ON_WORKLIST}
    assert roe.doubts == {Doubt.NUMBER_OF_ANOTHER}
    assert census.find("roe") == (roe,)
    assert census.find("", tab=Tab.WORKLIST) == (roe,)
    now = census.person(ours.patient_id)
    assert now is not None
    assert now.entries == (doe,)
    assert as_it_is_now(doe, now).orders == ()
    with pytest.raises(RuleError, match="to somebody else"):
        as_it_is_now(roe, now)
    again = opened()
    again.put_worklist(answer(item(theirs)))
    assert again.find("") == (doe, roe)
    census.put_worklist(answer())
    assert [row.doubts for row in census.find("")] == [frozenset()]


def test_a_study_that_a_worklist_moves_to_another_number_is_told_as_of_others(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    ours, theirs = a_patient(number="7"), a_patient("Roe", number="8")
    feed.send("A01", ours, a_visit())
    study = frozenset({an_order().key, an_order().accession_key})

    def others(patient: Patient) -> frozenset[str]:
        return census.orders_of_others(patient.patient_id)

    census.put_worklist(answer(item(ours)))
    assert others(ours) == frozenset()
    census.put_worklist(answer(item(theirs)))
    assert (others(ours), others(theirs)) == (study, frozenset())
    feed.send("A01", theirs, a_visit("V8"))
    assert (others(ours), others(theirs)) == (study, frozenset())
    alias = replace(ours, other_ids=(PatientId("8X", theirs.patient_id.issuer),))
    feed.send("A08", alias, a_visit())
    census.put_worklist(answer(item(a_patient(number="8X"))))
    assert others(alias) == frozenset(), "by another number of the same patient"
    census.put_worklist(answer())
    assert others(ours) == frozenset()


@pytest.mark.parametrize(
    ("given", "family", "sex", "joins"),
    [
        ("Jane", "Doe", Sex.FEMALE, True),
        ("J.", "DOE", Sex.FEMALE, True),
        ("Jane Mary", "Doe-Smith", Sex.UNKNOWN, True),
        ("Jane", "Smith", Sex.FEMALE, True),  # a marriage: all else is the same
        ("Joan", "Doe", Sex.FEMALE, False),  # a twin
        ("Jane", "Doe", Sex.MALE, False),
        ("Rick", "Roe", Sex.FEMALE, False),
        ("Doe", "Jane", Sex.FEMALE, True),  # family and given changed places
    ],
)
def test_an_order_joins_nobody_of_another_name_or_sex(
    opened: Opener, clock: FixedClock, given: str, family: str, sex: Sex, *, joins: bool
) -> None:
    census = opened()
    Feed(census, clock).send("A01", a_patient(), a_visit())
    census.put_worklist(answer(item(replace(a_patient(family, given), sex=sex))))
    assert sorted(accessions(census)) == ([["ACC1"]] if joins else [[], ["ACC1"]])
    assert census.feed_status()[1].skipped == (not joins)


def test_without_a_birth_date_another_family_name_is_another_person(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    Feed(census, clock).send("A01", a_patient(), a_visit())
    census.put_worklist(answer(item(a_patient("Smith", born=None))))
    assert accessions(census) == [[], ["ACC1"]]


def test_a_number_without_an_issuer_joins_only_by_a_stated_choice(
    opened: Opener, clock: FixedClock
) -> None:
    stated = opened()
    Feed(stated, clock).send("A01", a_patient(), a_visit())
    stated.put_worklist(answer(item(a_patient(issuer=""))))
    assert accessions(stated) == [["ACC1"]]
    assert stated.feed_status()[1].issuer_assumed == "HOSP"
    unstated = opened(AdtFeed(port=1))
    unstated.put_worklist(answer(item(a_patient(issuer=""))))
    assert unstated.feed_status()[1].issuer_assumed == ""
    assert [entry.orders for entry in unstated.find("") if entry.source is FeedSource.ADT] == [()]


def test_an_order_under_another_number_comes_and_goes_with_the_worklist(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    other = (PatientId("N1", "NHS"),)
    Feed(census, clock).send("A01", a_patient(other_ids=other), a_visit())
    census.put_worklist(answer(item(a_patient(number="N1", issuer="NHS"))))
    assert accessions(census) == [["ACC1"]]
    census.put_worklist(answer())
    assert accessions(census) == [[]]


def test_a_cancelled_visit_does_not_come_back_as_a_row_of_the_worklist(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit("V1"))
    census.put_worklist(answer(item(a_patient(), a_visit("V1"))))
    feed.send("A11", a_patient(), a_visit("V1"))
    assert census.find("") == ()
    assert census.feed_status()[1].skipped == 1
    feed.send("A01", a_patient(), a_visit("V2"))
    assert accessions(census) == [[]]


@pytest.mark.parametrize("issuer", ["", "HOSP"])
def test_nor_where_the_worklist_does_not_say_whose_visit_number_it_is(
    opened: Opener, clock: FixedClock, issuer: str
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit("V1"))
    feed.send("A11", a_patient(), a_visit("V1"))
    census.put_worklist(answer(item(a_patient(), replace(a_visit("V1"), issuer=issuer))))
    assert census.find("") == ()
    assert census.feed_status()[1].skipped == 1
    census.put_worklist(answer(item(a_patient(), replace(a_visit("V2"), issuer=issuer))))
    assert shown(census) == [("7", "V2")]


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        (("HOSP", "1.2.3", "ISO"), ("", "1.2.3", "ISO")),
        (("HOSP", "1.2.3", "ISO"), ("1.2.3", "", "")),
        (("", "1.2.3", "ISO"), ("HOSP", "", "")),
    ],
)
def test_nor_where_it_names_the_issuer_of_the_visit_by_its_other_name(
    opened: Opener, clock: FixedClock, told: tuple[str, str, str], asked: tuple[str, str, str]
) -> None:
    census = opened()
    feed = Feed(census, clock)
    visit = a_visit("V1").numbered(PatientId("V1", *told))
    feed.send("A01", a_patient(), visit)
    feed.send("A11", a_patient(), visit)
    if not told[0]:  # another visit teaches the names
        other = a_visit("V0").numbered(PatientId("V0", "HOSP", "1.2.3", "ISO"))
        feed.send("A01", a_patient("Roe", number="8"), other)
    same = a_visit("V1").numbered(PatientId("V1", *asked))
    census.put_worklist(answer(item(a_patient(), same)))
    assert [number for number, _ in shown(census) if number == "7"] == []
    assert census.feed_status()[1].skipped == 1


def test_nor_by_a_number_that_the_visit_had(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit("V1"))
    change = feed.send("A08", a_patient(), a_visit("V1")).replace(b"A08", b"A50")
    change = change.replace(b"|V1^", b"|V2^") + b"\rMRG|7^^^HOSP||||V1^^^HOSP"
    assert b"MSA|AA" in feed.receiver.handle(change)
    assert shown(census) == [("7", "V2")]
    feed.send("A11", a_patient(), a_visit("V2"))
    census.put_worklist(answer(item(a_patient(), a_visit("V1"))))
    assert census.find("") == ()


def test_one_study_on_two_patients_is_doubted(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(number="1"), a_visit("V1", bed="1"))
    feed.send("A01", a_patient("Roe", number="2"), a_visit("V2", bed="2"))
    census.put_worklist(answer(item(a_patient(number="1")), item(a_patient("Roe", number="2"))))
    doubted = {Doubt.SHARED_STUDY_UID}
    assert [entry.doubts for entry in census.find("")] == [doubted, doubted]
    for entry in census.find(""):
        assert entry.shared_studies == {entry.orders[0].study_instance_uid}
    assert census.feed_status()[0].doubts == ((Doubt.SHARED_STUDY_UID, 2),)
    census.put_worklist(answer(item(a_patient(number="1"))))
    assert [entry.doubts for entry in census.find("")] == [frozenset(), frozenset()]


def test_an_unchanged_worklist_shows_nobody_anew(
    opened: Opener, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    census = opened()
    feed = Feed(census, clock)
    items = []
    for number in map(str, range(20)):
        feed.send("A01", a_patient(number=number), a_visit(f"V{number}", bed=number))
        items.append(item(a_patient(number=number), accession=f"A{number}"))
    shown_anew: list[object] = []
    show = PatientList._show

    def counted(self: PatientList, key: tuple[str, str]) -> None:
        shown_anew.append(key)
        show(self, key)

    monkeypatch.setattr(PatientList, "_show", counted)
    census.put_worklist(answer(*items))
    assert len(shown_anew) == 20
    clock.advance(60)
    census.put_worklist(replace(answer(*items), as_of=clock.now()))
    assert len(shown_anew) == 20
    assert census.feed_status()[1].age_seconds == 0
    census.put_worklist(answer(*items[1:]))
    assert shown_anew[20:] == [("0", "HOSP")]


def test_an_order_of_a_named_visit_stands_with_that_visit(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit("V1"))
    feed.send("A04", a_patient(), a_visit("V2"))
    census.put_worklist(
        answer(item(a_patient(), a_visit("V2"), "A"), item(a_patient(), a_visit("V9"), "B"))
    )
    assert accessions(census) == [["B"], ["A", "B"]]


def test_a_patient_of_the_worklist_alone_is_listed_with_its_source(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened(replace(FEED, wards=("4B",)))
    patient = a_patient("Wu", number="W1")
    census.put_worklist(answer(item(patient, accession="A"), item(patient, accession="B")))
    (entry,) = census.find("wu")
    assert (entry.source, entry.as_of) == (FeedSource.WORKLIST, AS_OF)
    assert accessions(census, tab=Tab.WORKLIST) == [["A", "B"]]
    assert census.find("", tab=Tab.WARD) == ()
    assert census.by_code("W1") == (entry,)
    census.put_worklist(answer())
    assert census.by_code("W1") == ()


def test_two_worklists_do_not_take_each_others_orders_away(opened: Opener) -> None:
    census = opened()
    census.put_worklist(answer(item(a_patient(), accession="A"), name="one"))
    census.put_worklist(answer(item(a_patient(), accession="B"), name="two"))
    assert accessions(census) == [["A", "B"]]
    census.put_worklist(answer(name="one"))
    assert accessions(census) == [["B"]]


@pytest.mark.parametrize("other", [a_patient(born=date(1960, 1, 1)), a_patient("Jones", "Ada")])
@pytest.mark.parametrize("names", [("one", "one"), ("one", "two")])
def test_items_of_one_number_that_contradict_each_other_are_two_doubted_people(
    opened: Opener, other: Patient, names: tuple[str, str]
) -> None:
    census, first = opened(), item(a_patient(born=date(1950, 1, 1)), accession="A")
    second = item(other, accession="B")
    if names[0] == names[1]:
        census.put_worklist(answer(first, second, name=names[0]))
    else:
        census.put_worklist(answer(first, name=names[0]))
        assert census.find("")[0].doubts == frozenset()
        census.put_worklist(answer(second, name=names[1]))
    assert sorted(accessions(census)) == [["A"], ["B"]]
    assert {entry.doubts for entry in census.find("")} == {frozenset({Doubt.NUMBER_OF_TWO})}
    person = census.person(first.patient.patient_id)
    assert person is not None
    assert Doubt.NUMBER_OF_TWO in person.doubts
    assert census.feed_status()[0].doubts == ((Doubt.NUMBER_OF_TWO, 1),)
    census.put_worklist(answer(first, name=names[0]))
    census.put_worklist(answer(name="two"))
    assert [entry.doubts for entry in census.find("")] == [frozenset()]
    assert census.feed_status()[0].doubts == ()


def test_a_number_that_moves_to_another_holder_leaves_no_doubt(
    opened: Opener, clock: FixedClock
) -> None:
    census, other = opened(), (PatientId("N1", "NHS"),)
    feed = Feed(census, clock)
    feed.send("A01", a_patient(number="1", other_ids=other), a_visit("V1"))
    census.put_worklist(answer(item(a_patient(number="N1", issuer="NHS"))))
    feed.send("A08", a_patient(number="1"), a_visit("V1"))
    feed.send("A01", a_patient(number="2", other_ids=other), a_visit("V2", "5C"))
    assert {entry.doubts for entry in census.find("")} == {frozenset()}
    assert sorted(map(tuple, accessions(census))) == [(), ("ACC1",)]


def test_an_order_that_two_worklists_tell_is_one(opened: Opener, clock: FixedClock) -> None:
    census = opened()
    for name in ("one", "two"):
        census.put_worklist(answer(item(a_patient()), item(a_patient()), name=name))
    assert accessions(census) == [["ACC1"]]
    Feed(census, clock).send("A01", a_patient(), a_visit())
    assert accessions(census) == [["ACC1"]]
    census.put_worklist(answer(name="one"))
    assert accessions(census) == [["ACC1"]]


def test_nor_does_a_person_vanish_whose_number_is_another_ones_alias(
    opened: Opener, clock: FixedClock
) -> None:
    """Admissions give the number to Roe as a further one, a worklist gives it to Doe."""
    theirs = a_patient(number="N1", issuer="NHS")
    census = opened()
    roe = a_patient("Roe", "Ada", born=date(1980, 1, 1), other_ids=(PatientId("N1", "NHS"),))
    Feed(census, clock).send("A01", roe, a_visit())
    census.put_worklist(answer(item(theirs)))
    again = opened()
    again.put_worklist(answer(item(theirs)))
    for each in (census, again):
        each.rebuild()
        assert [row.patient.name.alphabetic.family for row in each.find("")] == ["Doe", "Roe"]
        doe, theirs_of_admissions = each.find("")
        assert doe.doubts == {Doubt.NUMBER_OF_ANOTHER}
        assert theirs_of_admissions.doubts == frozenset()
        assert each.lookup("N1") == (theirs_of_admissions,)
        with pytest.raises(RuleError, match="to somebody else"):
            as_it_is_now(doe, each.person(doe.patient.patient_id))
    census.put_worklist(answer())
    assert shown(census) == [("7", "V1")]


def test_a_row_of_the_worklist_tells_that_its_visit_has_ended(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    feed.send("A01", a_patient(), a_visit())
    feed.send("A03", a_patient(), a_visit())
    clock.advance(25 * 3600)
    assert shown(census) == []
    census.put_worklist(answer(item(a_patient(), a_visit("V1", "US"))))
    (row,) = census.find("")
    assert row.encounter is not None
    assert (row.source, row.encounter.location.ward) == (FeedSource.WORKLIST, "US")
    assert row.encounter.state is EncounterState.CLOSED
    assert row.encounter.discharged_at is not None
