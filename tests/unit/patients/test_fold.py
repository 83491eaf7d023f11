"""One patient's story told in any order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from capture_app.hl7.split import parse
from capture_app.model.encounter import EncounterState
from capture_app.model.patient import PatientId
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.fold import CensusPatient, add, entries, fold
from capture_app.patients.sources.adt.facts import AdtEvent
from capture_app.patients.sources.adt.numbers import Authority
from capture_app.patients.sources.adt.reading import read_event

DAY = datetime(2024, 7, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=20)


def event(
    kind: str,
    at: int,
    *,
    arrival: int = 0,
    name: str = "Doe^Jane",
    born: str = "19560714",
    place: str = "4B^12",
    visit: str = "V1",
    kind_of_visit: str = "I",
    discharged: str = "",
    occurred: int | None = None,
) -> AdtEvent:
    """An ADT event recorded at the hour `at`; a value left out is not said."""
    pv1 = f"PV1|1|{kind_of_visit}|{place}" + "|" * 16 + visit + "|" * 26 + discharged
    evn_6 = f"20240702{occurred:02d}" if occurred is not None else ""
    text = (
        rf"MSH|^~\&|ADT|HOSP|||20240702{at:02d}||ADT^{kind}|1|P|2.5" + "\r"
        f"EVN|{kind}|20240702{at:02d}||||{evn_6}\r"
        f"PID|1||7^^^HOSP^MR||{name}||{born}\r{pv1}"
    )
    message = parse(text.encode(), default_charset="ASCII")
    read = read_event(message, Authority("HOSP", "MR"), NOW, zone=UTC)
    return replace(read, arrival=arrival or at)


def folded(*events: AdtEvent) -> CensusPatient:
    known = fold(events)
    assert known is not None
    return known


def rows(known: CensusPatient, *, hours: int = 24) -> list[PatientListEntry]:
    return list(entries(known, NOW, timedelta(hours=hours)))


def states(known: CensusPatient) -> dict[str, EncounterState]:
    return {number: visit.encounter.state for (number, _), visit in known.visits.items()}


def test_admitted_updated_moved_discharged() -> None:
    known = folded(
        event("A01", 8),
        event("A08", 9, name="Doe^Jane^Mary", place=""),
        event("A02", 10, name="", place="5C^3^A"),
        event("A03", 11, name="", place=""),
    )
    (row,) = rows(known)
    assert row.patient.name.pn == "Doe^Jane^Mary"
    assert row.encounter is not None
    assert row.encounter.location.ward == "5C"
    assert row.encounter.state is EncounterState.CLOSED
    assert row.encounter.admitted_at == DAY + timedelta(hours=8)
    assert row.encounter.discharged_at == DAY + timedelta(hours=11)


def test_any_order_of_arrival_tells_the_same_story() -> None:
    story = [
        event("A04", 7, kind_of_visit="E", place="ED"),
        event("A01", 8, place="4B^1"),
        event("A08", 9, born="19560715"),
        event("A02", 10, place="5C^3"),
        event("A03", 11),
        event("A13", 12),
    ]
    want = folded(*story)
    assert states(want) == {"V1": EncounterState.OPEN}
    for shuffled in permutations(story):
        assert folded(*shuffled) == want


def test_events_of_the_same_time_count_in_the_order_in_which_they_came() -> None:
    first, second = event("A08", 9, name="Old", arrival=1), event("A08", 9, name="New", arrival=2)
    assert folded(second, first).patient.name.pn == "New"


def test_adding_one_by_one_is_folding_at_once() -> None:
    story = [event("A01", 8), event("A02", 9, place="5C"), event("A08", 10), event("A03", 11)]
    known: CensusPatient | None = None
    for part in story:
        assert known is None or known.follows(part)
        known = add(known, part).known
    assert known == fold(story)


def test_what_comes_late_does_not_follow() -> None:
    known = folded(event("A01", 8), event("A08", 10))
    assert not known.follows(event("A02", 9))
    assert known.follows(event("A02", 10))


@pytest.mark.parametrize("hours", [1, 24])
def test_a_closed_visit_stays_in_the_list_for_a_while(hours: int) -> None:
    known = folded(event("A01", 8), event("A03", 11))  # nine hours ago
    assert len(rows(known, hours=hours)) == (hours > 9)


def test_an_update_does_not_bring_a_discharged_patient_back() -> None:
    assert states(folded(event("A01", 8), event("A03", 9), event("A08", 10))) == {
        "V1": EncounterState.CLOSED
    }


def test_a_visit_first_heard_of_by_an_update_is_open_unless_it_says_when_it_ended() -> None:
    assert states(folded(event("A08", 8))) == {"V1": EncounterState.OPEN}
    assert states(folded(event("A08", 8, discharged="20240702"))) == {"V1": EncounterState.CLOSED}


def test_a_cancelled_visit_is_gone_even_if_its_admission_comes_later() -> None:
    known = folded(event("A11", 9), event("A01", 8, arrival=10))
    assert states(known) == {"V1": EncounterState.CANCELLED}
    assert rows(known) == []


def test_a_cancelled_discharge_opens_the_visit_again() -> None:
    known = folded(event("A01", 8), event("A03", 9, discharged="20240702090000"), event("A13", 10))
    (row,) = rows(known)
    assert row.encounter is not None
    assert (row.encounter.state, row.encounter.discharged_at) == (EncounterState.OPEN, None)


def test_two_visits_at_once_are_two_rows() -> None:
    known = folded(event("A04", 8, visit="V1"), event("A01", 9, visit="V2"))
    assert {row.encounter.visit_number for row in rows(known) if row.encounter} == {"V1", "V2"}


def test_a_message_without_a_visit_number_is_about_the_only_open_visit() -> None:
    known = folded(event("A01", 8), event("A02", 9, visit="", place="5C"))
    (row,) = rows(known)
    assert row.encounter is not None
    assert (row.encounter.visit_number, row.encounter.location.ward) == ("V1", "5C")


def test_with_two_open_visits_it_moves_neither() -> None:
    known = folded(
        event("A01", 8, visit="V1"),
        event("A04", 9, visit="V2"),
        event("A02", 10, visit="", place="5C", name="New"),
    )
    assert {row.encounter.location.ward for row in rows(known) if row.encounter} == {"4B"}
    assert known.patient.name.pn == "New"


def test_a_new_visit_without_a_number_is_not_the_old_one() -> None:
    known = folded(event("A01", 8), event("A03", 9), event("A04", 10, visit=""))
    assert states(known) == {"V1": EncounterState.CLOSED, "": EncounterState.OPEN}


def test_a_number_that_is_told_later_names_the_visit_that_had_none() -> None:
    known = folded(event("A04", 8, visit=""), event("A08", 9, visit="V1"))
    assert states(known) == {"V1": EncounterState.OPEN}


def test_a_discharge_without_a_number_can_be_taken_back_without_one() -> None:
    known = folded(event("A01", 8), event("A03", 9, visit=""), event("A13", 10, visit=""))
    assert states(known) == {"V1": EncounterState.OPEN}


def test_what_happened_earlier_but_was_told_later_moves_nobody_back() -> None:
    known = folded(
        event("A01", 8),
        event("A02", 12, place="5C"),
        event("A02", 14, place="3A", occurred=10, name="Newer"),
    )
    (row,) = rows(known)
    assert row.encounter is not None
    assert row.encounter.location.ward == "5C"
    assert row.patient.name.pn == "Newer"  # of the person it says the newest


def test_two_quotes_delete_and_nothing_keeps() -> None:
    known = folded(event("A01", 8), event("A08", 9, born='""', place='""'))
    assert known.patient.birth_date is None
    (row,) = rows(known)
    assert row.encounter is not None
    assert row.encounter.location.ward == ""
    kept = folded(event("A01", 8), event("A08", 9, born="", place="", name=""))
    assert kept.patient.birth_date is not None
    assert kept.patient.name.pn == "Doe^Jane"


def test_a_person_without_a_visit_has_one_row() -> None:
    (row,) = rows(folded(event("A28", 8)))
    assert row.encounter is None


def test_a_person_without_a_name_is_there_like_any_other() -> None:
    (row,) = rows(folded(event("A01", 8, name="")))
    assert (row.patient.name.pn, row.patient.patient_id.value) == ("", "7")


def test_an_admission_of_the_same_number_opens_the_visit_again() -> None:
    known = folded(event("A01", 8), event("A03", 9), event("A01", 10))
    assert states(known) == {"V1": EncounterState.OPEN}


def test_what_was_recorded_last_counts_and_not_what_came_last() -> None:
    known = folded(
        event("A01", 8, arrival=1),
        event("A08", 10, arrival=2, name="Roe^Jane", born="19560715", place="5C^1"),
        event("A08", 9, arrival=3, name="Doe^Janet", born="19560713", place="6D^2"),
    )
    (row,) = rows(known)
    assert (row.patient.name.pn, str(row.patient.birth_date)) == ("Roe^Jane", "1956-07-15")
    assert row.encounter is not None
    assert row.encounter.location.ward == "5C"


def numbered(at: int, pid_3: str) -> AdtEvent:
    said = event("A08", at)
    text = (
        rf"MSH|^~\&|ADT|HOSP|||20240702{at:02d}||ADT^A08|1|P|2.5" + "\r"
        f"EVN|A08|20240702{at:02d}\rPID|1||{pid_3}||Doe^Jane\r"
    )
    message = parse(text.encode(), default_charset="ASCII")
    read = read_event(message, Authority("HOSP", "MR"), NOW, zone=UTC)
    return replace(read, arrival=said.arrival)


WHOLE = "7^^^HOSP&1.2.3&ISO^MR~943^^^NHS&1.2.4&ISO^NI~55^^^LAB^LR"
NUMBERS = {
    PatientId("943", "NHS", "1.2.4", "ISO", "NI"),
    PatientId("55", "LAB", type_code="LR"),
}


@pytest.mark.parametrize(
    ("later", "others"),
    [
        ("7^^^HOSP^MR", NUMBERS),
        ("7^^^HOSP", NUMBERS),
        ("7^^^HOSP^MR~943^^^NHS~55^^^LAB", NUMBERS),
        ("7^^^HOSP^MR~943~55", NUMBERS),
        ("7^^^HOSP^MR~943^^^NHS&1.2.9&ISO", {PatientId("943", "NHS", "1.2.9", "ISO", "NI")}),
        ("7^^^HOSP^MR~944^^^NHS^NI", {PatientId("944", "NHS", type_code="NI")}),
        ("7^^^HOSP&1.2.3&ISO^MR", set()),  # as whole as before: these are all that there are
        ("7^^^HOSP^MR~943^^^OTHER^NI", {PatientId("943", "OTHER", type_code="NI")}),
    ],
)
def test_who_says_less_of_a_number_takes_nothing_away(later: str, others: set[PatientId]) -> None:
    for known in (
        folded(numbered(8, WHOLE), numbered(9, later)),
        folded(numbered(9, later), numbered(8, WHOLE)),
    ):
        assert known.patient.patient_id == PatientId("7", "HOSP", "1.2.3", "ISO", "MR")
        assert set(known.patient.other_ids) == others
