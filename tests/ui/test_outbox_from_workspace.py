"""O in the workspace looks at the outbox, and Esc goes back: the exam and its drafts stay."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.content import Content
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

MAI, MINH = "0012345678", "0012354687"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def mai(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        yield hands


def content(hands: Hands) -> Content:
    assert hands.window.content is not None
    return hands.window.content


def test_o_looks_at_the_outbox_and_esc_goes_back_to_the_exam(mai: Hands) -> None:
    mai.shot(Qt.Key.Key_Space)
    page, exam = mai.page, content(mai).exam
    mai.key(Qt.Key.Key_O)
    assert content(mai).place is Place.OUTBOX
    assert content(mai).outbox.back.isVisible()
    assert "678" in content(mai).outbox.back.text()
    mai.key(Qt.Key.Key_Space)
    mai.key(Qt.Key.Key_F13)
    mai.key(Qt.Key.Key_Escape)
    assert mai.page is page
    assert page.isVisible()
    assert content(mai).exam is exam
    assert len(mai.state.thumbs) == 1  # no picture was taken unseen
    mai.until_live()
    mai.shot(Qt.Key.Key_F13)
    mai.qtbot.waitUntil(lambda: len(mai.stage.outbox.drafts()) == 2)


def test_the_window_grows_for_no_page_behind_the_one_on_screen(mai: Hands) -> None:
    size = mai.window.size()
    mai.key(Qt.Key.Key_O)
    mai.qtbot.waitUntil(content(mai).outbox.isVisible)
    QApplication.processEvents()
    assert mai.window.size() == size
    strip = content(mai).strip
    assert strip.mapTo(mai.window, QPoint(0, strip.height())).y() <= size.height()
    mai.key(Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert mai.window.size() == size


def test_the_button_goes_back_as_well(mai: Hands) -> None:
    page = mai.page
    mai.key(Qt.Key.Key_O)
    mai.click(content(mai).outbox.back)
    assert mai.page is page


def test_an_o_in_a_field_is_a_letter(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Slash)
    mai.type("o")
    assert mai.page.isVisible()
    assert mai.page.procedures.filter.text() == "o"


def test_from_the_outbox_a_scan_opens_the_next_patient(mai: Hands) -> None:
    page = mai.page
    mai.key(Qt.Key.Key_O)
    mai.type_code(MINH)
    mai.qtbot.waitUntil(lambda: content(mai).place is None)
    mai.qtbot.waitUntil(lambda: mai.page is not page)
    exam = content(mai).exam
    assert exam is not None
    assert exam.patient.patient_id.value == MINH


def test_from_the_list_the_outbox_offers_no_way_back(mai: Hands) -> None:
    mai.key(Qt.Key.Key_Escape)
    assert content(mai).place is Place.PATIENTS
    content(mai).go(Place.OUTBOX)
    assert not content(mai).outbox.back.isVisible()
    mai.key(Qt.Key.Key_Escape)
    assert content(mai).place is Place.PATIENTS


def test_after_a_lock_over_the_outbox_the_exam_goes_on_and_send_asks(mai: Hands) -> None:
    mai.key(Qt.Key.Key_O)
    mai.key(Qt.Key.Key_F12)
    assert mai.window.is_locked
    mai.window.sign_in_vm.signed_in.emit(content(mai).operator)
    assert content(mai).place is Place.OUTBOX
    mai.key(Qt.Key.Key_Escape)
    assert mai.page_is_there  # the same user's exam goes on, and Send will ask
    assert "Identity asked at Send" in mai.page.banner.accessibleName()
