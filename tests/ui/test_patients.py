"""The patient list by real keys over a real census: found, held still, checked, opened."""

from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS, Admission
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.worklist import IdentifiedBy
from capture_app.patients.census.status import Link
from capture_app.patients.finding.scan import ScannedCode
from capture_app.patients.finding.tabs import Tab
from capture_app.ui.identity.popover import IdentityPopover
from capture_app.ui.patients.feed_popover import FeedPopover
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.widgets.labels import Label
from capture_app.ui.words.marks import Tone
from tests.ui.conftest import Desk
from tests.ui.stage import Stage
from tests.ui.test_sign_in import audit_of

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


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("minh", "NGUYỄN, Thị Minh"),
        ("NGUYEN minh", "NGUYỄN, Thị Minh"),
        ("0011902", "AL-HASHIMI, Layla"),
        ("114", "AL-HASHIMI, Layla"),
        ("02-Mar-1989", "AL-HASHIMI, Layla"),
        ("ليلى", "AL-HASHIMI, Layla"),
        ("佐藤", "SATO, Kenichi"),
        ("sahin", "ŞAHIN, Elif"),
    ],
)
def test_a_patient_is_found_by_anything_known(list_desk: Desk, typed: str, found: str) -> None:
    find(list_desk, typed)

    assert names(list_desk) == [found]


def test_the_right_answers_open_the_patient(list_desk: Desk) -> None:
    popover = ask(list_desk, "minh")
    assert popover.isVisible()
    answer(list_desk, "NTM", "1958")

    exam = opened_exam(list_desk)
    assert exam.patient.patient_id.value == "0012354687"
    assert exam.identified_by is IdentifiedBy.INITIALS_AND_YEAR
    assert exam.operator.user_id == "aokafor"


def test_while_it_asks_the_row_gives_nothing_away(list_desk: Desk) -> None:
    list_desk.stage.pictures(MINH.patient.patient_id.value, 1, list_desk.content.operator)
    list_desk.qtbot.waitUntil(lambda: bool(list_desk.content.patients_vm.state.drafts))
    ask(list_desk, "minh")

    state = list_desk.content.patients_vm.state
    row = next(row for row in state.rows if row.key.number == "0012354687")
    (card,) = state.drafts
    shown = f"{row.spoken} {card.name} {card.note}".replace("\u2066", "").replace("\u2069", "")
    assert row.name == "NGUYỄN, ····"
    for given_away in ("Minh", "1958", "65 y"):
        assert given_away not in shown


def test_three_wrong_answers_close_it_and_are_in_the_trail(list_desk: Desk) -> None:
    ask(list_desk, "minh")
    for _ in range(3):
        answer(list_desk, "NTM", "1956")
    list_desk.qtbot.waitUntil(lambda: list_desk.content.patients_vm.check is None)

    assert list_desk.content.exam is None
    list_desk.qtbot.waitUntil(
        lambda: sum("identity-check-failed" in e for e in audit_of(list_desk.stage)) == 3
    )
    assert not any("1956" in event for event in audit_of(list_desk.stage))
    assert "Nobody was opened" in list_desk.content.said.what


def test_esc_cancels_and_nothing_is_opened(list_desk: Desk) -> None:
    ask(list_desk, "minh")
    list_desk.key(Qt.Key.Key_Escape)

    assert list_desk.content.patients_vm.check is None
    assert list_desk.content.exam is None
    row = list_desk.content.patients_vm.state.rows[0]
    assert row.name == "NGUYỄN, Thị Minh"


def test_a_row_is_opened_by_a_click(list_desk: Desk) -> None:
    rows = list_desk.content.patients.rows_view
    at = rows.rect_of(list_desk.content.patients_vm.state.rows[0].key).center()
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=at)
    list_desk.qtbot.waitUntil(lambda: list_desk.content.patients_vm.check is not None)

    popover = list_desk.window.findChild(IdentityPopover)
    assert popover is not None
    answer(list_desk, "AHL", "1989")
    assert opened_exam(list_desk).patient.patient_id.value == "0011902114"


def test_a_row_is_opened_by_a_double_click(list_desk: Desk) -> None:
    """The second press meets the veil of the question, and is not meant for it."""
    rows = list_desk.content.patients.rows_view
    at = rows.rect_of(list_desk.content.patients_vm.state.rows[0].key).center()
    double = QMouseEvent(
        QEvent.Type.MouseButtonDblClick,
        QPointF(at),
        QPointF(at),
        Qt.MouseButton.LeftButton,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=at)
    popover = list_desk.window.findChild(IdentityPopover)
    assert popover is not None
    QApplication.sendEvent(popover, double)
    assert list_desk.content.patients_vm.check is not None
    QTest.mouseClick(popover, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))  # a press of its own
    assert list_desk.content.patients_vm.check is None


