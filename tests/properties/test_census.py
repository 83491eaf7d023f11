"""A patient's story ends the same whatever order its messages come in, and after any restart."""

import random
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from capture_app.clock import FixedClock
from capture_app.hl7.build import build_adt
from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.model.worklist import FeedSource, PatientListEntry
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.census.fold import CensusPatient
from capture_app.patients.census.visits import EVENTS
from capture_app.patients.finding.roster import Roster, row_of
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from capture_app.store.record import from_record, to_record

NOW = datetime(2024, 7, 2, 9, 30, tzinfo=UTC)
FEED = AdtFeed(assigning_authority="HOSP", port=1)
NAMING_TWO = {"A17", "A44", "A45", "A47", "A49", "A50"}
"""Events of two patients or numbers: `test_moves.py` tells those in any order."""

Told = tuple[str, int, int, str, str]

told = st.tuples(
    st.sampled_from(sorted(EVENTS.keys() - NAMING_TWO)),
    st.integers(0, 2),  # which patient
    st.integers(1, 2),  # which visit
    st.sampled_from(["Doe", "Roe", "Müller"]),
    st.sampled_from(["4B", "5C"]),
)


def message(number: int, part: Told) -> bytes:
    event, who, which, family, ward = part
    patient = Patient(
        PatientId(f"P{who}", "HOSP", type_code="MR"),
        PersonName(NameGroup(family, "Pat")),
        date(1956, 7, 14),
        Sex.OTHER,
    )
    visit = Encounter(f"V{which}", "HOSP", "I", Location(ward), EncounterState.OPEN)
    at = NOW - timedelta(hours=10) + timedelta(minutes=number)
    return build_adt(event, patient, visit, control_id=str(number), at=at)


def in_a_folder(work: Callable[[Callable[[], Census]], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        opened: list[Census] = []

        def open_one() -> Census:
            path = Path(folder)
            made = open_census(
                path, Cipher(b"k" * 32), FixedClock(NOW), Settings(data_dir=path, adt=FEED)
            )
            opened.append(made)
            return made

        try:
            work(open_one)
        finally:
            for census in opened:
                census.close()


@settings(max_examples=12)
@given(st.lists(told, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_and_any_repeat_tell_the_same_story(
    story: list[Told], rng: random.Random
) -> None:
    messages = [message(number, part) for number, part in enumerate(story)]
    shuffled = [*messages, *messages[: len(messages) // 2]]
    rng.shuffle(shuffled)

    def told_in(order: list[bytes], open_one: Callable[[], Census]) -> None:
        receiver = AdtReceiver(open_one(), FEED, FixedClock(NOW))
        for raw in order:
            assert b"MSA|AA" in receiver.handle(raw)

    results = []

    def straight(open_one: Callable[[], Census]) -> None:
        told_in(messages, open_one)
        results.append(open_one().find(""))

    def crooked(open_one: Callable[[], Census]) -> None:
        told_in(shuffled, open_one)
        results.append(open_one().find(""))

    in_a_folder(straight)
    in_a_folder(crooked)
    assert results[0] == results[1]


@settings(max_examples=10)
@given(st.lists(told, min_size=1, max_size=8), st.integers(0, 8))
def test_a_restart_in_the_middle_changes_nothing(story: list[Told], after: int) -> None:
    def restarted(open_one: Callable[[], Census]) -> None:
        census = open_one()
        for number, part in enumerate(story):
            if number == after:
                census = open_one()
            AdtReceiver(census, FEED, FixedClock(NOW)).handle(message(number, part))
        fresh = open_one()
        assert census.find("") == fresh.find("")
        for entry in fresh.find(""):
            assert entry in fresh.by_code(entry.patient.patient_id.value)
            known = fresh._list.known(entry.patient.patient_id.key)
            assert known is not None
            assert from_record(CensusPatient, to_record(known)) == known

    in_a_folder(restarted)


letters = st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1, max_size=10)


@given(st.text(max_size=30), letters)
def test_anything_may_be_typed_and_a_name_finds_itself(typed: str, family: str) -> None:
    patient = Patient(PatientId("P1", ""), PersonName(NameGroup(family)), None, Sex.UNKNOWN)
    roster = Roster()
    roster.put(row_of(PatientListEntry(patient, None, (), FeedSource.ADT, NOW)))
    assert len(roster.find(typed, 10)) <= 1
    assert len(roster.find(family, 10)) == 1
