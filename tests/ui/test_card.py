"""A card with pictures of five patients: slates on the real screen, the real page, real files."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS
from capture_app.devices.card import card_files
from capture_app.exam.cards import Cards, code_of
from capture_app.model.operator import Operator, Role
from capture_app.model.slate import Slate
from capture_app.model.worklist import IdentifiedBy
from capture_app.settings.cards import CardFolder
from capture_app.ui.card.page import CardPage, GroupPanel
from capture_app.ui.card.viewmodel import CardViewModel
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.workspace.slate_popover import SlatePopover
from tests import sealing
from tests.cards import CameraCard
from tests.ui.conftest import Desk
from tests.ui.ends import SAID, ends
from tests.ui.hands import Hands, at_work
from tests.ui.stage import Stage, open_stage

PATIENTS = tuple(one.patient.patient_id.value for one in ADMISSIONS[:5])


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with open_stage(tmp_path / "station", clock) as opened:
        cards = (CardFolder("dslr", "DSLR", str(tmp_path / "card")),)
        settings = replace(opened.services.settings, cards=cards)
        opened.services = replace(opened.services, settings=settings)
        yield opened


@pytest.fixture
def camera(tmp_path: Path, clock: FixedClock) -> CameraCard:
    return CameraCard(tmp_path / "card", clock.now())


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


def a_slate(
    stage: Stage, camera: CameraCard, clock: FixedClock, number: str, by: Operator
) -> Slate:
    """Shown for a patient, and photographed."""
    (entry,) = stage.census.lookup(number)
    exam = stage.services.exams.open(entry, by, IdentifiedBy.SCAN)
    slate = stage.services.cards.show(exam, by)
    stage.services.exams.close()
    clock.advance(5)
    camera.now = clock.now() - timedelta(seconds=5)
    camera.shoot(code_of(slate, clock.now()))
    return slate


def shots(camera: CameraCard, clock: FixedClock, count: int) -> None:
    camera.shots(count)
    clock.advance(5 * count)


def the_page(desk: Desk, qtbot: QtBot, groups: int) -> tuple[CardViewModel, CardPage]:
    desk.content.go(Place.CARD)
    viewmodel, page = desk.content.late.card
    qtbot.waitUntil(lambda: viewmodel.state.is_read and len(viewmodel.state.groups) == groups)
    return viewmodel, page


def panel_at(page: CardPage, index: int) -> GroupPanel:
    return list(page.panels.values())[index]


def test_forty_pictures_of_five_patients_are_sorted_in_six_acts(
    hands: Hands, stage: Stage, ada: Operator, camera: CameraCard, clock: FixedClock
) -> None:
    for number in PATIENTS:
        a_slate(stage, camera, clock, number, ada)
        shots(camera, clock, 8)
    content = hands.window.content
    assert content is not None
    bar = content._bar._places
    tab = next(n for n in range(bar.count()) if bar.tabText(n) == "Card")
    hands.acts.append("click Card")
    QTest.mouseClick(
        bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, bar.tabRect(tab).center()
    )
    viewmodel, page = content.late.card
    hands.qtbot.waitUntil(lambda: len(viewmodel.state.groups) == 5)
    assert panel_at(page, 0).act.hasFocus()
    first = panel_at(page, 0)
    hands.qtbot.waitUntil(lambda: first.first.has_picture and first.last.has_picture)
    assert stage.outbox.drafts() == ()
    for place, patient in enumerate(PATIENTS):
        panel = panel_at(page, place)
        assert patient[-3:] in panel.title.text()
        page._scroll.ensureWidgetVisible(panel.act)
        hands.click(panel.act)
    hands.qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 40)
    print(f"\ncard: {len(hands.acts)} acts of at most 6: {', '.join(hands.acts)}")
    assert len(hands.acts) <= 6
    by_patient: dict[str, int] = {}
    for draft in stage.outbox.drafts():
        number_of = stage.outbox.exam_of(draft.capture_id).patient.patient_id.value
        by_patient[number_of] = by_patient.get(number_of, 0) + 1
    assert by_patient == dict.fromkeys(PATIENTS, 8)
    hands.qtbot.waitUntil(lambda: not panel_at(page, 4).act.isVisible())
    assert "safe here as drafts" in viewmodel.state.groups[4].kept


def test_a_slate_is_shown_from_the_banner_and_names_nobody(
    hands: Hands, stage: Stage, camera: CameraCard, clock: FixedClock
) -> None:
    page = hands.scan(PATIENTS[0])
    assert page.banner.slate.isVisible()
    hands.click(page.banner.slate)
    hands.qtbot.waitUntil(lambda: bool(page.findChildren(SlatePopover)))
    (popover,) = page.findChildren(SlatePopover)
    camera.folder.mkdir()
    shown = camera.folder / "screen.png"
    popover.code.grab().save(str(shown))
    (file,) = card_files(camera.folder)
    (code,) = stage.services.cards.read(file).codes
    assert not code.closes
    said = popover.code.accessibleName()
    assert "NT" in said
    patient = page.viewmodel.exam.patient
    assert patient.name.alphabetic.family not in said
    assert PATIENTS[0] not in said
    before = code.text
    popover.closes.click()
    popover.code.grab().save(str(shown))
    clock.advance(1)
    popover._draw()
    (code,) = stage.services.cards.read(card_files(camera.folder)[0]).codes
    assert code.closes
    assert popover.title.text().startswith("Photograph this last")
    assert code.text != before
    hands.window.lock()
    assert not popover.isVisible()


@ends("Slating")
def test_a_slate_that_could_not_be_made_is_said_and_the_next_is_shown(
    hands: Hands, break_once: Callable[..., None]
) -> None:
    page = hands.scan(PATIENTS[0])
    break_once(Cards, "show")
    hands.click(page.banner.slate)
    hands.qtbot.waitUntil(lambda: hands.state.message is not None)
    assert hands.state.message is not None
    assert SAID in hands.state.message.what
    assert not page.findChildren(SlatePopover)
    hands.click(page.banner.slate)
    hands.qtbot.waitUntil(lambda: bool(page.findChildren(SlatePopover)))


def test_nobodys_pictures_have_no_button_and_offered_ones_say_so(
    desk: Desk,
    qtbot: QtBot,
    stage: Stage,
    ada: Operator,
    camera: CameraCard,
    clock: FixedClock,
) -> None:
    shots(camera, clock, 2)
    a_slate(stage, camera, clock, PATIENTS[0], ada)
    shots(camera, clock, 1)
    camera.now += timedelta(minutes=10)
    clock.advance(600)
    shots(camera, clock, 3)
    desk.sign_in()
    viewmodel, page = the_page(desk, qtbot, 3)
    nobodys, of_slate, offered = viewmodel.state.groups
    assert (nobodys.act, nobodys.title) == ("", "Nobody's yet")
    assert "stay on the card" in nobodys.why
    assert not panel_at(page, 0).act.isVisible()
    assert of_slate.act.startswith("Keep 1 for")
    assert offered.is_nobodys
    assert offered.act.startswith("They are of")
    assert page.next_panel is panel_at(page, 1)
    viewmodel.keep(nobodys.key)
    viewmodel.keep(offered.key)
    qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 3)
    qtbot.waitUntil(lambda: desk.content.said.what.startswith("3 pictures are safe"))


def test_a_card_that_is_pulled_out_and_put_in_again_is_told(
    desk: Desk,
    qtbot: QtBot,
    stage: Stage,
    ada: Operator,
    camera: CameraCard,
    clock: FixedClock,
    tmp_path: Path,
) -> None:
    a_slate(stage, camera, clock, PATIENTS[0], ada)
    shots(camera, clock, 2)
    desk.sign_in()
    viewmodel, _page = the_page(desk, qtbot, 1)
    key = viewmodel.state.groups[0].key
    shutil.move(camera.folder, tmp_path / "pocket")
    viewmodel.keep(key)
    qtbot.waitUntil(lambda: "pulled out" in desk.content.said.what)
    qtbot.waitUntil(lambda: viewmodel.state.faults == ("DSLR: No card is there. Put it in.",))
    assert viewmodel.state.groups == ()
    assert stage.outbox.drafts() == ()
    shutil.move(tmp_path / "pocket", camera.folder)
    qtbot.waitUntil(lambda: len(viewmodel.state.groups) == 1)
    viewmodel.keep(key)
    qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 2)


def test_confirmed_pictures_are_offered_for_removal_and_no_others(
    desk: Desk, qtbot: QtBot, stage: Stage, ada: Operator, camera: CameraCard, clock: FixedClock
) -> None:
    a_slate(stage, camera, clock, PATIENTS[0], ada)
    shots(camera, clock, 2)
    desk.sign_in()
    viewmodel, page = the_page(desk, qtbot, 1)
    viewmodel.keep(viewmodel.state.groups[0].key)
    qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 2)
    assert not page.remove.isVisible()
    ids = [draft.capture_id for draft in stage.outbox.drafts()]
    stage.outbox.describe(ids, sealing.description(), ada)
    stage.outbox.seal(ids, ada, release_now=True)
    engine = stage.engine()
    engine.start()
    try:
        qtbot.waitUntil(page.remove.isVisible)
    finally:
        engine.stop()
    assert page.remove.text() == "Remove 2 confirmed pictures from the card"
    page.remove.click()
    qtbot.waitUntil(lambda: viewmodel.state.is_read and viewmodel.state.groups == ())
    assert [path.exists() for path in camera.files] == [True, False, False]  # slates stay


def test_slates_of_a_ward_are_printed_a_sheet_each(
    desk: Desk, qtbot: QtBot, stage: Stage, tmp_path: Path, clock: FixedClock
) -> None:
    desk.sign_in()
    desk.content.go(Place.CARD)
    viewmodel, page = desk.content.late.card
    (ward, *_) = viewmodel.wards()
    listed = [
        one
        for one in stage.census.find("", limit=1000)
        if one.encounter is not None and one.encounter.location.ward == ward
    ]
    path = tmp_path / "slates.pdf"
    page.choose_file = lambda: str(path)
    page._print(ward)
    qtbot.waitUntil(lambda: "written" in desk.content.said.what)
    pdf = path.read_bytes()
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") == len(listed) > 0
    assert page.head.title.font().pixelSize() == 16
    for one in listed:
        assert one.patient.name.alphabetic.family.encode() not in pdf
    page.choose_file = lambda: str(tmp_path / "nowhere" / "slates.pdf")
    page._print(ward)
    qtbot.waitUntil(lambda: "could not be written" in desk.content.said.what)


@ends("CardViewModel")
def test_every_end_of_reading_and_keeping_ends(
    desk: Desk,
    qtbot: QtBot,
    stage: Stage,
    ada: Operator,
    camera: CameraCard,
    clock: FixedClock,
    break_once: Callable[..., None],
) -> None:
    a_slate(stage, camera, clock, PATIENTS[0], ada)
    shots(camera, clock, 1)
    break_once(Cards, "kept")
    desk.sign_in()
    viewmodel, _page = the_page(desk, qtbot, 1)
    break_once(Cards, "keep")
    viewmodel.keep(viewmodel.state.groups[0].key)
    qtbot.waitUntil(lambda: "unexpected" in desk.content.said.what)
    qtbot.waitUntil(lambda: viewmodel.state.busy == "")
    viewmodel.keep(viewmodel.state.groups[0].key)
    qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 1)


def test_without_a_card_in_the_settings_nothing_of_it_is_offered(
    desk: Desk, stage: Stage, open_desk: Callable[[], Desk]
) -> None:
    settings = replace(stage.services.settings, cards=())
    stage.services = replace(stage.services, settings=settings)
    plain = open_desk()
    plain.sign_in()
    assert not plain.content.late.may_see(Place.CARD)
    plain.content.go(Place.CARD)
    assert plain.content.late._card is None


def test_who_takes_no_pictures_does_not_see_it(
    stage: Stage, ada: Operator, open_desk: Callable[[], Desk]
) -> None:
    eve = stage.add_user("eve", "Eve", Role.AUDIT)
    desk = open_desk()
    desk.window.sign_in_vm.signed_in.emit(eve)
    desk.content.go(Place.CARD)
    assert desk.content.late._card is None
