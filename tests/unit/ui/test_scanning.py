"""Whom a scan opens where the lists give one number to two people."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from capture_app.patients.finding.scan import ScannedCode, ScanRules
from capture_app.settings.scanning import Suffix
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from capture_app.ui.patients.rows import key_of
from capture_app.ui.patients.scanning import entry_of
from capture_app.ui.words.marks import Message
from tests.unit.patients.feeding import FEED, Feed
from tests.unit.patients.people import AS_OF, a_patient, a_visit, an_order

RULES = ScanRules((), "HOSP")
CODE = ScannedCode(a_patient().patient_id.value, Suffix.ENTER)


@pytest.fixture
def census(tmp_path: Path, clock: FixedClock) -> Iterator[Census]:
    made = open_census(tmp_path, Cipher(b"k" * 32), clock, Settings(data_dir=tmp_path))
    yield made
    made.close()


def test_the_number_of_two_people_opens_neither_and_each_has_a_row(census: Census) -> None:
    one, other = a_patient("Smith", "John"), a_patient("Jones", "Ada")
    items = [WorklistItem(person, None, an_order()) for person in (one, other)]
    census.put_worklist(WorklistAnswer("ris", (items[0],), AS_OF))
    assert isinstance(entry_of(CODE, RULES, census), PatientListEntry)
    census.put_worklist(WorklistAnswer("ris", tuple(items), AS_OF))
    refused = entry_of(CODE, RULES, census)
    assert isinstance(refused, Message)
    assert refused.is_loud
    assert "to two people" in refused.what
    assert len({key_of(entry) for entry in census.find("")}) == 2
    census.put_worklist(WorklistAnswer("ris", (items[1],), AS_OF))
    opened = entry_of(CODE, RULES, census)
    assert isinstance(opened, PatientListEntry)
    assert opened.patient == other


def test_a_number_that_a_worklist_gives_to_somebody_else_opens_neither(
    tmp_path: Path, clock: FixedClock
) -> None:
    settings = Settings(data_dir=tmp_path, adt=FEED)
    with closing(open_census(tmp_path, Cipher(b"k" * 32), clock, settings)) as census:
        Feed(census, clock).send("A01", a_patient("Smith", "John"), a_visit())
        assert isinstance(entry_of(CODE, RULES, census), PatientListEntry)
        other = WorklistItem(a_patient("Jones", "Ada"), None, an_order())
        census.put_worklist(WorklistAnswer("ris", (other,), AS_OF))
        refused = entry_of(CODE, RULES, census)
        assert isinstance(refused, Message)
        assert refused.is_loud
        assert "to somebody else" in refused.what
        census.put_worklist(WorklistAnswer("ris", (), AS_OF))
        assert isinstance(entry_of(CODE, RULES, census), PatientListEntry)
