"""A sealed file that cannot be read is shown in the window, by name and with what to do."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.outbox.recovery.set_apart import FileSetApart
from capture_app.store.sealed import SUFFIX
from capture_app.ui.outbox.proof_popover import ProofPopover
from capture_app.ui.outbox.rows import OutboxAct, Section
from capture_app.ui.outbox.viewmodel import OutboxTab, OutboxViewModel
from capture_app.ui.shell.app_bar import Place
from tests import outboxes
from tests.ui.conftest import Desk
from tests.ui.stage import Stage


def put_junk(stage: Stage) -> Path:
    junk = stage.outbox.spool.captures / f"{'0' * 32}{SUFFIX}"
    junk.write_bytes(b"not a sealed file")
    return junk


def look(desk: Desk) -> OutboxViewModel:
    desk.content.go(Place.OUTBOX)
    desk.qtbot.waitUntil(lambda: desk.content.outbox_vm.state.loaded)
    return desk.content.outbox_vm


@pytest.mark.expects_log("stray-file-unreadable")
def test_a_file_that_cannot_be_read_has_a_row_for_it_until_it_goes(desk: Desk) -> None:
    stage = desk.stage
    junk = put_junk(stage)
    engine = stage.engine()
    engine.start()
    try:
        desk.qtbot.waitUntil(lambda: engine.leads)
    finally:
        assert engine.stop()
    desk.sign_in()
    vm = look(desk)
    desk.qtbot.waitUntil(lambda: bool(vm.state.section(Section.IT_ASKED)))
    (row,) = vm.state.section(Section.IT_ASKED)
    assert junk.name in row.what
    assert row.state == "This file cannot be read, so nobody knows whose picture it is."
    assert "file-set-apart" in row.when
    vm.show_tab(OutboxTab.IT_ASKED)
    assert vm.state.rows == (row,)
    vm.show_tab(OutboxTab.CONFIRMED)
    assert not vm.state.rows
    vm.show_tab(OutboxTab.ALL)
    vm.act(row, OutboxAct.SHOW_PROOF)
    desk.qtbot.waitUntil(lambda: bool(desk.window.findChildren(ProofPopover)))
    assert vm.state.proof is not None
    (said,) = vm.state.proof.images
    assert any(str(junk.parent) in line for line in said.lines)
    assert "Put a whole copy in its place or move it away" in vm.state.proof.summary
    vm.close_proof()
    strip = desk.window.status
    desk.qtbot.waitUntil(lambda: "1 file cannot be read: IT is asked" in strip.state.outbox.words)
    junk.unlink()
    vm.read()
    desk.qtbot.waitUntil(lambda: not vm.state.rows)


@pytest.mark.expects_log("stray-file-unreadable")
def test_another_process_shows_it_too(stage: Stage, clock: FixedClock, qtbot: QtBot) -> None:
    junk = put_junk(stage)
    engine = stage.engine()
    engine.start()
    try:
        qtbot.waitUntil(lambda: engine.leads)
    finally:
        assert engine.stop()
    other = outboxes.open_outbox(stage.folder, clock)
    assert other.files_set_apart() == (FileSetApart(junk, clock.now()),)
    outboxes.close(other)
