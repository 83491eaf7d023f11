"""Orders: none is attached by itself; one is offered in words, used by one act, always shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS
from capture_app.exam.second_identifier import Answer
from capture_app.model.coding import Code
from capture_app.model.exam import Exam
from capture_app.model.order import Order
from capture_app.model.procedure import Side
from capture_app.patients.finding.tabs import Tab
from capture_app.ui.widgets.choices import ListPopover
from capture_app.ui.words.shown import OrderShown
from capture_app.ui.workspace.order_button import OrderButton
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

NUMBER = "0012345678"
STUDY = "1.2.276.0.7230010.3.1.2."
PHOTO = Order(
    study_instance_uid=STUDY + "417",
    accession_number="A-2026-0417",
    requested_procedure_id="R0417",
    requested_procedure_description="Wound photographs",
    requested_procedure_code=None,
    scheduled_procedure_step_id="S0417",
    scheduled_procedure_step_description="Wound photograph",
    scheduled_protocol_codes=(),
    modality="XC",
    scheduled_station_ae_title="",
    scheduled_at=None,
)
SECOND = replace(
    PHOTO,
    study_instance_uid=STUDY + "418",
    accession_number="A-2026-0418",
    scheduled_procedure_step_description="Heel photograph",
)
ULTRASOUND = replace(
    PHOTO,
    study_instance_uid=STUDY + "433",
    accession_number="A-2026-0433",
    scheduled_procedure_step_description="Ultrasound of knee",
    modality="US",
    scheduled_station_ae_title="US_ROOM_2",
)
CODED = replace(
    PHOTO,
    scheduled_protocol_codes=(
        Code("WND-LEG-ULCER", "99CAPTURE", "Leg ulcer"),
        Code("25763004", "SCT", "Skin of anterior surface of lower leg"),
        Code("7771000", "SCT", "Left"),
    ),
)


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


def put(stage: Stage, *orders: Order) -> None:
    """The worklist has these orders for Mai."""
    stage.order(NUMBER, *orders)


def exam(hands: Hands) -> Exam:
    assert hands.window.content is not None
    assert hands.window.content.exam is not None
    return hands.window.content.exam


def button(hands: Hands) -> OrderButton:
    return hands.page.banner.order


def shown(hands: Hands) -> OrderShown:
    assert button(hands).isVisible()
    said = button(hands).shown
    assert said is not None
    return said


def plain(text: str) -> str:
    """Without the marks that keep a number in one piece in every script."""
    return "".join(c for c in text if c not in "\u2066\u2067\u2068\u2069")


def use(hands: Hands, order: Order | None, act: Callable[[], object]) -> None:
    act()
    hands.qtbot.waitUntil(lambda: exam(hands).order == order)


def describe_and_send(hands: Hands) -> list[pydicom.Dataset]:
    """Leg ulcer, left shin; three keys, one picture; delivered to the archive."""
    hands.key(Qt.Key.Key_2)
    hands.tap("front.shin.L")
    hands.shot(Qt.Key.Key_F13)
    return send(hands)


def send(hands: Hands) -> list[pydicom.Dataset]:
    hands.send()
    outbox = hands.stage.outbox
    # The answer, and not the rows alone: they are there a moment before the ten seconds begin.
    hands.qtbot.waitUntil(lambda: not any(t.is_draft for t in hands.state.thumbs))
    hands.clock.advance(11)
    engine = hands.stage.engine()
    engine.start()
    try:
        hands.qtbot.waitUntil(lambda: not outbox.counts().waiting)
    finally:
        engine.stop()
    return [pydicom.dcmread(path) for path in hands.stage.archive.folder.iterdir()]


# ----------------------------------------------------------------------------- none by itself


def test_a_wound_photo_never_goes_into_the_study_of_an_ultrasound_order(hands: Hands) -> None:
    put(hands.stage, ULTRASOUND)
    hands.scan(NUMBER)
    assert exam(hands).order is None
    assert button(hands).isHidden()  # it is for another station and another kind of picture
    (ds,) = describe_and_send(hands)
    assert ds.StudyInstanceUID != ULTRASOUND.study_instance_uid
    assert ds.AccessionNumber == ""
    assert "RequestAttributesSequence" not in ds
    assert "PerformedProcedureStepID" not in ds


def test_an_order_that_is_offered_and_not_used_leaves_no_trace(hands: Hands) -> None:
    put(hands.stage, PHOTO)
    hands.scan(NUMBER)
    assert plain(shown(hands).label) == "Use order A-2026-0417"
    (ds,) = describe_and_send(hands)
    assert ds.StudyInstanceUID != PHOTO.study_instance_uid
    assert ds.AccessionNumber == ""
    assert "RequestAttributesSequence" not in ds


# ------------------------------------------------------------------------------- used by an act


@pytest.mark.parametrize("how", ["click", "tab", "alt+o"])
def test_one_act_uses_the_one_order_on_offer(hands: Hands, how: str) -> None:
    put(hands.stage, PHOTO, ULTRASOUND)
    hands.scan(NUMBER)
    before = exam(hands)
    assert plain(shown(hands).label) == "Use order A-2026-0417"
    assert plain(shown(hands).value) == "Wound photograph"
    if how == "click":
        use(hands, PHOTO, lambda: hands.click(button(hands)))
    elif how == "tab":
        button(hands).setFocus(Qt.FocusReason.TabFocusReason)
        use(hands, PHOTO, lambda: hands.key(Qt.Key.Key_Return))
    else:
        use(hands, PHOTO, lambda: hands.key(Qt.Key.Key_O, ALT))
    assert plain(shown(hands).label) == "Order A-2026-0417 in use"
    assert hands.page.view.hasFocus()
    assert exam(hands).exam_id != before.exam_id
    assert exam(hands).identified_by == before.identified_by
    assert exam(hands).patient == before.patient
    (ds,) = describe_and_send(hands)
    assert ds.StudyInstanceUID == PHOTO.study_instance_uid
    assert ds.AccessionNumber == "A-2026-0417"
    (item,) = ds.RequestAttributesSequence
    assert item.RequestedProcedureID == "R0417"
    assert item.ScheduledProcedureStepID == "S0417"
    assert (ds.PatientID, ds.ImageLaterality) == (NUMBER, "L")


def test_of_several_a_list_asks_which_and_has_no_order_too(hands: Hands) -> None:
    put(hands.stage, PHOTO, SECOND)
    hands.scan(NUMBER)
    assert shown(hands).label == "Choose an order"
    hands.click(button(hands))
    (popover,) = hands.page.findChildren(ListPopover)
    words = [plain(row.words) for row in popover.list.rows]
    assert words == [
        "A-2026-0417, Wound photograph",
        "A-2026-0418, Heel photograph",
        "No order",
    ]
    assert popover.list.chosen == "none"
    QTest.keyClick(popover.list, Qt.Key.Key_Home)
    QTest.keyClick(popover.list, Qt.Key.Key_Down)
    use(hands, SECOND, lambda: QTest.keyClick(popover.list, Qt.Key.Key_Return))
    hands.click(button(hands))
    (popover,) = [p for p in hands.page.findChildren(ListPopover) if p.isVisible()]
    assert popover.list.current_row is not None
    assert plain(popover.list.current_row.words) == "A-2026-0418, Heel photograph"
    QTest.keyClick(popover.list, Qt.Key.Key_End)
    use(hands, None, lambda: QTest.keyClick(popover.list, Qt.Key.Key_Return))
    assert shown(hands).label == "Choose an order"


def test_an_order_for_us_that_asks_for_another_kind_is_never_used_by_one_act(hands: Hands) -> None:
    put(hands.stage, replace(ULTRASOUND, scheduled_station_ae_title="CAPTURE"))
    hands.scan(NUMBER)
    assert shown(hands).label == "Choose an order"
    hands.click(button(hands))
    (popover,) = hands.page.findChildren(ListPopover)
    assert popover.list.rows[0].note == "asks for ultrasound"
    assert exam(hands).order is None
    hands.key(Qt.Key.Key_Escape)
    assert exam(hands).order is None
    assert hands.page.isVisible()


def test_words_that_do_not_fit_are_read_in_the_list_before_anything_is_used(hands: Hands) -> None:
    long = replace(
        PHOTO,
        scheduled_procedure_step_description="Photographs of the pressure sores: sacrum, both hips",
    )
    put(hands.stage, long)
    hands.scan(NUMBER)
    hands.click(button(hands))
    (popover,) = hands.page.findChildren(ListPopover)
    assert plain(popover.list.rows[0].words).endswith("sacrum, both hips")
    assert exam(hands).order is None


# ------------------------------------------------------------------------- what it fills in


def test_what_an_offered_order_fills_in_is_shown_and_can_be_changed(hands: Hands) -> None:
    put(hands.stage, CODED)
    hands.scan(NUMBER)
    assert hands.state.next_picture.words.startswith("From the order: Left lower leg")
    assert hands.page.site.note.words == "From the order"
    hands.key(Qt.Key.Key_R, ALT)
    assert hands.state.next_picture.words.startswith("Next: Right lower leg")
    hands.shot(Qt.Key.Key_F13)
    (ds,) = send(hands)
    assert ds.ImageLaterality == "R"
    assert ds.AccessionNumber == ""


def test_several_orders_fill_in_nothing_until_one_is_used(hands: Hands) -> None:
    put(hands.stage, CODED, SECOND)
    hands.scan(NUMBER)
    assert hands.state.chosen_row == ""
    ordering = hands.page.viewmodel.ordering
    use(hands, CODED, lambda: ordering.choose(ordering.rows()[0].row_id))
    assert hands.state.chosen_row == "WND-LEG-ULCER"
    assert hands.state.side is Side.LEFT


def test_what_a_person_chose_is_not_overwritten_by_an_order(hands: Hands) -> None:
    put(hands.stage, CODED, SECOND)
    hands.scan(NUMBER)
    hands.tap("front.shin.R")
    ordering = hands.page.viewmodel.ordering
    use(hands, CODED, lambda: ordering.choose(ordering.rows()[0].row_id))
    assert hands.state.side is Side.RIGHT
    assert hands.state.chosen_row == ""


# ----------------------------------------------------------------------------- until when


def test_after_the_first_picture_it_is_too_late_and_the_banner_says_why(hands: Hands) -> None:
    put(hands.stage, PHOTO)
    hands.scan(NUMBER)
    hands.shot(Qt.Key.Key_F13)
    assert (shown(hands).label, shown(hands).value) == ("No order", "Pictures were taken")
    assert "open the patient again" in button(hands).toolTip()
    assert not button(hands).isEnabled()
    hands.click(button(hands))
    hands.key(Qt.Key.Key_O, ALT)
    assert exam(hands).order is None
    hands.key(Qt.Key.Key_Delete)
    assert plain(shown(hands).label) == "Use order A-2026-0417"
    use(hands, PHOTO, lambda: hands.click(button(hands)))
    hands.key(Qt.Key.Key_Z, CONTROL)  # that picture was of the exam without the order
    hands.key(Qt.Key.Key_F13)
    hands.qtbot.waitUntil(lambda: len(hands.state.thumbs) > 0)
    (draft,) = hands.stage.outbox.drafts()
    assert hands.stage.outbox.exam_of(draft.capture_id).order == PHOTO


def test_an_order_in_use_stays_in_sight_and_stays(hands: Hands) -> None:
    put(hands.stage, PHOTO)
    hands.scan(NUMBER)
    use(hands, PHOTO, lambda: hands.click(button(hands)))
    hands.shot(Qt.Key.Key_F13)
    assert plain(shown(hands).label) == "Order A-2026-0417 in use"
    assert not button(hands).isEnabled()
    put(hands.stage)  # done elsewhere: the worklist has it no more
    hands.qtbot.waitUntil(lambda: not hands.page.viewmodel._board.known.orders)
    assert plain(shown(hands).label) == "Order A-2026-0417 in use"


def test_a_picture_asked_for_while_the_order_is_being_chosen_is_taken(hands: Hands) -> None:
    put(hands.stage, PHOTO)
    hands.scan(NUMBER)
    QTest.mouseClick(button(hands), Qt.MouseButton.LeftButton)
    hands.page.viewmodel.shutter.shoot()  # before the exam is the other one
    hands.page.viewmodel.shutter.shoot()
    hands.qtbot.waitUntil(lambda: len(hands.stage.outbox.drafts()) == 2)
    orders = {hands.stage.outbox.exam_of(d.capture_id).order for d in hands.stage.outbox.drafts()}
    assert orders == {PHOTO}


def test_an_order_that_comes_later_is_offered_and_fills_in_nothing(hands: Hands) -> None:
    hands.scan(NUMBER)
    assert button(hands).isHidden()
    put(hands.stage, CODED)
    hands.qtbot.waitUntil(lambda: button(hands).isVisible())
    assert hands.state.chosen_row == ""


def test_drafts_that_are_reopened_keep_their_order(hands: Hands) -> None:
    put(hands.stage, PHOTO)
    hands.scan(NUMBER)
    use(hands, PHOTO, lambda: hands.click(button(hands)))
    hands.shot(Qt.Key.Key_F13)
    hands.key(Qt.Key.Key_F12)
    content = hands.window.content
    assert content is not None
    hands.window.sign_in_vm.signed_in.emit(content.operator)
    hands.qtbot.waitUntil(lambda: hands.page_is_there)
    assert exam(hands).order == PHOTO
    assert plain(shown(hands).label) == "Order A-2026-0417 in use"


# ------------------------------------------------------------------------- rows of the worklist


def open_row(hands: Hands, tab: Tab) -> None:
    """Mai's row in a tab, by Enter; the second identifier is answered."""
    content = hands.window.content
    assert content is not None
    vm = content.patients_vm
    vm.show_tab(tab)
    vm.filter("nguyen mai")
    hands.qtbot.waitUntil(lambda: vm.shows_what_was_asked and len(vm.state.rows) == 1)
    vm.open_marked()
    hands.qtbot.waitUntil(lambda: vm.check is not None)
    assert vm.check is not None
    vm.check.answer(Answer("NTM", "1956"))


