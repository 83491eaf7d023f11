"""Rows of the list: look-alikes badged, issuers shown where they are mixed, answers masked."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from capture_app.demo.people import ADMISSIONS
from capture_app.exam.second_identifier import Question
from capture_app.model.patient import NameGroup, PatientId, PersonName
from capture_app.model.worklist import Doubt, FeedSource, PatientListEntry
from capture_app.patients.finding.look_alikes import LookAlike, LookAlikes
from capture_app.ui.patients.rows import masked, rows_of
from capture_app.ui.words.marks import Tone
from tests import sealing
from tests.unit.ui.test_wording import plain

NOW = datetime(2024, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=2)))


def entry_of(at: int) -> PatientListEntry:
    admission = ADMISSIONS[at]
    return PatientListEntry(admission.patient, admission.encounter, (), FeedSource.ADT, NOW)


def alike(*entries: PatientListEntry) -> dict[tuple[str, str], LookAlike]:
    """What the list that has these says of them."""
    listed = LookAlikes()
    for entry in entries:
        listed.put(entry.patient)
    kinds = ((e.patient.patient_id.key, listed.kind_of(e.patient)) for e in entries)
    return {key: kind for key, kind in kinds if kind is not None}


def test_an_accent_does_not_hide_a_look_alike() -> None:
    other = replace(
        entry_of(1).patient,
        name=PersonName(NameGroup("NGUYEN", "Anh")),
        patient_id=PatientId("77", "ST ANNE"),
        birth_date=date(2000, 1, 1),
    )
    rows = rows_of(
        (entry_of(0), replace(entry_of(1), patient=other)),
        now=NOW,
        drafts={},
        last_taken={},
        alike=alike(entry_of(0), replace(entry_of(1), patient=other)),
    )

    assert [[badge.words for badge in row.badges] for row in rows] == [["Same surname"]] * 2


def test_two_visits_of_one_patient_are_no_look_alikes() -> None:
    encounter = entry_of(0).encounter
    assert encounter is not None
    second = replace(entry_of(0), encounter=replace(encounter, visit_number="V2"))
    alike_here = alike(entry_of(0), second)
    rows = rows_of((entry_of(0), second), now=NOW, drafts={}, last_taken={}, alike=alike_here)

    assert all(row.badges == () for row in rows)
    assert rows[0].key != rows[1].key
    assert rows[0].key.patient == rows[1].key.patient


def test_a_shared_birth_date_and_initial_is_badged() -> None:
    other = replace(
        entry_of(3).patient,
        name=PersonName(NameGroup("Haug", "Nils")),
        patient_id=PatientId("88", "ST ANNE"),
    )
    rows = rows_of(
        (entry_of(3), replace(entry_of(3), patient=other)),
        now=NOW,
        drafts={},
        last_taken={},
        alike=alike(entry_of(3), replace(entry_of(3), patient=other)),
    )

    assert [row.badges[0].words for row in rows] == ["Same birth date"] * 2


def test_the_issuer_is_shown_only_where_lists_mix_them() -> None:
    other = replace(entry_of(1).patient, patient_id=PatientId("0012345678", "OTHER"))
    alone = rows_of((entry_of(0),), now=NOW, drafts={}, last_taken={}, alike={})
    mixed = rows_of(
        (entry_of(0), replace(entry_of(1), patient=other)),
        now=NOW,
        drafts={},
        last_taken={},
        alike=alike(entry_of(0), replace(entry_of(1), patient=other)),
    )

    assert [row.issuer for row in alone] == [""]
    assert ["ST ANNE" in mixed[0].issuer, "OTHER" in mixed[1].issuer] == [True, True]


def test_a_reader_says_the_order_whole_of_which_the_badge_has_the_beginning() -> None:
    what = "Ultrasound of knee, left"
    order = replace(sealing.ORDER, scheduled_procedure_step_description=what)
    ordered = replace(entry_of(0), orders=(order,))
    (row,) = rows_of((ordered,), now=NOW, drafts={}, last_taken={}, alike={})
    assert row.badges[0].words.startswith("Order: \u2066Ultrasound of k")
    assert what not in row.badges[0].words
    assert what in row.spoken


def test_drafts_and_orders_are_marked() -> None:
    key = entry_of(0).patient.patient_id.key
    ordered = replace(entry_of(0), orders=(sealing.ORDER,))
    (row,) = rows_of((ordered,), now=NOW, drafts={key: 3}, last_taken={}, alike={})

    assert [badge.icon for badge in row.badges] == ["tray", "file-text"]
    assert row.badges[0].words == "3 drafts"


def test_each_doubt_is_a_badge_with_words_that_a_screen_reader_says() -> None:
    (row,) = rows_of(
        (replace(entry_of(0), doubts=frozenset(Doubt)),),
        now=NOW,
        drafts={},
        last_taken={},
        alike={},
    )

    assert [badge.words for badge in row.badges] == [
        "Merge or deletion waits",
        "Old number",
        "Number of two people",
        "Number of another person",
        "Other name on worklist",
        "Visit shared",
        "Study shared",
        "Bed shared",
    ]
    assert all(badge.tone is Tone.WARN and badge.words in row.spoken for badge in row.badges)


def test_a_masked_row_tells_neither_given_name_nor_year_nor_age_nor_script() -> None:
    (row,) = rows_of((entry_of(0),), now=NOW, drafts={}, last_taken={}, alike={})
    hidden = masked(row, entry_of(0).patient, Question(initials=True, year=True, last=0))

    for answer in ("Thị", "Mai", "1956", "67", "阮"):
        assert answer in row.spoken
        assert answer not in hidden.spoken.replace(row.record, "")


def test_the_spoken_row_says_all_that_is_drawn() -> None:
    (row,) = rows_of((entry_of(0),), now=NOW, drafts={}, last_taken={}, alike={})

    for part in (row.name, row.born, row.sex, row.record, row.place):
        assert part in row.spoken


def test_the_last_column_says_when_the_last_picture_was_taken() -> None:
    key = entry_of(0).patient.patient_id.key
    (row,) = rows_of((entry_of(0),), now=NOW, drafts={}, last_taken={key: NOW}, alike={})

    assert plain(row.note) == "Today 09:30"


def test_a_row_that_is_asked_for_its_number_hides_the_end_of_it() -> None:
    (row,) = rows_of((entry_of(0),), now=NOW, drafts={}, last_taken={}, alike={})
    hidden = masked(row, entry_of(0).patient, Question(initials=True, year=True, last=4))

    assert "5678" not in plain(hidden.record).replace(" ", "")
    assert plain(hidden.record).startswith("001234")


def test_a_look_alike_is_told_also_where_a_filter_hides_the_other() -> None:
    listed = LookAlikes()
    other = replace(
        entry_of(1).patient,
        name=PersonName(NameGroup("NGUYEN", "Anh")),
        patient_id=PatientId("77", "ST ANNE"),
    )
    mai = entry_of(0).patient
    listed.put(mai)
    assert listed.kind_of(mai) is None
    listed.put(other)
    assert listed.kind_of(mai) is LookAlike.SURNAME
    assert listed.others(mai) == (other,)
    listed.put(replace(other, name=PersonName(NameGroup("Tran", "Anh"))))
    assert listed.kind_of(mai) is None
    listed.remove(("77", "ST ANNE"))
    listed.remove(("77", "ST ANNE"))
    assert listed.others(mai) == ()
