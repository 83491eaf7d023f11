"""Wristbands through the real window: the band's patient is opened, or nobody, and the pictures of
the patient who is open stay as they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS, Admission
from capture_app.model.encounter import Encounter
from capture_app.model.operator import Operator
from capture_app.model.patient import NameGroup, PatientId, PersonName
from capture_app.settings.scanning import ScanPattern
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.keys_popover import KeysPopover
from capture_app.ui.shell.leave_popover import LeavePopover
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.widgets.fields import FilterField
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.toast import Toast
from capture_app.ui.words.marks import Tone
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.keyboard import Keyboard
from tests.ui.stage import Stage

MAI, HANSEN, BAKKER = "0012345678", "0009812204", "2204"


def admission(number: str, family: str, *others: PatientId) -> Admission:
    model = ADMISSIONS[0]
    patient = replace(
        model.patient,
        patient_id=replace(model.patient.patient_id, value=number),
        name=PersonName(NameGroup(family, "A")),
        birth_date=date(1950, 1, 1),
        other_ids=others,
    )
    visit: Encounter = replace(model.encounter, visit_number=f"V{number}")
    return Admission(patient, visit)


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        mother = PatientId("M1", "ST ANNE", type_code="MO")
        opened.admit(
            admission(BAKKER, "Bakker"),
            admission("98", "Head"),
            admission("N1", "Baby", mother, PatientId("4711", "CLINIC", type_code="MR")),
        )
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


@pytest.fixture
def with_draft(hands: Hands) -> Hands:
    """Mai's exam is open, with one picture that is not described yet."""
    hands.scan(MAI)
    hands.shot(Qt.Key.Key_F13)
    return hands


def open_number(hands: Hands) -> str:
    content = hands.window.content
    exam = content.exam if content is not None else None
    return exam.patient.patient_id.value if exam is not None else ""


def descriptions(hands: Hands) -> list[object]:
    return [draft.description for draft in hands.stage.outbox.drafts()]


def pieces(hands: Hands, *pieces: tuple[str, int], gap_ms: int = 5) -> None:
    """Each piece after its pause, in milliseconds."""
    hands.keyboard.at_ms += 2_500
    for piece, pause in pieces:
        hands.keyboard.at_ms += pause
        hands.keyboard.type(piece, gap_ms=gap_ms)
        if pause > 150:
            hands.qtbot.waitUntil(lambda: not hands.window.scanner.is_holding)
    hands.qtbot.waitUntil(lambda: not hands.window.scanner.is_holding)


@pytest.mark.parametrize("pause", [60, 300, 1_900])
@pytest.mark.parametrize("end", ["\r", "\t", ""])
def test_a_pause_within_hansens_band_opens_nobody_and_codes_nothing(
    with_draft: Hands, pause: int, end: str
) -> None:
    hands, before = with_draft, descriptions(with_draft)
    pieces(hands, ("000981", 0), (f"{BAKKER}{end}", pause))
    said = hands.window.content.said if hands.window.content else None
    assert said is not None
    assert said.what == "Scan again. The code did not come whole; nobody was opened."
    assert said.tone is Tone.BAD
    assert said.is_loud
    assert said.todo.startswith("Still open: NGUYỄN ")
    assert open_number(hands) == MAI
    assert descriptions(hands) == before
    assert hands.state.chosen_row == ""
    hands.type_code(HANSEN)
    hands.qtbot.waitUntil(lambda: open_number(hands) == HANSEN)


@pytest.mark.parametrize("pause", [300, 1_900])
@pytest.mark.parametrize("first", [("3",), ("3", "2"), ("0", "3")])
def test_what_lone_first_digits_of_a_band_coded_is_taken_back_when_its_rest_comes(
    with_draft: Hands, pause: int, first: tuple[str, ...]
) -> None:
    hands, before = with_draft, descriptions(with_draft)
    pieces(hands, *((digit, pause) for digit in first), ("00981220\r", pause))
    hands.qtbot.waitUntil(lambda: descriptions(hands) == before)
    assert hands.state.chosen_row == ""
    assert open_number(hands) == MAI


def test_a_hands_digit_stays_where_a_scan_comes_later(with_draft: Hands) -> None:
    hands = with_draft
    pieces(hands, ("3", 0))
    chosen = hands.state.chosen_row
    assert chosen
    pieces(hands, ("00981220\r", 0))  # two and a half seconds later
    assert hands.state.chosen_row == chosen


@pytest.mark.parametrize("gap", [60, 100, 145])
@pytest.mark.parametrize("end", ["\r", "\t", ""])
def test_a_slow_scanner_codes_nothing(with_draft: Hands, gap: int, end: str) -> None:
    hands, before = with_draft, descriptions(with_draft)
    focus = hands.window.focusWidget()
    pieces(hands, (f"1231{end}", 0), gap_ms=gap)
    assert descriptions(hands) == before
    assert hands.state.chosen_row == ""
    assert hands.window.focusWidget() is focus
    assert open_number(hands) == MAI


def test_bakkers_own_band_opens_bakker(with_draft: Hands) -> None:
    with_draft.type_code(BAKKER)
    with_draft.qtbot.waitUntil(lambda: open_number(with_draft) == BAKKER)


@pytest.mark.parametrize("code", ["M1", "4711", "4711^^^CLINIC", "0009812204^^^CLINIC", "9999"])
def test_a_number_that_is_nobodys_record_number_opens_nobody(hands: Hands, code: str) -> None:
    hands.type_code(code)
    content = hands.window.content
    assert content is not None
    assert content.said.what == "This code names nobody in the lists. Nobody was opened."
    assert content.said.is_loud
    assert open_number(hands) == ""