@pytest.mark.parametrize("tab", [Tab.WARD, Tab.ALL])
def test_a_row_of_another_tab_is_no_order(hands: Hands, tab: Tab) -> None:
    put(hands.stage, PHOTO)
    open_row(hands, tab)
    hands.qtbot.waitUntil(lambda: hands.page_is_there)
    assert exam(hands).order is None
    assert plain(shown(hands).label) == "Use order A-2026-0417"


def test_a_row_of_the_worklist_is_its_order(hands: Hands) -> None:
    put(hands.stage, PHOTO)
    open_row(hands, Tab.WORKLIST)
    hands.qtbot.waitUntil(lambda: hands.page_is_there)
    assert exam(hands).order == PHOTO
    assert plain(shown(hands).label) == "Order A-2026-0417 in use"


def test_a_scan_over_the_worklist_is_no_order(hands: Hands) -> None:
    put(hands.stage, PHOTO)
    assert hands.window.content is not None
    hands.window.content.patients_vm.show_tab(Tab.WORKLIST)
    hands.scan(NUMBER)
    assert exam(hands).order is None


@pytest.mark.parametrize("orders", [(PHOTO, SECOND), (ULTRASOUND,)])
@pytest.mark.parametrize("pick", ["first", "none"])
def test_a_row_that_needs_a_word_asks_which_order(
    hands: Hands, orders: tuple[Order, ...], pick: str
) -> None:
    put(hands.stage, *orders)
    open_row(hands, Tab.WORKLIST)
    hands.qtbot.waitUntil(lambda: bool(hands.window.findChildren(ListPopover)))
    assert not hands.page_is_there
    (popover,) = hands.window.findChildren(ListPopover)
    assert popover.isVisible()
    assert len(popover.list.rows) == len(orders) + 1
    assert popover.list.hasFocus()
    assert popover.list.current_row is not None
    assert popover.list.current_row.words == "No order"  # for an Enter too many
    key = Qt.Key.Key_Home if pick == "first" else Qt.Key.Key_End
    QTest.keyClick(popover.list, key)
    QTest.keyClick(popover.list, Qt.Key.Key_Return)
    hands.qtbot.waitUntil(lambda: hands.page_is_there)
    assert exam(hands).order == (orders[0] if pick == "first" else None)


def test_the_question_of_the_row_ends_by_esc_by_a_scan_and_by_a_lock(hands: Hands) -> None:
    put(hands.stage, PHOTO, SECOND)

    def asked() -> list[ListPopover]:
        return [p for p in hands.window.findChildren(ListPopover) if p.isVisible()]

    content = hands.window.content
    assert content is not None
    open_row(hands, Tab.WORKLIST)
    hands.qtbot.waitUntil(lambda: bool(asked()))
    hands.key(Qt.Key.Key_Escape)
    assert not asked()
    assert content.exam is None
    open_row(hands, Tab.WORKLIST)
    hands.qtbot.waitUntil(lambda: bool(asked()))
    hands.key(Qt.Key.Key_F12)
    hands.window.sign_in_vm.signed_in.emit(content.operator)
    assert not asked()
    open_row(hands, Tab.WORKLIST)
    hands.qtbot.waitUntil(lambda: bool(asked()))
    hands.scan(ADMISSIONS[1].patient.patient_id.value)
    assert not asked()
    assert exam(hands).patient.patient_id.value == ADMISSIONS[1].patient.patient_id.value
    assert exam(hands).order is None
