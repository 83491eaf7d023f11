"""Drafts on the list of patients: offered, reopened after the check, and those of others."""

from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS
from capture_app.model.exam import Exam
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.worklist import IdentifiedBy
from capture_app.patients.finding.scan import ScannedCode
from capture_app.ui.identity.popover import IdentityPopover
from tests.ui.conftest import Desk

MAI, MINH, LAYLA = ADMISSIONS[0], ADMISSIONS[1], ADMISSIONS[2]


@pytest.fixture
def list_desk(desk: Desk) -> Desk:
    desk.sign_in()
    return desk


def names(desk: Desk) -> list[str]:
    return [row.name for row in desk.content.patients_vm.state.rows]


def find(desk: Desk, text: str) -> None:
    desk.key(Qt.Key.Key_Slash)
    desk.type(text)
    desk.qtbot.waitUntil(lambda: desk.content.patients_vm.state.text == text)
    desk.qtbot.waitUntil(lambda: desk.content.patients_vm.shows_what_was_asked)


def ask(desk: Desk, text: str) -> IdentityPopover:
    find(desk, text)
    desk.key(Qt.Key.Key_Return)
    popover = desk.window.findChild(IdentityPopover)
    assert popover is not None
    return popover


def answer(desk: Desk, initials: str, year: str) -> None:
    desk.type(initials)
    desk.key(Qt.Key.Key_Tab)
    desk.type(year)
    desk.key(Qt.Key.Key_Return)


def opened_exam(desk: Desk) -> Exam:
    desk.qtbot.waitUntil(lambda: desk.content.exam is not None)
    exam = desk.content.exam
    assert exam is not None
    return exam


def test_drafts_are_offered_and_reopened_after_the_check(list_desk: Desk, qtbot: QtBot) -> None:
    list_desk.stage.pictures(MAI.patient.patient_id.value, 2, list_desk.content.operator)
    vm = list_desk.content.patients_vm
    qtbot.waitUntil(lambda: bool(vm.state.drafts))
    assert vm.state.drafts[0].note.startswith("2 pictures")
    vm.reopen(vm.state.drafts[0])
    assert vm.check is not None
    popover = list_desk.window.findChild(IdentityPopover)
    assert popover is not None
    answer(list_desk, "NTM", "1956")

    exam = opened_exam(list_desk)
    assert exam.identified_by is IdentifiedBy.INITIALS_AND_YEAR
    assert exam.patient == MAI.patient


def test_drafts_of_the_patient_just_left_are_asked_for_all_the_same(
    list_desk: Desk, qtbot: QtBot
) -> None:
    list_desk.stage.pictures(MAI.patient.patient_id.value, 1, list_desk.content.operator)
    vm = list_desk.content.patients_vm
    qtbot.waitUntil(lambda: bool(vm.state.drafts))
    list_desk.window.scanner.scanned.emit(ScannedCode(MAI.patient.patient_id.value))
    opened_exam(list_desk)
    list_desk.content.go_to_patients()
    qtbot.waitUntil(lambda: list_desk.content.exam is None and not vm.state.opening)
    vm.reopen(vm.state.drafts[0])
    assert vm.check is not None
    assert list_desk.content.exam is None


def test_drafts_of_others_are_shown_after_an_hour(
    list_desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    other = list_desk.stage.add_user("rmehta", "R. Mehta")
    list_desk.stage.pictures(MAI.patient.patient_id.value, 1, other)
    vm = list_desk.content.patients_vm
    qtbot.waitUntil(lambda: any(badge.icon == "tray" for r in vm.state.rows for badge in r.badges))
    clock.advance(3601)  # the next tick reads their ages anew
    qtbot.waitUntil(lambda: bool(vm.state.drafts))

    (card,) = vm.state.drafts
    assert card.note.endswith("by R. Mehta")


def test_the_patient_just_left_is_opened_again_without_a_question_for_five_minutes(
    list_desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    ask(list_desk, "minh")
    answer(list_desk, "NTM", "1958")
    opened_exam(list_desk)
    list_desk.content.go_to_patients()
    vm = list_desk.content.patients_vm
    qtbot.waitUntil(lambda: list_desk.content.exam is None and bool(vm.state.rows))
    clock.advance(120)
    find(list_desk, "minh")
    list_desk.key(Qt.Key.Key_Return)
    again = opened_exam(list_desk)
    assert again.identified_by is IdentifiedBy.KNOWN
    assert again.known_since == again.started_at - timedelta(seconds=120)
    list_desk.content.go_to_patients()
    qtbot.waitUntil(lambda: list_desk.content.exam is None)

    clock.advance(301)
    find(list_desk, "minh")
    list_desk.key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: vm.check is not None)


def test_a_patient_without_a_birth_date_is_asked_for_the_number(
    list_desk: Desk, qtbot: QtBot
) -> None:
    unknown = replace(LAYLA.patient, birth_date=None, name=PersonName(NameGroup("Doe", "Jo")))
    unknown = replace(unknown, patient_id=replace(unknown.patient_id, value="0000007777"))
    list_desk.stage.admit(replace(LAYLA, patient=replace(unknown, other_ids=())))
    qtbot.waitUntil(lambda: "DOE, Jo" in names(list_desk))
    ask(list_desk, "doe")
    row = list_desk.content.patients_vm.state.rows[0]
    assert "7777" not in row.spoken
    answer(list_desk, "DJ", "7777")

    assert opened_exam(list_desk).patient.patient_id.value == "0000007777"


def test_drafts_name_their_patient_as_the_feed_does_now(list_desk: Desk, qtbot: QtBot) -> None:
    """Also where nothing of the pictures changed."""
    list_desk.stage.pictures(MAI.patient.patient_id.value, 1, list_desk.content.operator)
    vm = list_desk.content.patients_vm
    qtbot.waitUntil(lambda: bool(vm.state.drafts))
    qtbot.waitUntil(lambda: not vm._drafts_changed and not vm._reading.is_asking)
    other = replace(MAI.patient, name=PersonName(NameGroup("Zuhair", "Mai")))
    list_desk.stage.admit(replace(MAI, patient=other), event="A08")
    qtbot.waitUntil(lambda: vm.state.drafts[0].name.startswith("ZUHAIR, Mai"))
    assert vm.state.drafts[0].patient.name == other.name
