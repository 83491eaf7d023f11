"""Where the pictures are taken: the visit's place, or one that is picked without typing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.model.audit_event import AuditAction
from capture_app.model.encounter import Location
from capture_app.settings.schema import StationPlace
from capture_app.ui.widgets.choices import ListPopover
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, Hands, at_work, clinic
from tests.ui.stage import Stage

NUMBER = "0012345678"
NEXT = "0011902114"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        settings = opened.services.settings
        station = replace(settings.station, places=(StationPlace("Theatre 2"),))
        opened.services = replace(opened.services, settings=replace(settings, station=station))
        other = ADMISSIONS[3]
        room = replace(other.encounter, location=Location("Burns", "7", "1"))
        opened.admit(replace(other, encounter=room), event="A02")
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


def popover(hands: Hands) -> ListPopover:
    found = [one for one in hands.page.findChildren(ListPopover) if one.isVisible()]
    assert len(found) == 1
    return found[0]


def plain(text: str) -> str:
    """Without the marks that keep a name in one piece in every script."""
    return "".join(c for c in text if c not in "\u2066\u2067\u2068\u2069")


def place(hands: Hands) -> str:
    """The Place of the banner; the button beside it says the same."""
    facts = [fact.value for fact in hands.state.banner.droppable if fact.label == "Place"]
    said = plain(facts[0]) if facts else ""
    assert said in plain(hands.page.banner.place.accessibleName())
    return said


def rows(hands: Hands) -> list[str]:
    return [plain(row.words) for row in hands.page.viewmodel.placing.wards()]


def pick(hands: Hands, row_id: str) -> None:
    popover(hands).picked.emit(row_id)


def sent(hands: Hands) -> dict[str, pydicom.Dataset]:
    """What reached the archive, by its number in the filmstrip."""
    hands.send()
    outbox = hands.stage.outbox
    hands.qtbot.waitUntil(lambda: not any(t.is_draft for t in hands.state.thumbs))
    hands.clock.advance(11)
    engine = hands.stage.engine()
    engine.start()
    try:
        hands.qtbot.waitUntil(lambda: not outbox.counts().waiting)
    finally:
        engine.stop()
    read = [pydicom.dcmread(path) for path in hands.stage.archive.folder.iterdir()]
    return {ds.SOPInstanceUID: ds for ds in read}


def test_ward_and_room_are_picked_by_keys_and_reach_the_picture(hands: Hands) -> None:
    hands.scan(NUMBER)
    hands.key(Qt.Key.Key_2)
    hands.tap("front.shin.L")
    hands.pedal()
    assert place(hands) == "4B, bed 12"
    hands.key(Qt.Key.Key_P, ALT)
    assert rows(hands) == ["As the visit says", "4B", "Burns", "Theatre 2"]
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        hands.key(key)
    assert [plain(row.words) for row in hands.page.viewmodel.placing.rooms("Burns|")] == [
        "Burns",
        "Burns, 7",
    ]
    hands.key(Qt.Key.Key_Down)
    hands.key(Qt.Key.Key_Return)
    hands.qtbot.waitUntil(lambda: place(hands) == "Burns, 7 (picked)")
    assert "picked" in hands.page.banner.place.accessibleName()
    hands.pedal()
    first, second = (thumb.capture_id for thumb in hands.state.thumbs)
    found = sent(hands)
    assert found[first].InstitutionalDepartmentName == "4B"
    assert found[second].InstitutionalDepartmentName == "Burns, 7"
    trail = [row.event for row in read_trail(hands.stage.outbox.spool.database.read())]
    acts = [event for event in trail if event.action is AuditAction.PLACE_PICKED]
    assert [(event.user_id, event.details["place"]) for event in acts] == [("aokafor", "picked")]


def test_the_place_goes_with_the_exam_and_back_to_the_visit(hands: Hands) -> None:
    hands.scan(NUMBER)
    pin = hands.page.banner.place
    assert min(pin.width(), pin.height()) >= 44
    hands.click(pin)
    pick(hands, "Theatre 2|")
    hands.qtbot.waitUntil(lambda: place(hands) == "Theatre 2 (picked)")
    hands.click(pin)
    pick(hands, "visit")
    hands.qtbot.waitUntil(lambda: place(hands) == "4B, bed 12")
    hands.click(pin)
    pick(hands, "Theatre 2|")
    hands.qtbot.waitUntil(lambda: place(hands) == "Theatre 2 (picked)")
    hands.scan(NEXT)
    hands.qtbot.waitUntil(lambda: place(hands) == "4B, bed 3")


def test_a_visit_without_a_place_can_be_given_one(hands: Hands) -> None:
    mai = ADMISSIONS[0]
    nowhere = replace(mai.encounter, visit_number="V9999", location=Location())
    hands.stage.admit(replace(mai, encounter=nowhere))
    left = replace(mai, encounter=mai.encounter)
    hands.stage.admit(left, event="A03")
    hands.scan(NUMBER)
    assert place(hands) == ""
    assert hands.page.banner.place.accessibleName() == "No place is known. Pick one (Alt+P)"
    hands.key(Qt.Key.Key_P, ALT)
    pick(hands, "Theatre 2|")
    hands.qtbot.waitUntil(lambda: place(hands) == "Theatre 2 (picked)")


def test_a_ward_that_is_gone_meanwhile_is_not_picked(hands: Hands) -> None:
    hands.scan(NUMBER)
    hands.page.viewmodel.placing.choose("Paediatrics|")
    assert place(hands) == "4B, bed 12"
    message = hands.state.message
    assert message is not None
    assert message.what == "This place is not known any more."


class TestAStationThatStays:
    @pytest.fixture
    def stage(self, tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
        with clinic(tmp_path / "station", clock) as opened:
            services = opened.services
            station = replace(services.settings.station, goes_to_patients=False)
            exams = ExamService(
                *(opened.outbox, services.catalog, clock, station),
                *(opened.census.person, opened.census.orders_of_others, surgery),
            )
            settings = replace(services.settings, station=station)
            opened.services = replace(services, settings=settings, exams=exams)
            yield opened

    def test_offers_no_place(self, hands: Hands) -> None:
        hands.scan(NUMBER)
        assert hands.page.banner.place.isHidden()
        hands.key(Qt.Key.Key_P, ALT)
        assert not [one for one in hands.page.findChildren(ListPopover) if one.isVisible()]
