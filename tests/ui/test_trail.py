"""The trail on screen: for auditors alone, whole or not, filtered, taken away, looked into."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capture_app.model.operator import Operator
from capture_app.security.auditing import ExportKind
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.trail.page import TrailPage
from capture_app.ui.trail.viewmodel import Period, TrailViewModel
from capture_app.ui.words.marks import Tone
from tests.ui.conftest import Desk


@pytest.fixture
def trail(desk: Desk, qtbot: QtBot) -> tuple[TrailViewModel, TrailPage]:
    desk.sign_in()
    desk.content.go(Place.TRAIL)
    vm, page = desk.content.late.trail
    qtbot.waitUntil(lambda: bool(vm.state.rows) and bool(vm.state.verdict))
    return vm, page


def test_an_auditor_sees_what_was_done_and_that_it_is_whole(
    trail: tuple[TrailViewModel, TrailPage],
) -> None:
    vm, page = trail
    assert page.isVisible()
    assert "The trail is whole" in vm.state.verdict
    assert "Trail read" in page.list.rows[0].words
    assert not page.seen.isVisible()


def test_what_is_typed_looks_through_users_and_acts(
    trail: tuple[TrailViewModel, TrailPage], qtbot: QtBot
) -> None:
    vm, page = trail
    QTest.keyClick(page, Qt.Key.Key_U)  # beside the filter it goes to the filter
    assert page.filter.text() == "u"
    page.filter.setText("user added")
    assert [row.also for row in vm.state.rows] == ["user-added user added aokafor"]
    page.filter.setText("nobody")
    assert vm.state.rows == ()
    vm.show_period(Period.ALL)
    qtbot.waitUntil(lambda: vm.state.period is Period.ALL)


def test_esc_goes_back_to_the_patients(desk: Desk, trail: tuple[TrailViewModel, TrailPage]) -> None:
    _, page = trail
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert desk.content.place is Place.PATIENTS


@pytest.mark.expects_log("trail-broken")
def test_a_break_is_shown_until_it_was_looked_into(
    desk: Desk, trail: tuple[TrailViewModel, TrailPage], qtbot: QtBot
) -> None:
    vm, page = trail
    with desk.stage.outbox.spool.database.transaction() as connection:
        connection.execute("DELETE FROM audit_head")
    vm.appear()
    qtbot.waitUntil(lambda: vm.state.tone is Tone.BAD)
    assert "nobody has looked into it" in vm.state.verdict
    assert page.seen.isVisible()
    page.seen.click()
    qtbot.waitUntil(lambda: vm.state.tone is Tone.WARN)
    assert not page.seen.isVisible()


def test_a_file_that_cannot_be_written_says_why(
    trail: tuple[TrailViewModel, TrailPage], qtbot: QtBot, tmp_path: Path
) -> None:
    vm, _ = trail
    vm.export(ExportKind.JSON, tmp_path / "missing" / "trail.json")
    qtbot.waitUntil(lambda: "cannot be written" in vm.state.fault)
    vm.export(ExportKind.JSON, tmp_path / "trail.json")
    qtbot.waitUntil(lambda: bool(vm.state.said))
    assert (tmp_path / "trail.json").stat().st_mode & 0o077 == 0


def test_nobody_else_has_the_page(desk: Desk, ada: Operator, qtbot: QtBot) -> None:
    bo = desk.stage.add_user("bo", "Bo")
    desk.window.sign_in_vm.signed_in.emit(bo)
    qtbot.waitUntil(lambda: desk.window.content is not None)
    desk.content.go(Place.TRAIL)
    assert desk.content.place is None or desk.content.place is Place.PATIENTS
    assert not desk.content.findChildren(TrailPage)
