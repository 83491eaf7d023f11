"""Orders that worklists give to somebody else: by which numbers they are known."""

from dataclasses import replace

from capture_app.clock import FixedClock
from capture_app.patients.census.orders import WorklistItem
from tests.unit.patients.adt_said import said
from tests.unit.patients.feeding import Feed, Opener, answer, item
from tests.unit.patients.people import a_patient, a_visit, an_order


def test_an_order_under_the_number_that_took_the_place_of_ones_own_is_not_of_others(
    opened: Opener, clock: FixedClock
) -> None:
    census = opened()
    feed = Feed(census, clock)
    old, new = a_patient(number="7"), a_patient(number="9")
    feed.send("A01", old, a_visit())
    pid = "9^^^HOSP^MR||Doe^Jane||19560714|F"
    renumbered = said("A47", "0900", pid=pid, has_visit=False, more="MRG|7^^^HOSP^MR")
    assert b"MSA|AA" in feed.receiver.handle(renumbered)
    census.put_worklist(answer(item(new)))
    assert census.orders_of_others(old.patient_id) == frozenset()
    census.put_worklist(answer(item(a_patient("Roe", number="8"))))
    assert census.orders_of_others(old.patient_id) == census.orders_of_others(new.patient_id)
    assert an_order().key in census.orders_of_others(old.patient_id)


def test_an_accession_number_tells_an_order_within_one_worklist_or_with_its_authority(
    opened: Opener,
) -> None:
    census = opened()
    ours, theirs = a_patient(number="7"), a_patient("Roe", number="8")
    moved = replace(an_order(), study_instance_uid="1.2.3.77")
    number = an_order().accession_key

    def others() -> frozenset[str]:
        return census.orders_of_others(ours.patient_id)

    census.put_worklist(answer(WorklistItem(theirs, None, moved)))
    assert others() == {moved.key, number}
    census.put_worklist(answer(item(ours), WorklistItem(theirs, None, moved)))
    assert number in others(), "beside it"
    again = replace(moved, study_instance_uid="1.2.3.78")
    third = WorklistItem(a_patient("Poe", number="6"), None, again)
    census.put_worklist(answer(item(ours), WorklistItem(theirs, None, moved), third))
    assert number not in others(), "many have it: a filler"
    census.put_worklist(answer(WorklistItem(theirs, None, moved)))
    census.put_worklist(replace(answer(), name="other"))
    assert number not in others(), "each worklist counts for itself"
    told = replace(moved, accession_issuer="RIS")
    census.put_worklist(answer(WorklistItem(theirs, None, told)))
    assert told.accession_key in others()