def test_what_is_typed_on_the_list_goes_to_the_filter(list_desk: Desk) -> None:
    vm = list_desk.content.patients_vm
    assert list_desk.focused is list_desk.content.patients.rows_view
    list_desk.type("okoro")  # an O, too: letters are keys of the workspace only
    list_desk.qtbot.waitUntil(lambda: vm.shows_what_was_asked)
    assert vm.state.text == "okoro"
    assert list_desk.content.place is Place.PATIENTS
    list_desk.content.patients.focus_list()
    list_desk.type("7")
    assert vm.state.text == "7", "typed over, as after the key /"


def test_commands_are_not_typed(list_desk: Desk) -> None:
    list_desk.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    list_desk.key(Qt.Key.Key_Space)
    assert list_desk.content.patients_vm.state.text == ""
    assert list_desk.focused is list_desk.content.patients.rows_view


def test_page_keys_turn_pages_from_the_filter_too(list_desk: Desk) -> None:
    vm = list_desk.content.patients_vm
    list_desk.key(Qt.Key.Key_End)
    assert vm.state.marked == vm.state.rows[-1].key
    list_desk.key(Qt.Key.Key_PageUp)
    assert vm.state.marked != vm.state.rows[-1].key
    list_desk.key(Qt.Key.Key_Slash)
    list_desk.key(Qt.Key.Key_PageDown)
    assert vm.state.marked == vm.state.rows[-1].key


def test_a_press_that_slides_to_another_row_opens_nobody(list_desk: Desk) -> None:
    rows = list_desk.content.patients.rows_view
    keys = [row.key for row in list_desk.content.patients_vm.state.rows]
    button = Qt.MouseButton.LeftButton
    QTest.mousePress(rows.viewport(), button, pos=rows.rect_of(keys[0]).center())
    QTest.mouseRelease(rows.viewport(), button, pos=rows.rect_of(keys[1]).center())

    assert list_desk.content.patients_vm.check is None


def test_arrows_and_enter_choose_wherever_the_focus_is(list_desk: Desk) -> None:
    vm = list_desk.content.patients_vm
    list_desk.key(Qt.Key.Key_Down)
    list_desk.key(Qt.Key.Key_Down)
    assert vm.state.marked == vm.state.rows[1].key
    list_desk.key(Qt.Key.Key_Slash)
    list_desk.key(Qt.Key.Key_Up)
    assert vm.state.marked == vm.state.rows[0].key
    list_desk.key(Qt.Key.Key_Return)

    assert vm.check is not None
    assert vm.check.patient.patient_id.value == "0011902114"


def test_esc_empties_the_filter_then_gives_the_list_the_focus(list_desk: Desk) -> None:
    find(list_desk, "minh")
    list_desk.key(Qt.Key.Key_Escape)
    assert list_desk.content.patients_vm.state.text == ""
    assert list_desk.focused is not list_desk.content.patients.rows_view
    list_desk.key(Qt.Key.Key_Escape)

    assert list_desk.focused is list_desk.content.patients.rows_view


def test_rows_hold_still_under_the_pointer(list_desk: Desk, qtbot: QtBot) -> None:
    vm = list_desk.content.patients_vm
    before = names(list_desk)
    vm.pointed(over=True)
    first = replace(LAYLA.patient, name=PersonName(NameGroup("Aaron", "Ann")))
    first = replace(first, patient_id=replace(first.patient_id, value="0000000001"), other_ids=())
    list_desk.stage.admit(replace(LAYLA, patient=first))
    qtbot.waitUntil(lambda: vm.state.changes == 1)
    assert names(list_desk) == before

    vm.apply_changes()
    assert names(list_desk) == ["AARON, Ann", *before]
    assert vm.state.changes == 0


