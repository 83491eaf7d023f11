"""What the command tells of a feed: how it is, and what was accepted without effect."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.cli import patients
from capture_app.clock import FixedClock
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.adt_said import FEED, NOW, ROE, said
from tests.unit.patients.people import a_patient
from tests.unit.patients.test_feed_scripts import SCRIPTS


@pytest.fixture
def census(tmp_path: Path) -> Iterator[Census]:
    clock = FixedClock(NOW)
    settings = Settings(data_dir=tmp_path, adt=FEED)
    census = open_census(tmp_path, Cipher(b"k" * 32), clock, settings)
    receiver = AdtReceiver(census, FEED, clock)
    for message in (
        *SCRIPTS["a discharge without a number with two visits open"].messages,
        said("A01", "0900", pid=ROE, visit="V1"),
        said("A40", "1000", has_visit=False, more="MRG|1002^^^HOSP^MR"),
    ):
        assert b"MSA|A" in receiver.handle(message)
    yield census
    census.close()


def test_the_feed_is_told_in_words_without_patient_data(
    census: Census, capsys: pytest.CaptureFixture[str]
) -> None:
    patients._show_feed(census, 100, as_json=False)
    told = capsys.readouterr().out
    assert "1 message was accepted without effect: see --feed." in told
    assert "2 patients are named by a merge or deletion that was not carried out." in told
    assert "2 patients share a visit number: pictures do not carry it." in told
    assert "A03" in told
    assert "PV1-19: no visit is named and several could be meant" in told
    for secret in ("Doe", "Roe", "1001", "1002", "1956"):
        assert secret not in told


def test_the_feed_as_json_has_codes(census: Census, capsys: pytest.CaptureFixture[str]) -> None:
    patients._show_feed(census, 100, as_json=True)
    told = json.loads(capsys.readouterr().out)
    (feed,) = told["feeds"]
    assert (feed["without_effect"], feed["dead_letters"], feed["damaged"]) == (1, 1, [])
    assert feed["doubts"] == {"shared-bed": 2, "shared-visit-number": 2, "merge-refused": 2}
    (message,) = told["without_effect"]
    assert (message["sender"], message["event"]) == ("ADT HOSP", "A03")
    assert message["reasons"] == [{"field": "PV1-19", "code": "several-visits"}]


def test_a_value_that_could_not_be_taken_is_listed_by_its_field(
    census: Census, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver = AdtReceiver(census, FEED, FixedClock(NOW))
    canary = "1009^^^HOSP^MR||Canary^Carla||1956|CANARY"
    assert b"MSA|AA" in receiver.handle(said("A01", "1100", pid=canary, visit="V9"))
    census.put_worklist(
        WorklistAnswer(
            "ris",
            tuple(
                WorklistItem(a_patient(number=number), None, None, (FeedNote(keyword, code),))
                for number, keyword, code in (
                    ("1", "AccessionNumber", NoteCode.LEFT_OUT),
                    ("2", "PatientName", NoteCode.DOUBTED),
                    ("3", "PatientName", NoteCode.DOUBTED),
                )
            ),
            NOW,
        )
    )
    patients._show_feed(census, 100, as_json=True)
    told = json.loads(capsys.readouterr().out)
    (message,) = told["noted"]
    assert message["reasons"] == [
        {"field": "PID-7", "code": "partial"},
        {"field": "PID-8", "code": "unreadable"},
    ]
    adt, ris = told["feeds"]
    assert (adt["noted"], adt["item_notes"], ris["noted"]) == (1, [], 3)
    assert ris["item_notes"] == [
        {"field": "PatientName", "code": "doubted", "items": 2},
        {"field": "AccessionNumber", "code": "left-out", "items": 1},
    ]
    patients._show_feed(census, 100, as_json=False)
    words = capsys.readouterr().out
    assert "PID-8: cannot be read; what was known stays" in words
    assert "PatientName: looks like another character set" in words
    assert "anary" not in words.lower()
    assert "1956" not in words


def test_a_rebuild_tells_how_many(census: Census, capsys: pytest.CaptureFixture[str]) -> None:
    assert patients._rebuild(census) == 0
    assert capsys.readouterr().out == "2 patients made from stored messages.\n"