def test_the_mothers_band_opens_the_mother_where_she_is_listed(hands: Hands) -> None:
    hands.stage.admit(admission("M1", "Mother"))
    hands.type_code("M1")
    hands.qtbot.waitUntil(lambda: open_number(hands) == "M1")


def test_a_scan_over_the_filter_leaves_no_letter_in_it(hands: Hands) -> None:
    hands.key(Qt.Key.Key_Slash)
    hands.type("ba")
    pieces(hands, ("000", 0), (f"981{BAKKER}\r", 90))
    content = hands.window.content
    assert content is not None
    assert content.patients_vm.state.text == "ba"
    assert open_number(hands) == ""


def test_a_second_band_while_one_is_being_opened_is_refused_in_words(hands: Hands) -> None:
    hands.keyboard.type(f"{MAI}\r", gap_ms=5)
    hands.qtbot.waitUntil(lambda: open_number(hands) == MAI)
    content = hands.window.content
    assert content is not None
    vm = content.patients_vm
    vm.state = replace(vm.state, opening=True)
    hands.type_code(HANSEN)
    assert content.said.what.startswith("Scan again")
    assert open_number(hands) == MAI


@pytest.mark.parametrize(
    ("patterns", "code", "opened"),
    [
        ((ScanPattern("band", prefix="P", shortest=10, longest=10),), f"P{HANSEN}", HANSEN),
        ((ScanPattern("band", prefix="P", shortest=10, longest=10),), HANSEN, ""),
        ((ScanPattern("band", shortest=10, longest=10),), BAKKER, ""),
        ((ScanPattern("band", authority="CLINIC"),), HANSEN, ""),
        ((ScanPattern("band", symbologies=("]C1",)),), f"]C1{HANSEN}", HANSEN),
    ],
)
def test_the_patterns_of_the_site_decide(
    open_desk: Callable[[], Desk],
    stage: Stage,
    ada: Operator,
    patterns: tuple[ScanPattern, ...],
    code: str,
    opened: str,
) -> None:
    settings = replace(stage.services.settings, scan_patterns=patterns)
    stage.services = replace(stage.services, settings=settings)
    desk = open_desk()
    desk.sign_in()
    handle = desk.window.windowHandle()
    assert handle is not None
    Keyboard(handle).type(f"{code}\r", gap_ms=5)
    desk.qtbot.waitUntil(lambda: bool(desk.content.said.what) or desk.content.exam is not None)
    exam = desk.content.exam
    assert (exam.patient.patient_id.value if exam is not None else "") == opened


def test_a_name_typed_fast_on_the_list_goes_to_the_filter(hands: Hands) -> None:
    content = hands.window.content
    assert content is not None
    content.patients.focus_list()
    vm = content.patients_vm
    for n, gap in enumerate((400, 80, 110, 70, 140, 90), 1):
        hands.keyboard.type("bakk22"[n - 1], gap_ms=gap)
        hands.qtbot.waitUntil(lambda: len(vm.state.text) == n)  # noqa: B023 - waited for here
    assert vm.state.text == "bakk22"
    pieces(hands, (f"{HANSEN[:6]}", 0), (f"{BAKKER}\r", 60))
    assert vm.state.text == "bakk22"
    assert open_number(hands) == ""


@pytest.mark.parametrize("place", [Place.OUTBOX, Place.TRAIL])
def test_what_is_typed_fast_beside_a_filter_goes_to_it(hands: Hands, place: Place) -> None:
    content = hands.window.content
    assert content is not None
    content.go(place)
    page = content.outbox if place is Place.OUTBOX else content.late.trail[1]
    (field,) = page.findChildren(FilterField)
    hands.keyboard.at_ms += 2_500
    hands.keyboard.type("bak22", gap_ms=100)
    hands.qtbot.waitUntil(lambda: not hands.window.scanner.is_holding)
    assert field.text() == "bak22"
    assert content.said.what == ""


@pytest.mark.parametrize("size", [QSize(1366, 768), QSize(1093, 614), QSize(960, 500)])
def test_a_scan_that_opened_nobody_is_said_beside_shutter_and_send(
    with_draft: Hands, size: QSize
) -> None:
    window, page = with_draft.window, with_draft.page
    window.resize(size)
    QApplication.processEvents()
    with_draft.type_code("4711")
    content = window.content
    assert content is not None
    (toast,) = (t for t in content.findChildren(Toast) if t.isVisible() and t is not page.toast)
    covered = QRect(toast.mapTo(window, QPoint(0, 0)), toast.size())
    for part in (page.banner, page.shutter.shutter, page.filmstrip, page.send_bar.send):
        assert not covered.intersects(QRect(part.mapTo(window, QPoint(0, 0)), part.size()))
    content.go(Place.OUTBOX)
    assert toast.geometry().bottom() > content.strip.y() - 40


@pytest.mark.parametrize("code", [HANSEN, "4711"])
def test_nothing_lies_between_a_scan_and_who_scanned(with_draft: Hands, code: str) -> None:
    window = with_draft.window
    with_draft.qtbot.waitUntil(lambda: window.status.state.unsent > 0)
    window.close()
    with_draft.key(Qt.Key.Key_F1)
    assert {type(p) for p in shown_popovers(window)} == {LeavePopover, KeysPopover}
    with_draft.type_code(code)
    content = window.content
    assert content is not None
    with_draft.qtbot.waitUntil(lambda: open_number(with_draft) == code or bool(content.said.what))
    assert not shown_popovers(window)


def shown_popovers(window: MainWindow) -> list[Popover]:
    return [popover for popover in window.findChildren(Popover) if popover.isVisible()]
