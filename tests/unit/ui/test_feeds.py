"""The age of each list, and who may be missing, in words."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from capture_app.model.feed_note import FeedNote, NoteCode, words_of
from capture_app.model.worklist import FeedSource
from capture_app.patients.census.status import FeedStatus
from capture_app.ui.patients.feeds import feed_chip, feed_note, item_rows
from capture_app.ui.words.marks import Tone
from tests.unit.ui.test_wording import plain

NOW = datetime(2024, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=2)))
FRESH = FeedStatus("adt", FeedSource.ADT, True, NOW, 40.0, 24)


def test_a_fresh_list_says_its_age() -> None:
    chip = feed_chip(FRESH)

    assert plain(chip.words) == "Ward list 40 s old"
    assert chip.tone is Tone.OK
    assert feed_note([FRESH], NOW) == ""


def test_an_old_list_says_what_may_be_wrong() -> None:
    old = replace(FRESH, age_seconds=3600.0)

    assert feed_chip(old).tone is Tone.WARN
    assert plain(feed_note([old], NOW)) == (
        "Ward list 1 h old. It may miss people. Scanning still works."
    )


def test_a_worklist_is_old_sooner() -> None:
    worklist = replace(FRESH, source=FeedSource.WORKLIST, age_seconds=660.0)

    assert plain(feed_chip(worklist).words) == "Worklist 11 min old"
    assert feed_chip(worklist).tone is Tone.WARN


def test_silence_from_the_start_is_said() -> None:
    silent = replace(FRESH, age_seconds=None, last_message_at=None)

    assert feed_chip(silent).words == "Ward list: nothing received yet"


def test_a_problem_and_a_gap_are_told() -> None:
    troubled = replace(
        FRESH, problem="The port is taken.", incomplete_since=NOW - timedelta(hours=1)
    )
    note = plain(feed_note([troubled], NOW))

    assert feed_chip(troubled).tone is Tone.WARN
    assert "The port is taken." in note
    assert "Patients admitted before today 08:30 appear when the feed next names them." in note


def test_what_of_a_worklist_could_not_be_taken_is_a_line_each() -> None:
    note = FeedNote("PatientBirthDate", NoteCode.UNREADABLE)
    worklist = replace(FRESH, name="ris", source=FeedSource.WORKLIST, item_notes=((note, 2),))

    (line,) = item_rows([FRESH, worklist])
    assert plain(line) == f"ris, 2 items: {plain(words_of(note))}"
