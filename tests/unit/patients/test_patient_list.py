"""What the list of patients costs, however long it is."""

from __future__ import annotations

from datetime import timedelta
from time import process_time

from capture_app.clock import FixedClock
from capture_app.model.patient import PatientId
from capture_app.patients.census.fold import CensusPatient, RetiredNumber
from capture_app.patients.census.orders import OrderBook
from capture_app.patients.census.visits import Visit
from capture_app.patients.finding.patient_list import PatientList
from capture_app.patients.finding.tabs import Tab
from tests.unit.patients.people import AS_OF, a_patient, a_visit

MANY = 12_000


def one_of_many(number: int) -> CensusPatient:
    """A patient in the bed of all others, who had another number before."""
    visit = Visit(a_visit(f"V{number}"), AS_OF, AS_OF)
    return CensusPatient(
        patient=a_patient(number=str(number)),
        recorded_at=AS_OF,
        as_of=AS_OF,
        visits={visit.key: visit},
        sender=("ADT", "HOSP"),
        retired=(RetiredNumber(PatientId(f"OLD{number}", "HOSP"), AS_OF),),
    )


def a_list(length: int) -> PatientList:
    clock = FixedClock(AS_OF)
    made = PatientList(
        clock, wards=frozenset(), closed_visible=timedelta(hours=1), orders=OrderBook("HOSP")
    )
    people = [one_of_many(number) for number in range(length)]
    made.fill({known.patient.patient_id.key: known for known in people})
    assert made.count(Tab.ALL) == length
    return made


def seconds_of_a_message(people: PatientList) -> float:
    """What it costs to tell of one patient and to find that one by the number, at best."""
    known = one_of_many(1)

    def once() -> float:
        begun = process_time()
        people.put(("1", "HOSP"), known)
        assert len(people.lookup("1", "HOSP")) == 1
        return process_time() - begun

    return min(once() for _ in range(50))


def test_a_patient_costs_the_same_among_many_as_among_few() -> None:
    among_few, among_many = seconds_of_a_message(a_list(50)), seconds_of_a_message(a_list(MANY))
    assert among_many < 3 * among_few
