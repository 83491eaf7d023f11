"""A number that is not a patient's record number now opens nobody, by whatever it is asked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.model.worklist import Doubt
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.finding.scan import ScannedCode, ScannedNumber, ScanRules, Unread
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.scanning import ScanPattern
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.adt_said import DOE, FEED, NOW, ROE, said

ALIASES = "1001^^^HOSP^MR~P1^^^HOSP^PI~N1^^^NHS^NI~C1^^^CLINIC^MR~1002^^^CLINIC^MR~B1^^^^MR"
DOES_NUMBERS = ("P1", "N1", "C1", "B1", "ACC1", "V1")
WITH_ALIASES = DOE.replace("1001^^^HOSP^MR", ALIASES)
NEW_NUMBER = said("A47", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
AS_9999 = DOE.replace("1001", "9999")

Opened = Callable[[AdtFeed], Census]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made: list[Census] = []

    def open_one(feed: AdtFeed = FEED) -> Census:
        settings = Settings(
            data_dir=tmp_path,
            adt=feed,
            scan_patterns=(
                ScanPattern(name="ours"),
                ScanPattern(name="nhs", authority="NHS", prefix="N", prefix_is_part=True),
                ScanPattern(name="clinic", authority="CLINIC", prefix="C", prefix_is_part=True),
            ),
        )
        made.append(open_census(tmp_path, Cipher(b"k" * 32), FixedClock(NOW), settings))
        return made[-1]

    yield open_one
    for census in made:
        census.close()


def send(census: Census, *messages: bytes, answer: bytes = b"MSA|AA") -> None:
    receiver = AdtReceiver(census, FEED, FixedClock(NOW))
    for message in messages:
        assert answer in receiver.handle(message)


def opened_by(census: Census, value: str) -> set[str]:
    """Whom a number opens, however a code may say it and whosever numbers a pattern says it has."""
    codes = [value, f"{value}^^^HOSP^MR", f"{value}^^^NHS^NI", f"{value}^^^CLINIC^MR"]
    rows = [row for code in codes for row in census.by_code(code)]
    for authority in ("HOSP", "NHS", "CLINIC", ""):
        for named in (("", ""), ("HOSP", ""), ("NHS", ""), ("CLINIC", "")):
            rows += census.by_record_number(ScannedNumber(value, authority, named))
    return {row.patient.patient_id.value for row in rows}


def test_an_alias_never_opens_and_the_record_number_does(opened: Opened) -> None:
    census = opened(FEED)
    send(census, said("A01", "0800", pid=WITH_ALIASES, account="ACC1"))
    for each in (census, opened(FEED)):
        assert opened_by(each, "1001") == {"1001"}
        for alias in DOES_NUMBERS:
            assert opened_by(each, alias) == set(), alias
            assert {row.patient.patient_id.value for row in each.find(alias)} <= {"1001"}


def test_an_alias_opens_neither_its_holder_nor_hides_whose_record_number_it_is(
    opened: Opened,
) -> None:
    census = opened(FEED)
    send(census, said("A01", "0800", pid=WITH_ALIASES))
    assert opened_by(census, "1002") == set()
    send(census, said("A01", "0810", pid=ROE, visit="V2", place="5C"))
    assert opened_by(census, "1002") == {"1002"}
    send(census, said("A03", "0900", pid=ROE, visit="V2"), said("A23", "0910", pid=ROE, visit="V2"))
    assert opened_by(census, "1002") == set()


def test_an_old_number_never_opens_nor_does_an_older_one(opened: Opened) -> None:
    census = opened(FEED)
    older = NEW_NUMBER.replace(b"9999", b"8888").replace(b"1001", b"9999").replace(b"0900", b"0830")
    send(census, said("A01", "0800", pid=DOE.replace("1001", "8888")), older)
    assert (opened_by(census, "9999"), opened_by(census, "8888")) == ({"9999"}, set())
    send(census, NEW_NUMBER)
    for each in (census, opened(FEED)):
        assert opened_by(each, "1001") == {"1001"}
        assert opened_by(each, "9999") == opened_by(each, "8888") == set()
        assert each.lookup("9999") == each.lookup("8888") == ()
    census.rebuild()
    assert opened_by(census, "9999") == set()


def test_a_merged_number_opens_no_survivor_and_its_own_row_is_marked(opened: Opened) -> None:
    census = opened(FEED)
    merge = said("A40", "0900", has_visit=False, more="MRG|9999^^^HOSP^MR")
    send(census, said("A01", "0800"))
    send(census, merge, answer=b"MSA|AE")
    assert opened_by(census, "9999") == set()
    send(census, said("A01", "0810", pid=AS_9999, visit="V9", place="ED"))
    assert opened_by(census, "9999") == {"9999"}
    assert all(Doubt.MERGE_REFUSED in row.doubts for row in census.by_code("9999"))
    assert opened_by(census, "1001") == {"1001"}


def test_an_alias_of_somebody_without_a_visit_never_opens(opened: Opened) -> None:
    rules = ScanRules.of(Settings(data_dir=Path("unused"), adt=FEED))
    assert rules.read(ScannedCode("N1")) == ScannedNumber("N1", "HOSP")
    assert rules.read(ScannedCode("")) is Unread.NO_PATTERN
    census = opened(FEED)
    send(census, said("A28", "0800", pid=WITH_ALIASES, has_visit=False))
    assert opened_by(census, "1001") == {"1001"}
    assert all(opened_by(census, alias) == set() for alias in DOES_NUMBERS)
