"""The trail on screen: for auditors alone, whole or not, filtered, taken away, looked into."""

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import capture_app
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Operator
from capture_app.security.auditing import ExportKind
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.trail.page import TrailPage
from capture_app.ui.trail.viewmodel import Period, TrailViewModel
from capture_app.ui.trail.words import act_words, detail_words
from capture_app.ui.words.marks import Tone
from tests.ui.conftest import Desk

SOURCE = Path(capture_app.__file__).parent


@pytest.fixture
def trail(desk: Desk, qtbot: QtBot) -> tuple[TrailViewModel, TrailPage]:
    desk.sign_in()
    desk.content.go(Place.TRAIL)
    vm, page = desk.content.late.trail
    qtbot.waitUntil(lambda: bool(vm.state.rows) and bool(vm.state.verdict))
    return vm, page


def test_every_act_has_words() -> None:
    words = act_words()
    assert set(words) == set(AuditAction)
    assert len(set(words.values())) == len(words)


def test_every_fact_of_an_act_has_words() -> None:
    words = detail_words()
    assert names_of_facts() <= set(words), names_of_facts() - set(words)
    assert len(names_of_facts()) > 40, "the search finds what the rooms write down"
    assert all(words.values())


def names_of_facts() -> set[str]:
    """The keys of every mapping that the product hands over as the details of an act."""
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")]
    constants = {
        node.target.id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    found = {
        key.value if isinstance(key, ast.Constant) else constants[ast.unparse(key)]
        for tree in trees
        for node in ast.walk(tree)
        if _hands_details_over(node)
        for mapping in ast.walk(node)
        if isinstance(mapping, ast.Dict)
        for key in mapping.keys
        if isinstance(key, ast.Constant) or (key and ast.unparse(key) in constants)
    }
    return {str(name) for name in found} | {"certificate", "failures", "service"}


def _hands_details_over(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg="details"):
            return True
        case ast.Assign(targets=[ast.Name(id="details")]):
            return True
        case ast.FunctionDef(name="_details"):
            return True
        case ast.Call(args=args):
            return any(
                text == "action" or "AuditAction." in text
                for text in (ast.unparse(one) for one in args)
            )
        case _:
            return False


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