def test_rows_hold_still_for_a_moment_after_a_key(
    list_desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    vm = list_desk.content.patients_vm
    list_desk.key(Qt.Key.Key_Down)
    marked, before = vm.state.marked, names(list_desk)
    first = replace(LAYLA.patient, name=PersonName(NameGroup("Aaron", "Ann")))
    first = replace(first, patient_id=replace(first.patient_id, value="0000000001"), other_ids=())
    list_desk.stage.admit(replace(LAYLA, patient=first))
    qtbot.waitUntil(lambda: vm.state.changes == 1)
    assert names(list_desk) == before

    clock.advance(2)
    vm.pointed(over=False)
    assert names(list_desk)[0] == "AARON, Ann"
    assert vm.state.marked == marked, "the mark stays with its patient, not with its place"


def test_enter_before_the_answer_opens_only_a_single_match(list_desk: Desk, qtbot: QtBot) -> None:
    list_desk.key(Qt.Key.Key_Slash)
    list_desk.type("minh")
    list_desk.key(Qt.Key.Key_Return)  # the census has not answered yet
    qtbot.waitUntil(lambda: list_desk.content.patients_vm.check is not None)

    check = list_desk.content.patients_vm.check
    assert check is not None
    assert check.patient.patient_id.value == "0012354687"


def test_a_scan_opens_the_patient_on_any_page_without_a_question(list_desk: Desk) -> None:
    list_desk.window.scanner.scanned.emit(ScannedCode("0011902114"))

    exam = opened_exam(list_desk)
    assert exam.patient.patient_id.value == "0011902114"
    assert exam.identified_by is IdentifiedBy.SCAN
    list_desk.window.scanner.scanned.emit(ScannedCode("0012345678"))
    list_desk.qtbot.waitUntil(lambda: opened_exam(list_desk).exam_id != exam.exam_id)
    assert opened_exam(list_desk).patient.patient_id.value == "0012345678"


def test_an_unknown_code_opens_nobody_and_says_so(list_desk: Desk) -> None:
    list_desk.window.scanner.scanned.emit(ScannedCode("9999999999"))

    said = list_desk.content.said
    assert said.what == "This code names nobody in the lists. Nobody was opened."
    assert list_desk.content.exam is None


def test_a_scan_while_locked_opens_nobody(list_desk: Desk) -> None:
    list_desk.window.lock()
    list_desk.window.scanner.scanned.emit(ScannedCode("0011902114"))
    list_desk.sign_in()

    assert list_desk.content.exam is None


def test_the_empty_list_says_why_and_what_to_do(list_desk: Desk, qtbot: QtBot) -> None:
    vm = list_desk.content.patients_vm
    find(list_desk, "zzz")
    plain = vm.state.empty.replace("\u2066", "").replace("\u2069", "")
    assert plain == 'No one matches "zzz" in Ward.'
    assert vm.state.empty_act == "Look in All"
    QTest.mouseClick(list_desk.content.patients.look_in_all, Qt.MouseButton.LeftButton)

    assert vm.state.tab is Tab.ALL


def test_look_alikes_are_badged(list_desk: Desk) -> None:
    rows = {row.key.number: row for row in list_desk.content.patients_vm.state.rows}

    assert [badge.words for badge in rows["0012345678"].badges] == ["Same surname"]
    assert [badge.words for badge in rows["0012354687"].badges] == ["Same surname"]
    assert rows["0011902114"].badges == ()


def test_who_may_answer_alike_is_asked_apart_also_where_the_filter_hides_them(
    list_desk: Desk, stage: Stage, qtbot: QtBot
) -> None:
    vm = list_desk.content.patients_vm
    mai = next(each for each in ADMISSIONS if each.patient.patient_id.value == "0012345678")
    tove = replace(
        mai.patient,
        patient_id=replace(mai.patient.patient_id, value="0000000077"),
        name=PersonName(NameGroup("Nielsen", "Tove")),
        birth_date=date(1956, 1, 2),
    )
    stage.admit(Admission(tove, replace(mai.encounter, visit_number="V77")))
    find(list_desk, "nguyen thi mai")
    qtbot.waitUntil(lambda: [row.key.number for row in vm.state.rows] == ["0012345678"])
    vm.choose(vm.state.rows[0].key)
    qtbot.waitUntil(lambda: vm.check is not None)
    assert vm.check is not None
    assert vm.check.state.question.last == 4  # NT, 1956 is right for both
    vm.check.cancel()


def test_the_age_of_the_feed_is_always_shown(
    list_desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    vm = list_desk.content.patients_vm
    assert "Ward list" in vm.state.feeds[0].words
    clock.advance(3600)
    vm.read()
    qtbot.waitUntil(lambda: "1 h" in vm.state.feeds[0].words)

    assert vm.state.feeds[0].icon == "warning"
    assert "It may miss people. Scanning still works." in vm.state.feed_note


def test_signals_of_a_census_that_is_busy_do_not_pile_up(
    stage: Stage, ada: Operator, list_desk: Desk, qtbot: QtBot
) -> None:
    spy = QSignalSpy(list_desk.content.patients_vm.changed)
    for _ in range(30):
        stage.admit(*ADMISSIONS, event="A08")
    qtbot.wait(400)

    assert spy.count() < 30


def test_ages_and_counts_go_on_under_a_resting_pointer(
    list_desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    vm = list_desk.content.patients_vm
    before = names(list_desk)
    vm.pointed(over=True)
    first = replace(LAYLA.patient, name=PersonName(NameGroup("Aaron", "Ann")))
    first = replace(first, patient_id=replace(first.patient_id, value="0000000001"), other_ids=())
    list_desk.stage.admit(replace(LAYLA, patient=first))
    qtbot.waitUntil(lambda: vm.state.changes == 1)
    count = dict(vm.state.counts)[vm.state.tab]
    assert count == len(before) + 1
    clock.advance(3600)
    vm._tick()
    assert "1 h" in vm.state.feeds[0].words
    assert vm.state.feeds[0].icon == "warning"
    assert names(list_desk) == before


def test_what_a_row_says_goes_on_while_the_rows_hold_still(list_desk: Desk, qtbot: QtBot) -> None:
    """Another bed and another name are shown at once: the row stands where it stood."""
    vm = list_desk.content.patients_vm
    keys = [row.key for row in vm.state.rows]
    vm.pointed(over=True)
    other = replace(LAYLA.patient, name=PersonName(NameGroup("Zuhair", "Layla")))
    list_desk.stage.admit(replace(LAYLA, patient=other), event="A08")
    qtbot.waitUntil(lambda: "ZUHAIR, Layla" in names(list_desk))
    assert [row.key for row in vm.state.rows] == keys
    assert vm.state.changes > 0, "it belongs elsewhere by now"
    vm.apply_changes()
    assert [row.key for row in vm.state.rows] != keys


def test_how_the_feeds_are_is_read_again_by_itself(
    list_desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    vm = list_desk.content.patients_vm
    down = Link(connected=False, problem="The feed is not connected.")
    list_desk.stage.census.watch("adt", lambda: down)
    clock.advance(6)
    vm._tick()
    qtbot.waitUntil(lambda: "The feed is not connected." in vm.state.feed_note)


def test_a_second_costs_the_window_nothing_with_200_rows(
    list_desk: Desk, stage: Stage, qtbot: QtBot
) -> None:
    """Rows are made in the pool, when something changed: the second looks at the feeds only."""
    vm = list_desk.content.patients_vm
    qtbot.waitUntil(lambda: not vm._reading.is_asking)
    rows, made = vm.state.rows, []
    vm.changed.connect(lambda: made.append(vm.state.rows))
    for _ in range(5):
        vm._tick()
    assert vm.state.rows is rows
    assert not made, "nothing changed, so nothing is drawn"


def test_hovering_tells_the_list_to_hold_still(list_desk: Desk, qtbot: QtBot) -> None:
    view = list_desk.content.patients.rows_view
    QTest.mouseMove(view.viewport(), QPoint(100, 100))
    told: list[bool] = []
    view.pointed.connect(told.append)
    QTest.mouseMove(list_desk.content.strip, QPoint(2, 2))
    QTest.mouseMove(view.viewport(), QPoint(100, 120))

    qtbot.waitUntil(lambda: told[-1:] == [True])


def test_what_the_feed_sent_in_vain_makes_its_chip_amber_with_the_list_behind_it(
    list_desk: Desk, stage: Stage
) -> None:
    stage.admit(ADMISSIONS[0])
    page, vm = list_desk.content.patients, list_desk.content.patients_vm
    assert page.feed_messages.isHidden()
    message = (
        rb"MSH|^~\&|ADT|HOSP|||20240702080000||ADT^A03|X1|P|2.5" + b"\r"
        rb"EVN|A03|20240702080000" + b"\rPID|1||4711^^^ST ANNE^MR||Canary^Carla"
    )
    assert b"MSA|AA" in stage.receiver.handle(message)
    merge = message.replace(b"A03", b"A40") + b"\rMRG|4712^^^ST ANNE^MR"
    assert b"MSA|AE" in stage.receiver.handle(merge)
    list_desk.qtbot.waitUntil(lambda: len(vm.state.feed_lines) == 2)
    assert vm.state.feeds[0].tone is Tone.WARN
    assert "for IT" in vm.state.feeds[0].words
    assert page.feed_messages.text() == "2 notes for IT"
    list_desk.qtbot.waitUntil(
        lambda: list_desk.window.status.state.feed.words == "Patient lists: 2 for IT"
    )
    page.feed_messages.click()
    popover = list_desk.window.findChild(FeedPopover)
    assert popover is not None
    lines = [label.text() for label in popover.findChildren(Label)]
    assert any("A03, no effect: PV1-19: no visit is named" in line for line in lines)
    assert any(
        "A40, refused, waits for a person: Patients or visits are merged" in line for line in lines
    )
    assert not any("anary" in line or "4711" in line for line in lines)
    list_desk.key(Qt.Key.Key_Escape)
    list_desk.qtbot.waitUntil(popover.isHidden)
